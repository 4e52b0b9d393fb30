#include "ci/vm/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace siw::vm {
namespace {

int Wait(Process* process) {
  pollfd ended{process->watch_fd(), POLLIN, 0};
  poll(&ended, 1, 10000);
  return process->TryWait().value_or(-1);
}

TEST(Process, ReportsItsExitStatus) {
  auto process = Process::Spawn({"sh", "-c", "exit 7"}, {});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(7, Wait(&*process));
}

TEST(Process, ReportsASignalLikeAShell) {
  auto process = Process::Spawn({"sh", "-c", "kill -TERM $$"}, {});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(128 + 15, Wait(&*process));
}

TEST(Process, ReportsAMissingProgramLikeAShell) {
  auto process = Process::Spawn({"/nonexistent"}, {});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(127, Wait(&*process));
}

TEST(Process, IsKilled) {
  auto process = Process::Spawn({"sleep", "1000"}, {});
  ASSERT_TRUE(process.ok());
  EXPECT_FALSE(process->TryWait());
  process->Kill();
  EXPECT_EQ(128 + 9, process->TryWait());
}

TEST(Process, InheritsOnlyWhatItIsGiven) {
  auto given = SocketPair(SOCK_STREAM);
  auto kept = SocketPair(SOCK_STREAM);
  ASSERT_TRUE(given.ok() && kept.ok());
  ProcessOptions options;
  options.inherit = {given->theirs.get()};
  options.environment = {{"GIVEN", std::to_string(given->theirs.get())},
                         {"KEPT", std::to_string(kept->theirs.get())}};
  auto process = Process::Spawn(
      {"sh", "-c", "[ -e /proc/$$/fd/$GIVEN ] && ! [ -e /proc/$$/fd/$KEPT ]"},
      options);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(0, Wait(&*process));
}

}  // namespace
}  // namespace siw::vm
