#include "tools/advisory/vex.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

constexpr char kStatement[] = R"(
[[statement]]
cve = "CVE-2027-12345"
title = "a title"
status = "not_affected"
justification = "component_not_present"
reason = "a reason"
tests = ["unit/MpaCrc.AgreesWithTheDefinition"]
[[statement.history]]
date = 2026-11-01T00:00:00Z
summary = "First statement"
)";

Said Wrong(const std::string& text) {
  Problems problems;
  ParseVex(text, "vex.toml", TheRules(), &problems);
  return Lines(problems);
}

TEST(Vex, OfThisTreeHasAReasonAndATestForEach) {
  Problems problems;
  Rules rules = TheRules();
  rules.now = Today();
  const auto statements =
      ParseVex(Text(std::string(SIW_TREE) + "/security/vex.toml"), "vex.toml",
               rules, &problems);
  EXPECT_EQ(Said(), Lines(problems));
  EXPECT_LE(20u, statements.size());
  for (const Statement& statement : statements) {
    EXPECT_FALSE(statement.reason.empty()) << statement.cve;
    EXPECT_TRUE(statement.status != "not_affected" || !statement.tests.empty())
        << statement.cve;
  }
}

TEST(Vex, RefusesAClaimWithoutATestOfThisTree) {
  EXPECT_EQ(Said(), Wrong(kStatement));
  EXPECT_EQ(Said{"vex.toml: statement[0].tests: there is no test "
                 "'unit/MpaCrc.Agrees' in this tree"},
            Wrong(With(kStatement, "AgreesWithTheDefinition", "Agrees")));
  EXPECT_EQ(
      Said{"vex.toml: statement[0].tests: is missing"},
      Wrong(With(kStatement,
                 "tests = [\"unit/MpaCrc.AgreesWithTheDefinition\"]\n", "")));
}

TEST(Vex, RefusesWhatCsafHasNoWordFor) {
  EXPECT_EQ(1u, Wrong(With(kStatement, "component_not_present", "no")).size());
  const Said said = Wrong(With(kStatement, "not_affected", "affected"));
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(
      "vex.toml: statement[0].status: 'affected' is none of: "
      "not_affected, under_investigation",
      said[0]);
  EXPECT_EQ(Said{"vex.toml: statement[0].cve: is not of the form "
                 "CVE-2027-12345"},
            Wrong(With(kStatement, "CVE-2027-12345", "2027-12345")));
}

TEST(Vex, NeedsNoTestWhileNothingIsKnown) {
  std::string text = With(kStatement, "not_affected", "under_investigation");
  text = With(text, "justification = \"component_not_present\"\n", "");
  text = With(text, "tests = [\"unit/MpaCrc.AgreesWithTheDefinition\"]\n", "");
  EXPECT_EQ(Said(), Wrong(text));
}

TEST(Vex, SpeaksOfACveOnce) {
  EXPECT_EQ(Said{"vex.toml: statement[1].cve: CVE-2027-12345 is there twice"},
            Wrong(std::string(kStatement) + kStatement));
}

}  // namespace
}  // namespace siw::advisory
