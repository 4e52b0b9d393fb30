// An advisory, as it is written by hand: security/advisories/SIW-*.toml.
#ifndef SIW_TOOLS_ADVISORY_ADVISORY_H_
#define SIW_TOOLS_ADVISORY_ADVISORY_H_

#include <optional>
#include <string>
#include <vector>

#include "tools/advisory/clock.h"
#include "tools/advisory/cvss.h"
#include "tools/advisory/publisher.h"
#include "tools/advisory/test_ids.h"
#include "tools/advisory/version.h"

namespace siw::advisory {

// Releases from `introduced` on and before `fixed`, or all of them
struct Affected {
  std::string component;
  Version introduced;
  std::optional<Version> fixed;
};

struct Credit {
  std::string name;
  std::string role;  // finder or coordinator
};

struct Reference {
  std::string url;
  std::string summary;
};

struct Revision {
  Time date;
  std::string summary;
};

// A deadline that we did not keep, and why
struct Missed {
  std::string rule;
  std::string reason;
};

struct Advisory {
  std::string file;
  std::string id;
  std::string title;
  std::string cve;  // empty until one is assigned
  std::string severity;
  Cvss cvss;
  std::string cwe_id;
  std::string cwe_name;
  std::string summary;
  std::string description;
  std::string impact;
  std::string workaround;  // empty if there is none
  std::string withdrawn;   // why; empty if it is not
  std::vector<Affected> affected;
  std::vector<std::string> tests;
  std::vector<Credit> credits;
  std::vector<Reference> references;
  std::vector<Revision> history;  // oldest first
  std::vector<Missed> missed;
  Timeline timeline;

  bool exploited() const { return timeline.count("exploited"); }
  // A fix of every affected release is there.
  bool fixed() const;
};

// What an advisory is checked against. Without `tests`, neither tests nor the
// clock are looked at.
struct Rules {
  Publisher publisher;
  Clock clock;
  const TestIds* tests;
  Time now;
};

// [[history]]: at least one revision, in order
std::vector<Revision> ReadHistory(Fields* fields);
void CheckHistory(Fields* fields, const std::vector<Revision>& history,
                  Time now);

bool IsCve(const std::string& id);

// Every one of `ids` has to be there; the field is "tests".
void CheckTests(Fields* fields, const std::vector<std::string>& ids,
                const TestIds& tests);

// One file; everything that is wrong with it goes to `problems`.
Advisory ParseAdvisory(const std::string& text, const std::string& file,
                       const Rules& rules, Problems* problems);

// What two advisories may not have in common
void CheckTogether(const std::vector<Advisory>& advisories, Problems* problems);

// A report on its way: severity, once it is known, and [timeline] are looked
// at, and whatever else is there already is not.
struct Report {
  std::string severity;
  Timeline timeline;
};
Report ParseReport(const std::string& text, const std::string& file,
                   const Clock& clock, Problems* problems);

// Those that `installed` of `component` is affected by. Withdrawn ones affect
// nothing; what was made before a release counts as affected at either end.
std::vector<const Advisory*> Affecting(const std::vector<Advisory>& advisories,
                                       const std::string& component,
                                       const Installed& installed);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_ADVISORY_H_
