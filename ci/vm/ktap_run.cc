#include "ci/vm/ktap_run.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
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

  std::vector<TestCase> Finish(std::string_view why) {
    auto rest = reader_.Finish(why, Clock::now());
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
  size_t bytes = 0;
  for (char byte; bytes <= kConsoleLimit && console.get(byte); ++bytes)
    for (const std::string& line : lines.Feed({&byte, 1})) run.Feed(line);
  if (!lines.partial().empty()) run.Feed(lines.partial());
  std::vector<TestCase> cases =
      run.Finish(bytes > kConsoleLimit ? FloodReason() : "");
  fmt::print("1..{}\n", cases.size());
  return cases;
}

}  // namespace siw::vm
