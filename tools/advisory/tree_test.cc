#include "tools/advisory/tree.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

// On a day when security.txt has not expired; `ci/run lint` takes today's.
TEST(Tree, OfThisProjectIsRight) {
  Problems problems;
  const Tree tree = LoadTree(SIW_TREE, At("2026-12-01T00:00:00Z"), &problems);
  Said said = Lines(problems);
  EXPECT_EQ(Said(), said);
  EXPECT_FALSE(tree.source.publisher.components.empty());
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
}

}  // namespace
}  // namespace siw::advisory
