#include "tools/advisory/version.h"

#include <gtest/gtest.h>

namespace siw::advisory {
namespace {

TEST(Version, IsOrderedByNumber) {
  EXPECT_LT(*ParseVersion("0.1.9"), *ParseVersion("0.1.10"));
  EXPECT_LT(*ParseVersion("0.9.0"), *ParseVersion("0.10.0"));
  EXPECT_LT(*ParseVersion("9.0.0"), *ParseVersion("10.0.0"));
  EXPECT_EQ(*ParseVersion("1.2.3"), *ParseVersion("1.2.3"));
  EXPECT_EQ("1.20.3", ToString(*ParseVersion("1.20.3")));
}

TEST(Version, HasThreeNumbersAndNothingElse) {
  for (const char* text :
       {"", "1", "1.2", "1.2.", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.3-1",
        "1.2.3~rc1", "01.2.3", "1.02.3", " 1.2.3", "1.2.99999999999", "-1.2.3"})
    EXPECT_FALSE(ParseVersion(text)) << text;
}

TEST(Installed, IsTheUpstreamVersionOfAPackage) {
  for (const char* text : {"0.2.0", "0.2.0-1", "0.2.0-1~deb12u1", "0.2.0-1.el9",
                           "1:0.2.0-3", "0.2.0+git20270101-1"}) {
    const Result<Installed> installed = ParseInstalled(text);
    ASSERT_TRUE(installed) << text;
    EXPECT_EQ("0.2.0", ToString(installed->version)) << text;
    EXPECT_FALSE(installed->before) << text;
  }
  EXPECT_TRUE(ParseInstalled("0.2.0~rc1-1")->before);
  for (const char* text : {"", "-1", "unknown", "1:", "0.2-1"})
    EXPECT_FALSE(ParseInstalled(text)) << text;
}

}  // namespace
}  // namespace siw::advisory
