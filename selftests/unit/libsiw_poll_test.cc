// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

extern "C" {
#include "poll.h"
}

namespace siw {
namespace {

constexpr unsigned int kLong = 1000000;

// What is posted, and how much of it the last doorbell has found.
struct Queue : siw_bell {
  Queue() : siw_bell() {}

  std::atomic<uint64_t> posted = 0;
  std::atomic<uint64_t> seen = 0;
  std::atomic<uint64_t> rings = 0;
  std::atomic<bool> hold = false;  // keeps the thread in the doorbell
  // For who posts alone: TSan says whether the bell orders them.
  uint64_t plain = 0;
  uint64_t plain_seen = 0;
};

void Ring(siw_bell* bell) {
  auto* queue = static_cast<Queue*>(bell);
  ++queue->rings;
  while (queue->hold) std::this_thread::yield();
  queue->plain_seen = queue->plain;
  queue->seen = queue->posted.load(std::memory_order_relaxed);
}

// If it does not become true in time, it never will.
bool Becomes(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

class Poller {
 public:
  explicit Poller(unsigned int usec) : poller_(siw_poller_begin(usec, Ring)) {}
  ~Poller() { siw_poller_end(poller_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void Post(Queue& queue) {
    queue.posted.fetch_add(1, std::memory_order_relaxed);
    siw_poller_push(poller_, &queue);
  }

  void Wait(Queue& queue) { siw_poller_wait(poller_, &queue); }

  siw_poller* get() const { return poller_; }

 private:
  siw_poller* poller_;
};

TEST(LibsiwPollUsec, IsAWholeNumberWithinBounds) {
  EXPECT_EQ(1u, siw_poller_usec("1"));
  EXPECT_EQ(50u, siw_poller_usec("50"));
  EXPECT_EQ(1000000u, siw_poller_usec("1000000"));
  EXPECT_EQ(0u, siw_poller_usec(nullptr));
  for (const char* text :
       {"", "0", "-1", "+1", " 1", "1 ", "1us", "0x10", "1.5", "yes", "1000001",
        "4294967297", "18446744073709551617"})
    EXPECT_EQ(0u, siw_poller_usec(text)) << '"' << text << '"';
}

TEST(LibsiwPollBegin, WithoutTimeIsNoPoller) {
  EXPECT_EQ(nullptr, siw_poller_begin(0, Ring));
  siw_poller_end(nullptr);
}

TEST(LibsiwPollBegin, LeavesSignalsToTheProgram) {
  sigset_t before, after;
  sigemptyset(&before);
  sigemptyset(&after);
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  static std::atomic<int> blocked;
  blocked = -1;
  auto look = [](siw_bell*) {
    sigset_t mask;
    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGTERM) + sigismember(&mask, SIGALRM);
  };
  siw_poller* poller = siw_poller_begin(1, look);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
  ASSERT_NE(nullptr, poller);
  siw_bell bell = {};
  siw_poller_push(poller, &bell);
  siw_poller_end(poller);
  EXPECT_EQ(2, blocked);
}

TEST(LibsiwPollPush, RingsWhetherTheThreadSleepsOrNot) {
  for (unsigned int usec : {1u, 100u, kLong}) {
    Queue queue;
    Poller poller(usec);
    for (int i = 0; i < 200; ++i) {
      poller.Post(queue);
      ASSERT_TRUE(Becomes([&] { return queue.seen == queue.posted; })) << i;
      // Past the time that it looks for more, now and then
      if (i % 20 == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
}

TEST(LibsiwPollPush, OfABellThatIsPendingIsOneRing) {
  Queue first, second;
  Poller poller(kLong);
  first.hold = true;
  poller.Post(first);
  ASSERT_TRUE(Becomes([&] { return first.rings == 1; }));
  poller.Post(second);
  // Nothing but the bell orders what another one posts and what is seen.
  std::atomic<bool> done = false;
  std::thread other([&] {
    second.plain = 7;
    for (int i = 0; i < 9; ++i) poller.Post(second);
    done.store(true, std::memory_order_relaxed);
  });
  EXPECT_TRUE(Becomes([&] { return done.load(std::memory_order_relaxed); }));
  first.hold = false;
  EXPECT_TRUE(Becomes([&] { return second.seen == 10; }));
  poller.Wait(second);
  EXPECT_EQ(1u, second.rings);
  EXPECT_EQ(7u, second.plain_seen);
  other.join();
}

TEST(LibsiwPollPush, OfABellThatIsBeingRungRingsItAgain) {
  Queue queue;
  Poller poller(kLong);
  queue.hold = true;
  poller.Post(queue);
  ASSERT_TRUE(Becomes([&] { return queue.rings == 1; }));
  poller.Post(queue);
  queue.hold = false;
  EXPECT_TRUE(Becomes([&] { return queue.rings == 2; }));
}

TEST(LibsiwPollPush, WhileItIsRungLosesNoneOfThoseBehind) {
  Queue first;
  std::array<Queue, 5> queues;
  Poller poller(kLong);
  first.hold = true;
  poller.Post(first);
  ASSERT_TRUE(Becomes([&] { return first.rings == 1; }));
  for (Queue& queue : queues) {
    queue.hold = true;
    poller.Post(queue);
  }
  first.hold = false;
  // Whichever comes first
  for (size_t rung = 0; rung < queues.size(); ++rung) {
    Queue* now = nullptr;
    ASSERT_TRUE(Becomes([&] {
      for (Queue& queue : queues)
        if (queue.hold && queue.rings == 1) now = &queue;
      return now != nullptr;
    })) << rung;
    poller.Post(*now);
    now->hold = false;
  }
  for (Queue& queue : queues)
    EXPECT_TRUE(Becomes([&] { return queue.rings == 2; }));
}

// Each waits for its post to be seen: a bell that is lost stays lost.
TEST(LibsiwPollPush, LosesNoBellOfMany) {
  constexpr int kThreads = 4, kQueues = 8, kPosts = 5000;
  for (unsigned int usec : {1u, 20u, kLong}) {
    std::array<Queue, kQueues> queues;
    Poller poller(usec);
    std::atomic<int> lost = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < kPosts && !lost; ++i) {
          Queue& queue = queues[(i * (t + 1)) % kQueues];
          poller.Post(queue);
          const uint64_t mine = queue.posted.load(std::memory_order_relaxed);
          if (i % 16 == 0 && !Becomes([&] { return queue.seen >= mine; }))
            ++lost;
        }
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(0, lost) << usec;
    for (Queue& queue : queues)
      EXPECT_TRUE(Becomes([&] { return queue.seen == queue.posted; }));
  }
}

// Two post by turns, each when the other's was seen: all the rest is waking.
TEST(LibsiwPollPush, LosesNoWakeUp) {
  Queue queue;
  Poller poller(1);
  std::atomic<uint64_t> turn = 0;
  constexpr uint64_t kTurns = 20000;
  auto play = [&](uint64_t me) {
    for (uint64_t i = me; i < kTurns; i += 2) {
      if (!Becomes([&] { return turn >= i && queue.seen >= i; })) return;
      queue.plain = i + 1;
      poller.Post(queue);
      turn = i + 1;
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(kTurns, turn);
  EXPECT_TRUE(Becomes([&] { return queue.seen == kTurns; }));
  EXPECT_EQ(kTurns, queue.plain_seen);
}

// Whatever others push, a bell can go; ASan and TSan look at what it was.
TEST(LibsiwPollWait, LetsABellGoWhileOthersAreRung) {
  constexpr int kRounds = 300;
  for (unsigned int usec : {1u, kLong}) {
    Queue busy;
    Poller poller(usec);
    std::atomic<bool> over = false;
    std::thread noise([&] {
      while (!over) {
        poller.Post(busy);
        std::this_thread::yield();
      }
    });
    for (int i = 0; i < kRounds; ++i) {
      auto queue = std::make_unique<Queue>();
      for (int n = 0; n < i % 4; ++n) poller.Post(*queue);
      poller.Wait(*queue);
      EXPECT_EQ(queue->posted, queue->seen);
      EXPECT_FALSE(queue->pending);
    }
    over = true;
    noise.join();
    poller.Wait(busy);
    EXPECT_EQ(busy.posted, busy.seen);
  }
}

TEST(LibsiwPollWait, WaitsForTheDoorbellThatIsBeingRung) {
  Queue queue;
  Poller poller(kLong);
  queue.hold = true;
  poller.Post(queue);
  ASSERT_TRUE(Becomes([&] { return queue.rings == 1; }));
  std::atomic<bool> through = false;
  std::thread waiter([&] {
    poller.Wait(queue);
    through = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(through);
  queue.hold = false;
  waiter.join();
  EXPECT_EQ(1u, queue.seen);
}

TEST(LibsiwPollEnd, RingsWhatIsPending) {
  for (int round = 0; round < 200; ++round) {
    std::array<Queue, 20> queues;
    {
      Poller poller(round % 2 ? 1 : kLong);
      ASSERT_NE(nullptr, poller.get());
      for (Queue& queue : queues) poller.Post(queue);
    }
    for (const Queue& queue : queues) EXPECT_EQ(1u, queue.seen);
  }
}

#ifndef __SANITIZE_THREAD__  // It does not like fork() with threads.
TEST(LibsiwPollEnd, DoesNotWaitForAThreadThatForkLeftBehind) {
  Queue queue;
  Poller poller(kLong);
  queue.hold = true;
  poller.Post(queue);
  ASSERT_TRUE(Becomes([&] { return queue.rings == 1; }));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(10);
    siw_poller_wait(poller.get(), &queue);
    siw_poller_end(poller.get());
    _exit(0);
  }
  int status = -1;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
  queue.hold = false;
}
#endif

}  // namespace
}  // namespace siw
