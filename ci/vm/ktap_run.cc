#include "ci/vm/ktap_run.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "ci/vm/kernel_log.h"
#include "ci/vm/report.h"

namespace siw::vm {
namespace {

class ConsoleRun {
 public:
  ConsoleRun() : reader_(Clock::now()) {}

  void Feed(const std::string& line) {
    tail_.Add(line);
    if (IsKernelTrouble(line)) reader_.Trouble(line);
    in_document_ |= line.starts_with("KTAP version");
    if (in_document_) Conclude(reader_.Feed(line, Clock::now()));
  }

  std::vector<TestCase> Finish() {
    auto rest = reader_.Finish("", Clock::now());
    if (!rest.empty())
      rest.back().log += "the console ends with\n" + tail_.Text();
    Conclude(std::move(rest));
    return std::move(cases_);
  }

 private:
  void Conclude(std::vector<TestCase> concluded) {
    for (TestCase& test : concluded) {
      std::fputs(KtapLine(cases_.size() + 1, test).c_str(), stdout);
      cases_.push_back(std::move(test));
    }
    std::fflush(stdout);
  }

  KtapReader reader_;
  Tail tail_{kTailLines};
  bool in_document_ = false;
  std::vector<TestCase> cases_;
};

}  // namespace

std::vector<TestCase> ReadConsole(std::istream& console) {
  std::fputs("KTAP version 1\n", stdout);
  ConsoleRun run;
  LineSplitter lines;
  std::string bytes;
  while (std::getline(console, bytes))
    for (const std::string& line : lines.Feed(bytes + "\n")) run.Feed(line);
  std::vector<TestCase> cases = run.Finish();
  fmt::print("1..{}\n", cases.size());
  return cases;
}

}  // namespace siw::vm
