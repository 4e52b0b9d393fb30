#include "ci/vm/ktap_run.h"

#include <gtest/gtest.h>

#include <sstream>

#include "ci/vm/kernel_log.h"

namespace siw::vm {
namespace {

// A suite of two tests, the second with two parameters.
constexpr const char* kSuite =
    "siw: loading out-of-tree module taints kernel.\n"
    "KTAP version 1\n"
    "1..1\n"
    "    KTAP version 1\n"
    "    # Subtest: siw_mr\n"
    "    # module: siw\n"
    "    1..2\n"
    "    ok 1 has_bounds\n"
    "        KTAP version 1\n"
    "        # Subtest: crc_in_pieces\n"
    "        ok 1 crc-01\n"
    "        ok 2 crc-02\n"
    "    # crc_in_pieces: pass:2 fail:0 skip:0 total:2\n"
    "    ok 2 crc_in_pieces\n"
    "# siw_mr: pass:2 fail:0 skip:0 total:2\n"
    "ok 1 siw_mr\n";

std::vector<TestCase> Read(std::string console) {
  std::istringstream in(console);
  return ReadConsole(in);
}

std::string Replace(std::string text, const std::string& from,
                    const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

size_t Failures(const std::vector<TestCase>& cases) {
  size_t failures = 0;
  for (const TestCase& test : cases) {
    failures += test.verdict == Verdict::kFail;
  }
  return failures;
}

TEST(ReadConsole, NamesEachCaseByItsPath) {
  const auto cases = Read(kSuite);
  ASSERT_EQ(3u, cases.size());
  EXPECT_EQ("siw_mr/has_bounds", cases[0].name);
  EXPECT_EQ("siw_mr/crc_in_pieces/crc-01", cases[1].name);
  EXPECT_EQ("siw_mr/crc_in_pieces/crc-02", cases[2].name);
  EXPECT_EQ(0u, Failures(cases));
}

TEST(ReadConsole, FailsWhatFails) {
  std::string text = Replace(kSuite, "ok 2 crc-02", "not ok 2 crc-02");
  EXPECT_EQ(1u, Failures(Read(text)));
}

TEST(ReadConsole, FailsWhenTheKernelComplains) {
  EXPECT_EQ(1u, Failures(Read(Replace(kSuite, "    ok 1 has_bounds\n",
                                      "BUG: KASAN: slab-out-of-bounds\n"
                                      "    ok 1 has_bounds\n"))));
  EXPECT_EQ(1u, Failures(Read(std::string("WARNING: at boot\n") + kSuite)));
  EXPECT_EQ(1u, Failures(Read(std::string(kSuite) + "BUG: at the end\n")));
}

TEST(ReadConsole, FailsWhenTheConsoleStopsAnywhere) {
  const std::string text = kSuite;
  for (size_t end = 0; end < text.size(); end = text.find('\n', end) + 1)
    EXPECT_LE(1u, Failures(Read(text.substr(0, end)))) << end;
}

TEST(ReadConsole, ShowsTheLastFiftyLines) {
  std::string text;
  for (int i = 1; i <= 60; ++i) text += "line " + std::to_string(i) + "\n";
  const auto cases = Read(text);
  ASSERT_EQ(1u, cases.size());
  EXPECT_EQ(std::string::npos, cases[0].log.find("line 10\n"));
  EXPECT_NE(std::string::npos, cases[0].log.find("line 11\n"));
}

TEST(ReadConsole, EndsWhenTheConsoleIsFlooded) {
  testing::internal::CaptureStdout();
  const auto cases = Read(kSuite + std::string(kConsoleLimit, 'x') + "\n");
  testing::internal::GetCapturedStdout();
  ASSERT_EQ(4u, cases.size());
  EXPECT_EQ("the console is flooded: 16 MiB", cases[3].reason);
  EXPECT_LT(cases[3].log.size(), 2u << 20);
}

TEST(ReadConsole, FailsWhenATestIsMissing) {
  EXPECT_EQ(1u, Failures(Read(Replace(kSuite, "    ok 1 has_bounds\n", ""))));
}

TEST(ReadConsole, SkipsADocumentOfNoTestsBefore) {
  EXPECT_EQ(0u, Failures(Read(std::string("KTAP version 1\n1..0\n") + kSuite)));
}

}  // namespace
}  // namespace siw::vm
