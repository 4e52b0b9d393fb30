#include "tools/advisory/cvss.h"

#include <regex>
#include <sstream>

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

struct Known {
  const char* vector;
  double score;
  const char* rating;
};

// From the examples that FIRST publishes with the specification, and scores
// that the National Vulnerability Database gave to drivers of this kind
TEST(Cvss, GivesThePublishedScores) {
  for (const Known& known :
       {Known{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"},
        Known{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, "critical"},
        Known{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H", 9.1, "critical"},
        Known{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8, "high"},
        Known{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5, "high"},
        Known{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:H", 7.1, "high"},
        Known{"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, "medium"},
        Known{"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, "low"},
        Known{"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, "none"}}) {
    const Result<Cvss> cvss = ParseCvss(known.vector);
    ASSERT_TRUE(cvss) << known.vector;
    EXPECT_DOUBLE_EQ(known.score, cvss->score) << known.vector;
    EXPECT_EQ(known.rating, Rating(cvss->score)) << known.vector;
  }
}

TEST(Cvss, IsRightInTheExamplesOfTheSeverityPage) {
  const std::regex row(
      "\\| .* \\| `(AV:[^`]+)` \\| ([0-9.]+) \\| ([a-z]+) \\|");
  std::istringstream page(
      Text(std::string(SIW_TREE) + "/security/severity.md"));
  std::string line;
  std::smatch part;
  int rows = 0;
  while (std::getline(page, line)) {
    if (!std::regex_match(line, part, row)) continue;
    ++rows;
    const Result<Cvss> cvss = ParseCvss("CVSS:3.1/" + part[1].str());
    ASSERT_TRUE(cvss) << line;
    EXPECT_DOUBLE_EQ(std::stod(part[2]), cvss->score) << line;
    EXPECT_EQ(part[3], Rating(cvss->score)) << line;
  }
  EXPECT_LE(10, rows);
}

TEST(Cvss, WantsEveryMetricOnceAndInOrder) {
  const std::string good = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ParseCvss(good.substr(0, size))) << size;
  for (const char* vector : {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                             "CVSS:3.1/AC:L/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H",
                             "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X",
                             "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:F",
                             "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"})
    EXPECT_FALSE(ParseCvss(vector)) << vector;
}

}  // namespace
}  // namespace siw::advisory
