// Points in time, in UTC and to the second, and working days.
#ifndef SIW_TOOLS_ADVISORY_TIME_H_
#define SIW_TOOLS_ADVISORY_TIME_H_

#include <chrono>
#include <string>

#include "tools/common/result.h"

namespace siw::advisory {

using Time = std::chrono::sys_seconds;

// "2027-01-05T16:00:00Z", and no other form
Result<Time> ParseTime(const std::string& text);
std::string FormatTime(Time time);

// "2027-01-05"
std::string FormatDay(Time time);

// Monday to Friday in UTC; public holidays are working days. What begins on a
// weekend begins on Monday at midnight.
Time AddWorkingDays(Time from, int days);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_TIME_H_
