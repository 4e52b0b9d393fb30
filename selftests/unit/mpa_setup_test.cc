// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "proto.h"

namespace siw {
namespace {

constexpr std::string_view kKeys[] = {"MPA ID Req Frame", "MPA ID Rep Frame"};
constexpr uint16_t kAuto = SIW_MPA_DEPTH_AUTO;

Bytes Frame(siw_mpa_kind kind, uint8_t flags, uint8_t rev, size_t pd_len,
            const Bytes& pd) {
  Bytes out(kKeys[kind].begin(), kKeys[kind].end());
  out.push_back(flags);
  out.push_back(rev);
  PutBe(out, pd_len, 2);
  Append(out, pd);
  return out;
}

Bytes Frame(siw_mpa_kind kind, uint8_t flags, uint8_t rev,
            const Bytes& pd = {}) {
  return Frame(kind, flags, rev, pd.size(), pd);
}

struct Decoded {
  explicit Decoded(const Bytes& in, siw_mpa_kind kind = SIW_MPA_REQUEST) {
    Bytes exact;
    exact.reserve(std::max<size_t>(in.size(), 1));  // none is no null pointer
    Append(exact, in);
    verdict =
        siw_mpa_setup_decode(&frame, kind, exact.data(), exact.size(), &need);
  }
  siw_mpa_setup frame = {};
  size_t need = 0;
  siw_mpa_verdict verdict;
};

siw_mpa_setup Request(uint16_t ird, uint16_t ord, uint8_t rtr = 0) {
  siw_mpa_setup req = {};
  req.kind = SIW_MPA_REQUEST;
  req.rev = 2;
  req.enhanced = true;
  req.p2p = rtr;
  req.rtr = rtr;
  req.ird = ird;
  req.ord = ord;
  return req;
}

TEST(MpaSetupDecode, SaysHowMuchIsNeededAtEveryTruncation) {
  const Bytes in = Frame(SIW_MPA_REQUEST, 0x50, 2, Bytes(9));
  for (size_t n = 0; n < in.size(); ++n) {
    const Decoded decoded(Bytes(in.begin(), in.begin() + n));
    EXPECT_EQ(SIW_MPA_WAIT, decoded.verdict) << n;
    EXPECT_EQ(n < 20 ? 20u : 29u, decoded.need) << n;
  }
  EXPECT_EQ(SIW_MPA_GOOD, Decoded(in).verdict);
  EXPECT_EQ(29u, Decoded(in).need);
}

TEST(MpaSetupDecode, FindsAWrongKeyInItsFirstWrongOctet) {
  for (const siw_mpa_kind kind : {SIW_MPA_REQUEST, SIW_MPA_REPLY}) {
    const Bytes good = Frame(kind, 0x40, 1);
    for (size_t bit = 0; bit < 8 * SIW_MPA_KEY_LEN; ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= 1 << bit % 8;
      EXPECT_EQ(SIW_MPA_BAD_KEY, Decoded(bad, kind).verdict);
      bad.resize(bit / 8 + 1);
      EXPECT_EQ(SIW_MPA_BAD_KEY, Decoded(bad, kind).verdict);
      bad.pop_back();
      EXPECT_EQ(SIW_MPA_WAIT, Decoded(bad, kind).verdict);
    }
  }
}

TEST(MpaSetupDecode, TellsARequestFromAReply) {
  EXPECT_EQ(SIW_MPA_BAD_KEY,
            Decoded(Frame(SIW_MPA_REQUEST, 0, 1), SIW_MPA_REPLY).verdict);
  EXPECT_EQ(SIW_MPA_BAD_KEY,
            Decoded(Frame(SIW_MPA_REPLY, 0, 1), SIW_MPA_REQUEST).verdict);
}

TEST(MpaSetupDecode, TakesRevisionsOneAndTwoOnly) {
  for (int rev = 0; rev < 256; ++rev) {
    EXPECT_EQ(rev == 1 || rev == 2 ? SIW_MPA_GOOD : SIW_MPA_BAD_REV,
              Decoded(Frame(SIW_MPA_REQUEST, 0x40, rev)).verdict);
  }
}

TEST(MpaSetupDecode, BoundsThePrivateDataBeforeItIsThere) {
  for (const size_t n : {513, 1024, 0x8000, 0xffff}) {
    EXPECT_EQ(SIW_MPA_BAD_PD_LEN,
              Decoded(Frame(SIW_MPA_REQUEST, 0x40, 1, n, {})).verdict);
  }
  EXPECT_EQ(SIW_MPA_GOOD,
            Decoded(Frame(SIW_MPA_REQUEST, 0x40, 1, Bytes(512))).verdict);
}

TEST(MpaSetupDecode, RefusesOctetsBehindTheFrame) {
  EXPECT_EQ(SIW_MPA_BAD_TRAIL,
            Decoded(Frame(SIW_MPA_REQUEST, 0x40, 1, 3, Bytes(4))).verdict);
}

TEST(MpaSetupDecode, WantsTheEnhancedOctetsWithSInRevisionTwoOnly) {
  for (size_t n = 0; n < 8; ++n) {
    EXPECT_EQ(n < 4 ? SIW_MPA_BAD_ENHANCED : SIW_MPA_GOOD,
              Decoded(Frame(SIW_MPA_REQUEST, 0x50, 2, Bytes(n))).verdict);
    const Decoded old(Frame(SIW_MPA_REQUEST, 0x50, 1, Bytes(n)));
    EXPECT_EQ(SIW_MPA_GOOD, old.verdict);
    EXPECT_FALSE(old.frame.enhanced);
    EXPECT_EQ(n, old.frame.pd_len);
  }
}

TEST(MpaSetupDecode, IgnoresRejectInARequest) {
  EXPECT_FALSE(Decoded(Frame(SIW_MPA_REQUEST, 0x60, 1)).frame.reject);
  EXPECT_TRUE(
      Decoded(Frame(SIW_MPA_REPLY, 0x60, 1), SIW_MPA_REPLY).frame.reject);
}

TEST(MpaSetupDecode, IgnoresTheRtrBitsWithoutPeerToPeer) {
  const Decoded decoded(Frame(SIW_MPA_REQUEST, 0x50, 2, FromHex("4010c008")));
  ASSERT_EQ(SIW_MPA_GOOD, decoded.verdict);
  EXPECT_FALSE(decoded.frame.p2p);
  EXPECT_EQ(0, decoded.frame.rtr);
  EXPECT_EQ(16, decoded.frame.ird);
  EXPECT_EQ(8, decoded.frame.ord);
}

// All flags, all forms: what is encoded is what is decoded.
TEST(MpaSetupEncode, IsUndoneByDecode) {
  for (int bits = 0; bits < 512; ++bits) {
    siw_mpa_setup in = {};
    in.kind = bits & 1 ? SIW_MPA_REPLY : SIW_MPA_REQUEST;
    in.markers = bits & 2;
    in.crc = bits & 4;
    in.reject = bits & 1 && bits & 8;
    in.enhanced = bits & 16;
    in.rev = in.enhanced || bits & 32 ? 2 : 1;
    in.p2p = in.enhanced && bits & 32;
    in.rtr = in.p2p ? bits >> 6 : 0;
    in.ird = in.enhanced ? 0x2aaa : 0;
    in.ord = in.enhanced ? 0x1555 : 0;
    in.pd_len = 5;
    Bytes buf(siw_mpa_setup_hdr_len(&in));
    ASSERT_EQ(buf.size(), siw_mpa_setup_encode(buf.data(), &in));
    Append(buf, Bytes(5));
    const Decoded out(buf, in.kind);
    ASSERT_EQ(SIW_MPA_GOOD, out.verdict);
    EXPECT_EQ(in.kind, out.frame.kind);
    EXPECT_EQ(in.rev, out.frame.rev);
    EXPECT_EQ(in.markers, out.frame.markers);
    EXPECT_EQ(in.crc, out.frame.crc);
    EXPECT_EQ(in.reject, out.frame.reject);
    EXPECT_EQ(in.enhanced, out.frame.enhanced);
    EXPECT_EQ(in.p2p, out.frame.p2p);
    EXPECT_EQ(in.rtr, out.frame.rtr);
    EXPECT_EQ(in.ird, out.frame.ird);
    EXPECT_EQ(in.ord, out.frame.ord);
    EXPECT_EQ(in.pd_len, out.frame.pd_len);
  }
}

TEST(MpaSetupEncode, RejectsInAReplyOnly) {
  siw_mpa_setup frame = {};
  frame.rev = 1;
  frame.reject = true;
  Bytes buf(20);
  for (const siw_mpa_kind kind : {SIW_MPA_REQUEST, SIW_MPA_REPLY}) {
    frame.kind = kind;
    ASSERT_EQ(20u, siw_mpa_setup_encode(buf.data(), &frame));
    EXPECT_EQ(kind == SIW_MPA_REPLY ? SIW_MPA_F_REJECT : 0, buf[16]);
  }
}

TEST(MpaSetupEncode, GivesTheExampleOfTheDigest) {
  siw_mpa_setup req =
      Request(16, 8, SIW_RTR_SEND | SIW_RTR_WRITE | SIW_RTR_READ);
  req.crc = true;
  Bytes buf(24);
  ASSERT_EQ(24u, siw_mpa_setup_encode(buf.data(), &req));
  EXPECT_EQ("50020004c010c008", ToHex(ByteSpan(buf).subspan(16)));
}

TEST(MpaSetupHelpers, LeaveRoomForTheEnhancedOctets) {
  siw_mpa_setup frame = Request(0, 0);
  EXPECT_EQ(24u, siw_mpa_setup_hdr_len(&frame));
  EXPECT_EQ(508u, siw_mpa_setup_pd_max(&frame));
  frame.enhanced = false;
  EXPECT_EQ(20u, siw_mpa_setup_hdr_len(&frame));
  EXPECT_EQ(512u, siw_mpa_setup_pd_max(&frame));
}

TEST(MpaSetupReply, HasTheFormOfTheRequest) {
  for (const uint8_t rev : {1, 2}) {
    siw_mpa_setup req = {};
    req.rev = rev;
    req.markers = true;
    siw_mpa_setup reply;
    siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_WRITE, 32, 32);
    EXPECT_EQ(SIW_MPA_REPLY, reply.kind);
    EXPECT_EQ(rev, reply.rev);
    EXPECT_FALSE(reply.markers) << "we do not ask for Markers";
    EXPECT_FALSE(reply.enhanced);
    EXPECT_FALSE(reply.p2p);
    EXPECT_EQ(0, reply.ird);
    EXPECT_EQ(0, reply.ord);
    EXPECT_EQ(20u, siw_mpa_setup_hdr_len(&reply));
  }
}

TEST(MpaSetupReply, UsesCrcIfEitherSideWants) {
  siw_mpa_setup req = Request(1, 1);
  for (const bool theirs : {false, true}) {
    for (const bool ours : {false, true}) {
      req.crc = theirs;
      siw_mpa_setup reply;
      siw_mpa_setup_reply(&reply, &req, ours, 0, 1, 1);
      EXPECT_EQ(ours || theirs, reply.crc);
    }
  }
}

TEST(MpaSetupReply, AnswersEachDepthWithTheOther) {
  const std::vector<uint16_t> depths = {0, 1, 8, 127, 128, 0x3ffe, kAuto};
  for (const uint16_t ird : depths) {
    for (const uint16_t ord : depths) {
      for (const uint16_t limit : {0, 1, 128}) {
        const siw_mpa_setup req = Request(ird, ord);
        siw_mpa_setup reply;
        siw_mpa_setup_reply(&reply, &req, true, 0, limit, limit);
        EXPECT_EQ(ord == kAuto ? kAuto : std::min(ord, limit), reply.ird);
        EXPECT_EQ(ird == kAuto ? kAuto : std::min(ird, limit), reply.ord);
      }
    }
  }
}

TEST(MpaSetupReply, NamesOurRtrKindsToAPeerToPeerRequestOnly) {
  const uint8_t ours = SIW_RTR_WRITE | SIW_RTR_READ;
  siw_mpa_setup req = Request(4, 4, SIW_RTR_SEND);
  siw_mpa_setup reply;
  siw_mpa_setup_reply(&reply, &req, true, ours, 4, 4);
  EXPECT_TRUE(reply.p2p);
  EXPECT_EQ(ours, reply.rtr) << "also kinds that were not asked for";
  req = Request(4, 4);
  siw_mpa_setup_reply(&reply, &req, true, ours, 4, 4);
  EXPECT_FALSE(reply.p2p);
  EXPECT_EQ(0, reply.rtr);
}

TEST(MpaSetupReply, RaisesAnIrdOfZeroSoThatAReadCanBeTheRtr) {
  siw_mpa_setup req = Request(4, 0, SIW_RTR_READ);
  siw_mpa_setup reply;
  siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_READ, 4, 4);
  EXPECT_EQ(1, reply.ird);
  siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_WRITE, 4, 4);
  EXPECT_EQ(0, reply.ird);
  siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_READ, 0, 4);
  EXPECT_EQ(0, reply.ird);
  // Nor where we would take a Read and the peer sends none.
  req = Request(4, 0, SIW_RTR_WRITE);
  siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_READ | SIW_RTR_WRITE, 4, 4);
  EXPECT_EQ(0, reply.ird);
}

struct Concluded {
  Concluded(const siw_mpa_setup& req, const siw_mpa_setup& reply) {
    fault = siw_mpa_setup_conclude(&req, &reply, &ird, &ord, &rtr);
  }
  siw_fault fault;
  uint16_t ird = 0xffff;
  uint16_t ord = 0xffff;
  uint8_t rtr = 0xff;
};

TEST(MpaSetupConclude, LowersOrdToThePeersIrd) {
  EXPECT_EQ(4, Concluded(Request(16, 8), Request(4, 16)).ord);
  EXPECT_EQ(8, Concluded(Request(16, 8), Request(9, 16)).ord);
  EXPECT_EQ(16, Concluded(Request(16, 8), Request(4, 16)).ird);
}

TEST(MpaSetupConclude, RefusesAPeerThatWouldIssueMoreThanWeTake) {
  EXPECT_EQ(SIW_OK, Concluded(Request(16, 8), Request(8, 16)).fault);
  EXPECT_EQ(SIW_FAULT_MPA_IRD, Concluded(Request(16, 8), Request(8, 17)).fault);
}

TEST(MpaSetupConclude, LeavesADepthAloneThatIsNotNegotiated) {
  const Concluded both(Request(kAuto, kAuto), Request(kAuto, kAuto));
  EXPECT_EQ(SIW_OK, both.fault);
  EXPECT_EQ(kAuto, both.ird);
  EXPECT_EQ(kAuto, both.ord);
  const Concluded theirs(Request(4, 4), Request(kAuto, kAuto));
  EXPECT_EQ(SIW_OK, theirs.fault);
  EXPECT_EQ(4, theirs.ird);
  EXPECT_EQ(4, theirs.ord);
  const Concluded ours(Request(kAuto, kAuto), Request(3, 5));
  EXPECT_EQ(SIW_OK, ours.fault);
  EXPECT_EQ(kAuto, ours.ird);
  EXPECT_EQ(kAuto, ours.ord);
}

TEST(MpaSetupConclude, ChoosesOneCommonRtrKind) {
  for (uint8_t ours = 1; ours < 8; ++ours) {
    for (uint8_t theirs = 0; theirs < 8; ++theirs) {
      siw_mpa_setup reply = Request(4, 4, theirs);
      reply.p2p = true;
      const Concluded end(Request(4, 4, ours), reply);
      const uint8_t common = ours & theirs;
      EXPECT_EQ(common ? SIW_OK : SIW_FAULT_MPA_RTR, end.fault);
      uint8_t want = 0;
      if (common & SIW_RTR_WRITE) {
        want = SIW_RTR_WRITE;
      } else if (common & SIW_RTR_READ) {
        want = SIW_RTR_READ;
      } else {
        want = common;
      }
      EXPECT_EQ(want, end.rtr);
    }
  }
}

TEST(MpaSetupConclude, DecidesNothingInAPlainReply) {
  siw_mpa_setup reply = {};
  reply.kind = SIW_MPA_REPLY;
  reply.rev = 1;
  const Concluded end(Request(16, 8, SIW_RTR_WRITE), reply);
  EXPECT_EQ(SIW_OK, end.fault);
  EXPECT_EQ(16, end.ird);
  EXPECT_EQ(8, end.ord);
  EXPECT_EQ(0, end.rtr);
}

TEST(MpaSetupConclude, DecidesNothingThatThePlainRequestDidNotAsk) {
  siw_mpa_setup req = {};
  req.rev = 2;
  const Concluded end(req, Request(4, 4, SIW_RTR_WRITE));
  EXPECT_EQ(SIW_OK, end.fault);
  EXPECT_EQ(0, end.ird);
  EXPECT_EQ(0, end.ord);
  EXPECT_EQ(0, end.rtr);
}

TEST(MpaSetupConclude, EndsWellForEveryReplyOfOurs) {
  for (const uint16_t ird : {0, 1, 16, 128}) {
    for (const uint16_t ord : {0, 1, 16, 128}) {
      for (const uint16_t limit : {0, 1, 8, 128}) {
        const siw_mpa_setup req =
            Request(ird, ord, SIW_RTR_WRITE | SIW_RTR_READ);
        siw_mpa_setup reply;
        siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_WRITE | SIW_RTR_READ,
                            limit, limit);
        const Concluded end(req, reply);
        EXPECT_EQ(SIW_OK, end.fault);
        EXPECT_LE(end.ord, reply.ird);
        EXPECT_GE(end.ird, reply.ord);
        EXPECT_EQ(SIW_RTR_WRITE, end.rtr);
      }
    }
  }
}

}  // namespace
}  // namespace siw
