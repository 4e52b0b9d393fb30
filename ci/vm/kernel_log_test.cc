#include "ci/vm/kernel_log.h"

#include <gtest/gtest.h>

namespace siw::vm {
namespace {

TEST(IsKernelTrouble, KnowsWhatKernelsSay) {
  for (const char* line : {
           "[   12.3] WARNING: CPU: 1 PID: 77 at siw/qp.c:120 siw_qp_put+0x1",
           "[   12.3] BUG: kernel NULL pointer dereference, address: 0",
           "[   12.3] BUG: KASAN: slab-use-after-free in siw_rx+0x1/0x2",
           "[   12.3] Oops: Oops: 0000 [#1] PREEMPT SMP",
           "[   12.3] WARNING: possible circular locking dependency detected",
           "[   12.3] refcount_t: underflow; use-after-free.",
           "[   12.3] INFO: task rping:77 blocked for more than 120 seconds.",
           "[   12.3] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
           "[   12.3] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
           "[   12.3] unregister_netdevice: waiting for eth0 to become free.",
           "[   12.3] Kernel panic - not syncing: Fatal exception",
           "[   12.3] general protection fault: 0000 [#1] SMP",
           "[   12.3] general protection fault, probably for non-canonical",
       })
    EXPECT_TRUE(IsKernelTrouble(line)) << line;
}

TEST(IsKernelTrouble, LetsAHealthyBootPass) {
  for (const char* line : {
           "[    0.0] mtrr: your CPUs had inconsistent fixed MTRR settings",
           "[    5.0] siw: loading out-of-tree module taints kernel.",
           "[    5.0] siw: module verification failed: signature missing",
           "[    9.0] traps: a[7] general protection fault ip:5 sp:7 error:0",
           "siw-initramfs",
           "",
       })
    EXPECT_FALSE(IsKernelTrouble(line)) << line;
}

TEST(EndOfKernel, KnowsAPanicAndNoMemory) {
  for (const char* line :
       {"[   12.3] Kernel panic - not syncing: Fatal exception",
        "[   12.3] ---[ end Kernel panic - not syncing: Fatal exception ]---"})
    EXPECT_EQ("the kernel panicked", EndOfKernel(line)) << line;
  for (const char* line :
       {"[   12.3] Out of memory: Killed process 77 (bash) total-vm:1kB",
        "[   12.3] Out of memory (oom_kill_allocating_task): Killed process 7",
        "[   12.3] Kernel panic - not syncing: System is deadlocked on memory"})
    EXPECT_EQ("the kernel ran out of memory", EndOfKernel(line)) << line;
}

TEST(EndOfKernel, IsNotTheLimitOfACgroup) {
  for (const char* line :
       {"[   12.3] Memory cgroup out of memory: Killed process 77 (siw_limits)",
        "[   12.3] siw_limits invoked oom-killer: gfp_mask=0xcc0, order=0",
        "[   12.3] WARNING: CPU: 1 PID: 77 at siw/qp.c:120 siw_qp_put+0x1"})
    EXPECT_EQ("", EndOfKernel(line)) << line;
}

TEST(IsKernelTrouble, IsNotAProcessKilledForMemory) {
  EXPECT_FALSE(IsKernelTrouble("[   12.3] Out of memory: Killed process 77"));
}

TEST(LineSplitter, JoinsPiecesAndDropsLineEnds) {
  LineSplitter splitter;
  EXPECT_TRUE(splitter.Feed("ab").empty());
  const std::vector<std::string> lines = splitter.Feed("c\r\n\nde");
  EXPECT_EQ((std::vector<std::string>{"abc", ""}), lines);
  EXPECT_EQ("de", splitter.partial());
}

TEST(LineSplitter, DoesNotWaitForEverForTheEndOfALine) {
  LineSplitter splitter;
  const std::string flood(1 << 20, 'x');
  size_t size = 0;
  for (const std::string& line : splitter.Feed(flood)) size += line.size();
  EXPECT_EQ(flood.size(), size + splitter.partial().size());
  EXPECT_LT(splitter.partial().size(), 1u << 13);
}

TEST(Tail, KeepsTheLastLines) {
  Tail tail(2);
  for (const char* line : {"a", "b", "c"}) tail.Add(line);
  EXPECT_EQ("b\nc\n", tail.Text());
}

}  // namespace
}  // namespace siw::vm
