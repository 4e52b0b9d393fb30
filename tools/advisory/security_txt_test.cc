#include "tools/advisory/security_txt.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

constexpr char kGood[] =
    "# a comment\n"
    "Contact: mailto:security@siw.invalid\n"
    "Contact: https://siw.invalid/report\n"
    "Expires: 2027-11-01T00:00:00Z\n"
    "Encryption: https://siw.invalid/key.asc\n"
    "Preferred-Languages: en\n"
    "Canonical: https://siw.invalid/.well-known/security.txt\n"
    "Policy: https://siw.invalid/SECURITY.md\n"
    "CSAF: https://siw.invalid/.well-known/csaf/provider-metadata.json\n";

Said Wrong(const std::string& text, Time now = At("2026-11-26T12:00:00Z"),
           const std::string& domain = "siw.invalid") {
  Problems problems;
  const Publisher publisher = {"siw",
                               "https://" + domain,
                               "security@" + domain,
                               "https://" + domain + "/",
                               {}};
  CheckSecurityTxt(text, "security.txt", publisher, now, &problems);
  return Lines(problems);
}

TEST(SecurityTxt, MayBeRight) { EXPECT_EQ(Said(), Wrong(kGood)); }

TEST(SecurityTxt, Expires) {
  const Time expires = At("2027-11-01T00:00:00Z");
  EXPECT_EQ(Said(), Wrong(kGood, expires - std::chrono::seconds(1)));
  EXPECT_EQ(Said{"security.txt: Expires: has expired: 2027-11-01T00:00:00Z"},
            Wrong(kGood, expires));
  EXPECT_EQ(Said{"security.txt: Expires: is more than a year away: "
                 "2027-11-01T00:00:00Z"},
            Wrong(kGood, expires - std::chrono::days(367)));
  EXPECT_EQ(Said{"security.txt: Expires: is missing"},
            Wrong(With(kGood, "Expires: 2027-11-01T00:00:00Z\n", "")));
  EXPECT_EQ(Said{"security.txt: Expires: 'next year' is not of the form "
                 "2027-01-05T16:00:00Z"},
            Wrong(With(kGood, "2027-11-01T00:00:00Z", "next year")));
  EXPECT_EQ(Said{"security.txt: Expires: is there more than once"},
            Wrong(std::string(kGood) + "Expires: 2027-11-01T00:00:00Z\n"));
}

TEST(SecurityTxt, HasTheContactOfThePublisher) {
  EXPECT_EQ(Said{"security.txt: Contact: the first one is not that of "
                 "publisher.toml: mailto:security@siw.invalid"},
            Wrong(With(kGood, "mailto:security@", "mailto:root@")));
  EXPECT_EQ((Said{"security.txt: Contact: 'security@siw.invalid' is no URI of "
                  "a kind allowed here",
                  "security.txt: Contact: the first one is not that of "
                  "publisher.toml: mailto:security@siw.invalid"}),
            Wrong(With(kGood, "mailto:security@", "security@")));
  EXPECT_EQ(Said{"security.txt: CSAF: is not that of publisher.toml: "
                 "https://siw.invalid/.well-known/csaf/provider-metadata.json"},
            Wrong(With(kGood, "/csaf/provider", "/provider")));
  EXPECT_EQ(Said{"security.txt: Canonical: is not that of publisher.toml: "
                 "https://siw.invalid/.well-known/security.txt"},
            Wrong(With(kGood, "/.well-known/security.txt", "/security.txt")));
  EXPECT_EQ(Said{"security.txt: Policy: is not that of publisher.toml: "
                 "https://siw.invalid/SECURITY.md"},
            Wrong(With(kGood, "/SECURITY.md", "/policy")));
}

// Once there is a publisher, every field has to be set.
TEST(SecurityTxt, KeepsNoPlaceholderOfAnyField) {
  const Time now = At("2026-11-26T12:00:00Z");
  std::string text = kGood;
  for (size_t at = 0; (at = text.find("siw.invalid")) != std::string::npos;)
    text.replace(at, 11, "siw.example");
  EXPECT_EQ(Said(), Wrong(text, now, "siw.example"));
  for (const std::string kept :
       {"https://siw.invalid/key.asc", "https://siw.invalid:443/report",
        "mailto:PLACEHOLDER@siw.example"}) {
    const std::string field =
        kept.find("key") != std::string::npos ? "Encryption" : "Contact";
    EXPECT_EQ(Said{"security.txt: " + field + ": '" + kept +
                   "' is a placeholder, and publisher.toml has none"},
              Wrong(text + field + ": " + kept + "\n", now, "siw.example"));
  }
}

TEST(SecurityTxt, HasFieldsAndCommentsOnly) {
  EXPECT_EQ(Said{"security.txt: line 10: is not of the form 'Field: value'"},
            Wrong(std::string(kGood) + "hello\n"));
  EXPECT_EQ(Said{"security.txt: Contacts: there is no such field"},
            Wrong(std::string(kGood) + "Contacts: mailto:a@b\n"));
  EXPECT_EQ(Said{"security.txt: Encryption: 'http://siw.invalid/key.asc' is no "
                 "URI of a kind allowed here"},
            Wrong(With(kGood, "https://siw.invalid/key.asc",
                       "http://siw.invalid/key.asc")));
}

}  // namespace
}  // namespace siw::advisory
