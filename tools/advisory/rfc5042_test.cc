#include "tools/advisory/rfc5042.h"

#include <algorithm>

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

constexpr char kClause[] = R"([[clause]]
section = "6.2.1"
level = "MUST"
text = "a text"
owner = "driver"
status = "pass"
tests = ["kunit/siw_mr.has_bounds"]
)";

Said Wrong(const std::string& text) {
  Problems problems;
  ParseRfc5042(text, "r.toml", ThisTree(), &problems);
  return Lines(problems);
}

std::vector<Clause> OfThisTree() {
  Problems problems;
  auto clauses =
      ParseRfc5042(Text(std::string(SIW_TREE) + "/security/rfc5042.toml"),
                   "rfc5042.toml", ThisTree(), &problems);
  EXPECT_EQ(Said(), Lines(problems));
  return clauses;
}

// Read off the RFC: each section with a key word of RFC 2119, once for each
// sentence that has one.
TEST(Rfc5042, IsThereSentenceBySentence) {
  Said said;
  for (const Clause& clause : OfThisTree())
    said.push_back(clause.section + " " + clause.level);
  EXPECT_EQ((Said{"3 MUST",
                  "3 MUST",
                  "3 MUST NOT",
                  "5.4.2 NOT RECOMMENDED",
                  "5.4.5 MUST",
                  "5.4.5 MUST NOT",
                  "6.1.1 MUST",
                  "6.1.1 MUST",
                  "6.1.1 MUST",
                  "6.1.1 should",
                  "6.2.1 MUST",
                  "6.2.2 SHOULD",
                  "6.2.2 MUST",
                  "6.3.2 SHOULD",
                  "6.3.3 SHOULD",
                  "6.3.4 SHOULD",
                  "6.3.5 MUST",
                  "6.3.6 MUST NOT",
                  "6.4.1 MUST",
                  "6.4.3.1 MUST",
                  "6.4.3.2 MUST",
                  "6.4.3.2 MUST",
                  "6.4.3.3 MUST",
                  "6.4.3.3 SHOULD",
                  "6.4.5 MUST NOT",
                  "6.4.6 MUST",
                  "7.1 MUST NOT",
                  "7.2 MUST",
                  "7.2 SHOULD",
                  "7.3 MUST",
                  "A (6.2.2) MUST",
                  "A (6.3.2) MUST",
                  "A (6.4.3.3) MUST NOT"}),
            said);
}

TEST(Rfc5042, HasATestForEveryMustOfTheDriver) {
  for (const Clause& clause : OfThisTree())
    if (clause.owner == "driver" && clause.level.substr(0, 4) == "MUST") {
      EXPECT_TRUE(clause.status == "not applicable" ||
                  (clause.status == "pass" && !clause.tests.empty()))
          << clause.section << ": " << clause.text;
    }
}

TEST(Rfc5042, RefusesAClaimWithoutSupport) {
  EXPECT_EQ(Said(), Wrong(kClause));
  EXPECT_EQ(
      Said{"r.toml: clause[0].tests: passes without a test"},
      Wrong(With(kClause, "tests = [\"kunit/siw_mr.has_bounds\"]\n", "")));
  EXPECT_EQ(Said{"r.toml: clause[0].tests: there is no test "
                 "'kunit/siw_mr.has_bound' in this tree"},
            Wrong(With(kClause, "has_bounds", "has_bound")));
  EXPECT_EQ((Said{"r.toml: clause[0].remark: does not pass, and no remark says "
                  "why",
                  "r.toml: clause[0].status: a MUST of the driver is not met"}),
            Wrong(With(kClause, "pass", "not met")));
  EXPECT_EQ((Said{"r.toml: clause[0].status: is 'theirs', and the owner is the "
                  "driver",
                  "r.toml: clause[0].remark: does not pass, and no remark says "
                  "why"}),
            Wrong(With(kClause, "pass", "theirs")));
  EXPECT_EQ(1u, Wrong(With(kClause, "MUST", "MAY")).size());
  EXPECT_EQ(1u, Wrong(With(kClause, "driver", "nobody")).size());
}

}  // namespace
}  // namespace siw::advisory
