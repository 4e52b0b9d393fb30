// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <random>

#include "builder.h"
#include "bytes.h"
#include "proto.h"

namespace siw {
namespace {

siw_seg Seg(uint8_t op, uint32_t len, bool last = true) {
  siw_seg seg = {};
  seg.op = op;
  seg.last = last;
  seg.len = len;
  return seg;
}

TEST(RdmapOpInfo, IsTheTableOfTheDigest) {
  const struct {
    uint8_t op;
    bool tagged;
    uint8_t qn;
    bool atomic_ext, solicited, invalidate, send;
  } want[] = {
      {SIW_RDMAP_WRITE, true, 0, false, false, false, false},
      {SIW_RDMAP_READ_REQ, false, 1, false, false, false, false},
      {SIW_RDMAP_READ_RSP, true, 0, false, false, false, false},
      {SIW_RDMAP_SEND, false, 0, false, false, false, true},
      {SIW_RDMAP_SEND_INV, false, 0, false, false, true, true},
      {SIW_RDMAP_SEND_SE, false, 0, false, true, false, true},
      {SIW_RDMAP_SEND_SE_INV, false, 0, false, true, true, true},
      {SIW_RDMAP_TERMINATE, false, 2, false, false, false, false},
      {SIW_RDMAP_IMM, false, 0, false, false, false, true},
      {SIW_RDMAP_IMM_SE, false, 0, false, true, false, true},
      {SIW_RDMAP_ATOMIC_REQ, false, 1, true, false, false, false},
      {SIW_RDMAP_ATOMIC_RSP, false, 3, true, false, false, false},
  };
  static_assert(std::size(want) == SIW_RDMAP_OPS);
  for (const auto& row : want) {
    const struct siw_rdmap_op_info* info = siw_rdmap_op_info(row.op);
    ASSERT_NE(nullptr, info);
    EXPECT_NE(nullptr, info->name);
    EXPECT_EQ(row.tagged, info->tagged) << info->name;
    EXPECT_EQ(row.qn, info->qn) << info->name;
    EXPECT_EQ(row.atomic_ext, info->atomic_ext) << info->name;
    EXPECT_EQ(row.solicited, info->solicited) << info->name;
    EXPECT_EQ(row.invalidate, info->invalidate) << info->name;
    EXPECT_EQ(row.send, info->send) << info->name;
  }
}

TEST(RdmapOpInfo, HasNothingForAnyOtherNumber) {
  for (int op = SIW_RDMAP_OPS; op < 256; ++op) {
    EXPECT_EQ(nullptr, siw_rdmap_op_info(static_cast<uint8_t>(op)));
  }
}

TEST(ReadReqEncode, BuildsTheHeaderAndIsUndoneByDecode) {
  const siw_read_req in = {.sink_stag = 0x01020304,
                           .sink_to = 0x1112131415161718,
                           .len = 0x21222324,
                           .src_stag = 0x31323334,
                           .src_to = 0x4142434445464748};
  Bytes hdr(SIW_READ_REQ_LEN);
  siw_read_req_encode(hdr.data(), &in);
  EXPECT_EQ("01020304111213141516171821222324313233344142434445464748",
            ToHex(hdr));
  siw_read_req out;
  siw_read_req_decode(&out, hdr.data());
  EXPECT_EQ(in.sink_stag, out.sink_stag);
  EXPECT_EQ(in.sink_to, out.sink_to);
  EXPECT_EQ(in.len, out.len);
  EXPECT_EQ(in.src_stag, out.src_stag);
  EXPECT_EQ(in.src_to, out.src_to);
}

// Read Responses

class ReadRsp : public testing::Test {
 protected:
  siw_fault Check(uint32_t stag, uint64_t to, uint32_t len, bool last) {
    siw_seg seg = Seg(SIW_RDMAP_READ_RSP, len, last);
    seg.tagged = true;
    seg.stag = stag;
    seg.to = to;
    return siw_rdmap_check_read_rsp(&sink_, &seg);
  }
  siw_read_sink sink_ = {.stag = 0x7707, .to = 0x20000, .len = 16, .done = 0};
};

TEST_F(ReadRsp, NeedsAReadToAnswer) {
  const siw_seg seg = Seg(SIW_RDMAP_READ_RSP, 0);
  EXPECT_EQ(SIW_FAULT_RDMAP_OPCODE, siw_rdmap_check_read_rsp(nullptr, &seg));
}

TEST_F(ReadRsp, GoesToTheStagOfTheRequest) {
  EXPECT_EQ(SIW_OK, Check(0x7707, 0x20000, 16, true));
  EXPECT_EQ(SIW_FAULT_DDP_STAG, Check(0x7706, 0x20000, 16, true));
}

TEST_F(ReadRsp, ContinuesWithoutGapOrOverlap) {
  sink_.done = 4;
  EXPECT_EQ(SIW_OK, Check(0x7707, 0x20004, 4, false));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 4, false));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20003, 4, false));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20005, 4, false));
}

TEST_F(ReadRsp, HasExactlyTheOctetsAskedFor) {
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 17, true));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 17, false));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 15, true));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 0, true));
  EXPECT_EQ(SIW_OK, Check(0x7707, 0x20000, 15, false));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, ~0u, true));
}

TEST_F(ReadRsp, OfNoOctetsIsNotLookedAt) {
  sink_.len = 0;
  EXPECT_EQ(SIW_OK, Check(0, 0, 0, true));
  EXPECT_EQ(SIW_OK, Check(0xffffffff, ~0ull, 0, true));
  EXPECT_EQ(SIW_FAULT_DDP_BOUNDS, Check(0x7707, 0x20000, 1, true));
}

TEST(RdmapCheckRequest, WantsOneSegmentOfExactlyTheHeader) {
  const struct {
    uint8_t op;
    uint32_t len;
  } kinds[] = {{SIW_RDMAP_READ_REQ, 28}, {SIW_RDMAP_ATOMIC_REQ, 52}};
  for (const auto& kind : kinds) {
    for (uint32_t len = 0; len < 80; ++len) {
      siw_fault want = SIW_OK;
      if (len > kind.len) want = SIW_FAULT_DDP_TOO_LONG;
      if (len < kind.len) want = SIW_FAULT_RDMAP_UNSPECIFIED;
      const siw_seg seg = Seg(kind.op, len);
      EXPECT_EQ(want, siw_rdmap_check_request(&seg)) << len;
      const siw_seg more = Seg(kind.op, len, false);
      EXPECT_EQ(SIW_FAULT_DDP_MO, siw_rdmap_check_request(&more)) << len;
    }
  }
}

TEST(RdmapCheckImm, WantsOneSegmentOfEightOctets) {
  for (uint32_t len = 0; len < 20; ++len) {
    const siw_seg seg = Seg(SIW_RDMAP_IMM, len);
    EXPECT_EQ(len == 8 ? SIW_OK : SIW_FAULT_RDMAP_UNSPECIFIED,
              siw_rdmap_check_imm(&seg));
  }
  const siw_seg more = Seg(SIW_RDMAP_IMM_SE, 8, false);
  EXPECT_EQ(SIW_FAULT_RDMAP_UNSPECIFIED, siw_rdmap_check_imm(&more));
}

TEST(RdmapTermOk, WantsQueueTwoAndTheOnlySegmentOfTheFirstMessage) {
  siw_seg seg = Seg(SIW_RDMAP_TERMINATE, 4);
  seg.qn = 2;
  seg.msn = 1;
  EXPECT_TRUE(siw_rdmap_term_ok(&seg));
  seg.len = 0;
  EXPECT_TRUE(siw_rdmap_term_ok(&seg)) << "short ones are Terminates, too";
  siw_seg bad = seg;
  bad.qn = 0;
  EXPECT_FALSE(siw_rdmap_term_ok(&bad));
  bad = seg;
  bad.msn = 2;
  EXPECT_FALSE(siw_rdmap_term_ok(&bad));
  bad = seg;
  bad.mo = 4;
  EXPECT_FALSE(siw_rdmap_term_ok(&bad));
  bad = seg;
  bad.last = false;
  EXPECT_FALSE(siw_rdmap_term_ok(&bad));
}

// Atomics

siw_atomic_req FetchAdd(uint64_t add, uint64_t mask = 0) {
  siw_atomic_req req = {};
  req.aop = SIW_ATOMIC_FETCH_ADD;
  req.data = add;
  req.data_mask = mask;
  req.cmp_mask = ~0ull;
  return req;
}

siw_atomic_req CmpSwap(uint64_t cmp, uint64_t swap, uint64_t cmp_mask = ~0ull,
                       uint64_t swap_mask = ~0ull) {
  siw_atomic_req req = {};
  req.aop = SIW_ATOMIC_CMP_SWAP;
  req.data = swap;
  req.data_mask = swap_mask;
  req.cmp = cmp;
  req.cmp_mask = cmp_mask;
  return req;
}

// The pseudocode of RFC 7306 section 5.1.1.
uint64_t SlowFetchAdd(uint64_t old, uint64_t add, uint64_t mask) {
  uint64_t out = 0;
  int carry = 0;
  for (int bit = 0; bit < 64; ++bit) {
    const int sum = (old >> bit & 1) + (add >> bit & 1) + carry;
    out |= uint64_t(sum & 1) << bit;
    carry = mask >> bit & 1 ? 0 : sum >> 1;
  }
  return out;
}

TEST(AtomicReq, IsUndoneByDecode) {
  const siw_atomic_req in = {.aop = SIW_ATOMIC_CMP_SWAP,
                             .id = 0x01020304,
                             .stag = 0x11121314,
                             .to = 0x2122232425262728,
                             .data = 0x3132333435363738,
                             .data_mask = 0x4142434445464748,
                             .cmp = 0x5152535455565758,
                             .cmp_mask = 0x6162636465666768};
  Bytes hdr(SIW_ATOMIC_REQ_LEN);
  siw_atomic_req_encode(hdr.data(), &in);
  EXPECT_EQ(
      "0000000201020304111213142122232425262728313233343536373841424344454647"
      "4851525354555657586162636465666768",
      ToHex(hdr));
  siw_atomic_req out;
  ASSERT_EQ(SIW_OK, siw_atomic_req_decode(&out, hdr.data()));
  EXPECT_EQ(in.aop, out.aop);
  EXPECT_EQ(in.id, out.id);
  EXPECT_EQ(in.stag, out.stag);
  EXPECT_EQ(in.to, out.to);
  EXPECT_EQ(in.data, out.data);
  EXPECT_EQ(in.data_mask, out.data_mask);
  EXPECT_EQ(in.cmp, out.cmp);
  EXPECT_EQ(in.cmp_mask, out.cmp_mask);
}

TEST(AtomicReq, KnowsTwoOperationsAndIgnoresReservedBits) {
  for (int aop = 0; aop < 16; ++aop) {
    Bytes hdr(SIW_ATOMIC_REQ_LEN);
    hdr[0] = hdr[1] = hdr[2] = 0xff;
    hdr[3] = static_cast<uint8_t>(0xf0 | aop);
    siw_atomic_req req;
    EXPECT_EQ(aop == 0 || aop == 2 ? SIW_OK : SIW_FAULT_RDMAP_OPCODE,
              siw_atomic_req_decode(&req, hdr.data()));
  }
}

TEST(AtomicCheckAlign, WantsAMultipleOfEight) {
  for (uint64_t addr = 0; addr < 32; ++addr) {
    EXPECT_EQ(addr % 8 ? SIW_FAULT_RDMAP_STREAM : SIW_OK,
              siw_atomic_check_align(addr));
  }
}

TEST(AtomicResult, AddsSixtyFourBitsWithoutAMask) {
  const siw_atomic_req one = FetchAdd(1);
  EXPECT_EQ(42u, siw_atomic_result(&one, 41));
  EXPECT_EQ(0u, siw_atomic_result(&one, ~0ull));
}

TEST(AtomicResult, DropsTheCarryAtTheEndOfEachField) {
  const siw_atomic_req req = FetchAdd(0x0000000100000001, 0x8000000080000000);
  EXPECT_EQ(0x0000000800000000u, siw_atomic_result(&req, 0x00000007ffffffff));
}

TEST(AtomicResult, AddsAsThePseudocodeOfTheRfc) {
  std::mt19937_64 random(7306);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t old = random(), add = random();
    const uint64_t mask = i % 4 ? random() & random() : random();
    const siw_atomic_req req = FetchAdd(add, mask);
    ASSERT_EQ(SlowFetchAdd(old, add, mask), siw_atomic_result(&req, old));
  }
}

TEST(AtomicResult, SwapsOnlyIfTheComparedBitsAreEqual) {
  siw_atomic_req req = CmpSwap(5, 9);
  EXPECT_EQ(9u, siw_atomic_result(&req, 5));
  EXPECT_EQ(6u, siw_atomic_result(&req, 6));
  req = CmpSwap(0x05, 0xaa, 0x0f, 0xf0);
  EXPECT_EQ(0xa5u, siw_atomic_result(&req, 0x75));
  EXPECT_EQ(0x76u, siw_atomic_result(&req, 0x76));
  req = CmpSwap(1, 2, 0);
  EXPECT_EQ(2u, siw_atomic_result(&req, 77)) << "nothing to compare";
}

TEST(AtomicRsp, IsUndoneByDecode) {
  Bytes hdr(SIW_ATOMIC_RSP_LEN);
  siw_atomic_rsp_encode(hdr.data(), 0x01020304, 0x1112131415161718);
  EXPECT_EQ("010203041112131415161718", ToHex(hdr));
  uint32_t id;
  __u64 value;
  siw_atomic_rsp_decode(hdr.data(), &id, &value);
  EXPECT_EQ(0x01020304u, id);
  EXPECT_EQ(0x1112131415161718u, value);
}

TEST(RdmapCheckAtomicRsp, WantsTheOldestRequestsIdentifier) {
  Bytes hdr(SIW_ATOMIC_RSP_LEN);
  siw_atomic_rsp_encode(hdr.data(), 7, 0);
  siw_seg seg = Seg(SIW_RDMAP_ATOMIC_RSP, SIW_ATOMIC_RSP_LEN);
  EXPECT_EQ(SIW_OK, siw_rdmap_check_atomic_rsp(&seg, hdr.data(), 7));
  EXPECT_EQ(SIW_FAULT_RDMAP_UNSPECIFIED,
            siw_rdmap_check_atomic_rsp(&seg, hdr.data(), 8));
  seg.last = false;
  EXPECT_EQ(SIW_FAULT_DDP_MO, siw_rdmap_check_atomic_rsp(&seg, hdr.data(), 7));
}

TEST(RdmapCheckAtomicRsp, LooksAtNoHeaderOfAnotherLength) {
  for (uint32_t len = 0; len < 30; ++len) {
    if (len == SIW_ATOMIC_RSP_LEN) continue;
    const Bytes hdr(len);
    const siw_seg seg = Seg(SIW_RDMAP_ATOMIC_RSP, len);
    EXPECT_EQ(SIW_FAULT_RDMAP_UNSPECIFIED,
              siw_rdmap_check_atomic_rsp(&seg, hdr.data(), 0));
  }
}

}  // namespace
}  // namespace siw
