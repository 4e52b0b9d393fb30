// Reads KTAP as it arrives: nested documents, kselftest's "# " prefixes,
// plans that do not hold, and kernel trouble in between.
#ifndef SIW_CI_VM_KTAP_H_
#define SIW_CI_VM_KTAP_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ci/vm/event_loop.h"

namespace siw::vm {

enum class Verdict { kPass, kFail, kSkip };

struct TestCase {
  std::string name;  // path of subtests, joined with '/'
  Verdict verdict = Verdict::kPass;
  std::string reason;  // why it failed or was skipped
  std::string log;     // what was printed before its result line
  double seconds = 0;
};

struct KtapPlan {
  size_t count = 0;
  std::string reason;  // why there is nothing to test
};

class KtapReader {
 public:
  explicit KtapReader(Clock::time_point start) : last_result_(start) {}

  // Returns the cases that this line concludes.
  std::vector<TestCase> Feed(std::string_view line, Clock::time_point now);

  // The kernel complained: the test that runs now fails.
  void Trouble(std::string_view line);

  // The stream has ended: what was planned and did not come. `why` is the
  // reason given for the test that was running, before what the kernel said;
  // empty for a regular end.
  std::vector<TestCase> Finish(std::string_view why, Clock::time_point now);

  Clock::time_point last_result() const { return last_result_; }

  // The test that gave it, without those around it: they have yet to end.
  const std::string& last_name() const { return last_name_; }

 private:
  struct Node {
    size_t indent;
    std::vector<TestCase> cases;
  };

  void Log(std::string_view line);
  TestCase Leaf(std::string name, Clock::time_point now);
  std::vector<TestCase> Subtests(size_t indent);
  std::string WhyNothing(size_t indent) const;
  void CheckPlan(size_t indent, size_t seen, std::vector<TestCase>* cases);

  std::vector<Node> pending_;  // results whose parent has not come yet
  std::map<size_t, KtapPlan> plans_;
  size_t top_results_ = 0;
  bool any_result_ = false;
  std::string log_;
  std::string trouble_;
  Clock::time_point last_result_;
  std::string last_name_;
};

}  // namespace siw::vm

#endif  // SIW_CI_VM_KTAP_H_
