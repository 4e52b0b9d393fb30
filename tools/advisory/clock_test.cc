#include "tools/advisory/clock.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

Time Now() { return At("2027-06-01T00:00:00Z"); }

// What the clock of this tree says of a timeline, violations only
Said Violations(const std::string& severity, const Timeline& timeline,
                Time now) {
  const Clock clock = TheRules().clock;
  Said out;
  for (const ClockVerdict& verdict : Judge(clock, severity, timeline, now))
    if (IsViolation(verdict.state)) out.push_back(ToString(verdict));
  return out;
}

// A report that kept every deadline by a hair. 2027-01-04 is a Monday.
Timeline Kept() {
  return {{"reported", At("2027-01-04T09:00:00Z")},
          {"acknowledged", At("2027-01-06T09:00:00Z")},
          {"assessed", At("2027-01-11T09:00:00Z")},
          {"fix_ready", At("2027-01-18T09:00:00Z")},
          {"disclosed", At("2027-01-25T09:00:00Z")},
          {"merged", At("2027-01-25T09:00:00Z")},
          {"released", At("2027-01-27T09:00:00Z")},
          {"published", At("2027-01-27T10:00:00Z")}};
}

Timeline With(Timeline timeline, const std::string& event,
              const std::string& when) {
  timeline[event] = At(when);
  return timeline;
}

TEST(Clock, IsSatisfiedAtTheLastSecond) {
  EXPECT_EQ(Said(), Violations("critical", Kept(), Now()));
}

TEST(Clock, NoticesASecondTooMuch) {
  EXPECT_EQ(
      Said{"acknowledge: late: due 2027-01-06T09:00:00Z, was "
           "2027-01-06T09:00:01Z"},
      Violations("critical",
                 With(Kept(), "acknowledged", "2027-01-06T09:00:01Z"), Now()));
  EXPECT_EQ(
      Said{"advisory: late: due 2027-01-27T10:00:00Z, was "
           "2027-01-27T10:00:01Z"},
      Violations("critical", With(Kept(), "published", "2027-01-27T10:00:01Z"),
                 Now()));
}

TEST(Clock, AllowsADateBySeverity) {
  const Timeline slow =
      With(With(With(With(With(Kept(), "fix_ready", "2027-01-25T09:00:00Z"),
                          "disclosed", "2027-01-26T09:00:00Z"),
                     "merged", "2027-01-26T09:00:00Z"),
                "released", "2027-01-26T10:00:00Z"),
           "published", "2027-01-26T10:30:00Z");
  EXPECT_EQ(Said{"fix-critical: late: due 2027-01-18T09:00:00Z, was "
                 "2027-01-25T09:00:00Z"},
            Violations("critical", slow, Now()));
  EXPECT_EQ(Said(), Violations("high", slow, Now()));
  EXPECT_EQ(
      Said(),
      Violations("medium", With(slow, "next_release", "2027-01-25T09:00:00Z"),
                 Now()));
  EXPECT_EQ(
      Said{"fix-next-release: late: due 2027-01-25T08:59:59Z, was "
           "2027-01-25T09:00:00Z"},
      Violations("low", With(slow, "next_release", "2027-01-25T08:59:59Z"),
                 Now()));
}

// Without the date of the next release nothing would ever be late.
TEST(Clock, WantsTheDateOfTheNextRelease) {
  const Said unbounded = {
      "fix-next-release: has no end: 'next_release' is not set"};
  EXPECT_EQ(unbounded,
            Violations("medium", Kept(), At("2027-02-01T00:00:00Z")));
  EXPECT_EQ(unbounded, Violations("low",
                                  {{"reported", At("2027-01-04T09:00:00Z")},
                                   {"acknowledged", At("2027-01-04T09:00:00Z")},
                                   {"assessed", At("2027-01-04T09:00:00Z")}},
                                  At("2027-01-04T09:00:01Z")));
  EXPECT_EQ(Said(), Violations("high", Kept(), Now()));
  EXPECT_EQ(
      Said(),
      Violations("medium", With(Kept(), "next_release", "2027-04-04T09:00:00Z"),
                 Now()));
  EXPECT_EQ(
      Said{"next-release: late: due 2027-04-04T09:00:00Z, was "
           "2027-04-04T09:00:01Z"},
      Violations("medium", With(Kept(), "next_release", "2027-04-04T09:00:01Z"),
                 Now()));
}

TEST(Clock, BoundsAnEmbargoTwice) {
  Timeline timeline = Kept();
  timeline["disclosed"] = At("2027-01-25T09:00:01Z");
  EXPECT_EQ(Said{"embargo-after-fix: late: due 2027-01-25T09:00:00Z, was "
                 "2027-01-25T09:00:01Z"},
            Violations("critical", timeline, Now()));
  // A fix that takes too long does not prolong the embargo.
  timeline = {{"reported", At("2027-01-04T09:00:00Z")},
              {"acknowledged", At("2027-01-04T09:00:00Z")},
              {"assessed", At("2027-01-04T09:00:00Z")}};
  EXPECT_EQ((Said{"fix-high: overdue: due 2027-01-18T09:00:00Z",
                  "embargo-in-all: overdue: due 2027-04-04T09:00:00Z"}),
            Violations("high", timeline, At("2027-04-04T09:00:01Z")));
}

TEST(Clock, TakesWhatIsPublicAlready) {
  Timeline timeline = Kept();
  timeline["disclosed"] = At("2026-12-01T00:00:00Z");
  EXPECT_EQ(Said(), Violations("critical", timeline, Now()));
}

// Mitigations, while there is no fix yet
TEST(Clock, TakesAnAdvisoryBeforeTheRelease) {
  EXPECT_EQ(
      Said(),
      Violations("critical", With(Kept(), "published", "2027-01-26T09:00:00Z"),
                 Now()));
}

TEST(Clock, RefusesAnEventBeforeItsCause) {
  EXPECT_EQ(Said{"release: out of order: 'released' was before 'merged'"},
            Violations("critical",
                       With(Kept(), "merged", "2027-01-27T09:00:01Z"), Now()));
  Timeline timeline = Kept();
  timeline.erase("reported");
  EXPECT_EQ((Said{"acknowledge: out of order: 'acknowledged' was before "
                  "'reported'",
                  "assess: out of order: 'assessed' was before 'reported'"}),
            Violations("critical", timeline, Now()));
}

TEST(Clock, RefusesStepsInAnOrderThatThereCannotBe) {
  const Clock clock = TheRules().clock;
  const auto said = [&clock](const std::string& first, const char* when,
                             const std::string& second) {
    Problems problems;
    ParseReport("[timeline]\n" + first + " = " + when + "\n" + second +
                    " = 2027-01-05T09:00:00Z\n",
                "r.toml", clock, &problems);
    return Lines(problems);
  };
  const std::vector<std::pair<std::string, std::string>> order = {
      {"acknowledged", "assessed"},    {"assessed", "published"},
      {"fix_ready", "merged"},         {"disclosed", "merged"},
      {"disclosed", "published"},      {"early_warning", "notification"},
      {"notification", "final_report"}};
  for (const auto& [first, second] : order) {
    EXPECT_EQ(Said(), said(first, "2027-01-05T09:00:00Z", second));
    EXPECT_EQ(
        Said{"r.toml: timeline." + second + ": is before '" + first + "'"},
        said(first, "2027-01-05T09:00:01Z", second));
  }
}

TEST(Clock, RunsFasterForWhatIsExploited) {
  const Time exploited = At("2027-01-05T00:00:00Z");
  Timeline timeline = With(Kept(), "exploited", FormatTime(exploited));
  EXPECT_EQ(Said(), Violations("critical", timeline,
                               exploited + std::chrono::hours(24)));
  EXPECT_EQ(
      Said{"early-warning: overdue: due 2027-01-06T00:00:00Z"},
      Violations("critical", timeline, exploited + std::chrono::hours(25)));
  timeline = With(timeline, "early_warning", "2027-01-06T00:00:00Z");
  EXPECT_EQ(Said{"notification: overdue: due 2027-01-08T00:00:00Z"},
            Violations("critical", timeline, At("2027-01-20T00:00:00Z")));
  timeline = With(timeline, "notification", "2027-01-08T00:00:00Z");
  EXPECT_EQ(Said(),
            Violations("critical", timeline, At("2027-01-20T00:00:00Z")));
}

TEST(Clock, WantsAFinalReportOfWhatWasExploitedOnly) {
  const Time late = At("2028-01-01T00:00:00Z");
  EXPECT_EQ(Said(), Violations("critical", Kept(), late));
  Timeline timeline = Kept();
  for (const char* event : {"exploited", "early_warning", "notification"})
    timeline[event] = At("2027-01-05T00:00:00Z");
  EXPECT_EQ(Said{"final-report: overdue: due 2027-02-10T09:00:00Z"},
            Violations("critical", timeline, late));
  timeline["final_report"] = At("2027-02-10T09:00:00Z");
  EXPECT_EQ(Said(), Violations("critical", timeline, late));
}

TEST(Clock, SaysWhatIsRunning) {
  const Clock clock = TheRules().clock;
  const Timeline timeline = {{"reported", At("2027-01-04T09:00:00Z")}};
  Said said;
  for (const ClockVerdict& verdict :
       Judge(clock, "", timeline, At("2027-01-04T10:00:00Z")))
    said.push_back(ToString(verdict));
  EXPECT_EQ((Said{"acknowledge: running: due 2027-01-06T09:00:00Z",
                  "assess: running: due 2027-01-11T09:00:00Z",
                  "embargo-in-all: running: due 2027-04-04T09:00:00Z"}),
            said);
}

TEST(Clock, RefusesARuleThatMakesNoSense) {
  const auto read = [](const std::string& rule) {
    Problems problems;
    ParseClock("events = ['a', 'b']\n[[rule]]\nid = 'r'\n" + rule, "c.toml",
               &problems);
    return Lines(problems);
  };
  const std::string ends = "from = 'a'\nto = 'b'\n";
  EXPECT_EQ(Said(), read(ends + "within = '2 working days'\n"));
  EXPECT_EQ(Said(), read(ends + "until = 'b'\n"));
  EXPECT_EQ(Said{"c.toml: rule[0].within: is missing"}, read(ends));
  for (const std::string within : {"soon", "0 days", "-1 days", "2 weeks", "2"})
    EXPECT_EQ(Said{"c.toml: rule[0].within: '" + within +
                   "' is not a number of hours, days, working days"},
              read(ends + "within = '" + within + "'\n"));
  EXPECT_EQ(Said{"c.toml: rule[0].to: 'c' is none of: a, b"},
            read("from = 'a'\nto = 'c'\nwithin = '1 hour'\n"));
  EXPECT_EQ(Said{"c.toml: rule[0].order: 'some' is none of: any"},
            read(ends + "within = '1 hour'\norder = 'some'\n"));
}

// The figures that SECURITY.md promises; changing them is not a detail.
TEST(Clock, HasTheFiguresWePromise) {
  const std::string text = Text(std::string(SIW_TREE) + "/security/clock.toml");
  Said said;
  for (const ClockRule& rule : TheRules().clock.rules) {
    const size_t at = text.find("id = \"" + rule.id + "\"");
    const size_t end = text.find("\n\n", at);
    std::string limit = rule.until;
    if (limit.empty()) {
      const size_t within = text.find("within = \"", at);
      ASSERT_LT(within, end) << rule.id;
      limit =
          text.substr(within + 10, text.find('"', within + 10) - within - 10);
    }
    said.push_back(rule.id + ": " + limit);
  }
  EXPECT_EQ(
      (Said{"acknowledge: 2 working days", "assess: 5 working days",
            "fix-critical: 7 days", "fix-high: 14 days",
            "fix-next-release: next_release", "next-release: 90 days",
            "embargo-after-fix: 7 days", "embargo-in-all: 90 days",
            "release: 48 hours", "advisory: 1 hour", "early-warning: 24 hours",
            "notification: 72 hours", "final-report: 14 days"}),
      said);
}

}  // namespace
}  // namespace siw::advisory
