#include "tools/advisory/time.h"

#include <fmt/format.h>

#include <charconv>

namespace siw::advisory {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

bool Number(const std::string& text, size_t at, size_t digits, unsigned* out) {
  const char* const begin = text.data() + at;
  const char* const end = begin + digits;
  const auto read = std::from_chars(begin, end, *out);
  return read.ec == std::errc() && read.ptr == end;
}

bool IsWeekend(sys_days day) {
  const unsigned weekday = std::chrono::weekday(day).iso_encoding();
  return weekday > 5;
}

}  // namespace

Result<Time> ParseTime(const std::string& text) {
  const Error error{"'" + text + "' is not of the form 2027-01-05T16:00:00Z"};
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' ||
      text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
    return error;
  if (!Number(text, 0, 4, &year) || !Number(text, 5, 2, &month) ||
      !Number(text, 8, 2, &day) || !Number(text, 11, 2, &hour) ||
      !Number(text, 14, 2, &minute) || !Number(text, 17, 2, &second))
    return error;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
      std::chrono::day(day));
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return error;
  return Time(sys_days(date) + std::chrono::hours(hour) +
              std::chrono::minutes(minute) + std::chrono::seconds(second));
}

std::string FormatDay(Time time) {
  const std::chrono::year_month_day date(std::chrono::floor<days>(time));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string FormatTime(Time time) {
  const std::chrono::hh_mm_ss clock(time - std::chrono::floor<days>(time));
  return fmt::format("{}T{:02}:{:02}:{:02}Z", FormatDay(time),
                     clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

Time AddWorkingDays(Time from, int working_days) {
  sys_days day = std::chrono::floor<days>(from);
  std::chrono::seconds clock = from - day;
  while (IsWeekend(day)) {
    day += days(1);
    clock = std::chrono::seconds(0);
  }
  for (int left = working_days; left > 0;) {
    day += days(1);
    if (!IsWeekend(day)) --left;
  }
  return day + clock;
}

}  // namespace siw::advisory
