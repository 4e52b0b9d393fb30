// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <cstring>

#include "libsiw.h"

namespace siw {
namespace {

struct Queue {
  explicit Queue(size_t num) : ring(num) {
    cq.ring = ring.data();
    cq.ctrl = &ctrl;
    cq.num = static_cast<uint32_t>(num);
  }

  // As the driver does. False: overflow.
  bool Put(siw_cqe cqe) {
    siw_cqe& slot = ring[put % ring.size()];
    if (slot.flags) return false;
    cqe.flags |= SIW_WQE_VALID;
    slot = cqe;
    ++put;
    return true;
  }

  int Poll(int num, ibv_wc* wc) { return siw_cq_poll(&cq, num, wc); }

  std::vector<siw_cqe> ring;
  siw_cq_ctrl ctrl = {};
  siw_cqes cq = {};
  uint64_t put = 0;
};

siw_cqe Cqe(uint64_t id, siw_opcode opcode = SIW_OP_SEND) {
  siw_cqe cqe = {};
  cqe.id = id;
  cqe.opcode = opcode;
  return cqe;
}

ibv_wc Translated(const siw_cqe& cqe) {
  Queue queue(1);
  ibv_wc wc;
  memset(&wc, 0xee, sizeof(wc));
  queue.Put(cqe);
  EXPECT_EQ(1, queue.Poll(1, &wc));
  return wc;
}

TEST(LibsiwCqPoll, FillsEveryField) {
  siw_cqe cqe = Cqe(0x1122334455667788, SIW_OP_RECEIVE);
  cqe.bytes = 0x7fffffff;
  cqe.qp_id = 0xabcdef;
  ibv_wc want;
  memset(&want, 0, sizeof(want));
  want.wr_id = cqe.id;
  want.opcode = IBV_WC_RECV;
  want.byte_len = 0x7fffffff;
  want.qp_num = 0xabcdef;
  const ibv_wc got = Translated(cqe);
  EXPECT_EQ(0, memcmp(&want, &got, sizeof(want)));
}

TEST(LibsiwCqPoll, TranslatesEveryStatus) {
  constexpr ibv_wc_status kStatuses[] = {
      IBV_WC_SUCCESS,        IBV_WC_LOC_LEN_ERR,    IBV_WC_LOC_PROT_ERR,
      IBV_WC_LOC_QP_OP_ERR,  IBV_WC_WR_FLUSH_ERR,   IBV_WC_BAD_RESP_ERR,
      IBV_WC_LOC_ACCESS_ERR, IBV_WC_REM_ACCESS_ERR, IBV_WC_REM_INV_REQ_ERR,
      IBV_WC_GENERAL_ERR,
  };
  static_assert(std::size(kStatuses) == SIW_NUM_WC_STATUS);
  for (uint32_t status = 0; status <= 0xffff; ++status) {
    siw_cqe cqe = Cqe(1);
    cqe.status = static_cast<uint16_t>(status);
    ASSERT_EQ(
        status < SIW_NUM_WC_STATUS ? kStatuses[status] : IBV_WC_GENERAL_ERR,
        siw_cq_status(&cqe))
        << status;
  }
}

TEST(LibsiwCqPoll, TranslatesEveryOpcode) {
  constexpr ibv_wc_opcode kOpcodes[] = {
      IBV_WC_RDMA_WRITE, IBV_WC_RDMA_READ, IBV_WC_RDMA_READ,
      IBV_WC_SEND,       IBV_WC_SEND,      IBV_WC_SEND,
      IBV_WC_FETCH_ADD,  IBV_WC_COMP_SWAP, IBV_WC_RECV,
  };
  for (uint32_t opcode = 0; opcode <= 0xff; ++opcode) {
    siw_cqe cqe = Cqe(1);
    cqe.opcode = static_cast<uint8_t>(opcode);
    const ibv_wc_opcode got = siw_cq_opcode(&cqe);
    if (opcode < std::size(kOpcodes)) {
      EXPECT_EQ(kOpcodes[opcode], got) << opcode;
    }
    if (opcode >= SIW_NUM_OPCODES) {
      EXPECT_EQ(IBV_WC_DRIVER1, got) << opcode;
    }
  }
}

TEST(LibsiwCqPoll, TellsWhatThePeerInvalidated) {
  siw_cqe cqe = Cqe(1, SIW_OP_RECEIVE);
  cqe.inval_stag = 0x5a5a;
  EXPECT_EQ(0u, Translated(cqe).wc_flags);
  EXPECT_EQ(0u, Translated(cqe).invalidated_rkey);
  cqe.flags = SIW_WQE_REM_INVAL;
  EXPECT_EQ(unsigned{IBV_WC_WITH_INV}, Translated(cqe).wc_flags);
  EXPECT_EQ(0x5a5au, Translated(cqe).invalidated_rkey);
}

TEST(LibsiwCqPoll, TakesNoMoreThanAskedAndThere) {
  for (int num : {0, 1, 3, 5, 9}) {
    Queue queue(5);
    for (uint64_t id = 0; id < 4; ++id) ASSERT_TRUE(queue.Put(Cqe(id)));
    ibv_wc wc[10];
    memset(wc, 0xee, sizeof(wc));
    const int want = std::min(num, 4);
    ASSERT_EQ(want, queue.Poll(num, wc));
    for (int i = 0; i < want; ++i) EXPECT_EQ(uint64_t(i), wc[i].wr_id);
    EXPECT_EQ(0xeeeeeeeeeeeeeeee, wc[want].wr_id) << "written past the end";
    EXPECT_EQ(4 - want, queue.Poll(10, wc)) << "the rest";
  }
}

TEST(LibsiwCqPoll, GivesTheElementBack) {
  for (size_t num : {1, 2, 3, 8}) {
    Queue queue(num);
    ibv_wc wc;
    uint64_t in = 0, out = 0;
    for (int round = 0; round < 500; ++round) {
      while (queue.Put(Cqe(in))) ++in;
      ASSERT_EQ(num, in - out);
      for (size_t i = 0; i <= static_cast<size_t>(round) % num; ++i) {
        ASSERT_EQ(1, queue.Poll(1, &wc));
        ASSERT_EQ(out++, wc.wr_id);
      }
    }
  }
}

TEST(LibsiwCqTake, HandsOutACopy) {
  Queue queue(1);
  siw_cqe cqe;
  ASSERT_TRUE(queue.Put(Cqe(1)));
  ASSERT_TRUE(siw_cq_take(&queue.cq, &cqe));
  ASSERT_TRUE(queue.Put(Cqe(2)));
  EXPECT_EQ(1u, cqe.id);
}

TEST(LibsiwCqForget, HidesWhatIsLeftOfOneQueuePair) {
  // Which of 6 completions are of the queue pair that goes
  for (unsigned int mask = 0; mask < 64; ++mask) {
    for (uint32_t start = 0; start < 7; ++start) {
      Queue queue(7);
      ibv_wc wc[7];
      for (uint32_t i = 0; i < start; ++i) {
        ASSERT_TRUE(queue.Put(Cqe(0)));
        ASSERT_EQ(1, queue.Poll(1, wc));
      }
      std::vector<uint64_t> want;
      for (uint64_t id = 0; id < 6; ++id) {
        siw_cqe cqe = Cqe(id);
        cqe.qp_id = mask >> id & 1 ? 5 : 6;
        if (cqe.qp_id == 6) want.push_back(id);
        ASSERT_TRUE(queue.Put(cqe));
      }
      siw_cq_forget(&queue.cq, 5);
      // The number may be used again.
      siw_cqe cqe = Cqe(99);
      cqe.qp_id = 5;
      want.push_back(99);
      ASSERT_TRUE(queue.Put(cqe));
      ASSERT_EQ(int(want.size()), queue.Poll(7, wc));
      for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(want[i], wc[i].wr_id);
      // Each element went back.
      for (int i = 0; i < 7; ++i) EXPECT_TRUE(queue.Put(Cqe(0)));
    }
  }
}

TEST(LibsiwCqForget, EndsAfterAWholeRing) {
  Queue queue(2);
  ibv_wc wc;
  ASSERT_TRUE(queue.Put(Cqe(0)));
  ASSERT_TRUE(queue.Put(Cqe(1)));
  siw_cq_forget(&queue.cq, 0);
  EXPECT_EQ(0, queue.Poll(1, &wc));
}

TEST(LibsiwCqArm, AsksForWhatWasMeant) {
  Queue queue(1);
  siw_cq_arm(&queue.cq, true);
  EXPECT_EQ(uint32_t{SIW_NOTIFY_SOLICITED}, queue.ctrl.flags);
  queue.ctrl.flags = 0;
  siw_cq_arm(&queue.cq, false);
  EXPECT_EQ(uint32_t{SIW_NOTIFY_SOLICITED | SIW_NOTIFY_NEXT_COMPLETION},
            queue.ctrl.flags);
}

TEST(LibsiwCqArm, DoesNotWeakenWhatIsPending) {
  Queue queue(1);
  siw_cq_arm(&queue.cq, false);
  siw_cq_arm(&queue.cq, true);
  EXPECT_EQ(uint32_t{SIW_NOTIFY_SOLICITED | SIW_NOTIFY_NEXT_COMPLETION},
            queue.ctrl.flags);
}

}  // namespace
}  // namespace siw
