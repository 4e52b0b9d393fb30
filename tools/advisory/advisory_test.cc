#include "tools/advisory/advisory.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

constexpr char kFile[] = "SIW-2026-9001.toml";

// What is said of the first example with `from` replaced by `to`
Said Wrong(const std::string& from, const std::string& to) {
  Problems problems;
  ParseAdvisory(With(Example("SIW-2026-9001"), from, to), kFile, TheRules(),
                &problems);
  Said said = Lines(problems);
  for (std::string& line : said) {
    EXPECT_EQ(0u, line.find(std::string(kFile) + ": ")) << line;
    line = line.substr(sizeof(kFile) + 1);
  }
  return said;
}

TEST(Advisory, IsReadAsItIsWritten) {
  const Advisory a = Parsed("SIW-2026-9001");
  EXPECT_EQ("SIW-2026-9001", a.id);
  EXPECT_EQ("CVE-2026-9000001", a.cve);
  EXPECT_DOUBLE_EQ(8.1, a.cvss.score);
  EXPECT_EQ("CWE-787", a.cwe_id);
  EXPECT_EQ("Out-of-bounds Write", a.cwe_name);
  ASSERT_EQ(2u, a.affected.size());
  EXPECT_EQ("0.2.1", ToString(*a.affected[1].fixed));
  EXPECT_EQ(2u, a.history.size());
  EXPECT_EQ("2026-10-14T16:00:00Z", FormatTime(a.timeline.at("released")));
  EXPECT_TRUE(a.fixed());
  EXPECT_FALSE(a.exploited());
}

TEST(Advisory, OfEveryExampleIsRight) {
  EXPECT_FALSE(Parsed("SIW-2026-9002").withdrawn.empty());
  const Advisory a = Parsed("SIW-2026-9003");
  EXPECT_TRUE(a.exploited());
  EXPECT_FALSE(a.fixed());
  EXPECT_TRUE(a.tests.empty());
}

TEST(Advisory, HasToBeToml) {
  EXPECT_EQ(1u, Wrong("severity = \"high\"", "severity = high\"").size());
}

TEST(Advisory, HasAnIdThatIsItsName) {
  EXPECT_EQ(Said{"id: 'SIW-2026-9004' is not the name of the file"},
            Wrong("id = \"SIW-2026-9001\"", "id = \"SIW-2026-9004\""));
  EXPECT_EQ((Said{"id: is not of the form SIW-2027-0001",
                  "id: 'SIW-26-1' is not the name of the file"}),
            Wrong("id = \"SIW-2026-9001\"", "id = \"SIW-26-1\""));
  EXPECT_EQ(Said{"id: is missing"}, Wrong("id = \"SIW-2026-9001\"", ""));
}

TEST(Advisory, HasWellFormedNames) {
  EXPECT_EQ(Said{"cve: is not of the form CVE-2027-12345"},
            Wrong("CVE-2026-9000001", "CVE-2026-1"));
  EXPECT_EQ(Said{"cwe: is not of the form 'CWE-787: Out-of-bounds Write'"},
            Wrong("CWE-787: Out-of-bounds Write", "787"));
  EXPECT_EQ(Said{"title: has to be one line of at most 100 characters"},
            Wrong("A Read Response may", std::string(100, 'x')));
  EXPECT_EQ(Said{"reference[0].url: has to be an https URL"},
            Wrong("https://example.org", "http://example.org"));
  EXPECT_EQ(Said{"credit[0].role: 'hero' is none of: finder, coordinator"},
            Wrong("role = \"finder\"", "role = \"hero\""));
  EXPECT_EQ(Said{"titel: there is no such field"},
            Wrong("impact =", "titel = \"x\"\nimpact ="));
}

TEST(Advisory, HasTheSeverityOfItsScore) {
  EXPECT_EQ((Said{"severity: is 'medium', and the CVSS score of 8.1 is 'high'",
                  "timeline.fix_ready: fix-next-release: has no end: "
                  "'next_release' is not set"}),
            Wrong("severity = \"high\"", "severity = \"medium\""));
  EXPECT_EQ(Said{"cvss: 'CVSS:3.1/AC:H/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H' is not "
                 "of the form CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
            Wrong("AV:N/AC:H", "AC:H/AV:N"));
}

TEST(Advisory, HasVersionsThatMakeSense) {
  EXPECT_EQ(Said{"affected[0].introduced: 'v0.1' is not of the form 1.2.3"},
            Wrong("introduced = \"0.1.0\"", "introduced = \"v0.1\""));
  EXPECT_EQ(Said{"affected[0].fixed: has to come after 'introduced'"},
            Wrong("introduced = \"0.1.0\"", "introduced = \"0.1.4\""));
  EXPECT_EQ(Said{"affected[1].component: 'siw-dmks' is not one of "
                 "publisher.toml"},
            Wrong("component = \"siw-dkms\"\nintroduced = \"0.2.0\"",
                  "component = \"siw-dmks\"\nintroduced = \"0.2.0\""));
}

TEST(Advisory, HasRangesThatDoNotOverlap) {
  const Said overlap = {
      "affected[1]: its versions overlap those of "
      "affected[0]"};
  EXPECT_EQ(overlap, Wrong("introduced = \"0.2.0\"", "introduced = \"0.1.3\""));
  EXPECT_EQ(overlap, Wrong("introduced = \"0.2.0\"", "introduced = \"0.0.1\""));
  // An end that is open reaches the other one.
  EXPECT_EQ(overlap, Wrong("fixed = \"0.1.4\"\n", ""));
  // 0.1.4 would be fixed and affected.
  const Said touch = {
      "affected[1]: meets affected[0] at a release that would be both fixed "
      "and affected: make them one"};
  EXPECT_EQ(touch, Wrong("introduced = \"0.2.0\"", "introduced = \"0.1.4\""));
  EXPECT_EQ(touch, Wrong("introduced = \"0.2.0\"\nfixed = \"0.2.1\"",
                         "introduced = \"0.0.1\"\nfixed = \"0.1.0\""));
  EXPECT_EQ(Said(), Wrong("introduced = \"0.2.0\"", "introduced = \"0.1.5\""));
  EXPECT_EQ(Said(), Wrong("component = \"siw-dkms\"\nintroduced = \"0.2.0\"",
                          "component = \"siw\"\nintroduced = \"0.1.0\""));
}

TEST(Advisory, NamesTestsOfThisTree) {
  EXPECT_EQ(Said{"tests: there is no test 'kselftest/siw_fpdu: bad Read "
                 "Responses' in this tree"},
            Wrong("bad Read Responses, each with its Terminate",
                  "bad Read Responses"));
  EXPECT_EQ(Said{"tests: is empty"},
            Wrong("[\"kselftest/siw_fpdu: bad Read Responses, each with its "
                  "Terminate\"]",
                  "[]"));
}

TEST(Advisory, HasAHistoryInOrder) {
  EXPECT_EQ(Said{"history[1].date: has to come after that of the revision "
                 "before"},
            Wrong("2026-10-16T09:00:00Z", "2026-10-14T16:30:00Z"));
  EXPECT_EQ(Said{"history: has a date that lies in the future"},
            Wrong("2026-10-16T09:00:00Z", "2026-12-16T09:00:00Z"));
}

TEST(Advisory, HasARevisionAndSomethingThatIsAffected) {
  Problems problems;
  ParseAdvisory("history = []\naffected = []\n", kFile, TheRules(), &problems);
  const Said said = Lines(problems);
  for (const char* table : {"history", "affected"})
    EXPECT_EQ(1, std::count(said.begin(), said.end(),
                            fmt::format("{}: {}: there is no [[{}]]", kFile,
                                        table, table)))
        << table;
}

// Nothing that a file may hold ends the program.
TEST(Advisory, OfTheWrongTypesIsRefused) {
  const Rules rules = TheRules();
  const std::string example = Example("SIW-2026-9001");
  for (const char* key :
       {"id", "title", "cve", "severity", "cvss", "cwe", "summary",
        "description", "impact", "workaround", "tests", "affected", "credit",
        "reference", "history", "timeline", "missed", "withdrawn"})
    for (const char* value :
         {"1", "''", "[]", "[1]", "['']", "{}", "[{}]", "2027-01-01", "true"}) {
      // Alone, as the key may be in the example already
      Problems problems;
      ParseAdvisory(fmt::format("{} = {}\n", key, value), kFile, rules,
                    &problems);
      EXPECT_FALSE(problems.empty()) << key << " = " << value;
    }
  // Cut anywhere
  for (size_t size = 0; size < example.size(); size += 7) {
    Problems problems;
    ParseAdvisory(example.substr(0, size), kFile, rules, &problems);
    EXPECT_FALSE(problems.empty()) << size;
  }
}

TEST(Advisory, IsNotPublicBeforeItsDate) {
  Problems problems;
  Rules rules = TheRules();
  rules.now = At("2026-10-14T16:29:59Z");
  ParseAdvisory(Example("SIW-2026-9001"), kFile, rules, &problems);
  EXPECT_EQ((Said{"SIW-2026-9001.toml: history: has a date that lies in the "
                  "future",
                  "SIW-2026-9001.toml: timeline.published: lies in the future: "
                  "it may not be in a public tree"}),
            Lines(problems));
}

TEST(Advisory, HasTheEventsOfItsKind) {
  EXPECT_EQ((Said{"timeline.merged: is missing",
                  "timeline.released: release: out of order: 'released' was "
                  "before 'merged'"}),
            Wrong("merged = 2026-10-14T14:00:00Z\n", ""));
  EXPECT_EQ(Said{"timeline.published: is not the date of history[0]"},
            Wrong("published = 2026-10-14T16:30:00Z",
                  "published = 2026-10-14T16:31:00Z"));
  EXPECT_EQ(Said{"timeline.merge: there is no such field"},
            Wrong("merged =", "merge = 2026-10-14T14:00:00Z\nmerged ="));
}

TEST(Advisory, IsNotPublishedBeforeItIsDisclosed) {
  EXPECT_EQ((Said{"timeline.merged: is before 'disclosed'",
                  "timeline.published: is before 'disclosed'"}),
            Wrong("disclosed = 2026-10-14T14:00:00Z",
                  "disclosed = 2026-10-14T16:30:01Z"));
}

TEST(Advisory, KeepsTheClockOrSaysWhyNot) {
  const std::string kept =
      "acknowledged = 2026-10-01T12:00:00Z\nassessed = 2026-10-05T08:00:00Z\n";
  const std::string late =
      "acknowledged = 2026-10-05T08:00:01Z\nassessed = 2026-10-05T08:00:01Z\n";
  EXPECT_EQ(Said{"timeline.acknowledged: acknowledge: late: due "
                 "2026-10-05T08:00:00Z, was 2026-10-05T08:00:01Z"},
            Wrong(kept, late));
  EXPECT_EQ(Said(),
            Wrong("[timeline]\nreported = 2026-10-01T08:00:00Z\n" + kept,
                  "[[missed]]\nrule = \"acknowledge\"\nreason = \"ill\"\n"
                  "[timeline]\nreported = 2026-10-01T08:00:00Z\n" +
                      late));
  EXPECT_EQ(Said{"missed: the rule 'acknowledge' was not missed"},
            Wrong("[timeline]",
                  "[[missed]]\nrule = \"acknowledge\"\n"
                  "reason = \"ill\"\n[timeline]"));
}

// What is said of the second example, which is medium, with `from` replaced
Said WrongOfMedium(const std::string& from, const std::string& to) {
  Problems problems;
  ParseAdvisory(With(Example("SIW-2026-9002"), from, to), "SIW-2026-9002.toml",
                TheRules(), &problems);
  return Lines(problems);
}

TEST(Advisory, OfMediumSeverityHasANextReleaseWithinNinetyDays) {
  const std::string set = "next_release = 2026-10-14T16:00:00Z\n";
  const Said unbounded = {
      "SIW-2026-9002.toml: timeline.fix_ready: fix-next-release: has no end: "
      "'next_release' is not set"};
  EXPECT_EQ(unbounded, WrongOfMedium(set, ""));
  EXPECT_EQ(Said(),
            WrongOfMedium(set, "next_release = 2026-12-30T08:00:00Z\n"));
  EXPECT_EQ(Said{"SIW-2026-9002.toml: timeline.next_release: next-release: "
                 "late: due 2026-12-30T08:00:00Z, was 2026-12-30T08:00:01Z"},
            WrongOfMedium(set, "next_release = 2026-12-30T08:00:01Z\n"));
  // That it was missed would be no excuse: there was nothing to miss.
  Problems problems;
  const std::string excused =
      With(With(Example("SIW-2026-9002"), set, ""), "[timeline]",
           "[[missed]]\nrule = \"fix-next-release\"\nreason = \"ill\"\n"
           "[timeline]");
  ParseAdvisory(excused, "SIW-2026-9002.toml", TheRules(), &problems);
  EXPECT_EQ(unbounded, Lines(problems));
}

TEST(Advisories, DoNotShareACve) {
  Advisory a, b;
  a.file = "a.toml";
  b.file = "b.toml";
  a.cve = b.cve = "CVE-2027-12345";
  Problems problems;
  CheckTogether({a, b}, &problems);
  EXPECT_EQ(Said{"b.toml: cve: CVE-2027-12345 is that of a.toml already"},
            Lines(problems));
  problems.clear();
  b.withdrawn = "it is that of a";
  CheckTogether({a, b}, &problems);
  EXPECT_EQ(Said(), Lines(problems));
}

TEST(Report, NeedsATimelineAndNoMore) {
  const Clock clock = TheRules().clock;
  Problems problems;
  const Report report =
      ParseReport("[timeline]\nreported = 2027-01-04T09:00:00Z\n", "r.toml",
                  clock, &problems);
  EXPECT_EQ(Said(), Lines(problems));
  EXPECT_EQ("", report.severity);
  EXPECT_EQ(1u, report.timeline.size());
  ParseReport("severity = \"bad\"\n", "r.toml", clock, &problems);
  EXPECT_EQ((Said{"r.toml: severity: 'bad' is none of: low, medium, high, "
                  "critical",
                  "r.toml: timeline: is missing"}),
            Lines(problems));
}

// Ids of what affects `installed` of `component`, among the examples
Said AffectingExamples(const std::string& component,
                       const std::string& installed) {
  const std::vector<Advisory> all = {Parsed("SIW-2026-9001"),
                                     Parsed("SIW-2026-9002"),
                                     Parsed("SIW-2026-9003")};
  Said out;
  for (const Advisory* a :
       Affecting(all, component, *ParseInstalled(installed)))
    out.push_back(a->id);
  return out;
}

TEST(Affecting, IsExactAtBothEndsOfEveryRange) {
  const Said none, first = {"SIW-2026-9001"};
  EXPECT_EQ(none, AffectingExamples("siw-dkms", "0.0.9-1"));
  EXPECT_EQ(first, AffectingExamples("siw-dkms", "0.1.0-1"));
  EXPECT_EQ(first, AffectingExamples("siw-dkms", "0.1.3-7~deb12u1"));
  EXPECT_EQ(none, AffectingExamples("siw-dkms", "0.1.4-1"));
  EXPECT_EQ(none, AffectingExamples("siw-dkms", "0.1.99"));
  EXPECT_EQ((Said{"SIW-2026-9001", "SIW-2026-9003"}),
            AffectingExamples("siw-dkms", "0.2.0"));
  EXPECT_EQ(Said{"SIW-2026-9003"}, AffectingExamples("siw-dkms", "0.2.1"));
  EXPECT_EQ(Said{"SIW-2026-9003"}, AffectingExamples("siw-dkms", "99.0.0"));
}

TEST(Affecting, CountsWhatWasMadeBeforeARelease) {
  EXPECT_EQ(Said{"SIW-2026-9001"},
            AffectingExamples("siw-dkms", "0.1.4~rc1-1"));
  EXPECT_EQ(Said{"SIW-2026-9001"},
            AffectingExamples("siw-dkms", "0.1.0~rc1-1"));
  EXPECT_EQ(Said(), AffectingExamples("siw-dkms", "0.1.4~deb11"));
}

TEST(Affecting, LeavesOutOtherComponentsAndWhatIsWithdrawn) {
  EXPECT_EQ(Said(), AffectingExamples("siw", "0.1.0"));
  EXPECT_EQ(Said(), AffectingExamples("siw", "0.2.0"));
}

}  // namespace
}  // namespace siw::advisory
