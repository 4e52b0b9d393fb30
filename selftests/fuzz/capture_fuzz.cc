// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw trace --pcap` makes of a capture: a CRC that is called good is so a
// bit at a time, no more is held than may be, and how TCP cut a stream does not
// change what is in it.
//
// Input: an octet. Even: a link type, then packets, each its length and how
// many octets more it had on the wire (2 octets each) and its octets. Odd:
// bits 1 and 2, begins with a start-up, with Markers; then the size of a piece
// and the octets one side sent.
#include <string>
#include <vector>

#include "builder.h"
#include "fuzz.h"
#include "tools/siw/trace/decode.h"
#include "tools/siw/trace/header.h"
#include "tools/siw/trace/packet.h"

namespace siw::trace {
namespace {

constexpr int kLinkTypes[] = {0, 1, 12, 101, 108, 113, 228, 276};

void CheckCrc(const Event& event) {
  const auto* fpdu = std::get_if<FpduEvent>(&event.what);
  if (!fpdu || fpdu->crc != Crc::kGood) return;
  const ByteSpan octets = event.octets;
  FUZZ_CHECK(octets.size() >= fpdu->ulpdu_length + 6);
  const ByteSpan covered = octets.first(octets.size() - 4);
  const ByteSpan field = octets.last(4);
  uint32_t crc = 0;
  for (int i = 3; i >= 0; --i) crc = crc << 8 | field[static_cast<size_t>(i)];
  FUZZ_CHECK(crc == SlowCrc32c(covered));
}

void Packets(Source source) {
  const int link_type = kLinkTypes[source.U8() % std::size(kLinkTypes)];
  Decoder decoder(CheckCrc);
  int64_t n = 0;
  while (!source.empty()) {
    const uint16_t length = source.U16();
    const uint16_t more = source.U16();
    const Exact packet(source.Octets(length));
    const OctetSpan octets(packet.data(), packet.size());
    TcpSegment segment;
    const PacketKind kind =
        ParsePacket(link_type, octets,
                    static_cast<uint32_t>(octets.size()) + more, &segment);
    if (kind != PacketKind::kTcp) continue;
    FUZZ_CHECK(segment.payload.size() <= segment.length);
    decoder.Add(segment, {static_cast<uint64_t>(++n), n});
    FUZZ_CHECK(decoder.held() <= Decoder::kMostHeld);
  }
  decoder.Finish();
  FUZZ_CHECK(decoder.held() == 0);
}

std::string Said(const Event& event) {
  std::string out = std::to_string(event.what.index()) + " " +
                    std::to_string(event.sequence) + " " +
                    std::string(event.octets.begin(), event.octets.end());
  if (const auto* fpdu = std::get_if<FpduEvent>(&event.what)) {
    out += std::to_string(static_cast<int>(fpdu->crc)) +
           std::to_string(fpdu->body.index()) + fpdu->refusal_name;
    if (fpdu->segment) out += fpdu->segment->operation;
  }
  if (const auto* skipped = std::get_if<SkippedEvent>(&event.what))
    out += std::to_string(skipped->octets);
  if (const auto* end = std::get_if<EndEvent>(&event.what))
    out += std::to_string(end->unfinished);
  return out;
}

std::vector<std::string> Decode(ByteSpan octets, size_t piece, bool startup,
                                bool markers) {
  std::vector<std::string> said;
  Decoder decoder([&](const Event& event) {
    CheckCrc(event);
    said.push_back(Said(event));
  });
  TcpSegment one;
  one.source.port = 1;
  one.destination.port = 2;
  TcpSegment other = one;
  std::swap(other.source, other.destination);
  const auto add = [&decoder](TcpSegment* segment, ByteSpan payload) {
    const Exact exact(payload);
    segment->payload = OctetSpan(exact.data(), exact.size());
    segment->length = static_cast<uint32_t>(payload.size());
    decoder.Add(*segment, {});
    segment->sequence += segment->length;
  };
  if (startup) {
    std::vector<uint8_t> reply = StartupOctets(true, true);
    if (markers) reply[16] |= 0x80;
    add(&one, StartupOctets(false, true));
    add(&other, reply);
  }
  for (; !octets.empty();
       octets = octets.subspan(std::min(piece, octets.size())))
    add(&one, octets.first(std::min(piece, octets.size())));
  decoder.Finish();
  return said;
}

void Stream(uint8_t flags, Source source) {
  const size_t piece = size_t{source.U8()} + 1;
  const ByteSpan octets = source.Rest();
  const bool startup = flags & 2;
  const bool markers = flags & 4;
  FUZZ_CHECK(Decode(octets, octets.size() + 1, startup, markers) ==
             Decode(octets, piece, startup, markers));
}

}  // namespace
}  // namespace siw::trace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  using namespace siw::trace;
  Source source(data, size);
  const uint8_t flags = source.U8();
  if (flags & 1)
    Stream(flags, source);
  else
    Packets(source);
  return 0;
}
