// The whole runner, against a stand-in for QEMU (fake-qemu) that plays a guest.
#include "ci/vm/vm.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <utility>

#include "ci/vm/hosts_run.h"
#include "ci/vm/lab.h"
#include "ci/vm/test_run.h"

namespace siw::vm {
namespace {

using std::chrono::seconds;

// First on PATH, so that it is taken for QEMU. It finds the numbers of its
// descriptors in its arguments, reports ready, and runs each command it gets as
// `bash -c`, with the console as descriptor 9 and nothing in its kernel log;
// the file "late" is what the console says while that is asked for. It dies at
// once as often as there are files named "die" and a digit, whose text it says
// first, and does not come up if there is one named "hang".
constexpr const char* kFakeQemu = R"(#!/bin/bash
for arg; do
  case $arg in
  socket,id=console,fd=*) console=${arg##*=} ;;
  socket,id=agent,fd=*) agent=${arg##*=} ;;
  esac
done
echo "booting $2: ${0##*/} $*" >&$console
for die in "${0%/*}"/die?; do
  said=$(cat "$die" 2>/dev/null) && rm "$die" 2>/dev/null || continue
  [ -z "$said" ] || echo "$said" >&$console
  exit
done
if [ -e "${0%/*}/hang" ]; then
  cat "${0%/*}/hang" >&$console
  read -r <&$agent
fi
printf '\0000\000' >&$agent
while IFS= read -r -d '' command <&$agent; do
  bash -c "dmesg() { cat '${0%/*}/late' >&9; } 2>/dev/null; $command" \
    9>&$console >&$agent 2>&1
  printf '\000%d\000' $? >&$agent
done
)";

class Runner : public testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/siw-vm-test-XXXXXX";
    dir_ = mkdtemp(dir);
    for (const char* arch : {"x86_64", "aarch64"}) {
      const std::string qemu = dir_ + "/qemu-system-" + arch;
      std::ofstream(qemu) << kFakeQemu;
      std::filesystem::permissions(qemu, std::filesystem::perms::owner_all);
    }
    path_ = getenv("PATH");
    setenv("PATH", (dir_ + ":" + path_).c_str(), 1);
    machine_.log_dir = dir_;
  }

  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(dir_);
  }

  std::string Failures(const std::string& command,
                       const TestLimits& limits = {}) {
    testing::internal::CaptureStdout();
    const auto cases = RunTests(machine_, "test", command, limits);
    said_ = testing::internal::GetCapturedStdout();
    std::string failures;
    for (const TestCase& test : cases)
      if (test.verdict == Verdict::kFail)
        failures += test.name + ": " + test.reason + "\n";
    return failures;
  }

  static std::string Text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Machine machine_;
  std::string dir_;
  std::string path_;
  std::string said_;  // the KTAP
};

TEST_F(Runner, PassesWhenEveryTestPasses) {
  EXPECT_EQ("", Failures("echo 1..1; echo ok 1 a"));
}

TEST_F(Runner, FailsTheTestDuringWhichTheKernelWarns) {
  EXPECT_EQ("b: kernel: WARNING: CPU: 0\n",
            Failures("echo 1..2; echo ok 1 a; sleep 1;"
                     "echo WARNING: CPU: 0 >&9; sleep 1; echo ok 2 b"));
}

TEST_F(Runner, FailsWhenTheKernelWarnsAfterTheLastTest) {
  std::ofstream(dir_ + "/late") << "WARNING: CPU: 0\n";
  EXPECT_EQ("console: the kernel complained after the last test\n",
            Failures("echo 1..1; echo ok 1 a"));
}

TEST_F(Runner, KillsAGuestThatHangs) {
  TestLimits limits;
  limits.test = seconds(1);
  EXPECT_EQ(
      "plan: 2 tests planned, 1 reported\n"
      "end of run: no result in 1 s, killed\n",
      Failures("echo 1..2; echo ok 1 a; sleep 4", limits));
}

TEST_F(Runner, NamesTheLimitThatEndedTheRun) {
  TestLimits limits;
  limits.total = seconds(2);
  EXPECT_EQ(
      "end of run: no end in 2 s, killed\n",
      Failures("for i in {1..20}; do echo ok $i a; sleep 0.3; done", limits));
}

TEST_F(Runner, FailsWhenTheGuestDies) {
  EXPECT_EQ(
      "plan: 1 tests planned, 0 reported\n"
      "end of run: the guest died\n",
      Failures("echo 1..1; sleep 0.3; kill -9 $PPID"));
}

TEST_F(Runner, SaysThatTheKernelPanicked) {
  EXPECT_EQ(
      "end of run: the kernel panicked; kernel: Kernel panic - not syncing: "
      "x\n",
      Failures("echo Kernel panic - not syncing: x >&9; kill -9 $PPID"));
}

TEST_F(Runner, ReadsTheConsoleToItsEndWhenTheGuestDies) {
  EXPECT_EQ(
      "end of run: the kernel panicked; kernel: Kernel panic - not syncing: "
      "x\n",
      Failures("for i in {1..2000}; do echo some line; done >&9;"
               "echo Kernel panic - not syncing: x >&9; kill -9 $PPID"));
}

TEST_F(Runner, SaysThatTheKernelRanOutOfMemory) {
  TestLimits limits;
  limits.test = seconds(1);
  EXPECT_EQ(
      "end of run: no result in 1 s, killed: the kernel ran out of memory\n",
      Failures("echo Out of memory: Killed process 7 >&9; sleep 4", limits));
  EXPECT_EQ(
      "end of run: the output stops inside a test; the kernel ran out of "
      "memory\n",
      Failures("echo '  ok 1 a'; echo Out of memory: Killed process 7 >&9; "
               "sleep 0.3"));
}

TEST_F(Runner, AProcessKilledForMemoryIsNoFailure) {
  EXPECT_EQ("", Failures("echo Out of memory: Killed process 7 >&9; sleep 0.3;"
                         "echo 1..1; echo ok 1 a"));
}

TEST_F(Runner, EndsWhenTheConsoleIsFlooded) {
  EXPECT_EQ("end of run: the console is flooded: 16 MiB\n",
            Failures("head -c 20M /dev/zero >&9; sleep 9"));
  EXPECT_LE(std::filesystem::file_size(dir_ + "/test.console"), kConsoleLimit);
}

TEST_F(Runner, SaysWhyAGuestDidNotBoot) {
  std::ofstream(dir_ + "/hang") << "Out of memory: Killed process 1 (init)\n";
  TestLimits limits;
  limits.boot = seconds(2);
  EXPECT_EQ(
      "boot: host test did not boot in 2 s: the kernel ran out of memory\n",
      Failures("echo 1..1; echo ok 1 a", limits));
}

TEST_F(Runner, BootsOnceMoreWhenAGuestDiesEarly) {
  std::ofstream(dir_ + "/die1") << "";
  std::ofstream(dir_ + "/die2") << "the emulator's fault";
  std::ofstream(dir_ + "/test.console") << "of an earlier run";
  EXPECT_EQ("", Failures("echo 1..1; echo ok 1 a"));
  const std::string note =
      "# host test died before it was up, boots once more\n";
  EXPECT_TRUE(said_.starts_with("KTAP version 1\n" + note + note)) << said_;
  const std::string console = Text(dir_ + "/test.console");
  EXPECT_TRUE(console.starts_with("booting test")) << console;
  EXPECT_NE(std::string::npos, console.find("fault\nbooting test")) << console;
}

TEST_F(Runner, BootsOnceMoreAfterAnInt3OfTheEmulator) {
  std::ofstream(dir_ + "/die1") << "Oops: int3: 0000 [#1] SMP NOPTI\n"
                                << "Kernel panic - not syncing: Fatal\n";
  EXPECT_EQ("", Failures("echo 1..1; echo ok 1 a"));
  EXPECT_NE(std::string::npos, said_.find("; kernel: Oops: int3: ")) << said_;
  EXPECT_NE(std::string::npos, said_.find(", boots once more\n")) << said_;
}

TEST_F(Runner, DoesNotBootOnceMoreWhenTheKernelComplained) {
  for (const char* said :
       {"WARNING: CPU: 0", "BUG: x", "Oops: x", "Kernel panic - x"}) {
    std::ofstream(dir_ + "/die1") << said;
    const std::string failures = Failures("echo 1..1; echo ok 1 a");
    EXPECT_TRUE(failures.starts_with("boot: host test died before it was up"))
        << failures;
    EXPECT_NE(std::string::npos, failures.find(said)) << failures;
  }
}

TEST_F(Runner, GivesUpOnAGuestThatAlwaysDiesEarly) {
  for (const char* name : {"/die1", "/die2", "/die3"})
    std::ofstream(dir_ + name) << "";
  EXPECT_EQ("boot: host test died before it was up\n",
            Failures("echo 1..1; echo ok 1 a"));
}

TEST_F(Runner, GivesCommandsToTheRightHost) {
  auto lab = Lab::Boot({{"a", machine_}, {"b", machine_}}, seconds(10));
  ASSERT_TRUE(lab.ok());
  Vm* b = (*lab)->Find("b");
  ASSERT_NE(nullptr, b);
  std::string output;
  const auto status =
      (*lab)->Run(b, "echo one; echo two; exit 3", seconds(10),
                  [&output](std::string_view bytes) { output += bytes; });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(3, *status);
  EXPECT_EQ("one\ntwo\n", output);
  EXPECT_NE(std::string::npos, b->ConsoleTail().find("booting b"));
  EXPECT_EQ(nullptr, (*lab)->Find("c"));
}

TEST_F(Runner, JudgesTheKernelsOfHosts) {
  HostsPlan plan;
  plan.hosts = {{"a", machine_}, {"b", machine_}};
  // The fake says its arguments on its console.
  plan.hosts[0].machine.append = "WARNING: CPU: 0";
  plan.log_dir = dir_;
  plan.script = {"true"};
  const auto status = RunHosts(plan);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(1, *status);
  std::string ktap = Text(dir_ + "/hosts.ktap");
  EXPECT_NE(std::string::npos,
            ktap.find("\nnot ok 1 hosts/kernel of a # kernel: booting a: "))
      << ktap;
  EXPECT_NE(std::string::npos, ktap.find("\nok 2 hosts/kernel of b")) << ktap;

  plan.hosts[0].machine.append = "";
  EXPECT_EQ(0, *RunHosts(plan));
  EXPECT_EQ(std::string::npos, Text(dir_ + "/hosts.ktap").find("not ok"));

  plan.hosts[0].machine.arch = "vax";
  EXPECT_FALSE(RunHosts(plan).ok());
  EXPECT_NE(std::string::npos,
            Text(dir_ + "/hosts.ktap").find("\nnot ok 1 hosts/boot # no "));
}

TEST_F(Runner, TakesTheMachineOfTheArchitecture) {
  const std::pair<const char*, const char*> expected[] = {
      {"amd64", ": qemu-system-x86_64 .* -machine q35 .*console=ttyS0"},
      {"arm64", ": qemu-system-aarch64 .* -machine virt .*console=ttyAMA0"}};
  for (const auto& [arch, said] : expected) {
    machine_.arch = arch;
    auto lab = Lab::Boot({{"a", machine_}}, seconds(10));
    ASSERT_TRUE(lab.ok());
    EXPECT_TRUE(
        std::regex_search((*lab)->Find("a")->ConsoleTail(), std::regex(said)))
        << (*lab)->Find("a")->ConsoleTail();
  }
  machine_.arch = "vax";
  EXPECT_FALSE(Lab::Boot({{"a", machine_}}, seconds(10)).ok());
}

TEST_F(Runner, StartsFirmwareIfAsked) {
  for (const bool asked : {false, true}) {
    machine_.firmware = asked ? "CODE" : "";
    machine_.variables = asked ? "VARS" : "";
    auto lab = Lab::Boot({{"a", machine_}}, seconds(10));
    ASSERT_TRUE(lab.ok());
    const std::string said = (*lab)->Find("a")->ConsoleTail();
    for (const char* argument : {" -machine smm=on ", "readonly=on,file=CODE ",
                                 "format=raw,file=VARS "})
      EXPECT_EQ(asked, said.find(argument) != std::string::npos) << said;
  }
}

TEST_F(Runner, CountsInstructionsIfAsked) {
  for (const auto& [accel, counts, words] :
       {std::tuple("icount", true, true),
        std::tuple("icount-octets", true, false),
        std::tuple("tcg", false, false)}) {
    machine_.accel = accel;
    auto lab = Lab::Boot({{"a", machine_}}, seconds(10));
    ASSERT_TRUE(lab.ok());
    const std::string said = (*lab)->Find("a")->ConsoleTail();
    for (const char* argument :
         {" -icount shift=0,align=off,sleep=off ", " tcg,thread=single "})
      EXPECT_EQ(counts, said.find(argument) != std::string::npos) << said;
    EXPECT_EQ(words,
              said.find(" -cpu max,erms=off,fsrm=off ") != std::string::npos)
        << said;
  }
}

TEST_F(Runner, RefusesACommandWhileAnotherOneRuns) {
  auto lab = Lab::Boot({{"a", machine_}}, seconds(10));
  ASSERT_TRUE(lab.ok());
  Vm* a = (*lab)->Find("a");
  EXPECT_FALSE((*lab)->Run(a, "sleep 4", seconds(1)).ok());
  EXPECT_FALSE((*lab)->Run(a, "true", seconds(1)).ok());
}

}  // namespace
}  // namespace siw::vm
