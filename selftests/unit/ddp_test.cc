// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <cstring>

#include "builder.h"
#include "bytes.h"
#include "proto.h"

namespace siw {
namespace {

siw_fault Decode(siw_seg* seg, const Bytes& ulpdu, bool atomics = true) {
  // Exactly the octets there are, so that a sanitizer sees one too many.
  const Bytes exact(ulpdu.begin(), ulpdu.end());
  return siw_ddp_decode(seg, exact.data(), exact.size(),
                        static_cast<uint16_t>(exact.size()), atomics);
}

siw_fault Verdict(const Bytes& ulpdu, bool atomics = true) {
  siw_seg seg;
  return Decode(&seg, ulpdu, atomics);
}

bool IsTagged(uint8_t op) {
  return op == SIW_RDMAP_WRITE || op == SIW_RDMAP_READ_RSP;
}

Bytes Header(uint8_t op) {
  if (IsTagged(op)) return Tagged({.op = op});
  return Untagged({.op = op, .qn = siw_rdmap_op_info(op)->qn});
}

TEST(DdpDecode, ReadsEveryFieldOfATaggedHeader) {
  siw_seg seg;
  ASSERT_EQ(SIW_OK, Decode(&seg, Tagged({.op = SIW_RDMAP_READ_RSP,
                                         .last = false,
                                         .stag = 0x01020304,
                                         .to = 0x1112131415161718},
                                        Bytes(5))));
  EXPECT_EQ(SIW_RDMAP_READ_RSP, seg.op);
  EXPECT_FALSE(seg.last);
  EXPECT_TRUE(seg.tagged);
  EXPECT_EQ(14, seg.hdr_len);
  EXPECT_EQ(5u, seg.len);
  EXPECT_EQ(0x01020304u, seg.stag);
  EXPECT_EQ(0x1112131415161718u, seg.to);
}

TEST(DdpDecode, ReadsEveryFieldOfAnUntaggedHeader) {
  siw_seg seg;
  ASSERT_EQ(SIW_OK, Decode(&seg, Untagged({.op = SIW_RDMAP_SEND_SE_INV,
                                           .inv_stag = 0x01020304,
                                           .qn = 0x11121314,
                                           .msn = 0x21222324,
                                           .mo = 0x31323334},
                                          Bytes(7))));
  EXPECT_EQ(SIW_RDMAP_SEND_SE_INV, seg.op);
  EXPECT_TRUE(seg.last);
  EXPECT_FALSE(seg.tagged);
  EXPECT_EQ(18, seg.hdr_len);
  EXPECT_EQ(7u, seg.len);
  EXPECT_EQ(0x01020304u, seg.stag);
  EXPECT_EQ(0x11121314u, seg.qn);
  EXPECT_EQ(0x21222324u, seg.msn);
  EXPECT_EQ(0x31323334u, seg.mo);
}

TEST(DdpDecode, RefusesEveryTruncationOfEveryHeader) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    Bytes ulpdu = Header(op);
    EXPECT_EQ(SIW_OK, Verdict(ulpdu)) << int{op};
    while (!ulpdu.empty()) {
      ulpdu.pop_back();
      EXPECT_EQ(SIW_FAULT_DDP_LOCAL, Verdict(ulpdu))
          << int{op} << " with " << ulpdu.size() << " octets";
    }
  }
}

TEST(DdpDecode, LooksAtNoMoreThanIsAtHand) {
  const Bytes header = Header(SIW_RDMAP_SEND);
  siw_seg seg;
  EXPECT_EQ(SIW_OK,
            siw_ddp_decode(&seg, header.data(), header.size(), 64768, true));
  EXPECT_EQ(64768u - 18, seg.len);
  EXPECT_EQ(SIW_FAULT_DDP_LOCAL,
            siw_ddp_decode(&seg, header.data(), 17, 64768, true));
}

TEST(DdpDecode, RefusesEveryOtherDdpVersionByTheTBit) {
  for (const uint8_t version : {0, 2, 3}) {
    EXPECT_EQ(SIW_FAULT_DDP_T_VERSION,
              Verdict(Tagged({.ddp_version = version})));
    EXPECT_EQ(SIW_FAULT_DDP_U_VERSION,
              Verdict(Untagged({.ddp_version = version})));
  }
}

TEST(DdpDecode, SeesTheDdpVersionInAHeaderThatIsCutShort) {
  for (size_t n = 2; n < 14; ++n) {
    Bytes tagged = Tagged({.ddp_version = 0});
    Bytes untagged = Untagged({.ddp_version = 0});
    tagged.resize(n);
    untagged.resize(n);
    EXPECT_EQ(SIW_FAULT_DDP_T_VERSION, Verdict(tagged)) << n;
    EXPECT_EQ(SIW_FAULT_DDP_U_VERSION, Verdict(untagged)) << n;
  }
}

TEST(DdpDecode, RefusesEveryOtherRdmapVersion) {
  for (const uint8_t version : {0, 2, 3}) {
    EXPECT_EQ(SIW_FAULT_RDMAP_VERSION,
              Verdict(Tagged({.rdmap_version = version})));
    EXPECT_EQ(SIW_FAULT_RDMAP_VERSION,
              Verdict(Untagged({.rdmap_version = version})));
  }
}

TEST(DdpDecode, TakesExactlyTheAssignedOpcodes) {
  for (uint8_t op = 0; op < 16; ++op) {
    const bool known = op < SIW_RDMAP_OPS;
    const bool atomic =
        op == SIW_RDMAP_ATOMIC_REQ || op == SIW_RDMAP_ATOMIC_RSP;
    const Bytes ulpdu = known ? Header(op) : Untagged({.op = op});
    EXPECT_EQ(known ? SIW_OK : SIW_FAULT_RDMAP_OPCODE, Verdict(ulpdu))
        << int{op};
    EXPECT_EQ(known && !atomic ? SIW_OK : SIW_FAULT_RDMAP_OPCODE,
              Verdict(ulpdu, false))
        << int{op};
  }
}

TEST(DdpDecode, RefusesATBitThatDoesNotFitTheOpcode) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    Bytes ulpdu = Header(op);
    ulpdu.resize(18);
    ulpdu[0] ^= SIW_DDP_F_TAGGED;
    EXPECT_EQ(SIW_FAULT_RDMAP_OPCODE, Verdict(ulpdu)) << int{op};
  }
}

TEST(DdpDecode, IgnoresReservedBits) {
  siw_seg plain, reserved;
  memset(&plain, 0, sizeof(plain));
  memset(&reserved, 0, sizeof(reserved));
  Bytes ulpdu = Header(SIW_RDMAP_SEND);
  ASSERT_EQ(SIW_OK, Decode(&plain, ulpdu));
  ulpdu[0] |= 0x3c;
  ulpdu[1] |= 0x30;
  ASSERT_EQ(SIW_OK, Decode(&reserved, ulpdu));
  EXPECT_EQ(plain.op, reserved.op);
  EXPECT_EQ(plain.last, reserved.last);
}

TEST(DdpDecode, LeavesTheSegmentAloneOnAFault) {
  siw_seg seg, before;
  memset(&seg, 0x5a, sizeof(seg));
  memset(&before, 0x5a, sizeof(before));
  EXPECT_NE(SIW_OK, Decode(&seg, Untagged({.ddp_version = 0})));
  EXPECT_NE(SIW_OK, Decode(&seg, Untagged({.op = 15})));
  EXPECT_EQ(0, memcmp(&before, &seg, sizeof(seg)));
}

// Whatever bit flips, either the header is refused or it says something else,
// unless the bit is a reserved one.
TEST(DdpDecode, NoticesEverySingleBitFlip) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    const Bytes good = Header(op);
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= 1 << bit % 8;
      siw_seg seg;
      const siw_fault fault = Decode(&seg, bad);
      if (fault) continue;
      const bool reserved = (bit >= 2 && bit <= 5) ||
                            (bit >= 12 && bit <= 13) ||
                            (!seg.tagged && bit / 8 >= 2 && bit / 8 < 6 &&
                             !siw_rdmap_op_info(seg.op)->invalidate);
      Bytes again(seg.hdr_len);
      siw_ddp_encode(again.data(), &seg);
      EXPECT_EQ(reserved ? good : bad, again) << int{op} << " bit " << bit;
    }
  }
}

TEST(DdpEncode, IsUndoneByDecode) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    for (const bool last : {false, true}) {
      siw_seg in = {};
      in.op = op;
      in.last = last;
      in.tagged = IsTagged(op);
      in.stag = 0xa1a2a3a4;
      in.to = in.tagged ? 0xb1b2b3b4b5b6b7b8 : 0;
      in.qn = in.tagged ? 0 : 0xc1c2c3c4;
      in.msn = in.tagged ? 0 : 0xd1d2d3d4;
      in.mo = in.tagged ? 0 : 0xe1e2e3e4;
      Bytes ulpdu(in.tagged ? 14 : 18);
      ASSERT_EQ(ulpdu.size(), siw_ddp_encode(ulpdu.data(), &in));
      siw_seg out;
      ASSERT_EQ(SIW_OK, Decode(&out, ulpdu));
      const bool has_stag = in.tagged || siw_rdmap_op_info(op)->invalidate;
      EXPECT_EQ(op, out.op);
      EXPECT_EQ(last, out.last);
      EXPECT_EQ(in.tagged, out.tagged);
      EXPECT_EQ(has_stag ? in.stag : 0, out.stag);
      EXPECT_EQ(in.to, out.to);
      EXPECT_EQ(in.qn, out.qn);
      EXPECT_EQ(in.msn, out.msn);
      EXPECT_EQ(in.mo, out.mo);
    }
  }
}

// What is adjusted for a later segment is what is encoded for it.
TEST(DdpEncode, NextIsAsIfItWereEncoded) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    for (const bool last : {false, true}) {
      siw_seg seg = {};
      seg.op = op;
      seg.tagged = IsTagged(op);
      seg.stag = 0xa1a2a3a4;
      seg.to = 0xb1b2b3b4b5b6b7b8;
      seg.qn = 0xc1c2c3c4;
      seg.msn = 0xd1d2d3d4;
      Bytes next(18);
      siw_ddp_encode(next.data(), &seg);
      seg.to += 0x0101010101010101;
      seg.mo = 0xe1e2e3e4;
      seg.last = last;
      Bytes whole(18);
      siw_ddp_encode(whole.data(), &seg);
      siw_ddp_encode_next(next.data(), &seg);
      EXPECT_EQ(whole, next);
    }
  }
}

TEST(DdpEncode, GivesTheControlOctetsOfTheDigest) {
  static constexpr uint16_t kLast[] = {0xc140, 0x4141, 0xc142, 0x4143,
                                       0x4144, 0x4145, 0x4146, 0x4147,
                                       0x4148, 0x4149, 0x414a, 0x414b};
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    siw_seg seg = {};
    seg.op = op;
    seg.tagged = IsTagged(op);
    Bytes ulpdu(18);
    siw_ddp_encode(ulpdu.data(), &seg);
    EXPECT_EQ(kLast[op] & 0xbfffu, GetBe(ulpdu, 0, 2));
    seg.last = true;
    siw_ddp_encode(ulpdu.data(), &seg);
    EXPECT_EQ(kLast[op], GetBe(ulpdu, 0, 2));
  }
}

// The order of messages

class DdpRx : public testing::Test {
 protected:
  DdpRx() { siw_ddp_rx_init(&rx_); }

  static siw_seg Seg(uint8_t op, uint32_t msn, uint32_t mo = 0,
                     bool last = true, uint32_t len = 0) {
    siw_seg seg = {};
    seg.op = op;
    seg.last = last;
    seg.tagged = IsTagged(op);
    seg.len = len;
    seg.qn = siw_rdmap_op_info(op)->qn;
    seg.msn = msn;
    seg.mo = mo;
    return seg;
  }
  siw_fault Check(const siw_seg& seg, uint32_t buffers) {
    return siw_ddp_rx_untagged(&rx_, &seg, buffers);
  }
  void Take(const siw_seg& seg) {
    ASSERT_EQ(SIW_OK, Check(seg, 1));
    siw_ddp_rx_advance(&rx_, &seg);
  }

  siw_ddp_rx rx_;
};

TEST_F(DdpRx, InitStartsEveryQueueWithMsnOne) {
  for (const siw_ddp_queue& queue : rx_.queue) {
    EXPECT_EQ(1u, queue.msn);
    EXPECT_EQ(0u, queue.mo);
    EXPECT_EQ(SIW_DDP_NO_MSG, queue.op);
  }
  EXPECT_EQ(SIW_DDP_NO_MSG, rx_.tagged_op);
}

TEST_F(DdpRx, UntaggedRefusesQueuesThatDoNotExist) {
  for (const uint32_t qn : {4u, 5u, 0x100u, 0x80000000u, 0xffffffffu}) {
    siw_seg seg = Seg(SIW_RDMAP_SEND, 1);
    seg.qn = qn;
    EXPECT_EQ(SIW_FAULT_DDP_QN, Check(seg, 1)) << qn;
  }
}

TEST_F(DdpRx, UntaggedTakesAnOpcodeOnItsQueueOnly) {
  for (uint8_t op = 0; op < SIW_RDMAP_OPS; ++op) {
    if (IsTagged(op)) continue;
    for (uint32_t qn = 0; qn < SIW_QNS; ++qn) {
      siw_seg seg = Seg(op, 1);
      const bool fits = qn == seg.qn;
      seg.qn = qn;
      EXPECT_EQ(fits ? SIW_OK : SIW_FAULT_RDMAP_OPCODE, Check(seg, 1))
          << int{op} << " on queue " << qn;
    }
  }
}

TEST_F(DdpRx, UntaggedTellsAMissingBufferFromAWrongMsn) {
  EXPECT_EQ(SIW_OK, Check(Seg(SIW_RDMAP_SEND, 1), 1));
  EXPECT_EQ(SIW_FAULT_DDP_NO_BUFFER, Check(Seg(SIW_RDMAP_SEND, 1), 0));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 4), 4));
  EXPECT_EQ(SIW_FAULT_DDP_NO_BUFFER, Check(Seg(SIW_RDMAP_SEND, 5), 4));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 0), 4));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 0), 0));
  EXPECT_EQ(SIW_FAULT_DDP_NO_BUFFER, Check(Seg(SIW_RDMAP_SEND, 1u << 31), 4));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, (1u << 31) + 1), 4));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 7), ~0u));
}

TEST_F(DdpRx, UntaggedCountsTheBufferOfTheMessageInProgress) {
  Take(Seg(SIW_RDMAP_SEND, 1, 0, false, 100));
  EXPECT_EQ(SIW_OK, Check(Seg(SIW_RDMAP_SEND, 1, 100), 0));
  EXPECT_EQ(SIW_FAULT_DDP_NO_BUFFER, Check(Seg(SIW_RDMAP_SEND, 2), 0));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 2), 1));
  EXPECT_EQ(SIW_FAULT_DDP_NO_BUFFER, Check(Seg(SIW_RDMAP_SEND, 3), 1));
  EXPECT_EQ(SIW_FAULT_DDP_MSN, Check(Seg(SIW_RDMAP_SEND, 3), ~0u));
}

TEST_F(DdpRx, UntaggedKeepsTheOpcodeThroughAMessage) {
  for (uint8_t op = SIW_RDMAP_SEND; op <= SIW_RDMAP_SEND_SE_INV; ++op) {
    siw_ddp_rx_init(&rx_);
    Take(Seg(op, 1, 0, false, 8));
    for (uint8_t other = SIW_RDMAP_SEND; other <= SIW_RDMAP_IMM_SE; ++other) {
      if (other == SIW_RDMAP_TERMINATE) continue;
      EXPECT_EQ(other == op ? SIW_OK : SIW_FAULT_RDMAP_OPCODE,
                Check(Seg(other, 1, 8), 1));
    }
  }
}

TEST_F(DdpRx, UntaggedWantsEachOctetOnce) {
  EXPECT_EQ(SIW_FAULT_DDP_MO, Check(Seg(SIW_RDMAP_SEND, 1, 1), 1));
  Take(Seg(SIW_RDMAP_SEND, 1, 0, false, 100));
  EXPECT_EQ(SIW_FAULT_DDP_MO, Check(Seg(SIW_RDMAP_SEND, 1, 0), 1));
  EXPECT_EQ(SIW_FAULT_DDP_MO, Check(Seg(SIW_RDMAP_SEND, 1, 99), 1));
  EXPECT_EQ(SIW_FAULT_DDP_MO, Check(Seg(SIW_RDMAP_SEND, 1, 101), 1));
  EXPECT_EQ(SIW_OK, Check(Seg(SIW_RDMAP_SEND, 1, 100), 1));
}

TEST_F(DdpRx, UntaggedLeavesTheFormOfATerminateToRdmap) {
  EXPECT_EQ(SIW_OK, Check(Seg(SIW_RDMAP_TERMINATE, 1, 12, false), 1));
}

TEST_F(DdpRx, TaggedMessagesAreNotInterleaved) {
  const siw_seg write = Seg(SIW_RDMAP_WRITE, 0, 0, false);
  const siw_seg write_end = Seg(SIW_RDMAP_WRITE, 0, 0, true);
  const siw_seg rsp = Seg(SIW_RDMAP_READ_RSP, 0);
  EXPECT_EQ(SIW_OK, siw_ddp_rx_tagged(&rx_, &rsp));
  EXPECT_EQ(SIW_OK, siw_ddp_rx_tagged(&rx_, &write));
  siw_ddp_rx_advance(&rx_, &write);
  EXPECT_EQ(SIW_FAULT_RDMAP_OPCODE, siw_ddp_rx_tagged(&rx_, &rsp));
  EXPECT_EQ(SIW_OK, siw_ddp_rx_tagged(&rx_, &write_end));
  siw_ddp_rx_advance(&rx_, &write_end);
  EXPECT_EQ(SIW_OK, siw_ddp_rx_tagged(&rx_, &rsp));
}

TEST_F(DdpRx, CheckRoomIsExactAndDoesNotWrap) {
  EXPECT_EQ(SIW_OK, siw_ddp_check_room(0, 0, 0));
  EXPECT_EQ(SIW_OK, siw_ddp_check_room(4, 4, 8));
  EXPECT_EQ(SIW_FAULT_DDP_TOO_LONG, siw_ddp_check_room(4, 5, 8));
  EXPECT_EQ(SIW_FAULT_DDP_TOO_LONG, siw_ddp_check_room(5, 4, 8));
  EXPECT_EQ(SIW_FAULT_DDP_TOO_LONG, siw_ddp_check_room(9, 0, 8));
  for (const uint32_t mo : {0u, 1u, 0x7fffffffu, 0x80000000u, ~0u - 1, ~0u}) {
    for (const uint32_t len : {0u, 1u, 64750u, 0x80000000u, ~0u}) {
      for (const uint32_t room : {0u, 1u, 4096u, 0x7fffffffu, ~0u}) {
        EXPECT_EQ(uint64_t{mo} + len > room ? SIW_FAULT_DDP_TOO_LONG : SIW_OK,
                  siw_ddp_check_room(mo, len, room));
      }
    }
  }
}

TEST_F(DdpRx, AdvanceCountsMessagesPerQueue) {
  Take(Seg(SIW_RDMAP_SEND, 1));
  Take(Seg(SIW_RDMAP_IMM, 2, 0, true, 8));
  Take(Seg(SIW_RDMAP_READ_REQ, 1, 0, true, 28));
  Take(Seg(SIW_RDMAP_ATOMIC_REQ, 2, 0, true, 52));
  Take(Seg(SIW_RDMAP_SEND, 3, 0, false, 10));
  Take(Seg(SIW_RDMAP_SEND, 3, 10, false, 10));
  EXPECT_EQ(3u, rx_.queue[SIW_QN_SEND].msn);
  EXPECT_EQ(20u, rx_.queue[SIW_QN_SEND].mo);
  Take(Seg(SIW_RDMAP_SEND, 3, 20));
  EXPECT_EQ(4u, rx_.queue[SIW_QN_SEND].msn);
  EXPECT_EQ(0u, rx_.queue[SIW_QN_SEND].mo);
  EXPECT_EQ(3u, rx_.queue[SIW_QN_READ].msn);
  EXPECT_EQ(1u, rx_.queue[SIW_QN_TERM].msn);
  EXPECT_EQ(1u, rx_.queue[SIW_QN_ATOMIC_RSP].msn);
}

TEST_F(DdpRx, AdvanceWrapsTheMsn) {
  rx_.queue[SIW_QN_SEND].msn = 0xffffffff;
  Take(Seg(SIW_RDMAP_SEND, 0xffffffff));
  Take(Seg(SIW_RDMAP_SEND, 0));
  EXPECT_EQ(1u, rx_.queue[SIW_QN_SEND].msn);
}

siw_seg Decoded(const Bytes& ulpdu) {
  siw_seg seg;
  EXPECT_EQ(SIW_OK, Decode(&seg, ulpdu));
  return seg;
}

// Does `next` plainly follow `before`? If so, `seg` is what decoding it gives.
bool Follows(const Bytes& before, const Bytes& next) {
  siw_seg seg = Decoded(before);
  const siw_seg was = seg;
  uint8_t hdr[SIW_DDP_UNTAGGED_LEN];
  siw_ddp_encode(hdr, &seg);
  const Bytes exact(next.begin(), next.end());
  const bool follows = siw_ddp_follow(&seg, hdr, exact.data(),
                                      static_cast<uint16_t>(exact.size()));
  const siw_seg want = follows ? Decoded(next) : was;
  EXPECT_EQ(want.op, seg.op);
  EXPECT_EQ(want.last, seg.last);
  EXPECT_EQ(want.tagged, seg.tagged);
  EXPECT_EQ(want.len, seg.len);
  EXPECT_EQ(want.stag, seg.stag);
  if (want.tagged) {
    EXPECT_EQ(want.to, seg.to);
  } else {
    EXPECT_EQ(want.qn, seg.qn);
    EXPECT_EQ(want.msn, seg.msn);
    EXPECT_EQ(want.mo, seg.mo);
  }
  return follows;
}

TEST(DdpFollow, TakesTheSameMessageFurtherOn) {
  EXPECT_TRUE(Follows(
      Tagged({.last = false, .stag = 7, .to = 100}, Bytes(8)),
      Tagged({.last = false, .stag = 7, .to = 0xfffffffffffffff0}, Bytes(3))));
  EXPECT_TRUE(Follows(
      Untagged(
          {.op = SIW_RDMAP_SEND_INV, .last = false, .inv_stag = 9, .msn = 5},
          Bytes(8)),
      Untagged({.op = SIW_RDMAP_SEND_INV,
                .last = false,
                .inv_stag = 9,
                .msn = 5,
                .mo = 0xffffffff},
               Bytes(1))));
}

TEST(DdpFollow, LeavesWhatIsNotPlain) {
  const TaggedFields write = {.last = false, .stag = 7, .to = 100};
  const Bytes before = Tagged(write, Bytes(8));
  auto with = [&](auto change) {
    TaggedFields fields = write;
    change(fields);
    return Tagged(fields, Bytes(8));
  };
  EXPECT_TRUE(Follows(before, with([](auto&) {})));
  EXPECT_FALSE(Follows(before, Tagged(write)));
  EXPECT_FALSE(Follows(before, with([](auto& f) { f.last = true; })));
  EXPECT_FALSE(Follows(before, with([](auto& f) { f.stag = 8; })));
  EXPECT_FALSE(
      Follows(before, with([](auto& f) { f.op = SIW_RDMAP_READ_RSP; })));
  EXPECT_FALSE(Follows(before, with([](auto& f) { f.ddp_version = 2; })));
  EXPECT_FALSE(Follows(before, with([](auto& f) { f.rdmap_version = 0; })));

  const UntaggedFields send = {.last = false, .msn = 5, .mo = 8};
  const Bytes first = Untagged(send, Bytes(8));
  auto but = [&](auto change) {
    UntaggedFields fields = send;
    change(fields);
    return Untagged(fields, Bytes(8));
  };
  EXPECT_TRUE(Follows(first, but([](auto&) {})));
  EXPECT_FALSE(Follows(first, Untagged(send)));
  EXPECT_FALSE(Follows(first, but([](auto& f) { f.last = true; })));
  EXPECT_FALSE(Follows(first, but([](auto& f) { f.op = SIW_RDMAP_SEND_SE; })));
  EXPECT_FALSE(Follows(first, but([](auto& f) { f.qn = 1; })));
  EXPECT_FALSE(Follows(first, but([](auto& f) { f.msn = 6; })));
  EXPECT_FALSE(Follows(first, but([](auto& f) { f.inv_stag = 1; })));
}

}  // namespace
}  // namespace siw
