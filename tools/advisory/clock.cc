#include "tools/advisory/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace siw::advisory {
namespace {

// What the rules leave open, and cannot be the other way round
constexpr std::array<std::pair<const char*, const char*>, 7> kOrder = {
    {{"acknowledged", "assessed"},
     {"assessed", "published"},
     {"fix_ready", "merged"},
     {"disclosed", "merged"},
     {"disclosed", "published"},
     {"early_warning", "notification"},
     {"notification", "final_report"}}};

template <typename T>
bool Contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// "2 working days", "7 days", "1 hour"
bool ReadWithin(const std::string& text, ClockRule* rule) {
  int number = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(read.ptr, text.data() + text.size());
  if (read.ec != std::errc() || number <= 0) return false;
  if (unit == " working days")
    rule->working_days = number;
  else if (unit == " days")
    rule->within = std::chrono::days(number);
  else if (unit == " hours" || unit == " hour")
    rule->within = std::chrono::hours(number);
  else
    return false;
  return true;
}

ClockRule ReadRule(Fields* fields, const std::vector<std::string>& events) {
  ClockRule rule;
  rule.id = fields->Text("id");
  rule.from = fields->OneOf("from", events);
  rule.to = fields->OneOf("to", events);
  if (fields->Has("until"))
    rule.until = fields->OneOf("until", events);
  else if (const std::string text = fields->Text("within");
           !text.empty() && !ReadWithin(text, &rule))
    fields->Wrong(
        "within",
        "'" + text + "' is not a number of hours, days, working days");
  rule.severity = fields->TextsIfAny("severity");
  if (fields->Has("given")) rule.given = fields->OneOf("given", events);
  rule.may_precede =
      fields->Has("order") && fields->OneOf("order", {"any"}) == "any";
  fields->NothingElse();
  return rule;
}

std::optional<Time> Find(const Timeline& timeline, const std::string& event) {
  const auto found = timeline.find(event);
  if (found == timeline.end()) return std::nullopt;
  return found->second;
}

bool Applies(const ClockRule& rule, const std::string& severity,
             const Timeline& timeline) {
  return (rule.severity.empty() || Contains(rule.severity, severity)) &&
         (rule.given.empty() || timeline.count(rule.given));
}

std::optional<Time> Due(const ClockRule& rule, const Timeline& timeline,
                        Time from) {
  if (!rule.until.empty()) return Find(timeline, rule.until);
  if (rule.within) return from + *rule.within;
  return AddWorkingDays(from, rule.working_days);
}

ClockState StateOf(const ClockRule& rule, const ClockVerdict& verdict,
                   Time from, Time now) {
  if (!rule.until.empty() && !verdict.due) return ClockState::kUnbounded;
  if (!verdict.done)
    return verdict.due && now > *verdict.due ? ClockState::kOverdue
                                             : ClockState::kRunning;
  if (*verdict.done < from && !rule.may_precede) return ClockState::kDisordered;
  if (verdict.due && *verdict.done > *verdict.due) return ClockState::kLate;
  return ClockState::kMet;
}

}  // namespace

Clock ParseClock(const std::string& text, const std::string& file,
                 Problems* problems) {
  Clock clock;
  const auto table = ParseToml(text, file, problems);
  if (!table) return clock;
  Fields fields(*table, file, "", problems);
  clock.events = fields.Texts("events");
  for (Fields& rule : fields.Tables("rule"))
    clock.rules.push_back(ReadRule(&rule, clock.events));
  fields.NothingElse();
  return clock;
}

Timeline ReadTimeline(Fields* fields, const Clock& clock) {
  Timeline timeline;
  for (const std::string& event : clock.events)
    if (fields->Has(event)) timeline[event] = fields->When(event);
  fields->NothingElse();
  for (const auto& [first, second] : kOrder) {
    const std::optional<Time> before = Find(timeline, first);
    const std::optional<Time> after = Find(timeline, second);
    if (before && after && *after < *before)
      fields->Wrong(second, fmt::format("is before '{}'", first));
  }
  return timeline;
}

std::vector<ClockVerdict> Judge(const Clock& clock, const std::string& severity,
                                const Timeline& timeline, Time now) {
  std::vector<ClockVerdict> out;
  for (const ClockRule& rule : clock.rules) {
    if (!Applies(rule, severity, timeline)) continue;
    const std::optional<Time> from = Find(timeline, rule.from);
    ClockVerdict verdict = {&rule, ClockState::kDisordered, std::nullopt,
                            Find(timeline, rule.to)};
    if (from) {
      verdict.due = Due(rule, timeline, *from);
      verdict.state = StateOf(rule, verdict, *from, now);
    } else if (!verdict.done || rule.may_precede) {
      continue;
    }
    out.push_back(verdict);
  }
  return out;
}

bool IsViolation(ClockState state) {
  switch (state) {
    case ClockState::kMet:
    case ClockState::kRunning:
      return false;
    case ClockState::kLate:
    case ClockState::kDisordered:
    case ClockState::kOverdue:
    case ClockState::kUnbounded:
      break;
  }
  return true;
}

std::string ToString(const ClockVerdict& verdict) {
  const ClockRule& rule = *verdict.rule;
  const std::string due =
      verdict.due ? FormatTime(*verdict.due) : "not known yet";
  switch (verdict.state) {
    case ClockState::kMet:
      return fmt::format("{}: met: due {}, was {}", rule.id, due,
                         FormatTime(*verdict.done));
    case ClockState::kLate:
      return fmt::format("{}: late: due {}, was {}", rule.id, due,
                         FormatTime(*verdict.done));
    case ClockState::kDisordered:
      return fmt::format("{}: out of order: '{}' was before '{}'", rule.id,
                         rule.to, rule.from);
    case ClockState::kRunning:
      return fmt::format("{}: running: due {}", rule.id, due);
    case ClockState::kUnbounded:
      return fmt::format("{}: has no end: '{}' is not set", rule.id,
                         rule.until);
    case ClockState::kOverdue:
      break;
  }
  return fmt::format("{}: overdue: due {}", rule.id, due);
}

}  // namespace siw::advisory
