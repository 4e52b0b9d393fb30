// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "oracle.h"

#include <limits>
#include <utility>

#include "builder.h"

namespace siw {
namespace {

constexpr uint8_t kWrite = 0, kReadReq = 1, kReadRsp = 2, kSendInv = 4,
                  kSendSeInv = 6, kTerminate = 7, kImm = 8, kImmSe = 9,
                  kAtomicReq = 10, kAtomicRsp = 11;
constexpr size_t kTaggedHdr = 14, kUntaggedHdr = 18;
constexpr size_t kReadReqHdr = 28, kAtomicReqHdr = 52, kAtomicRspHdr = 12;
constexpr size_t kUlpduMax = 64768;

constexpr Code kShort{1, 0, 0x00};
constexpr Code kOpcode{0, 2, 0x06};
constexpr Code kUnspecified{0, 2, 0xff};
constexpr Code kNoBuffer{1, 2, 0x02};
constexpr Code kOffset{1, 2, 0x04};
constexpr Code kTooLong{1, 2, 0x05};

const char* Name(uint8_t op) {
  static constexpr const char* kNames[] = {"RDMA Write",
                                           "RDMA Read Request",
                                           "RDMA Read Response",
                                           "Send",
                                           "Send with Invalidate",
                                           "Send with SE",
                                           "Send with SE and Invalidate",
                                           "Terminate",
                                           "Immediate Data",
                                           "Immediate Data with SE",
                                           "Atomic Request",
                                           "Atomic Response"};
  return kNames[op];
}

uint32_t QueueOf(uint8_t op) {
  if (op == kReadReq || op == kAtomicReq) return 1;
  if (op == kTerminate) return 2;
  return op == kAtomicRsp ? 3 : 0;
}

std::string Octets(uint64_t n) { return std::to_string(n) + " octets"; }

}  // namespace

Bytes TerminateFor(const Code& code, ByteSpan ulpdu) {
  Bytes header;
  Bytes read;
  if (code.layer != 2 && code.etype != 0 && ulpdu.size() >= 2) {
    const size_t n = ulpdu[0] & 0x80 ? kTaggedHdr : kUntaggedHdr;
    if (ulpdu.size() >= n) header.assign(ulpdu.begin(), ulpdu.begin() + n);
    if (!header.empty() && code.layer == 0 && code.etype == 1 &&
        (ulpdu[1] & 0xf) == kReadReq && ulpdu.size() >= n + kReadReqHdr) {
      read.assign(ulpdu.begin() + n, ulpdu.begin() + n + kReadReqHdr);
    }
  }
  Bytes body = {static_cast<uint8_t>(code.layer << 4 | code.etype), code.code,
                static_cast<uint8_t>((header.empty() ? 0 : 0xc0) |
                                     (read.empty() ? 0 : 0x20)),
                0};
  if (!header.empty()) PutBe(body, ulpdu.size(), 2);
  return Untagged({.op = kTerminate, .qn = 2}, Join(body, header, read));
}

std::optional<Code> Oracle::Feed(ByteSpan stream) {
  while (pos_ < stream.size()) {
    if (dead_) {
      if (!silent_) events_.push_back("dropped after Terminate");
      return {};
    }
    const size_t before = pos_;
    const Verdict verdict = TakeFpdu(stream);
    if (verdict) return verdict;
    if (need_more_) {
      pos_ = before;
      return {};
    }
  }
  return {};
}

bool Oracle::TakeWord(ByteSpan stream, FpduWalk& walk, Bytes& word) {
  for (int marker = ctx_.markers && pos_ % 512 == 0; marker >= 0; --marker) {
    if (pos_ + 4 > stream.size()) return false;
    word.assign(stream.begin() + pos_, stream.begin() + pos_ + 4);
    if (marker) {
      walk.markers.emplace_back(pos_, GetBe(word, 2, 2) & 0xfffc);
      Append(walk.covered, word);
    }
    pos_ += 4;
  }
  return true;
}

bool Oracle::Walk(ByteSpan stream, FpduWalk& walk, Bytes& crc, bool& too_long) {
  const size_t lead = ctx_.markers && pos_ % 512 == 0 ? 4 : 0;
  if (pos_ + lead + 2 > stream.size()) return false;
  const size_t n = GetBe(stream, pos_ + lead, 2);
  too_long = n > kUlpduMax;
  if (too_long) return true;
  walk.head = pos_ + lead;
  Bytes word;
  while (walk.body.size() < (2 + n + 3) / 4 * 4) {
    if (!TakeWord(stream, walk, word)) return false;
    Append(walk.body, word);
    Append(walk.covered, word);
  }
  if (!TakeWord(stream, walk, crc)) return false;
  ulpdu_.assign(walk.body.begin() + 2, walk.body.begin() + 2 + n);
  return true;
}

Oracle::Verdict Oracle::TakeFpdu(ByteSpan stream) {
  FpduWalk walk;
  Bytes crc;
  bool too_long = false;
  ulpdu_.clear();
  if (!Walk(stream, walk, crc, too_long)) {
    need_more_ = true;
    return {};
  }
  if (too_long) return kShort;
  const Bytes ulpdu = std::exchange(ulpdu_, {});
  const uint32_t field =
      crc[0] | crc[1] << 8 | crc[2] << 16 | static_cast<uint32_t>(crc[3]) << 24;
  if (ctx_.crc && SlowCrc32c(walk.covered) != field) return Code{2, 0, 2};
  for (const auto& [at, ptr] : walk.markers) {
    if (ptr != (at < walk.head ? 0 : at - walk.head)) return Code{2, 0, 3};
  }
  ulpdu_ = ulpdu;
  return Ddp();
}

Oracle::Verdict Oracle::Ddp() {
  const ByteSpan u = ulpdu_;
  if (u.size() < 2) return kShort;
  const bool t = u[0] & 0x80;
  const bool last = u[0] & 0x40;
  const uint8_t op = u[1] & 0xf;
  if ((u[0] & 3) != 1) return t ? Code{1, 1, 4} : Code{1, 2, 6};
  if (u.size() < (t ? kTaggedHdr : kUntaggedHdr)) return kShort;
  if (u[1] >> 6 != 1) return Code{0, 2, 5};
  if (op > kAtomicRsp || (op >= kAtomicReq && !ctx_.atomics)) return kOpcode;
  if (t != (op == kWrite || op == kReadRsp)) return kOpcode;
  if (!t) return UntaggedSegment(op, last);

  const uint32_t stag = static_cast<uint32_t>(GetBe(u, 2, 4));
  const uint64_t to = GetBe(u, 6, 8);
  const size_t len = u.size() - kTaggedHdr;
  if (tagged_op_ && *tagged_op_ != op) return kOpcode;
  const Verdict verdict =
      op == kWrite ? Write(stag, to, len) : ReadResponse(last, stag, to, len);
  if (verdict) return verdict;
  Place(true, stag, to, kTaggedHdr);
  tagged_op_ = last ? std::nullopt : std::optional(op);
  return {};
}

Oracle::Verdict Oracle::Write(uint32_t stag, uint64_t to, size_t len) {
  if (!len) return {};
  const Verdict verdict =
      Region(stag, to, len, &ContextRegion::remote_write, true);
  if (!verdict) events_.push_back("placed " + Octets(len));
  return verdict;
}

Oracle::Verdict Oracle::ReadResponse(bool last, uint32_t stag, uint64_t to,
                                     size_t len) {
  if (ctx_.outstanding_reads.empty()) return kOpcode;
  ContextRead& read = ctx_.outstanding_reads.front();
  const uint64_t end = uint64_t{read.done} + len;
  if (len || read.len) {
    if (stag != read.sink_stag) return Code{1, 1, 0};
    if (to != read.sink_to + read.done || end > read.len) return Code{1, 1, 1};
  }
  if (last && end != read.len) return Code{1, 1, 1};
  read.done = static_cast<uint32_t>(end);
  if (last) {
    ctx_.outstanding_reads.erase(ctx_.outstanding_reads.begin());
    events_.push_back("read complete");
  }
  return {};
}

Oracle::Verdict Oracle::UntaggedSegment(uint8_t op, bool last) {
  const uint32_t qn = static_cast<uint32_t>(GetBe(ulpdu_, 6, 4));
  const uint32_t msn = static_cast<uint32_t>(GetBe(ulpdu_, 10, 4));
  if (qn > 3) return Code{1, 2, 1};
  if (qn != QueueOf(op)) return kOpcode;
  const uint32_t ahead = msn - ctx_.next_msn[qn];
  const size_t have[] = {ctx_.receive_buffers.size(), ctx_.ird, 1,
                         ctx_.outstanding_atomics.size()};
  if (ahead) {
    const bool beyond = ahead < 0x80000000 && ahead >= have[qn];
    return beyond ? kNoBuffer : Code{1, 2, 3};
  }
  const Verdict verdict = Queue(qn, op, last);
  if (!verdict && (qn || last)) ctx_.next_msn[qn] = msn + 1;
  return verdict;
}

Oracle::Verdict Oracle::Queue(uint32_t qn, uint8_t op, bool last) {
  const uint32_t mo = static_cast<uint32_t>(GetBe(ulpdu_, 14, 4));
  const ByteSpan data = ByteSpan(ulpdu_).subspan(kUntaggedHdr);
  if (qn == 0) return Send(op, last, mo, data);
  if (qn == 1) return Request(op, last, mo, data);
  if (qn == 3) return AtomicResponse(last, mo, data);
  dead_ = true;
  silent_ = mo || !last || ctx_.next_msn[2] != 1;
  if (!silent_) {
    events_.push_back("Terminate received " +
                      ToHex(data.first(data.size() < 4 ? data.size() : 4)));
  }
  return {};
}

Oracle::Verdict Oracle::Send(uint8_t op, bool last, uint32_t mo,
                             ByteSpan data) {
  const size_t len = data.size();
  if (!message_) {
    if (ctx_.receive_buffers.empty()) return kNoBuffer;
    message_ = Message{op, 0, ctx_.receive_buffers.front()};
  }
  if (message_->op != op) return kOpcode;
  if (mo != message_->got) return kOffset;
  if (op == kImm || op == kImmSe) {
    if (len != 8 || !last) return kUnspecified;
  } else if (uint64_t{mo} + len > message_->room) {
    return kTooLong;
  } else {
    Place(false, ctx_.next_msn[0], mo, kUntaggedHdr);
  }
  message_->got += static_cast<uint32_t>(len);
  if (!last) return {};
  if (op == kSendInv || op == kSendSeInv) {
    const Verdict verdict =
        Invalidate(static_cast<uint32_t>(GetBe(ulpdu_, 2, 4)));
    if (verdict) return verdict;
  }
  events_.push_back(std::string("delivered ") + Name(op) + " " +
                    Octets(message_->got));
  ctx_.receive_buffers.erase(ctx_.receive_buffers.begin());
  message_.reset();
  return {};
}

Oracle::Verdict Oracle::Invalidate(uint32_t stag) {
  const auto found = ctx_.stags.find(stag);
  if (found == ctx_.stags.end()) return Code{0, 1, 9};
  ContextRegion& region = found->second;
  const bool remote =
      region.remote_read || region.remote_write || region.atomic;
  if (region.pd != ctx_.pd || region.other_stream || !remote || region.shared) {
    return Code{0, 1, 9};
  }
  region.valid = false;
  Bytes name;
  PutBe(name, stag, 4);
  events_.push_back("invalidated " + ToHex(name));
  return {};
}

Oracle::Verdict Oracle::Request(uint8_t op, bool last, uint32_t mo,
                                ByteSpan data) {
  const size_t want = op == kReadReq ? kReadReqHdr : kAtomicReqHdr;
  if (!ctx_.ird) return kNoBuffer;
  if (mo || !last) return kOffset;
  if (data.size() > want) return kTooLong;
  if (data.size() < want) return kUnspecified;
  Verdict verdict;
  std::string event;
  if (op == kReadReq) {
    const uint64_t len = GetBe(data, 12, 4);
    if (len) {
      verdict =
          Region(static_cast<uint32_t>(GetBe(data, 16, 4)), GetBe(data, 20, 8),
                 len, &ContextRegion::remote_read, false);
    }
    event = "read request " + Octets(len);
  } else {
    const uint64_t aop = GetBe(data, 0, 4) & 0xf;
    const uint64_t to = GetBe(data, 12, 8);
    if (aop != 0 && aop != 2) return kOpcode;
    verdict = Region(static_cast<uint32_t>(GetBe(data, 8, 4)), to, 8,
                     &ContextRegion::atomic, false);
    if (!verdict && to % 8) verdict = Code{0, 2, 7};
    event = "atomic request id " + std::to_string(GetBe(data, 4, 4));
  }
  if (verdict) return verdict;
  --ctx_.ird;
  events_.push_back(event);
  return {};
}

Oracle::Verdict Oracle::AtomicResponse(bool last, uint32_t mo, ByteSpan data) {
  if (ctx_.outstanding_atomics.empty()) return kNoBuffer;
  if (mo || !last) return kOffset;
  if (data.size() != kAtomicRspHdr) return kUnspecified;
  if (GetBe(data, 0, 4) != ctx_.outstanding_atomics.front()) {
    return kUnspecified;
  }
  ctx_.outstanding_atomics.erase(ctx_.outstanding_atomics.begin());
  events_.push_back("atomic complete");
  return {};
}

void Oracle::Place(bool tagged, uint32_t buffer, uint64_t offset,
                   size_t header) {
  if (ulpdu_.size() == header) return;
  placements_.push_back(
      {tagged, buffer, offset, Bytes(ulpdu_.begin() + header, ulpdu_.end())});
}

Oracle::Verdict Oracle::Region(uint32_t stag, uint64_t to, uint64_t len,
                               bool ContextRegion::*right, bool ddp) {
  const uint8_t layer = ddp ? 1 : 0;
  const auto found = ctx_.stags.find(stag);
  if (found == ctx_.stags.end() || !found->second.valid) {
    return Code{layer, 1, 0};
  }
  const ContextRegion& region = found->second;
  if (region.pd != ctx_.pd || region.other_stream) {
    return Code{layer, 1, static_cast<uint8_t>(ddp ? 2 : 3)};
  }
  if (!(region.*right)) return Code{0, 1, 2};
  // Octet by octet would be slower still: no sum of two 64-bit numbers here.
  if (std::numeric_limits<uint64_t>::max() - to < len) {
    return Code{layer, 1, static_cast<uint8_t>(ddp ? 3 : 4)};
  }
  const uint64_t end = to + len;
  const uint64_t skipped = to - region.to;
  if (to < region.to || skipped > region.len || end - region.to > region.len) {
    return Code{layer, 1, 1};
  }
  return {};
}

}  // namespace siw
