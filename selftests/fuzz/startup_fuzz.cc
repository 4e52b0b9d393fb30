// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// MPA start-up between both roles (RFC 5044 section 7.1, RFC 6581 section 9):
// Request, Reply and what the initiator concludes, in pieces of any size, with
// octets damaged on the way if the input says so.
//
// Input: the initiator's and the responder's configuration, piece sizes,
// damage. See Config, Pieces and Damaged below.
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

constexpr uint16_t kAuto = SIW_MPA_DEPTH_AUTO;

// What one side wants.
struct Config {
  explicit Config(Source& source) {
    const uint8_t flags = source.U8();
    rev = flags & 1 ? 1 : 2;
    markers = flags & 2;
    crc = flags & 4;
    enhanced = rev == 2 && flags & 8;
    p2p = enhanced && flags & 16;
    refuse = flags & 32;  // a responder
    plain = flags & 64;   // a responder that answers in the old form
    rtr = source.U8() & 7;
    ird = source.U16() & 0x3fff;
    ord = source.U16() & 0x3fff;
    pd_len = static_cast<uint16_t>(source.U16() % 513);
  }
  uint8_t rev;
  bool markers, crc, enhanced, p2p, refuse, plain;
  uint8_t rtr;
  uint16_t ird, ord, pd_len;
};

Bytes OnTheWire(siw_mpa_setup frame, uint16_t pd_len) {
  frame.pd_len =
      std::min(pd_len, static_cast<uint16_t>(siw_mpa_setup_pd_max(&frame)));
  const size_t n = siw_mpa_setup_hdr_len(&frame);
  const Exact header{Bytes(n)};
  FUZZ_CHECK(siw_mpa_setup_encode(header.data(), &frame) == n);
  Bytes out(header.data(), header.data() + n);
  for (uint16_t i = 0; i < frame.pd_len; ++i) {
    out.push_back(static_cast<uint8_t>(i));
  }
  return out;
}

// Up to three octets changed, or one added.
Bytes Damaged(Bytes wire, Source& source) {
  for (int n = source.U8() & 3; n; --n) {
    const size_t at = source.U16() % (wire.size() + 1);
    if (at == wire.size()) {
      wire.push_back(0);
    } else {
      wire[at] ^= source.U8();
    }
  }
  return wire;
}

struct Understood {
  siw_mpa_verdict verdict;
  siw_mpa_setup frame = {};
};

Understood Decode(siw_mpa_kind kind, ByteSpan in) {
  const Exact exact(in);
  Understood out;
  size_t need;
  out.verdict =
      siw_mpa_setup_decode(&out.frame, kind, exact.data(), exact.size(), &need);
  FUZZ_CHECK(need >= 20 && need <= SIW_MPA_FRAME_MAX);
  FUZZ_CHECK(out.verdict != SIW_MPA_WAIT || need > in.size());
  return out;
}

bool Same(const siw_mpa_setup& a, const siw_mpa_setup& b) {
  return a.kind == b.kind && a.rev == b.rev && a.markers == b.markers &&
         a.crc == b.crc && a.reject == b.reject && a.enhanced == b.enhanced &&
         a.p2p == b.p2p && a.rtr == b.rtr && a.ird == b.ird && a.ord == b.ord &&
         a.pd_len == b.pd_len;
}

// Octets come in pieces until there is a verdict: it has to be that of the
// whole. Only what lies behind a whole frame may not have been seen yet.
Understood Receive(siw_mpa_kind kind, ByteSpan wire, Source& source) {
  const Understood whole = Decode(kind, wire);
  Understood got = {.verdict = SIW_MPA_WAIT};
  size_t n = 0;
  while (got.verdict == SIW_MPA_WAIT && n < wire.size()) {
    const size_t piece = source.empty() ? wire.size() : source.U8() % 64 + 1;
    n = std::min(n + piece, wire.size());
    got = Decode(kind, wire.first(n));
  }
  if (whole.verdict == SIW_MPA_BAD_TRAIL && got.verdict == SIW_MPA_GOOD) {
    FUZZ_CHECK(n < wire.size());
    return whole;
  }
  FUZZ_CHECK(got.verdict == whole.verdict);
  FUZZ_CHECK(got.verdict != SIW_MPA_GOOD || Same(got.frame, whole.frame));
  return got;
}

// RFC 6581 section 9.1, the responder's half.
void CheckReply(const siw_mpa_setup& req, const siw_mpa_setup& reply,
                const Config& ours) {
  FUZZ_CHECK(reply.kind == SIW_MPA_REPLY && reply.rev == req.rev);
  FUZZ_CHECK(reply.enhanced == req.enhanced);
  FUZZ_CHECK(reply.crc == (ours.crc || req.crc));
  if (!req.enhanced) {
    FUZZ_CHECK(!reply.p2p && !reply.rtr && !reply.ird && !reply.ord);
    return;
  }
  FUZZ_CHECK(reply.p2p == req.p2p);
  FUZZ_CHECK(reply.rtr == (req.p2p ? ours.rtr : 0));
  FUZZ_CHECK((reply.ird == kAuto) == (req.ord == kAuto));
  FUZZ_CHECK((reply.ord == kAuto) == (req.ird == kAuto));
  if (reply.ird != kAuto) {
    const bool read = reply.rtr & req.rtr & SIW_RTR_READ;
    FUZZ_CHECK(reply.ird <= ours.ird);
    FUZZ_CHECK(reply.ird <= req.ord || (read && reply.ird == 1));
    FUZZ_CHECK(reply.ird || !read || !ours.ird);
  }
  if (reply.ord != kAuto) {
    FUZZ_CHECK(reply.ord <= ours.ord && reply.ord <= req.ird);
  }
}

// RFC 6581 sections 9.1 and 9.2, the initiator's half.
siw_fault CheckConclusion(const siw_mpa_setup& req,
                          const siw_mpa_setup& reply) {
  uint16_t ird = 0xffff;
  uint16_t ord = 0xffff;
  uint8_t rtr = 0xff;
  const siw_fault fault =
      siw_mpa_setup_conclude(&req, &reply, &ird, &ord, &rtr);
  FUZZ_CHECK(ird == req.ird && ord <= req.ord);
  if (!req.enhanced || !reply.enhanced) {
    FUZZ_CHECK(fault == SIW_OK && ord == req.ord && rtr == 0);
    return fault;
  }
  FUZZ_CHECK(ord == (req.ord == kAuto ? kAuto : std::min(req.ord, reply.ird)));
  const bool too_many =
      req.ird != kAuto && reply.ord != kAuto && reply.ord > req.ird;
  const uint8_t common = req.rtr & reply.rtr;
  FUZZ_CHECK((fault == SIW_FAULT_MPA_IRD) == too_many);
  FUZZ_CHECK((fault == SIW_FAULT_MPA_RTR) == (!too_many && req.p2p && !common));
  if (fault || !req.p2p) {
    FUZZ_CHECK(rtr == 0);
  } else {
    FUZZ_CHECK((rtr & common) == rtr && rtr && !(rtr & (rtr - 1)));
  }
  return fault;
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const Config initiator(source);
  Config responder(source);
  responder.ird = std::min<uint16_t>(responder.ird, kAuto - 1);
  responder.ord = std::min<uint16_t>(responder.ord, kAuto - 1);

  siw_mpa_setup req = {};
  req.kind = SIW_MPA_REQUEST;
  req.rev = initiator.rev;
  req.markers = initiator.markers;
  req.crc = initiator.crc;
  req.enhanced = initiator.enhanced;
  req.p2p = initiator.p2p;
  req.rtr = req.p2p ? initiator.rtr : 0;
  req.ird = req.enhanced ? initiator.ird : 0;
  req.ord = req.enhanced ? initiator.ord : 0;
  const Bytes req_wire = OnTheWire(req, initiator.pd_len);
  const Bytes req_came = Damaged(req_wire, source);
  const Understood asked = Receive(SIW_MPA_REQUEST, req_came, source);
  if (req_came == req_wire) FUZZ_CHECK(asked.verdict == SIW_MPA_GOOD);
  if (asked.verdict != SIW_MPA_GOOD) return 0;

  siw_mpa_setup reply;
  siw_mpa_setup_reply(&reply, &asked.frame, responder.crc, responder.rtr,
                      responder.ird, responder.ord);
  CheckReply(asked.frame, reply, responder);
  reply.reject = responder.refuse;
  if (responder.plain) {
    reply.enhanced = reply.p2p = false;
    reply.rtr = 0;
    reply.ird = reply.ord = 0;
  }
  const Bytes reply_wire = OnTheWire(reply, responder.pd_len);
  const Bytes reply_came = Damaged(reply_wire, source);
  const Understood answered = Receive(SIW_MPA_REPLY, reply_came, source);
  const bool intact = req_came == req_wire && reply_came == reply_wire;
  if (intact) {
    siw_mpa_setup sent = reply;
    sent.pd_len = answered.frame.pd_len;
    FUZZ_CHECK(answered.verdict == SIW_MPA_GOOD && Same(answered.frame, sent));
  }
  if (answered.verdict != SIW_MPA_GOOD || answered.frame.reject) return 0;
  const siw_fault fault = CheckConclusion(req, answered.frame);
  // Our own Reply is never one that would issue too much.
  if (intact) FUZZ_CHECK(fault == SIW_OK || fault == SIW_FAULT_MPA_RTR);
  return 0;
}
