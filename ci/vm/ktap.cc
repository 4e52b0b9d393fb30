#include "ci/vm/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace siw::vm {
namespace {

// So much of what a test prints is kept.
constexpr size_t kLogLimit = 1 << 20;

bool Eat(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

std::optional<size_t> EatNumber(std::string_view* text) {
  size_t number = 0;
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

// How deep a line is nested: by spaces, or by the "# " of kselftest.
size_t EatIndent(std::string_view* line) {
  size_t indent = 0;
  while (Eat(line, "# ") || Eat(line, "  ")) ++indent;
  return indent;
}

struct ResultLine {
  Verdict verdict;
  std::string name;
  std::string reason;
};

// "ok 3 - name # SKIP reason"
std::optional<ResultLine> ParseResult(std::string_view text) {
  const bool passed = !Eat(&text, "not ");
  if (!Eat(&text, "ok ") || !EatNumber(&text)) return std::nullopt;
  if (!text.empty() && !Eat(&text, " ")) return std::nullopt;
  Eat(&text, "- ");
  ResultLine result{passed ? Verdict::kPass : Verdict::kFail, "", ""};
  const size_t hash = text.find(" # ");
  std::string_view directive;
  if (hash != std::string_view::npos) {
    directive = text.substr(hash + 3);
    text = text.substr(0, hash);
  } else if (text.starts_with("# ")) {
    directive = text.substr(2);
    text = "";
  }
  if (directive.starts_with("SKIP")) {
    directive.remove_prefix(4);
    Eat(&directive, " ");
    result.verdict = Verdict::kSkip;
  }
  result.reason = directive;
  result.name = text.empty() ? "unnamed" : std::string(text);
  return result;
}

// "1..3", "1..0 # SKIP reason"
std::optional<KtapPlan> ParsePlan(std::string_view text) {
  if (!Eat(&text, "1..")) return std::nullopt;
  const auto count = EatNumber(&text);
  if (!count) return std::nullopt;
  const bool skipped = Eat(&text, " # SKIP ");
  return KtapPlan{*count, std::string(skipped ? text : "")};
}

bool AnyFailed(const std::vector<TestCase>& cases) {
  return std::any_of(cases.begin(), cases.end(), [](const TestCase& test) {
    return test.verdict == Verdict::kFail;
  });
}

}  // namespace

// Of a log that is too long the last half stays.
void KtapReader::Log(std::string_view line) {
  log_ += fmt::format("{}\n", line);
  if (log_.size() > kLogLimit) log_.erase(0, log_.size() - kLogLimit / 2);
}

TestCase KtapReader::Leaf(std::string name, Clock::time_point now) {
  TestCase test;
  test.name = std::move(name);
  test.log = std::exchange(log_, {});
  test.seconds = std::chrono::duration<double>(now - last_result_).count();
  last_result_ = now;
  last_name_ = test.name;
  if (!trouble_.empty()) {
    test.verdict = Verdict::kFail;
    test.reason = "kernel: " + std::exchange(trouble_, {});
  }
  return test;
}

// What the plan of the level below `indent` gives as reason to skip it.
std::string KtapReader::WhyNothing(size_t indent) const {
  const auto plan = plans_.upper_bound(indent);
  return plan == plans_.end() ? "" : plan->second.reason;
}

void KtapReader::CheckPlan(size_t indent, size_t seen,
                           std::vector<TestCase>* cases) {
  const auto plan = plans_.find(indent);
  if (plan != plans_.end() && seen < plan->second.count) {
    TestCase missing;
    missing.name = "plan";
    missing.verdict = Verdict::kFail;
    missing.reason =
        fmt::format("{} tests planned, {} reported", plan->second.count, seen);
    cases->push_back(std::move(missing));
  }
  plans_.erase(plans_.lower_bound(indent), plans_.end());
}

// Takes the pending results that are nested deeper than `indent`.
std::vector<TestCase> KtapReader::Subtests(size_t indent) {
  const auto first =
      std::find_if(pending_.begin(), pending_.end(),
                   [indent](const Node& node) { return node.indent > indent; });
  std::vector<TestCase> cases;
  size_t level = plans_.upper_bound(indent) == plans_.end()
                     ? indent + 1
                     : plans_.upper_bound(indent)->first;
  size_t seen = 0;
  for (auto node = first; node != pending_.end(); ++node) {
    seen += node->indent == level;
    std::move(node->cases.begin(), node->cases.end(),
              std::back_inserter(cases));
  }
  pending_.erase(first, pending_.end());
  CheckPlan(level, seen, &cases);
  return cases;
}

std::vector<TestCase> KtapReader::Feed(std::string_view line,
                                       Clock::time_point now) {
  std::string_view text = line;
  const size_t indent = EatIndent(&text);
  if (const auto plan = ParsePlan(text)) {
    plans_[indent] = *plan;
    return {};
  }
  auto result = ParseResult(text);
  if (!result) {
    if (!text.empty() && !text.starts_with("KTAP version")) Log(text);
    return {};
  }
  any_result_ = true;
  // Who runs a program can but point at what the program says.
  if (const std::string why = WhyNothing(indent);
      result->verdict == Verdict::kSkip && !why.empty())
    result->reason = why;
  std::vector<TestCase> cases = Subtests(indent);
  for (TestCase& test : cases) test.name = result->name + "/" + test.name;
  const bool own_result =
      cases.empty() || !trouble_.empty() ||
      (result->verdict == Verdict::kFail && !AnyFailed(cases));
  if (own_result) {
    TestCase test = Leaf(result->name, now);
    if (test.verdict != Verdict::kFail) {
      test.verdict = result->verdict;
      test.reason = result->reason;
    }
    cases.push_back(std::move(test));
  }
  if (indent > 0) {
    pending_.push_back({indent, std::move(cases)});
    return {};
  }
  ++top_results_;
  return cases;
}

void KtapReader::Trouble(std::string_view line) {
  if (trouble_.empty()) trouble_ = line;
}

std::vector<TestCase> KtapReader::Finish(std::string_view why,
                                         Clock::time_point now) {
  std::vector<TestCase> cases;
  for (Node& node : pending_)
    std::move(node.cases.begin(), node.cases.end(), std::back_inserter(cases));
  const bool cut_short = !pending_.empty();
  const std::string nothing = plans_.contains(0) ? plans_[0].reason : "";
  pending_.clear();
  CheckPlan(0, top_results_, &cases);
  if (!why.empty() || !trouble_.empty() || !any_result_ || cut_short) {
    TestCase test = Leaf("end of run", now);
    if (!why.empty()) {
      test.reason = test.reason.empty()
                        ? std::string(why)
                        : fmt::format("{}; {}", why, test.reason);
    } else if (test.reason.empty()) {
      test.reason = any_result_ ? "the output stops inside a test"
                                : "the output holds no test result";
      if (!nothing.empty()) test.reason += ": " + nothing;
    }
    test.verdict = Verdict::kFail;
    cases.push_back(std::move(test));
  }
  return cases;
}

}  // namespace siw::vm
