#include "tools/advisory/mail.h"

#include <sstream>

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

std::string Of(const std::string& id) {
  return Mail(Parsed(id), TheRules().publisher);
}

bool Has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

TEST(Mail, IsPlainTextOfNoMoreThanSeventyTwoColumns) {
  for (const char* id : {"SIW-2026-9001", "SIW-2026-9002", "SIW-2026-9003"}) {
    std::istringstream lines(Of(id));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(0u, line.find("Subject: [" + std::string(id) + "] ")) << line;
    std::getline(lines, line);
    EXPECT_EQ("", line);
    while (std::getline(lines, line)) {
      EXPECT_TRUE(line.size() <= 72 || line.find(' ') == std::string::npos)
          << line;
      EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
    }
  }
}

TEST(Mail, SaysWhatAReaderNeeds) {
  const std::string mail = Of("SIW-2026-9001");
  for (const char* what :
       {"CVE-2026-9000001", "Severity:   high (8.1, CVSS:3.1/",
        "from 0.1.0    fixed in 0.1.4", "from 0.2.0    fixed in 0.2.1",
        "minus one octet behind the sink.\n", "A. Finder (finder)",
        "2026-10-16: The workaround",
        ".well-known/csaf/white/2026/siw-2026-9001.json",
        "Contact: security@siw.invalid"})
    EXPECT_TRUE(Has(mail, what)) << what;
  EXPECT_FALSE(Has(mail, "Exploited:"));
}

TEST(Mail, SaysThatItIsWithdrawnExploitedNotFixed) {
  EXPECT_TRUE(Has(Of("SIW-2026-9002"), "] Withdrawn: Links come up"));
  const std::string mail = Of("SIW-2026-9003");
  EXPECT_TRUE(Has(mail, "Exploited:  yes"));
  EXPECT_TRUE(Has(mail, "not fixed yet"));
  EXPECT_TRUE(Has(mail, "CVE:        not assigned yet"));
}

TEST(Fill, KeepsParagraphsAndIndents) {
  EXPECT_EQ("  aa bb\n  cc\n\n  dd\n", Fill("aa\nbb cc\n\n\ndd\n", 7, "  "));
  EXPECT_EQ("", Fill("", 72, ""));
  EXPECT_EQ("a\nlongerthanthat\nb\n", Fill("a longerthanthat b", 6, ""));
}

}  // namespace
}  // namespace siw::advisory
