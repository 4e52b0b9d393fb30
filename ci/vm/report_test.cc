#include "ci/vm/report.h"

#include <gtest/gtest.h>

namespace siw::vm {
namespace {

TestCase Case(Verdict verdict) {
  TestCase test;
  test.name = "rkey/bad";
  test.verdict = verdict;
  test.reason = "a < b & \"c\"";
  test.log = "line one\nline\x01 two\n";
  test.seconds = 1.25;
  return test;
}

TEST(KtapLine, OfEachVerdict) {
  EXPECT_EQ("ok 1 rkey/bad # 1.2 s\n", KtapLine(1, Case(Verdict::kPass)));
  EXPECT_EQ("ok 2 rkey/bad # SKIP a < b & \"c\"\n",
            KtapLine(2, Case(Verdict::kSkip)));
  EXPECT_EQ(
      "# line one\n# line\x01 two\nnot ok 3 rkey/bad # 1.2 s: a < b & \"c\"\n",
      KtapLine(3, Case(Verdict::kFail)));
}

TEST(KtapLine, OfAFailureWithoutTimeOrReason) {
  TestCase test;
  test.name = "a";
  test.verdict = Verdict::kFail;
  EXPECT_EQ("not ok 1 a\n", KtapLine(1, test));
  test.reason = "why";
  EXPECT_EQ("not ok 1 a # why\n", KtapLine(1, test));
  test.reason.clear();
  test.seconds = 2;
  EXPECT_EQ("not ok 1 a # 2.0 s\n", KtapLine(1, test));
}

TEST(Count, ASkipIsNotAPass) {
  const Totals totals = Count({Case(Verdict::kPass), Case(Verdict::kSkip),
                               Case(Verdict::kFail), Case(Verdict::kPass)});
  EXPECT_EQ(2u, totals.passed);
  EXPECT_EQ(1u, totals.failed);
  EXPECT_EQ(1u, totals.skipped);
}

TEST(JunitXml, EscapesWhatXmlCannotHold) {
  const std::string xml = JunitXml({{"6.1", {Case(Verdict::kFail)}}});
  EXPECT_NE(std::string::npos,
            xml.find("message=\"a &lt; b &amp; &quot;c&quot;\""));
  EXPECT_NE(std::string::npos, xml.find("line? two"));
  EXPECT_NE(std::string::npos,
            xml.find("tests=\"1\" failures=\"1\" skipped=\"0\""));
}

}  // namespace
}  // namespace siw::vm
