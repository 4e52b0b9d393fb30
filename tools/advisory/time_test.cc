#include "tools/advisory/time.h"

#include <gtest/gtest.h>

namespace siw::advisory {
namespace {

Time At(const std::string& text) { return *ParseTime(text); }

TEST(Time, IsFormattedAsItWasRead) {
  for (const char* text :
       {"2026-11-26T10:47:06Z", "2028-02-29T23:59:59Z", "1999-01-01T00:00:00Z"})
    EXPECT_EQ(text, FormatTime(At(text)));
  EXPECT_EQ("2028-02-29", FormatDay(At("2028-02-29T23:59:59Z")));
}

TEST(Time, HasOneForm) {
  for (const char* text :
       {"", "2026-11-26", "2026-11-26T10:47:06", "2026-11-26T10:47:06+01:00",
        "2026-13-01T00:00:00Z", "2027-02-29T00:00:00Z", "2026-11-26T24:00:00Z",
        "2026-11-26T10:60:00Z", "2026-11-26 10:47:06Z", "2026-1a-26T10:47:06Z",
        "+026-11-26T10:47:06Z"})
    EXPECT_FALSE(ParseTime(text)) << text;
}

TEST(AddWorkingDays, SkipsTheWeekend) {
  // 2026-11-26 is a Thursday.
  const Time thursday = At("2026-11-26T10:00:00Z");
  EXPECT_EQ("2026-11-27T10:00:00Z", FormatTime(AddWorkingDays(thursday, 1)));
  EXPECT_EQ("2026-11-30T10:00:00Z", FormatTime(AddWorkingDays(thursday, 2)));
  EXPECT_EQ("2026-12-03T10:00:00Z", FormatTime(AddWorkingDays(thursday, 5)));
}

TEST(AddWorkingDays, BeginsOnMondayForWhatComesOnAWeekend) {
  for (const char* text : {"2026-11-28T23:00:00Z", "2026-11-29T01:00:00Z"})
    EXPECT_EQ("2026-12-02T00:00:00Z", FormatTime(AddWorkingDays(At(text), 2)));
}

}  // namespace
}  // namespace siw::advisory
