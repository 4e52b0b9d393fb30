#include "tools/advisory/site.h"

#include <stdlib.h>

#include <filesystem>
#include <set>

#include "tools/advisory/command.h"
#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

Source Examples() {
  Source source;
  source.publisher = TheRules().publisher;
  for (const char* id : {"SIW-2026-9001", "SIW-2026-9002", "SIW-2026-9003"})
    source.advisories.push_back(Parsed(id));
  source.vex = {{"CVE-2027-12345",
                 "a title",
                 "not_affected",
                 "component_not_present",
                 "a reason",
                 {"unit/A.B"},
                 {{At("2026-11-01T00:00:00Z"), "First"}}}};
  source.security_txt = "Contact: mailto:security@siw.invalid\n";
  source.policy = "# Security\n";
  return source;
}

// Gone with the test
class Directory {
 public:
  Directory() {
    std::string name = testing::TempDir() + "siw-advisory.XXXXXX";
    path_ = mkdtemp(name.data());
  }
  // gpg's agent, which was told to end, may be removing its sockets there, too.
  ~Directory() {
    std::error_code error;
    int tries = 0;
    do {
      std::filesystem::remove_all(path_, error);
    } while (error && ++tries < 100);
  }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

constexpr char kWhite[] = ".well-known/csaf/white/";

TEST(Site, ListsItsDocumentsWithTheNewestFirst) {
  const auto pages = Pages(Examples(), "");
  EXPECT_EQ(
      "\"2026/siw-vex-cve-2027-12345.json\",\"2026-11-01T00:00:00Z\"\n"
      "\"2026/siw-2026-9002-vex.json\",\"2026-10-20T09:00:00Z\"\n"
      "\"2026/siw-2026-9002.json\",\"2026-10-20T09:00:00Z\"\n"
      "\"2026/siw-2026-9001-vex.json\",\"2026-10-16T09:00:00Z\"\n"
      "\"2026/siw-2026-9001.json\",\"2026-10-16T09:00:00Z\"\n"
      "\"2026/siw-2026-9003-vex.json\",\"2026-10-02T12:00:00Z\"\n"
      "\"2026/siw-2026-9003.json\",\"2026-10-02T12:00:00Z\"\n",
      pages.at(std::string(kWhite) + "changes.csv"));
  std::istringstream index(pages.at(std::string(kWhite) + "index.txt"));
  std::string path;
  int documents = 0;
  while (std::getline(index, path)) {
    ++documents;
    const Json document = Json::parse(pages.at(kWhite + path));
    EXPECT_EQ(path, CsafPath(document));
    EXPECT_EQ("https://siw.invalid/" + (kWhite + path),
              document["document"]["references"][0]["url"]);
  }
  EXPECT_EQ(7, documents);
  EXPECT_EQ(1u, pages.count("osv/x_SIW-2026-9003.json"));
  EXPECT_EQ(1u, pages.count("text/SIW-2026-9003.txt"));
  EXPECT_EQ(1u, pages.count(".well-known/security.txt"));
  EXPECT_EQ("# Security\n", pages.at("SECURITY.md"));
}

TEST(Site, DescribesItsProvider) {
  const std::string path = ".well-known/csaf/provider-metadata.json";
  const Json plain = Json::parse(Pages(Examples(), "").at(path));
  EXPECT_EQ("https://siw.invalid/" + path, plain["canonical_url"]);
  EXPECT_EQ("https://siw.invalid/.well-known/csaf/white/",
            plain["distributions"][0]["directory_url"]);
  EXPECT_EQ("2026-11-01T00:00:00Z", plain["last_updated"]);
  EXPECT_EQ("csaf_provider", plain["role"]);
  EXPECT_FALSE(plain.contains("public_openpgp_keys"));
  const std::string fingerprint(40, 'A');
  const Json trusted = Json::parse(Pages(Examples(), fingerprint).at(path));
  EXPECT_EQ("csaf_trusted_provider", trusted["role"]);
  EXPECT_EQ(fingerprint, trusted["public_openpgp_keys"][0]["fingerprint"]);
}

// What provider_json_schema.json of CSAF 2.0 asks for, which the validator of
// `ci/run security` does not have: its required fields, and no name but its
// own.
void ExpectProvider(const Json& metadata) {
  for (const char* field :
       {"canonical_url", "last_updated", "metadata_version", "role"}) {
    ASSERT_TRUE(metadata.contains(field)) << field;
    EXPECT_TRUE(metadata[field].is_string()) << field;
  }
  for (const char* field :
       {"list_on_CSAF_aggregators", "mirror_on_CSAF_aggregators"}) {
    ASSERT_TRUE(metadata.contains(field)) << field;
    EXPECT_TRUE(metadata[field].is_boolean()) << field;
  }
  EXPECT_TRUE(ParseTime(metadata["last_updated"]));
  EXPECT_EQ("2.0", metadata["metadata_version"]);
  ASSERT_TRUE(metadata.contains("publisher"));
  for (const char* field : {"category", "name", "namespace"})
    EXPECT_TRUE(metadata["publisher"].contains(field)) << field;
  const std::set<std::string> known = {"canonical_url",
                                       "distributions",
                                       "last_updated",
                                       "list_on_CSAF_aggregators",
                                       "metadata_version",
                                       "mirror_on_CSAF_aggregators",
                                       "public_openpgp_keys",
                                       "publisher",
                                       "role"};
  for (const auto& [field, value] : metadata.items())
    EXPECT_TRUE(known.count(field)) << field;
}

TEST(Site, DescribesItsProviderAsTheSchemaAsks) {
  const std::string path = ".well-known/csaf/provider-metadata.json";
  Source nothing = Examples();
  nothing.advisories.clear();
  nothing.vex.clear();
  ExpectProvider(Json::parse(Pages(nothing, "").at(path)));
  ExpectProvider(Json::parse(Pages(Examples(), "").at(path)));
  const Json trusted =
      Json::parse(Pages(Examples(), std::string(40, 'A')).at(path));
  ExpectProvider(trusted);
  EXPECT_EQ("https://siw.invalid/.well-known/csaf/openpgp.asc",
            trusted["public_openpgp_keys"][0]["url"]);
}

TEST(Site, IsTheSameFromTheSameSources) {
  EXPECT_EQ(Pages(Examples(), ""), Pages(Examples(), ""));
}

TEST(Site, HasHashesThatAgree) {
  const Directory dir;
  ASSERT_TRUE(WriteSite(Examples(), "", dir / "site"));
  const std::string year = dir / "site/.well-known/csaf/white/2026";
  for (const char* algorithm : {"sha256", "sha512"})
    EXPECT_TRUE(
        RunCommand({std::string(algorithm) + "sum", "--check", "--strict",
                    std::string("siw-2026-9001.json.") + algorithm},
                   year))
        << algorithm;
  EXPECT_FALSE(std::filesystem::exists(year + "/siw-2026-9001.json.asc"));
}

TEST(Site, IsNotBuiltIntoAnother) {
  const Directory dir;
  ASSERT_TRUE(WriteSite(Examples(), "", dir / "site"));
  const Status again = WriteSite(Examples(), "", dir / "site");
  ASSERT_FALSE(again);
  EXPECT_EQ(dir / "site" + ": is there already; build into a new directory",
            again.error().message);
}

TEST(Shipped, AreTheOsvDocumentsOfTheSite) {
  const Directory dir;
  ASSERT_TRUE(WriteOsv(Examples(), dir / "a/advisories"));
  const auto pages = Pages(Examples(), "");
  size_t files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(dir / "a/advisories")) {
    ++files;
    EXPECT_EQ(pages.at("osv/" + file.path().filename().string()),
              Text(file.path()));
  }
  EXPECT_EQ(3u, files);
  EXPECT_FALSE(WriteOsv(Examples(), dir / "a/advisories"));
}

// As it is today: a directory says that none is known.
TEST(Shipped, AreADirectoryEvenIfThereIsNone) {
  const Directory dir;
  ASSERT_TRUE(WriteOsv(Source(), dir / "none"));
  EXPECT_TRUE(std::filesystem::is_empty(dir / "none"));
  EXPECT_FALSE(WriteOsv(Source(), "/dev/null/none"));
}

TEST(Site, IsSignedByTheKeyThatWasGiven) {
  const Directory home;
  setenv("GNUPGHOME", (home / "gnupg").c_str(), 1);
  std::filesystem::create_directory(home / "gnupg");
  std::filesystem::permissions(home / "gnupg",
                               std::filesystem::perms::owner_all);
  ASSERT_TRUE(RunCommand(
      {"gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key",
       "Test <test@siw.invalid>", "ed25519", "sign"},
      "."));
  ASSERT_TRUE(WriteSite(Examples(), "test@siw.invalid", home / "site"));
  const std::string csaf = home / "site/.well-known/csaf";
  for (const std::string& document : {csaf + "/white/2026/siw-2026-9001.json",
                                      home / "site/osv/x_SIW-2026-9001.json",
                                      home / "site/text/SIW-2026-9001.txt"})
    EXPECT_TRUE(RunCommand(
        {"gpg", "--batch", "--quiet", "--verify", document + ".asc", document},
        "."))
        << document;
  const Result<std::string> key =
      RunCommand({"gpg", "--batch", "--quiet", "--with-colons", "--show-keys",
                  csaf + "/openpgp.asc"},
                 ".");
  ASSERT_TRUE(key);
  const Json metadata = Json::parse(Text(csaf + "/provider-metadata.json"));
  EXPECT_NE(std::string::npos,
            key->find(metadata["public_openpgp_keys"][0]["fingerprint"]
                          .get<std::string>()));
  EXPECT_FALSE(WriteSite(Examples(), "nobody@siw.invalid", home / "other"));
  EXPECT_FALSE(std::filesystem::exists(home / "other"));
  EXPECT_TRUE(RunCommand({"gpgconf", "--kill", "all"}, "."));
}

TEST(RunCommand, TellsWhatWentWrong) {
  EXPECT_EQ("hello\n", *RunCommand({"echo", "hello"}, "."));
  EXPECT_EQ("false: failed", RunCommand({"false"}, ".").error().message);
  EXPECT_EQ("no-such-program: cannot be run",
            RunCommand({"no-such-program"}, ".").error().message);
}

}  // namespace
}  // namespace siw::advisory
