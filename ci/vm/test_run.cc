#include "ci/vm/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "ci/vm/lab.h"
#include "ci/vm/report.h"

namespace siw::vm {
namespace {

using std::chrono::seconds;

// Levels emerg, alert and crit: nothing a healthy driver says.
constexpr const char* kSevereMessages = "dmesg --level=emerg,alert,crit";
constexpr seconds kAfterwards{60};
constexpr seconds kQuiet{30};

TestCase Failure(std::string name, std::string reason, std::string log) {
  TestCase test;
  test.name = std::move(name);
  test.verdict = Verdict::kFail;
  test.reason = std::move(reason);
  test.log = std::move(log);
  return test;
}

class TestRun {
 public:
  explicit TestRun(Lab* lab)
      : lab_(lab), vm_(lab->vms().front().get()), reader_(Clock::now()) {
    vm_->on_trouble = [this](std::string_view line) { reader_.Trouble(line); };
    if (!vm_->trouble().empty()) reader_.Trouble(vm_->trouble());
  }

  std::vector<TestCase> Run(const std::string& command,
                            const TestLimits& limits) {
    const std::string why = Watch(command, limits);
    auto rest = reader_.Finish(why, Clock::now());
    if (!rest.empty()) {
      if (why.empty() && !vm_->ending().empty())
        rest.back().reason += "; " + vm_->ending();
      rest.back().log += "the console ends with\n" + vm_->ConsoleTail();
    }
    for (TestCase& test : rest) Conclude(std::move(test));
    std::string late;
    vm_->on_trouble = [&late](std::string_view line) {
      late += fmt::format("{}\n", line);
    };
    if (vm_->alive() && why.empty())
      MustBeSilent("kernel messages", kSevereMessages);
    vm_->Kill();
    vm_->on_trouble = nullptr;
    if (!late.empty())
      Conclude(Failure("console", "the kernel complained after the last test",
                       late + "the console ends with\n" + vm_->ConsoleTail()));
    return std::move(cases_);
  }

 private:
  // Returns why the run was given up, or nothing.
  std::string Watch(const std::string& command, const TestLimits& limits) {
    bool done = false;
    const auto end = Clock::now() + limits.total;
    const auto sent =
        vm_->Send(command, {[this](std::string_view bytes) { Output(bytes); },
                            [&done](int) { done = true; }});
    if (!sent) return sent.error().message;
    while (!done) {
      const auto deadline = std::min(reader_.last_result() + limits.test, end);
      lab_->loop().Turn(deadline);
      if (!vm_->alive())
        return vm_->ending().empty() ? "the guest died" : vm_->ending();
      if (done || Clock::now() < deadline) continue;
      vm_->Kill();
      const auto [what, limit] = deadline == end
                                     ? std::pair("no end", limits.total)
                                     : std::pair("no result", limits.test);
      return fmt::format("{} in {} s, killed{}{}", what, limit.count(),
                         vm_->ending().empty() ? "" : ": ", vm_->ending());
    }
    return "";
  }

  void Output(std::string_view bytes) {
    for (const std::string& line : lines_.Feed(bytes))
      for (TestCase& test : reader_.Feed(line, Clock::now()))
        Conclude(std::move(test));
    ShowProgress();
  }

  // A program's results are told when it ends. Meanwhile, a sign of life.
  void ShowProgress() {
    if (reader_.last_result() < last_shown_ + kQuiet) return;
    fmt::print(stderr, "{}: at {}\n", vm_->name(), reader_.last_name());
    last_shown_ = reader_.last_result();
  }

  void Conclude(TestCase test) {
    last_shown_ = Clock::now();
    std::fputs(KtapLine(cases_.size() + 1, test).c_str(), stdout);
    std::fflush(stdout);
    cases_.push_back(std::move(test));
  }

  void MustBeSilent(const std::string& name, const char* command) {
    std::string said;
    const auto status =
        lab_->Run(vm_, command, kAfterwards,
                  [&said](std::string_view bytes) { said += bytes; });
    if (!status) {
      Conclude(Failure(name, status.error().message, vm_->ConsoleTail()));
    } else if (!said.empty()) {
      Conclude(Failure(name, "the kernel complained", said));
    }
  }

  Lab* lab_;
  Vm* vm_;
  KtapReader reader_;
  LineSplitter lines_;
  std::vector<TestCase> cases_;
  Clock::time_point last_shown_ = Clock::now();
};

}  // namespace

std::vector<TestCase> RunTests(const Machine& machine, const std::string& name,
                               const std::string& command,
                               const TestLimits& limits) {
  std::fputs("KTAP version 1\n", stdout);
  std::vector<TestCase> cases;
  auto lab = Lab::Boot({{name, machine}}, limits.boot);
  if (lab) {
    cases = TestRun(lab->get()).Run(command, limits);
  } else {
    // The console follows in lines of its own.
    const std::string& why = lab.error().message;
    cases = {Failure("boot", why.substr(0, why.find('\n')), why)};
    std::fputs(KtapLine(1, cases.front()).c_str(), stdout);
  }
  fmt::print("1..{}\n", cases.size());
  return cases;
}

}  // namespace siw::vm
