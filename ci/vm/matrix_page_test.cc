#include "ci/vm/matrix_page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace siw::vm {
namespace {

namespace fs = std::filesystem;

class MatrixPage : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "matrixXXXXXX";
    top_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(top_); }

  fs::path Make(const std::string& name, const std::string& row,
                const std::string& ktap) {
    const fs::path dir = top_ / name;
    fs::create_directories(dir);
    std::ofstream(dir / "row") << row;
    std::ofstream(dir / "20-vm.ktap") << ktap;
    std::ofstream(dir / "console.log") << "booted\n";
    return dir;
  }

  std::string Text(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path top_;
};

constexpr const char* kGood =
    "KTAP version 1\n1..3\nok 1 a/b # 2.5 s\nok 2 c # SKIP no IPv6\n"
    "# why <so>\nnot ok 3 d # 7.5 s: timed out\n";

TEST_F(MatrixPage, ARowIsItsFactsAndCases) {
  const auto row =
      ReadRow(Make("x", "name=6.1\nkernel=6.1.0-1\nseconds=9\n", kGood));
  ASSERT_TRUE(row.ok());
  EXPECT_EQ("6.1", row->name);
  EXPECT_EQ("6.1.0-1", row->Fact("kernel"));
  EXPECT_EQ("", row->Fact("suite"));
  ASSERT_EQ(3u, row->cases.size());
  EXPECT_EQ("a/b", row->cases[0].name);
  EXPECT_DOUBLE_EQ(2.5, row->cases[0].seconds);
  EXPECT_EQ("", row->cases[0].reason);
  EXPECT_EQ(Verdict::kSkip, row->cases[1].verdict);
  EXPECT_EQ("no IPv6", row->cases[1].reason);
  EXPECT_EQ(Verdict::kFail, row->cases[2].verdict);
  EXPECT_EQ("timed out", row->cases[2].reason);
  EXPECT_DOUBLE_EQ(7.5, row->cases[2].seconds);
  EXPECT_EQ("why <so>\n", row->cases[2].log);
}

TEST_F(MatrixPage, ARowThatWasCutShortHasFailed) {
  const auto row = ReadRow(Make("x", "name=x\n", "1..1\nok 1 a\n"));
  ASSERT_TRUE(row.ok());
  ASSERT_EQ(2u, row->cases.size());
  EXPECT_EQ("end of row", row->cases[1].name);
  EXPECT_EQ(Verdict::kFail, row->cases[1].verdict);
}

TEST_F(MatrixPage, AnEmptyDocumentHasFailed) {
  const auto row = ReadRow(Make("x", "name=x\nseconds=1\n", ""));
  ASSERT_TRUE(row.ok());
  ASSERT_EQ(1u, row->cases.size());
  EXPECT_EQ("20-vm.ktap: end of run", row->cases[0].name);
  EXPECT_EQ(Verdict::kFail, row->cases[0].verdict);
}

TEST_F(MatrixPage, RefusesWhatIsNoRow) {
  fs::create_directories(top_ / "empty");
  EXPECT_FALSE(ReadRow(top_ / "empty").ok());
  EXPECT_FALSE(ReadRow(Make("x", "no equals\n", "")).ok());
  EXPECT_FALSE(FindRows({top_ / "empty"}).ok());
  EXPECT_FALSE(FindRows({top_ / "nowhere"}).ok());
}

TEST_F(MatrixPage, FindsRowsInShardsInOrder) {
  const fs::path b = Make("shard1/b", "name=b\n", "");
  const fs::path a = Make("shard1/a", "name=a\n", "");
  const fs::path c = Make("c", "name=c\n", "");
  const auto rows = FindRows({c, top_ / "shard1/"});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((std::vector<fs::path>{c, a, b}), *rows);
  Make("shard2/b", "name=b\n", "");
  EXPECT_FALSE(FindRows({top_ / "shard1", top_ / "shard2"}).ok());
}

TEST_F(MatrixPage, WritesAPageAJunitFileAndATable) {
  Make("in/x", "name=x\nkernel=6.1\nseconds=9\n", kGood);
  Make("in/y", "name=y\nkernel=7.3\nseconds=8\n", "1..1\nok 1 a/b # 1.0 s\n");
  const auto failed = WriteMatrix(top_ / "out", {top_ / "in"});
  ASSERT_TRUE(failed.ok());
  EXPECT_EQ(1u, *failed);

  const std::string page = Text(top_ / "out/index.html");
  EXPECT_NE(std::string::npos, page.find("<a class=fail href=\"#x-2\">"));
  EXPECT_NE(std::string::npos, page.find("<h3 id=\"x-2\">x: d</h3>"));
  EXPECT_NE(std::string::npos, page.find("why &lt;so&gt;"));
  EXPECT_NE(std::string::npos, page.find("href=\"x/console.log\""));
  EXPECT_TRUE(fs::exists(top_ / "out/x/console.log"));
  // y did not run c and d.
  EXPECT_NE(std::string::npos, page.find("cell none"));

  const std::string junit = Text(top_ / "out/junit.xml");
  EXPECT_NE(std::string::npos, junit.find("<testsuite name=\"x\" tests=\"3\""));
  EXPECT_NE(std::string::npos, junit.find("<testsuite name=\"y\" tests=\"1\""));

  EXPECT_NE(std::string::npos,
            Text(top_ / "out/table.md")
                .find("| x | 6.1 |  |  |  | 1 | 1 | 1 |\n| y | 7.3 |"));
}

TEST_F(MatrixPage, OfResultsOfOneNameTheWorstIsShown) {
  for (const auto& [ktap, cell] :
       {std::pair("1..2\nok 1 a\nnot ok 2 a\n", "href=\"#x-1\">fail"),
        std::pair("1..2\nnot ok 1 a\nok 2 a\n", "href=\"#x-0\">fail"),
        std::pair("1..2\nok 1 a\nok 2 a # SKIP no\n", "title=\"no\">skip")}) {
    const auto row = ReadRow(Make("x", "name=x\nseconds=9\n", ktap));
    ASSERT_TRUE(row.ok());
    EXPECT_NE(std::string::npos, MatrixHtml({*row}).find(cell)) << ktap;
  }
}

TEST_F(MatrixPage, ReportsRowsThatAreInPlaceAlready) {
  Make("out/x", "name=x\nseconds=9\n", "1..1\nok 1 a\n");
  const auto failed = WriteMatrix(top_ / "out", {top_ / "out/x"});
  ASSERT_TRUE(failed.ok());
  EXPECT_EQ(0u, *failed);
  EXPECT_TRUE(fs::exists(top_ / "out/x/row"));
}

}  // namespace
}  // namespace siw::vm
