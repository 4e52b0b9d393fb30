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
  for (const char* text :
       {"0.2.0", "0.2.0-1", "0.2.0-1~deb12u1", "0.2.0-1.el9", "0.2.0-1.fc41",
        "1:0.2.0-3", "0:0.2.0-1.el9", "0.2.0+git20270101-1", "0.2.0+b1",
        "0.2.0-1+b1", "0.2.0-0ubuntu1", "0.2.0^git1-1", "0.2.0+dfsg~rc1"}) {
    const Result<Installed> installed = ParseInstalled(text);
    ASSERT_TRUE(installed) << text;
    EXPECT_EQ("0.2.0", ToString(installed->version)) << text;
    EXPECT_FALSE(installed->before) << text;
  }
  for (const char* text :
       {"", "-1", "unknown", "1:", "0.2-1", ":0.2.0", "x:0.2.0", "1:1:0.2.0",
        "0.2.0.1", "0.2.0rc1", "v0.2.0", "+really", "(none)"})
    EXPECT_FALSE(ParseInstalled(text)) << text;
  // It is looked at by a regular expression, which takes stack for all of it.
  EXPECT_TRUE(ParseInstalled("0.2.0~deb" + std::string(200, '1')));
  EXPECT_FALSE(ParseInstalled("0.2.0~deb" + std::string(1 << 20, '1')));
}

TEST(Installed, IsItsReleaseWhateverSuiteItWasBuiltFor) {
  for (const char* text :
       {"0.2.0~deb11", "0.2.0~deb11+b1", "0.2.0~deb12u1-1", "0.2.0~bpo12+1",
        "0.2.0~bpo12+1-2", "0.2.0~ubuntu22.04.1", "0.2.0~el9-1",
        "2:0.2.0~deb11-1.1", "0.2.0~deb12~bpo11+1"}) {
    const Result<Installed> installed = ParseInstalled(text);
    ASSERT_TRUE(installed) << text;
    EXPECT_EQ("0.2.0", ToString(installed->version)) << text;
    EXPECT_FALSE(installed->before) << text;
  }
}

TEST(Installed, IsBeforeItsReleaseWhereATildeSaysAnythingElse) {
  for (const char* text :
       {"0.2.0~rc1-1", "0.2.0~rc1+b1", "0.2.0~beta", "0.2.0~git20270101-1.el9",
        "0.2.0~", "0.2.0~deb", "0.2.0~debian11", "0.2.0~rc1~deb11",
        "0.2.0~deb11~rc1", "0.2.0~~deb11"}) {
    const Result<Installed> installed = ParseInstalled(text);
    ASSERT_TRUE(installed) << text;
    EXPECT_EQ("0.2.0", ToString(installed->version)) << text;
    EXPECT_TRUE(installed->before) << text;
  }
}

TEST(Installed, IsWhatItReallyIs) {
  EXPECT_EQ("0.1.9",
            ToString(ParseInstalled("1:0.2.0+really0.1.9-1~deb12u1")->version));
  EXPECT_TRUE(ParseInstalled("0.3.0+really0.2.0~rc1-1")->before);
}

TEST(IsWithin, IsExactAtBothEnds) {
  const auto within = [](const std::string& installed) {
    return IsWithin(*ParseInstalled(installed), *ParseVersion("0.1.0"),
                    *ParseVersion("0.1.1"));
  };
  EXPECT_FALSE(within("0.0.9~deb11"));
  EXPECT_TRUE(within("0.1.0~rc1"));
  EXPECT_TRUE(within("0.1.0~deb11"));
  EXPECT_TRUE(within("0.1.1~rc1-1.el9"));
  EXPECT_FALSE(within("0.1.1~deb11"));
  EXPECT_FALSE(within("0.1.1-1.el9"));
  EXPECT_TRUE(IsWithin(*ParseInstalled("99.0.0"), *ParseVersion("0.1.0"), {}));
}

}  // namespace
}  // namespace siw::advisory
