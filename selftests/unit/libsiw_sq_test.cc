// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "libsiw.h"

namespace siw {
namespace {

constexpr uint32_t kMaxSge = 4;

struct Queue {
  explicit Queue(size_t num) : ring(num), driver(ring) {
    sq.ring = ring.data();
    sq.num = static_cast<uint32_t>(num);
    sq.max_sge = kMaxSge;
    sq.max_inline = SIW_MAX_INLINE;
  }

  int Post(ibv_send_wr* wr) {
    bad = nullptr;
    return siw_sq_post(&sq, wr, &bad, &bell);
  }

  int Post(ibv_send_wr wr) { return Post(&wr); }

  siw_sqe Taken() {
    siw_sqe sqe = {};
    EXPECT_TRUE(driver.Take(sqe));
    return sqe;
  }

  bool IsEmpty() {
    siw_sqe sqe;
    return !driver.Take(sqe);
  }

  std::vector<siw_sqe> ring;
  Consumer<siw_sqe> driver;
  siw_sq sq = {};
  ibv_send_wr* bad = nullptr;
  bool bell = false;
};

ibv_send_wr Send(uint64_t id = 0) {
  ibv_send_wr wr = {};
  wr.wr_id = id;
  wr.opcode = IBV_WR_SEND;
  return wr;
}

// A list of Sends with the ids 0, 1, ...
std::vector<ibv_send_wr> Sends(size_t n) {
  std::vector<ibv_send_wr> list;
  for (size_t i = 0; i < n; ++i) list.push_back(Send(i));
  for (size_t i = 0; i + 1 < n; ++i) list[i].next = &list[i + 1];
  return list;
}

TEST(LibsiwSqPost, TranslatesWhatTheUserAbiKnows) {
  constexpr struct {
    ibv_wr_opcode opcode;
    siw_opcode want;
    bool rdma;
  } kOps[] = {
      {IBV_WR_RDMA_WRITE, SIW_OP_WRITE, true},
      {IBV_WR_RDMA_READ, SIW_OP_READ, true},
      {IBV_WR_SEND, SIW_OP_SEND, false},
      {IBV_WR_SEND_WITH_INV, SIW_OP_SEND_REMOTE_INV, false},
  };
  for (const auto& op : kOps) {
    Queue queue(4);
    ibv_sge sge = {.addr = 0x1122334455667788, .length = 99, .lkey = 0xabc};
    ibv_send_wr wr = Send(0x8877665544332211);
    wr.opcode = op.opcode;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    wr.invalidate_rkey = 0x5a5a;
    wr.wr.rdma.remote_addr = 0xfedcba9876543210;
    wr.wr.rdma.rkey = 0xdef;
    ASSERT_EQ(0, queue.Post(wr)) << op.opcode;
    const siw_sqe sqe = queue.Taken();
    EXPECT_EQ(wr.wr_id, sqe.id);
    EXPECT_EQ(op.want, sqe.opcode);
    EXPECT_EQ(SIW_WQE_VALID, sqe.flags);
    EXPECT_EQ(1, sqe.num_sge);
    EXPECT_EQ(sge.addr, sqe.sge[0].laddr);
    EXPECT_EQ(sge.length, sqe.sge[0].length);
    EXPECT_EQ(sge.lkey, sqe.sge[0].lkey);
    if (op.rdma) {
      EXPECT_EQ(0xdefu, sqe.rkey);
      EXPECT_EQ(0xfedcba9876543210, sqe.raddr);
    }
    // The STag to invalidate is not in the union of the RDMA operations.
    if (op.opcode == IBV_WR_SEND_WITH_INV) {
      EXPECT_EQ(0x5a5au, sqe.rkey);
    }
  }
}

TEST(LibsiwSqPost, RefusesEveryOtherOpcode) {
  for (int opcode = -1; opcode < 64; ++opcode) {
    if (opcode == IBV_WR_RDMA_WRITE || opcode == IBV_WR_RDMA_READ ||
        opcode == IBV_WR_SEND || opcode == IBV_WR_SEND_WITH_INV)
      continue;
    Queue queue(4);
    ibv_send_wr wr = Send();
    wr.opcode = static_cast<ibv_wr_opcode>(opcode);
    EXPECT_EQ(EOPNOTSUPP, queue.Post(&wr)) << opcode;
    EXPECT_EQ(&wr, queue.bad);
    EXPECT_FALSE(queue.bell);
    EXPECT_TRUE(queue.IsEmpty());
  }
}

TEST(LibsiwSqPost, TranslatesEachFlagAndRefusesTheRest) {
  for (unsigned int bit = 0; bit < 32; ++bit) {
    std::optional<uint16_t> want;
    switch (1u << bit) {
      case IBV_SEND_FENCE:
        want = SIW_WQE_READ_FENCE;
        break;
      case IBV_SEND_SIGNALED:
        want = SIW_WQE_SIGNALLED;
        break;
      case IBV_SEND_SOLICITED:
        want = SIW_WQE_SOLICITED;
        break;
      case IBV_SEND_INLINE:
        want = SIW_WQE_INLINE;
        break;
      default:
        break;
    }
    Queue queue(4);
    ibv_send_wr wr = Send();
    wr.send_flags = 1u << bit;
    EXPECT_EQ(want ? 0 : EINVAL, queue.Post(wr)) << bit;
    if (want) {
      EXPECT_EQ(*want | SIW_WQE_VALID, queue.Taken().flags);
    }
  }
}

TEST(LibsiwSqPost, SignalsEverythingIfTheQueuePairSaysSo) {
  Queue queue(4);
  queue.sq.sig_all = true;
  ASSERT_EQ(0, queue.Post(Send()));
  EXPECT_EQ(SIW_WQE_VALID | SIW_WQE_SIGNALLED, queue.Taken().flags);
}

TEST(LibsiwSqPost, BoundsTheNumberOfSges) {
  std::array<ibv_sge, 300> sge = {};
  for (int num_sge : {-1, 0, 1, 2, 4, 5, 6, 7, 255, 256, 300}) {
    for (ibv_wr_opcode opcode : {IBV_WR_SEND, IBV_WR_RDMA_READ}) {
      const int most = opcode == IBV_WR_SEND ? kMaxSge : 1;
      Queue queue(4);
      ibv_send_wr wr = Send();
      wr.opcode = opcode;
      wr.sg_list = num_sge ? sge.data() : nullptr;
      wr.num_sge = num_sge;
      const bool good = num_sge >= 0 && num_sge <= most;
      EXPECT_EQ(good ? 0 : EINVAL, queue.Post(wr)) << num_sge;
      if (good) {
        EXPECT_EQ(num_sge, queue.Taken().num_sge);
      }
      EXPECT_TRUE(queue.IsEmpty());
    }
  }
}

TEST(LibsiwSqInline, GathersAtEverySplit) {
  std::array<uint8_t, SIW_MAX_INLINE> data;
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i);
  for (uint32_t len = 0; len <= data.size(); ++len) {
    for (uint32_t cut = 0; cut <= len; ++cut) {
      Queue queue(2);
      std::array<ibv_sge, 2> sge = {};
      sge[0] = {reinterpret_cast<uintptr_t>(data.data()), cut, 0};
      sge[1] = {reinterpret_cast<uintptr_t>(&data[0] + cut), len - cut, 0};
      ibv_send_wr wr = Send();
      wr.send_flags = IBV_SEND_INLINE;
      wr.sg_list = sge.data();
      wr.num_sge = 2;
      ASSERT_EQ(0, queue.Post(wr)) << len << " cut at " << cut;
      const siw_sqe sqe = queue.Taken();
      EXPECT_EQ(1, sqe.num_sge);
      EXPECT_EQ(len, sqe.sge[0].length);
      EXPECT_EQ(0, memcmp(&sqe.sge[1], data.data(), len));
    }
  }
}

TEST(LibsiwSqInline, RefusesOneOctetTooManyHoweverItIsSplit) {
  std::array<uint8_t, SIW_MAX_INLINE + 1> data = {};
  const auto addr = reinterpret_cast<uintptr_t>(data.data());
  // The sums of the last two wrap 32 bits.
  constexpr uint32_t kMost = SIW_MAX_INLINE, kHuge = 0xffffffff;
  constexpr uint32_t kSplits[][2] = {
      {0, kMost + 1}, {1, kMost}, {kMost, 1},
      {kMost + 1, 0}, {1, kHuge}, {kHuge, kMost + 2},
  };
  for (const auto& [first, second] : kSplits) {
    Queue queue(2);
    std::array<ibv_sge, 2> sge = {ibv_sge{addr, first, 0},
                                  ibv_sge{addr, second, 0}};
    ibv_send_wr wr = Send();
    wr.send_flags = IBV_SEND_INLINE;
    wr.sg_list = sge.data();
    wr.num_sge = 2;
    EXPECT_EQ(EINVAL, queue.Post(wr)) << first;
    EXPECT_TRUE(queue.IsEmpty());
  }
}

TEST(LibsiwSqInline, KeepsToWhatWasGranted) {
  uint8_t data[9] = {};
  for (uint32_t len : {8u, 9u}) {
    Queue queue(2);
    queue.sq.max_inline = 8;
    ibv_sge sge = {reinterpret_cast<uintptr_t>(data), len, 0};
    ibv_send_wr wr = Send();
    wr.send_flags = IBV_SEND_INLINE;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    EXPECT_EQ(len == 8 ? 0 : EINVAL, queue.Post(wr));
  }
}

TEST(LibsiwSqInline, IsNotForReads) {
  Queue queue(2);
  ibv_send_wr wr = Send();
  wr.opcode = IBV_WR_RDMA_READ;
  wr.send_flags = IBV_SEND_INLINE;
  EXPECT_EQ(EINVAL, queue.Post(wr));
}

TEST(LibsiwSqPost, TakesWhatFitsAndNamesTheFirstThatDoesNot) {
  for (size_t num : {1, 2, 3, 8}) {
    for (size_t n = 1; n <= 2 * num; ++n) {
      Queue queue(num);
      std::vector<ibv_send_wr> list = Sends(n);
      const int err = queue.Post(list.data());
      const size_t taken = std::min(n, num);
      EXPECT_EQ(n > num ? ENOMEM : 0, err);
      EXPECT_EQ(n > num ? &list[num] : nullptr, queue.bad);
      EXPECT_TRUE(queue.bell);
      for (size_t i = 0; i < taken; ++i) EXPECT_EQ(i, queue.Taken().id);
      EXPECT_TRUE(queue.IsEmpty());
    }
  }
}

TEST(LibsiwSqPost, KeepsWhatComesBeforeABadRequest) {
  for (size_t at = 0; at < 4; ++at) {
    Queue queue(8);
    std::vector<ibv_send_wr> list = Sends(5);
    list[at].opcode = IBV_WR_SEND_WITH_IMM;
    EXPECT_EQ(EOPNOTSUPP, queue.Post(list.data()));
    EXPECT_EQ(&list[at], queue.bad);
    EXPECT_EQ(at > 0, queue.bell);
    for (size_t i = 0; i < at; ++i) EXPECT_EQ(i, queue.Taken().id);
    EXPECT_TRUE(queue.IsEmpty());
    // And the queue goes on where it was.
    EXPECT_EQ(0, queue.Post(Send(77)));
    EXPECT_EQ(77u, queue.Taken().id);
  }
}

TEST(LibsiwSqPost, FailsOnAQueueOfNone) {
  Queue queue(0);
  ibv_send_wr wr = Send();
  EXPECT_EQ(ENOMEM, queue.Post(&wr));
  EXPECT_EQ(&wr, queue.bad);
  EXPECT_FALSE(queue.bell);
}

TEST(LibsiwSqPost, GoesRoundAnySize) {
  for (size_t num : {1, 2, 3, 5, 8}) {
    Queue queue(num);
    uint64_t posted = 0, taken = 0;
    for (int round = 0; round < 1000; ++round) {
      const size_t room = num - (posted - taken);
      for (size_t i = 0; i < room; ++i)
        ASSERT_EQ(0, queue.Post(Send(posted++)));
      EXPECT_EQ(ENOMEM, queue.Post(Send()));
      for (size_t i = 0; i <= static_cast<size_t>(round) % num; ++i)
        ASSERT_EQ(taken++, queue.Taken().id);
    }
  }
}

TEST(LibsiwSqBell, IsSilentWhileTheElementBeforeIsNotTaken) {
  Queue queue(4);
  ASSERT_EQ(0, queue.Post(Send(0)));
  EXPECT_TRUE(queue.bell);
  ASSERT_EQ(0, queue.Post(Send(1)));
  EXPECT_FALSE(queue.bell);
  queue.Taken();
  ASSERT_EQ(0, queue.Post(Send(2)));
  EXPECT_FALSE(queue.bell) << "1 is still there";
  queue.Taken();
  queue.Taken();
  ASSERT_EQ(0, queue.Post(Send(3)));
  EXPECT_TRUE(queue.bell);
}

TEST(LibsiwSqBell, RingsForAFullRingWhoseLastElementIsItsFirst) {
  for (size_t num : {1, 2, 4}) {
    Queue queue(num);
    std::vector<ibv_send_wr> list = Sends(num);
    for (int round = 0; round < 3; ++round) {
      ASSERT_EQ(0, queue.Post(list.data()));
      EXPECT_TRUE(queue.bell) << num;
      while (!queue.IsEmpty()) {
      }
    }
  }
}

// A driver that rests when it finds nothing, and only the bell wakes it.
class RestingDriver {
 public:
  RestingDriver(Queue& queue, uint64_t until)
      : thread_([this, &queue, until] {
          siw_sqe sqe;
          while (taken_ < until) {
            bell_.wait(false);
            bell_ = false;
            while (queue.driver.Take(sqe)) ++taken_;
          }
        }) {}
  ~RestingDriver() { thread_.join(); }

  void Ring() {
    bell_ = true;
    bell_.notify_one();
  }

  bool Has(uint64_t count) const { return taken_ >= count; }

  // If it does not in time, it never will.
  bool Reaches(uint64_t count) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!Has(count)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

 private:
  std::atomic<bool> bell_ = false;
  std::atomic<uint64_t> taken_ = 0;
  std::thread thread_;
};

TEST(LibsiwSqBell, IsNeverLost) {
  constexpr uint64_t kPosts = 50000;
  for (size_t num : {1, 2, 64}) {
    Queue queue(num);
    RestingDriver driver(queue, kPosts);
    bool lost = false;
    for (uint64_t posted = 0; posted < kPosts && !lost;) {
      if (!queue.Post(Send(posted))) {
        ++posted;
        if (queue.bell) driver.Ring();
      } else {
        lost = !driver.Reaches(posted - num + 1);
      }
    }
    lost = lost || !driver.Reaches(kPosts);
    EXPECT_FALSE(lost) << "ring of " << num;
    // Let it end, whatever was found
    while (lost && !driver.Has(kPosts)) {
      queue.Post(Send());
      driver.Ring();
    }
  }
}

// What ibv_wr_*() does: build several, then publish or not.
TEST(LibsiwSqPublish, ShowsNothingBefore) {
  Queue queue(4);
  for (uint32_t i = 0; i < 3; ++i) {
    siw_sqe* sqe = siw_sq_slot(&queue.sq, i);
    ASSERT_NE(nullptr, sqe);
    sqe->id = i;
    ASSERT_EQ(0, siw_sq_set_flags(&queue.sq, sqe, IBV_SEND_SIGNALED));
  }
  EXPECT_TRUE(queue.IsEmpty());
  EXPECT_TRUE(siw_sq_publish(&queue.sq, 3));
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(i, queue.Taken().id);
  EXPECT_TRUE(queue.IsEmpty());
}

TEST(LibsiwSqPublish, OfNothingRingsNoBell) {
  Queue queue(4);
  EXPECT_FALSE(siw_sq_publish(&queue.sq, 0));
  EXPECT_EQ(0u, queue.sq.put);
}

// The doorbell failed: what is reported as not posted is never sent.
TEST(LibsiwSqTakeBack, LeavesNothingBehind) {
  for (size_t num : {1, 2, 3, 4}) {
    Queue queue(num);
    for (uint32_t lap = 0; lap < 2 * num + 1; ++lap) {
      std::vector<ibv_send_wr> list = Sends(num);
      ASSERT_EQ(0, queue.Post(list.data()));
      const auto count = static_cast<uint32_t>(num);
      EXPECT_EQ(count, siw_sq_take_back(&queue.sq, queue.sq.posts, count));
      EXPECT_TRUE(queue.IsEmpty());
      ASSERT_EQ(0, queue.Post(Send(77))) << "the place is free again";
      EXPECT_TRUE(queue.bell);
      EXPECT_EQ(77u, queue.Taken().id);
    }
  }
}

TEST(LibsiwSqTakeBack, LeavesWhatTheDriverHasTaken) {
  Queue queue(4);
  std::vector<ibv_send_wr> list = Sends(3);
  ASSERT_EQ(0, queue.Post(list.data()));
  EXPECT_EQ(0u, queue.Taken().id);
  EXPECT_EQ(2u, siw_sq_take_back(&queue.sq, queue.sq.posts, 3));
  EXPECT_TRUE(queue.IsEmpty());
  EXPECT_EQ(1u, queue.sq.put);
}

TEST(LibsiwSqTakeBack, LeavesWhatOthersHavePostedBehind) {
  Queue queue(4);
  ASSERT_EQ(0, queue.Post(Send(1)));
  const uint32_t posts = queue.sq.posts;
  ASSERT_EQ(0, queue.Post(Send(2)));
  EXPECT_EQ(0u, siw_sq_take_back(&queue.sq, posts, 1));
  EXPECT_EQ(1u, queue.Taken().id);
  EXPECT_EQ(2u, queue.Taken().id);

  // Also if that is just once round
  Queue one(1);
  ASSERT_EQ(0, one.Post(Send(1)));
  const uint32_t before = one.sq.posts;
  EXPECT_EQ(1u, one.Taken().id);
  ASSERT_EQ(0, one.Post(Send(2)));
  EXPECT_EQ(0u, siw_sq_take_back(&one.sq, before, 1));
  EXPECT_EQ(2u, one.Taken().id);
}

TEST(LibsiwSqSlot, EndsWhereTheDriversElementsBegin) {
  Queue queue(4);
  std::vector<ibv_send_wr> list = Sends(3);
  ASSERT_EQ(0, queue.Post(list.data()));
  EXPECT_NE(nullptr, siw_sq_slot(&queue.sq, 0));
  EXPECT_EQ(nullptr, siw_sq_slot(&queue.sq, 1));
  queue.Taken();
  EXPECT_NE(nullptr, siw_sq_slot(&queue.sq, 1));
  while (!queue.IsEmpty()) {
  }
  EXPECT_NE(nullptr, siw_sq_slot(&queue.sq, 3));
  EXPECT_EQ(nullptr, siw_sq_slot(&queue.sq, 4)) << "once round";
}

}  // namespace
}  // namespace siw
