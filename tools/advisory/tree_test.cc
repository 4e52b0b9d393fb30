#include "tools/advisory/tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

// But for the expiry of security.txt, which is the business of `ci/run lint`
TEST(Tree, OfThisProjectIsRight) {
  const std::string text =
      Text(std::string(SIW_TREE) + "/security/security.txt");
  const Time expires = At(text.substr(text.find("\nExpires: ") + 10, 20));
  Problems problems;
  const Tree tree =
      LoadTree(SIW_TREE, std::min(Today(), expires - std::chrono::seconds(1)),
               &problems);
  EXPECT_EQ(Said(), Lines(problems));
  EXPECT_FALSE(tree.source.publisher.components.empty());
}

// Ids in backquotes; a line may end inside of one.
TEST(ThreatModel, NamesTestsOfThisTree) {
  const std::string page = std::regex_replace(
      Text(std::string(SIW_TREE) + "/security/threat-model.md"),
      std::regex("\n"), " ");
  const std::regex id("`((kselftest|unit|kunit|conform)/[^`]+)`");
  int named = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end;
       ++at, ++named)
    EXPECT_TRUE(ThisTree().Exists((*at)[1])) << (*at)[1];
  EXPECT_LE(10, named);
}

TEST(Tree, NamesFilesThatAreNotThere) {
  Problems problems;
  LoadTree("/nonexistent", At("2026-12-01T00:00:00Z"), &problems);
  const Said said = Lines(problems);
  for (const char* file : {"publisher.toml", "clock.toml", "vex.toml",
                           "rfc5042.toml", "security.txt"})
    EXPECT_EQ(1, std::count(said.begin(), said.end(),
                            "/nonexistent/security/" + std::string(file) +
                                ": file: cannot be read"))
        << file;
  EXPECT_EQ(1, std::count(said.begin(), said.end(),
                          "/nonexistent/SECURITY.md: file: cannot be read"));
}

// What is said of a SECURITY.md, once publisher.toml has no placeholder
TEST(Tree, ServesNoPlaceholder) {
  const std::string root = testing::TempDir() + "siw-advisory-policy";
  std::filesystem::create_directories(root + "/security");
  std::ofstream(root + "/security/publisher.toml") << std::regex_replace(
      Text(std::string(SIW_TREE) + "/security/publisher.toml"),
      std::regex("siw\\.invalid"), "siw.example");
  const auto complaints = [&root](const char* policy) {
    std::ofstream(root + "/SECURITY.md") << policy;
    Problems problems;
    LoadTree(root, At("2026-12-01T00:00:00Z"), &problems);
    const Said said = Lines(problems);
    return std::count(said.begin(), said.end(),
                      root +
                          "/SECURITY.md: text: has placeholders, and "
                          "publisher.toml has none");
  };
  EXPECT_EQ(0, complaints("Write to **security@siw.example**.\n"));
  EXPECT_EQ(1, complaints("Write to **security@siw.invalid**.\n"));
  EXPECT_EQ(1, complaints("at `PLACEHOLDER-URL/osv`\n"));
  std::filesystem::remove_all(root);
}

TEST(Publisher, HasToSayWhoItIs) {
  const std::string good =
      Text(std::string(SIW_TREE) + "/security/publisher.toml");
  const auto wrong = [](const std::string& text) {
    Problems problems;
    ParsePublisher(text, "p.toml", &problems);
    return Lines(problems);
  };
  EXPECT_EQ(Said(), wrong(good));
  EXPECT_EQ(
      Said{"p.toml: base_url: has to be an https URL that ends in '/'"},
      wrong(With(good, "\"https://siw.invalid/\"", "\"https://siw.invalid\"")));
  EXPECT_EQ(Said{"p.toml: contact: has to be a mail address"},
            wrong(With(good, "security@siw.invalid", "security")));
  EXPECT_EQ(Said{"p.toml: component[1].name: is there twice"},
            wrong(With(good, "name = \"siw\"\ntitle",
                       "name = \"siw-dkms\"\n"
                       "title")));
  EXPECT_EQ(Said{"p.toml: component[0].purl: has to begin with 'pkg:'"},
            wrong(With(good, "pkg:generic/siw-dkms", "siw-dkms")));
}

TEST(Publisher, IsAPlaceholderWhileAnyOfItIs) {
  Publisher publisher = {"siw",
                         "https://siw.example",
                         "security@siw.example",
                         "https://siw.example/",
                         {}};
  EXPECT_FALSE(publisher.IsPlaceholder());
  publisher.contact = "security@siw.invalid";
  EXPECT_TRUE(publisher.IsPlaceholder());
  publisher.contact = "security@siw.invalid.example";
  EXPECT_FALSE(publisher.IsPlaceholder());
  publisher.base_url = "https://siw.invalid/csaf/";
  EXPECT_TRUE(publisher.IsPlaceholder());
  publisher.base_url = "https://siw.invalid:8443/";
  EXPECT_TRUE(publisher.IsPlaceholder());
}

}  // namespace
}  // namespace siw::advisory
