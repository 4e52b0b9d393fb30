// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "stream_case.h"

#include "builder.h"
#include "fuzz.h"

namespace siw {
namespace {

// The form: flags, IRD, MSNs if kMsns, counted lists of receive buffers, Reads,
// atomics, regions if kOwnStags, pieces; the rest is the stream.
constexpr uint8_t kMarkers = 1, kNoCrc = 2, kNoAtomics = 4, kOwnStags = 8,
                  kMsns = 16;
constexpr size_t kMostBuffers = 8, kMostReads = 4, kMostAtomics = 4,
                 kMostStags = 8, kMostPieces = 8;
constexpr int kKeyBits = 8;

constexpr uint8_t kRead = 1, kWrite = 2, kAtomic = 4, kInvalid = 8,
                  kShared = 16, kOtherStream = 32, kOtherPd = 64;

uint8_t RegionFlags(const ContextRegion& region, uint32_t pd) {
  return static_cast<uint8_t>(
      (region.remote_read ? kRead : 0) | (region.remote_write ? kWrite : 0) |
      (region.atomic ? kAtomic : 0) | (region.valid ? 0 : kInvalid) |
      (region.shared ? kShared : 0) | (region.other_stream ? kOtherStream : 0) |
      (region.pd == pd ? 0 : kOtherPd));
}

ContextRegion DecodeRegion(Source& source) {
  const uint8_t flags = source.U8();
  ContextRegion region;
  region.pd = flags & kOtherPd ? 2 : 1;
  region.to = source.U64();
  region.len = source.U64();
  region.remote_read = flags & kRead;
  region.remote_write = flags & kWrite;
  region.atomic = flags & kAtomic;
  region.valid = !(flags & kInvalid);
  region.shared = flags & kShared;
  region.other_stream = flags & kOtherStream;
  return region;
}

// A device has one region for an STag's index, whatever its key.
bool IndexIsTaken(const std::map<uint32_t, ContextRegion>& stags,
                  uint32_t stag) {
  for (const auto& [other, region] : stags) {
    if (other >> kKeyBits == stag >> kKeyBits) return true;
  }
  return false;
}

}  // namespace

const std::map<uint32_t, ContextRegion>& StandardStags() {
  static const std::map<uint32_t, ContextRegion> stags = {
      {0x1101,
       {.to = 0x10000,
        .len = 0x2000,
        .remote_read = true,
        .remote_write = true,
        .atomic = true}},
      {0x2202,
       {.pd = 2,
        .to = 0x10000,
        .len = 0x2000,
        .remote_read = true,
        .remote_write = true,
        .atomic = true}},
      {0x3303, {.len = 4096, .remote_write = true}},
      {0x4404, {.len = 4096, .remote_read = true}},
      {0x5505,
       {.len = 4096,
        .remote_read = true,
        .remote_write = true,
        .valid = false}},
      {0x6606,
       {.to = ~uint64_t{0} - 4095,
        .len = 4095,
        .remote_read = true,
        .remote_write = true}},
      {0x8808,
       {.len = 4096,
        .remote_read = true,
        .remote_write = true,
        .shared = true}},
      {0x9909,
       {.len = 4096,
        .remote_read = true,
        .remote_write = true,
        .other_stream = true}},
  };
  return stags;
}

StreamCase DecodeCase(ByteSpan in) {
  Source source(in.data(), in.size());
  StreamCase out;
  Context& context = out.context;
  const uint8_t flags = source.U8();
  context.markers = flags & kMarkers;
  context.crc = !(flags & kNoCrc);
  context.atomics = !(flags & kNoAtomics);
  context.ird = source.U8();
  if (flags & kMsns) {
    for (uint32_t& msn : context.next_msn) msn = source.U32();
  }
  context.receive_buffers.clear();
  for (size_t n = source.U8() % (kMostBuffers + 1); n; --n) {
    context.receive_buffers.push_back(source.U16());
  }
  for (size_t n = source.U8() % (kMostReads + 1); n; --n) {
    ContextRead read;
    read.sink_stag = source.U32();
    read.sink_to = source.U64();
    read.len = source.U32();
    context.outstanding_reads.push_back(read);
  }
  for (size_t n = source.U8() % (kMostAtomics + 1); n; --n) {
    context.outstanding_atomics.push_back(source.U32());
  }
  context.stags = StandardStags();
  if (flags & kOwnStags) {
    context.stags.clear();
    for (size_t n = source.U8() % (kMostStags + 1); n; --n) {
      const uint32_t stag = source.U32();
      const ContextRegion region = DecodeRegion(source);
      if (!IndexIsTaken(context.stags, stag)) context.stags[stag] = region;
    }
  }
  for (size_t n = source.U8() % (kMostPieces + 1); n; --n) {
    out.pieces.push_back(source.U16());
  }
  const ByteSpan rest = source.Rest();
  out.stream.assign(rest.begin(), rest.end());
  return out;
}

Bytes EncodeCase(const StreamCase& stream_case) {
  const Context& context = stream_case.context;
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.to == b.second.to &&
           a.second.len == b.second.len &&
           RegionFlags(a.second, 1) == RegionFlags(b.second, 1);
  };
  const bool standard =
      std::equal(context.stags.begin(), context.stags.end(),
                 StandardStags().begin(), StandardStags().end(), same);
  const bool msns = context.next_msn != Context().next_msn;
  Bytes out;
  PutBe(out,
        (context.markers ? kMarkers : 0) | (context.crc ? 0 : kNoCrc) |
            (context.atomics ? 0 : kNoAtomics) | (standard ? 0 : kOwnStags) |
            (msns ? kMsns : 0),
        1);
  PutBe(out, context.ird, 1);
  if (msns) {
    for (const uint32_t msn : context.next_msn) PutBe(out, msn, 4);
  }
  PutBe(out, context.receive_buffers.size(), 1);
  for (const uint32_t room : context.receive_buffers) PutBe(out, room, 2);
  PutBe(out, context.outstanding_reads.size(), 1);
  for (const ContextRead& read : context.outstanding_reads) {
    PutBe(out, read.sink_stag, 4);
    PutBe(out, read.sink_to, 8);
    PutBe(out, read.len, 4);
  }
  PutBe(out, context.outstanding_atomics.size(), 1);
  for (const uint32_t id : context.outstanding_atomics) PutBe(out, id, 4);
  if (!standard) {
    PutBe(out, context.stags.size(), 1);
    for (const auto& [stag, region] : context.stags) {
      PutBe(out, stag, 4);
      PutBe(out, RegionFlags(region, context.pd), 1);
      PutBe(out, region.to, 8);
      PutBe(out, region.len, 8);
    }
  }
  PutBe(out, stream_case.pieces.size(), 1);
  for (const uint16_t piece : stream_case.pieces) PutBe(out, piece, 2);
  Append(out, stream_case.stream);
  return out;
}

std::vector<Bytes> Ulpdus(ByteSpan stream, bool markers) {
  constexpr size_t kMarkerLen = 4, kMarkerInterval = 512, kLengthLen = 2,
                   kCrcLen = 4;
  Bytes plain;
  for (size_t i = 0; i < stream.size(); ++i) {
    if (!markers || i % kMarkerInterval >= kMarkerLen) {
      plain.push_back(stream[i]);
    }
  }
  std::vector<Bytes> out;
  size_t at = 0;
  while (plain.size() - at >= kLengthLen) {
    const size_t n = GetBe(plain, at, kLengthLen);
    at += kLengthLen;
    const size_t have = std::min(n, plain.size() - at);
    out.emplace_back(plain.begin() + at, plain.begin() + at + have);
    const size_t padded = (kLengthLen + n + 3) / 4 * 4 - kLengthLen;
    at = std::min(at + padded + kCrcLen, plain.size());
  }
  return out;
}

Bytes Framed(const std::vector<Bytes>& ulpdus, const Context& context) {
  Framer framer(context.markers, context.crc);
  for (const Bytes& ulpdu : ulpdus) framer.Add(ulpdu);
  return framer.stream();
}

}  // namespace siw
