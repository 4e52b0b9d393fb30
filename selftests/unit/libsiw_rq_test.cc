// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libsiw.h"

namespace siw {
namespace {

struct Queue {
  explicit Queue(size_t num) : ring(num), driver(ring) {
    rq.ring = ring.data();
    rq.num = static_cast<uint32_t>(num);
    rq.max_sge = SIW_MAX_SGE;
  }

  int Post(ibv_recv_wr* wr) {
    bad = nullptr;
    return siw_rq_post(&rq, wr, &bad);
  }

  std::vector<siw_rqe> ring;
  Consumer<siw_rqe> driver;
  siw_rq rq = {};
  ibv_recv_wr* bad = nullptr;
};

TEST(LibsiwRqPost, CopiesTheList) {
  for (int num_sge = 0; num_sge <= SIW_MAX_SGE; ++num_sge) {
    Queue queue(2);
    std::array<ibv_sge, SIW_MAX_SGE> sge;
    for (uint32_t i = 0; i < sge.size(); ++i)
      sge[i] = {.addr = 0x100000000u + i, .length = 10 + i, .lkey = 20 + i};
    ibv_recv_wr wr = {};
    wr.wr_id = 0x1234567890abcdef;
    wr.sg_list = num_sge ? sge.data() : nullptr;
    wr.num_sge = num_sge;
    ASSERT_EQ(0, queue.Post(&wr));
    siw_rqe rqe;
    ASSERT_TRUE(queue.driver.Take(rqe));
    EXPECT_EQ(wr.wr_id, rqe.id);
    EXPECT_EQ(SIW_WQE_VALID, rqe.flags) << "exactly that";
    ASSERT_EQ(num_sge, rqe.num_sge);
    for (int i = 0; i < num_sge; ++i) {
      EXPECT_EQ(sge[i].addr, rqe.sge[i].laddr);
      EXPECT_EQ(sge[i].length, rqe.sge[i].length);
      EXPECT_EQ(sge[i].lkey, rqe.sge[i].lkey);
    }
  }
}

TEST(LibsiwRqPost, BoundsTheNumberOfSges) {
  std::array<ibv_sge, 300> sge = {};
  for (int num_sge : {-1, 3, 7, 255, 256, 257}) {
    Queue queue(2);
    queue.rq.max_sge = 2;
    ibv_recv_wr wr = {};
    wr.sg_list = sge.data();
    wr.num_sge = num_sge;
    EXPECT_EQ(EINVAL, queue.Post(&wr)) << num_sge;
    EXPECT_EQ(&wr, queue.bad);
    EXPECT_EQ(0, queue.ring[0].flags);
  }
}

TEST(LibsiwRqPost, TakesWhatFitsAndNamesTheFirstThatDoesNot) {
  for (size_t num : {0, 1, 3, 8}) {
    Queue queue(num);
    std::vector<ibv_recv_wr> list(num + 2);
    for (size_t i = 0; i < list.size(); ++i) {
      list[i].wr_id = i;
      list[i].next = i + 1 < list.size() ? &list[i + 1] : nullptr;
    }
    EXPECT_EQ(ENOMEM, queue.Post(list.data()));
    EXPECT_EQ(&list[num], queue.bad);
    siw_rqe rqe;
    for (size_t i = 0; i < num; ++i) {
      ASSERT_TRUE(queue.driver.Take(rqe));
      EXPECT_EQ(i, rqe.id);
    }
  }
}

TEST(LibsiwRqPost, GoesRoundAnySize) {
  for (size_t num : {1, 2, 3, 5, 8}) {
    Queue queue(num);
    ibv_recv_wr wr = {};
    siw_rqe rqe;
    for (uint64_t id = 0; id < 1000; ++id) {
      wr.wr_id = id;
      ASSERT_EQ(0, queue.Post(&wr));
      ASSERT_TRUE(queue.driver.Take(rqe));
      ASSERT_EQ(id, rqe.id);
    }
  }
}

}  // namespace
}  // namespace siw
