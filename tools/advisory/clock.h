// The clock of a report: events, and the time from one to another that we
// allow ourselves. security/clock.toml has the rules as data.
#ifndef SIW_TOOLS_ADVISORY_CLOCK_H_
#define SIW_TOOLS_ADVISORY_CLOCK_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/advisory/fields.h"

namespace siw::advisory {

// When what happened
using Timeline = std::map<std::string, Time>;

struct ClockRule {
  std::string id;
  std::string from;
  std::string to;
  std::optional<std::chrono::seconds> within;
  int working_days = 0;               // if not `within`
  std::string until;                  // an event, if neither
  std::vector<std::string> severity;  // all of them if empty
  std::string given;                  // an event, or none
  bool may_precede = false;           // `to` may come before `from`
};

struct Clock {
  std::vector<std::string> events;
  std::vector<ClockRule> rules;
};

// kUnbounded: the event that the rule runs until has no date.
enum class ClockState {
  kMet,
  kLate,
  kDisordered,
  kRunning,
  kOverdue,
  kUnbounded
};

struct ClockVerdict {
  const ClockRule* rule;
  ClockState state;
  std::optional<Time> due;
  std::optional<Time> done;
};

Clock ParseClock(const std::string& text, const std::string& file,
                 Problems* problems);

// Reads the table [timeline]: its events have to be those of the clock, and in
// an order that there can be.
Timeline ReadTimeline(Fields* fields, const Clock& clock);

// Of the rules that apply: those for `severity`, once it is known, whose first
// event has happened.
std::vector<ClockVerdict> Judge(const Clock& clock, const std::string& severity,
                                const Timeline& timeline, Time now);

bool IsViolation(ClockState state);

// "acknowledge: late: due 2027-01-07T09:00:00Z, was 2027-01-08T09:00:00Z"
std::string ToString(const ClockVerdict& verdict);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_CLOCK_H_
