// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/entry_file.h"

#include <gtest/gtest.h>

#include <string>

namespace siw::catalogue {
namespace {

constexpr std::string_view kGood =
    "+++\n"
    "id = \"SIW-X\"\n"
    "title = \"A title\"\n"
    "severity = \"warning\"\n"
    "kind = \"link\"\n"
    "origin = \"driver\"\n"
    "text = [\"QP {qp}: lost\"]\n"
    "errno = [\"EIO\", \"EINVAL\"]\n"
    "test = \"none: why\"\n"
    "+++\n"
    "\n# Cause\n\nWhy.\n\nMore.\n\n# What to do\n\nThis.\n\n"
    "# How to confirm\n\n    ls\n\n# Example\n\n    QP 1: lost\n";

std::string With(std::string_view old, std::string_view fresh) {
  std::string text(kGood);
  const size_t at = text.find(old);
  EXPECT_NE(std::string::npos, at) << old;
  return text.replace(at, old.size(), fresh);
}

std::string Complaint(const std::string& text) {
  const auto entry = ParseEntry("SIW-X.md", text);
  return entry ? "" : entry.error().message;
}

TEST(EntryFile, ReadsKeysAndSections) {
  const auto entry = ParseEntry("SIW-X.md", kGood);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ("A title", entry->title);
  EXPECT_EQ(Severity::kWarning, entry->severity);
  EXPECT_EQ(std::vector<std::string>({"EIO", "EINVAL"}), entry->errnos);
  EXPECT_EQ("none: why", entry->test);
  EXPECT_EQ("Why.\n\nMore.", entry->cause);
  EXPECT_EQ("This.", entry->action);
  EXPECT_EQ("    ls", entry->confirm);
  EXPECT_EQ("    QP 1: lost", entry->example);
}

TEST(EntryFile, NamesTheFileAndWhatIsWrong) {
  EXPECT_EQ("SIW-X.md: holds the id SIW-Y", Complaint(With("SIW-X", "SIW-Y")));
  EXPECT_EQ("SIW-X.md: no title", Complaint(With("title", "# title")));
  EXPECT_EQ("SIW-X.md: no test", Complaint(With("test =", "# test =")));
  EXPECT_EQ("SIW-X.md: unknown key color",
            Complaint(With("errno", "color = \"red\"\nerrno")));
  EXPECT_EQ("SIW-X.md: severity mild", Complaint(With("warning", "mild")));
  EXPECT_EQ("SIW-X.md: kind pink", Complaint(With("\"link\"", "\"pink\"")));
  EXPECT_EQ("SIW-X.md: text QP {: lost is not a pattern",
            Complaint(With("{qp}", "{")));
  EXPECT_EQ("SIW-X.md: errno is not a list of texts",
            Complaint(With("[\"EIO\", \"EINVAL\"]", "5")));
}

TEST(EntryFile, WantsTheFourSectionsInOrder) {
  for (const char* heading :
       {"# Cause", "# What to do", "# How to confirm", "# Example"})
    EXPECT_NE("", Complaint(With(heading, "# Other"))) << heading;
  EXPECT_EQ("SIW-X.md: \"# Cause\" is empty",
            Complaint(With("Why.\n\nMore.\n", "")));
}

TEST(EntryFile, SurvivesEveryTruncation) {
  // What is missing of the example alone leaves a whole entry.
  for (size_t n = 0; n <= kGood.find("    QP 1"); ++n)
    EXPECT_NE("", Complaint(std::string(kGood.substr(0, n)))) << n;
}

TEST(EntryFile, SurvivesEveryFlip) {
  for (size_t at = 0; at < kGood.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string text(kGood);
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      Complaint(text);
    }
  }
}

}  // namespace
}  // namespace siw::catalogue
