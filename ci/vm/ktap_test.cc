#include "ci/vm/ktap.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace siw::vm {
namespace {

const Clock::time_point kStart{};

std::vector<TestCase> FeedAll(KtapReader* reader, const std::string& text) {
  std::vector<TestCase> cases;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    for (TestCase& test : reader->Feed(line, kStart))
      cases.push_back(std::move(test));
  return cases;
}

std::vector<TestCase> Read(const std::string& text) {
  KtapReader reader(kStart);
  std::vector<TestCase> cases = FeedAll(&reader, text);
  for (TestCase& test : reader.Finish("", kStart))
    cases.push_back(std::move(test));
  return cases;
}

// "+name" passed, "-name" failed, "?name" skipped.
std::string Brief(const std::vector<TestCase>& cases) {
  std::string brief;
  for (const TestCase& test : cases) {
    if (!brief.empty()) brief += ' ';
    brief += "+-?"[static_cast<int>(test.verdict)] + test.name;
  }
  return brief;
}

TEST(KtapReader, ReadsAFlatDocument) {
  EXPECT_EQ("+one -two ?three", Brief(Read("KTAP version 1\n"
                                           "1..3\n"
                                           "ok 1 one\n"
                                           "not ok 2 - two\n"
                                           "ok 3 three # SKIP no device\n")));
}

TEST(KtapReader, KeepsTheReasonOfASkip) {
  EXPECT_EQ("no device", Read("ok 1 a # SKIP no device\n").front().reason);
}

TEST(KtapReader, TakesTheReasonOfAProgramForThatOfItsSkip) {
  const auto cases = Read(
      "    KTAP version 1\n"
      "    1..0 # SKIP no device\n"
      "ok 1 a # SKIP see above\n"
      "    1..1\n"
      "    ok 1 c\n"
      "ok 2 b\n"
      "ok 3 d # SKIP of its own\n");
  EXPECT_EQ("?a +b/c ?d", Brief(cases));
  EXPECT_EQ("no device", cases[0].reason);
  EXPECT_EQ("of its own", cases[2].reason);
}

TEST(KtapReader, SaysWhyADocumentHoldsNothing) {
  EXPECT_EQ("the output holds no test result: needs root",
            Read("1..0 # SKIP needs root\n").front().reason);
}

TEST(KtapReader, NamesSubtestsByTheirParents) {
  EXPECT_EQ("+rkey/bad -rkey/revoked +cm", Brief(Read("KTAP version 1\n"
                                                      "1..2\n"
                                                      "  KTAP version 1\n"
                                                      "  1..2\n"
                                                      "  ok 1 bad\n"
                                                      "  not ok 2 revoked\n"
                                                      "not ok 1 rkey\n"
                                                      "ok 2 cm\n")));
}

TEST(KtapReader, ReadsThePrefixesOfKselftest) {
  EXPECT_EQ("+prog/a +prog/b", Brief(Read("TAP version 13\n"
                                          "1..1\n"
                                          "# TAP version 13\n"
                                          "# 1..2\n"
                                          "# ok 1 a\n"
                                          "# # a remark: ok or not\n"
                                          "# ok 2 b\n"
                                          "ok 1 prog\n")));
}

TEST(KtapReader, NestsMoreThanOnce) {
  EXPECT_EQ("+x/y/z", Brief(Read("    ok 1 z\n"
                                 "  ok 1 y\n"
                                 "ok 1 x\n")));
}

TEST(KtapReader, FailsAParentWhoseSubtestsAllPassed) {
  EXPECT_EQ("+x/a -x", Brief(Read("  ok 1 a\nnot ok 1 x\n")));
}

TEST(KtapReader, FailsWhenTestsArePlannedAndMissing) {
  EXPECT_EQ("+a -plan", Brief(Read("1..2\nok 1 a\n")));
  EXPECT_EQ("+x/a -x/plan", Brief(Read("  1..2\n  ok 1 a\nok 1 x\n")));
}

TEST(KtapReader, FailsWhenNothingWasTested) {
  EXPECT_EQ("-end of run", Brief(Read("")));
  EXPECT_EQ("-end of run", Brief(Read("bash: ./run.sh: not found\n")));
}

TEST(KtapReader, FailsWhenTheOutputStopsInsideATest) {
  EXPECT_EQ("+a -end of run", Brief(Read("  ok 1 a\n")));
}

TEST(KtapReader, FailsTheTestDuringWhichTheKernelComplains) {
  KtapReader reader(kStart);
  std::vector<TestCase> cases = FeedAll(&reader, "ok 1 a\n");
  reader.Trouble("WARNING: CPU: 0");
  for (TestCase& test : FeedAll(&reader, "ok 2 b\nok 3 c\n"))
    cases.push_back(std::move(test));
  EXPECT_EQ("+a -b +c", Brief(cases));
  EXPECT_EQ("kernel: WARNING: CPU: 0", cases[1].reason);
}

TEST(KtapReader, DoesNotLoseTroubleAfterTheLastTest) {
  KtapReader reader(kStart);
  FeedAll(&reader, "1..1\nok 1 a\n");
  reader.Trouble("BUG: x");
  EXPECT_EQ("-end of run", Brief(reader.Finish("", kStart)));
}

TEST(KtapReader, GivesTheReasonOfAHang) {
  KtapReader reader(kStart);
  FeedAll(&reader, "1..1\n");
  const auto cases = reader.Finish("no result in 3 s, killed", kStart);
  EXPECT_EQ("-plan -end of run", Brief(cases));
  EXPECT_EQ("no result in 3 s, killed", cases[1].reason);
}

TEST(KtapReader, DoesNotHideWhatTheKernelSaidAtItsEnd) {
  KtapReader reader(kStart);
  reader.Trouble("Kernel panic - not syncing: x");
  const auto cases = reader.Finish("the guest died", kStart);
  ASSERT_EQ(1u, cases.size());
  EXPECT_EQ("the guest died; kernel: Kernel panic - not syncing: x",
            cases[0].reason);
}

TEST(KtapReader, KeepsTheEndOfALongLog) {
  KtapReader reader(kStart);
  for (int i = 0; i < 3000; ++i) reader.Feed(std::string(1000, 'x'), kStart);
  reader.Feed("the last", kStart);
  const auto cases = reader.Feed("not ok 1 a", kStart);
  ASSERT_EQ(1u, cases.size());
  EXPECT_LE(cases[0].log.size(), 1u << 20);
  EXPECT_TRUE(cases[0].log.ends_with("\nthe last\n"));
}

TEST(KtapReader, AttachesWhatATestSaid) {
  const auto cases = Read("# rkey 0x1234\nnot ok 1 a\nok 2 b\n");
  EXPECT_EQ("rkey 0x1234\n", cases[0].log);
  EXPECT_EQ("", cases[1].log);
}

}  // namespace
}  // namespace siw::vm
