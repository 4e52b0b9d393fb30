// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include "proto.h"

namespace siw {
namespace {

constexpr uint16_t kLegalFlags = SIW_WQE_VALID | SIW_WQE_INLINE |
                                 SIW_WQE_SIGNALLED | SIW_WQE_SOLICITED |
                                 SIW_WQE_READ_FENCE;

// What each opcode is allowed, once more by hand.
constexpr struct OpRow {
  siw_opcode op;
  bool user;
  bool kernel;
  bool may_inline;
  int max_sge;
  int rdmap;
  int rdmap_se;
} kOps[] = {
    {SIW_OP_WRITE, true, true, true, 6, SIW_RDMAP_WRITE, SIW_RDMAP_WRITE},
    {SIW_OP_READ, true, true, false, 1, SIW_RDMAP_READ_REQ, SIW_RDMAP_READ_REQ},
    {SIW_OP_READ_LOCAL_INV, false, true, false, 1, SIW_RDMAP_READ_REQ,
     SIW_RDMAP_READ_REQ},
    {SIW_OP_SEND, true, true, true, 6, SIW_RDMAP_SEND, SIW_RDMAP_SEND_SE},
    {SIW_OP_SEND_WITH_IMM, false, false, false, 0, SIW_RDMAP_OPS,
     SIW_RDMAP_OPS},
    {SIW_OP_SEND_REMOTE_INV, true, true, true, 6, SIW_RDMAP_SEND_INV,
     SIW_RDMAP_SEND_SE_INV},
    {SIW_OP_FETCH_AND_ADD, false, false, false, 0, SIW_RDMAP_OPS,
     SIW_RDMAP_OPS},
    {SIW_OP_COMP_AND_SWAP, false, false, false, 0, SIW_RDMAP_OPS,
     SIW_RDMAP_OPS},
    {SIW_OP_RECEIVE, false, false, false, 0, SIW_RDMAP_OPS, SIW_RDMAP_OPS},
    {SIW_OP_READ_RESPONSE, false, false, false, 0, SIW_RDMAP_OPS,
     SIW_RDMAP_OPS},
    {SIW_OP_INVAL_STAG, false, true, false, 0, SIW_RDMAP_OPS, SIW_RDMAP_OPS},
    {SIW_OP_REG_MR, false, true, false, 0, SIW_RDMAP_OPS, SIW_RDMAP_OPS},
};
static_assert(std::size(kOps) == SIW_NUM_OPCODES);

siw_sqe Sqe(int opcode, int num_sge = 0, uint16_t flags = SIW_WQE_VALID) {
  siw_sqe sqe = {};
  sqe.opcode = static_cast<uint8_t>(opcode);
  sqe.num_sge = static_cast<uint8_t>(num_sge);
  sqe.flags = flags;
  return sqe;
}

siw_wc_status Check(const siw_sqe& sqe, bool user = true) {
  uint32_t len;
  return siw_ring_check_sqe(&sqe, user, &len);
}

TEST(RingCheckSqe, AllowsUserSpaceItsFourOpcodes) {
  for (int opcode = 0; opcode < 256; ++opcode) {
    const bool known = opcode < SIW_NUM_OPCODES;
    EXPECT_EQ(
        known && kOps[opcode].user ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
        Check(Sqe(opcode), true))
        << opcode;
    EXPECT_EQ(
        known && kOps[opcode].kernel ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
        Check(Sqe(opcode), false))
        << opcode;
  }
}

TEST(RingCheckSqe, RefusesEveryFlagItDoesNotKnow) {
  for (int bit = 0; bit < 16; ++bit) {
    const uint16_t flag = static_cast<uint16_t>(1 << bit);
    EXPECT_EQ(flag & kLegalFlags ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
              Check(Sqe(SIW_OP_SEND, 0, SIW_WQE_VALID | flag)))
        << flag;
  }
}

TEST(RingCheckSqe, BoundsTheNumberOfSges) {
  for (const OpRow& row : kOps) {
    if (!row.kernel) continue;
    for (int n = 0; n < 256; ++n) {
      EXPECT_EQ(n <= row.max_sge ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
                Check(Sqe(row.op, n), false))
          << row.op << " with " << n;
    }
  }
}

TEST(RingCheckSqe, TakesInlineDataOnlyWhereDataAreSent) {
  for (const OpRow& row : kOps) {
    if (!row.kernel) continue;
    EXPECT_EQ(row.may_inline ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
              Check(Sqe(row.op, 0, SIW_WQE_VALID | SIW_WQE_INLINE), false))
        << row.op;
  }
}

TEST(RingCheckSqe, BoundsInlineData) {
  siw_sqe sqe = Sqe(SIW_OP_SEND, 1, SIW_WQE_VALID | SIW_WQE_INLINE);
  for (const uint32_t n : {0u, 1u, 79u, 80u}) {
    uint32_t len = ~0u;
    sqe.sge[0].length = n;
    EXPECT_EQ(SIW_WC_SUCCESS, siw_ring_check_sqe(&sqe, true, &len));
    EXPECT_EQ(n, len);
  }
  for (const uint32_t n : {81u, 4096u, 0x80000000u, ~0u}) {
    uint32_t len = ~0u;
    sqe.sge[0].length = n;
    EXPECT_EQ(SIW_WC_LOC_LEN_ERR, siw_ring_check_sqe(&sqe, true, &len));
    EXPECT_EQ(0u, len);
  }
}

TEST(RingCheckSqe, CountsInlineDataOnceHoweverManySges) {
  siw_sqe sqe = Sqe(SIW_OP_SEND, 6, SIW_WQE_VALID | SIW_WQE_INLINE);
  for (siw_sge& sge : sqe.sge) sge.length = 0xffffffff;  // that is payload
  sqe.sge[0].length = 40;
  uint32_t len;
  EXPECT_EQ(SIW_WC_SUCCESS, siw_ring_check_sqe(&sqe, true, &len));
  EXPECT_EQ(40u, len);
  sqe.num_sge = 0;
  EXPECT_EQ(SIW_WC_SUCCESS, siw_ring_check_sqe(&sqe, true, &len));
  EXPECT_EQ(0u, len);
  sqe.num_sge = 7;
  EXPECT_EQ(SIW_WC_LOC_QP_OP_ERR, siw_ring_check_sqe(&sqe, true, &len));
  EXPECT_EQ(0u, len);
}

TEST(RingCheckSqe, SumsTheSgesThatCountAndNoOther) {
  for (int n = 0; n <= 6; ++n) {
    siw_sqe sqe = Sqe(SIW_OP_WRITE, n);
    for (siw_sge& sge : sqe.sge) sge.length = 1000;
    uint32_t len;
    EXPECT_EQ(SIW_WC_SUCCESS, siw_ring_check_sqe(&sqe, true, &len));
    EXPECT_EQ(1000u * n, len);
  }
}

TEST(RingCheckSqe, RefusesASumAboveTheLongestMessageWithoutWrapping) {
  siw_sqe sqe = Sqe(SIW_OP_SEND, 6);
  uint32_t len;
  sqe.sge[0].length = SIW_MSG_MAX;
  EXPECT_EQ(SIW_WC_SUCCESS, siw_ring_check_sqe(&sqe, true, &len));
  EXPECT_EQ(SIW_MSG_MAX, len);
  sqe.sge[5].length = 1;
  EXPECT_EQ(SIW_WC_LOC_LEN_ERR, siw_ring_check_sqe(&sqe, true, &len));
  EXPECT_EQ(0u, len);
  for (siw_sge& sge : sqe.sge) sge.length = 0xffffffff;
  EXPECT_EQ(SIW_WC_LOC_LEN_ERR, siw_ring_check_sqe(&sqe, true, &len));
  sqe.sge[0].length = sqe.sge[1].length = 0x80000000;  // 2^32 in 32 bits: 0
  sqe.num_sge = 2;
  EXPECT_EQ(SIW_WC_LOC_LEN_ERR, siw_ring_check_sqe(&sqe, true, &len));
}

TEST(RingCheckRqe, BoundsTheNumberOfSgesAndTheSum) {
  for (int n = 0; n < 256; ++n) {
    siw_rqe rqe = {};
    rqe.num_sge = static_cast<uint8_t>(n);
    for (siw_sge& sge : rqe.sge) sge.length = 10;
    uint32_t len = ~0u;
    EXPECT_EQ(n <= 6 ? SIW_WC_SUCCESS : SIW_WC_LOC_QP_OP_ERR,
              siw_ring_check_rqe(&rqe, &len));
    EXPECT_EQ(n <= 6 ? 10u * n : 0u, len);
  }
  siw_rqe rqe = {};
  rqe.num_sge = 2;
  rqe.sge[0].length = rqe.sge[1].length = 0x80000000;
  uint32_t len = ~0u;
  EXPECT_EQ(SIW_WC_LOC_LEN_ERR, siw_ring_check_rqe(&rqe, &len));
  EXPECT_EQ(0u, len);
}

TEST(RingRdmapOp, FollowsOpcodeAndSolicited) {
  for (const OpRow& row : kOps) {
    const siw_sqe plain = Sqe(row.op);
    const siw_sqe solicited = Sqe(row.op, 0, SIW_WQE_SOLICITED);
    EXPECT_EQ(row.rdmap, siw_ring_rdmap_op(&plain)) << row.op;
    EXPECT_EQ(row.rdmap_se, siw_ring_rdmap_op(&solicited)) << row.op;
  }
  const siw_sqe unknown = Sqe(200);
  EXPECT_EQ(SIW_RDMAP_OPS, siw_ring_rdmap_op(&unknown));
}

}  // namespace
}  // namespace siw
