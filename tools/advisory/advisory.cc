#include "tools/advisory/advisory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

namespace siw::advisory {
namespace {

const std::vector<std::string> kSeverities = {"low", "medium", "high",
                                              "critical"};
// Events without which nothing is published, and those of a fix
const std::vector<std::string> kPublished = {
    "reported", "acknowledged", "assessed", "disclosed", "published"};
const std::vector<std::string> kFixed = {"fix_ready", "merged", "released"};

void ReadIdentity(Fields* fields, Advisory* out) {
  static const std::regex kId("SIW-[0-9]{4}-[0-9]{4}");
  out->id = fields->Text("id");
  if (!out->id.empty() && !std::regex_match(out->id, kId))
    fields->Wrong("id", "is not of the form SIW-2027-0001");
  const std::string stem = std::filesystem::path(out->file).stem();
  if (!out->id.empty() && out->id != stem)
    fields->Wrong("id", "'" + out->id + "' is not the name of the file");
  out->cve = fields->TextIfAny("cve");
  if (!out->cve.empty() && !IsCve(out->cve))
    fields->Wrong("cve", "is not of the form CVE-2027-12345");
  out->title = fields->Text("title");
  if (out->title.size() > 100 || out->title.find('\n') != std::string::npos)
    fields->Wrong("title", "has to be one line of at most 100 characters");
}

void ReadSeverity(Fields* fields, Advisory* out) {
  static const std::regex kCwe("(CWE-[1-9][0-9]*): (.+)");
  out->severity = fields->OneOf("severity", kSeverities);
  if (const std::string vector = fields->Text("cvss"); !vector.empty()) {
    if (const Result<Cvss> cvss = ParseCvss(vector)) {
      out->cvss = *cvss;
      if (Rating(cvss->score) != out->severity)
        fields->Wrong(
            "severity",
            fmt::format("is '{}', and the CVSS score of {} is '{}'",
                        out->severity, cvss->score, Rating(cvss->score)));
    } else {
      fields->Wrong("cvss", cvss.error().message);
    }
  }
  const std::string cwe = fields->Text("cwe");
  std::smatch part;
  if (std::regex_match(cwe, part, kCwe)) {
    out->cwe_id = part[1];
    out->cwe_name = part[2];
  } else if (!cwe.empty()) {
    fields->Wrong("cwe", "is not of the form 'CWE-787: Out-of-bounds Write'");
  }
}

std::optional<Version> ReadVersion(Fields* fields, const std::string& key) {
  const std::string text = fields->Text(key);
  if (text.empty()) return std::nullopt;
  const Result<Version> version = ParseVersion(text);
  if (version) return *version;
  fields->Wrong(key, version.error().message);
  return std::nullopt;
}

void ReadAffected(Fields* fields, const Publisher& publisher, Advisory* out) {
  for (Fields& from : fields->Tables("affected")) {
    Affected range;
    range.component = from.Text("component");
    if (!range.component.empty() && !publisher.Find(range.component))
      from.Wrong("component",
                 "'" + range.component + "' is not one of publisher.toml");
    const std::optional<Version> introduced = ReadVersion(&from, "introduced");
    if (from.Has("fixed")) range.fixed = ReadVersion(&from, "fixed");
    if (introduced) range.introduced = *introduced;
    if (introduced && range.fixed && *range.fixed <= *introduced)
      from.Wrong("fixed", "has to come after 'introduced'");
    from.NothingElse();
    out->affected.push_back(range);
  }
}

bool Overlap(const Affected& a, const Affected& b) {
  return a.component == b.component && (!a.fixed || b.introduced < *a.fixed) &&
         (!b.fixed || a.introduced < *b.fixed);
}

// A release cannot both fix it and be affected.
bool Touch(const Affected& a, const Affected& b) {
  return a.component == b.component &&
         (a.fixed == b.introduced || b.fixed == a.introduced);
}

void CheckOverlap(Fields* fields, const std::vector<Affected>& ranges) {
  for (size_t a = 0; a < ranges.size(); ++a)
    for (size_t b = a + 1; b < ranges.size(); ++b) {
      const std::string field = fmt::format("affected[{}]", b);
      if (Overlap(ranges[a], ranges[b]))
        fields->Wrong(
            field,
            fmt::format("its versions overlap those of affected[{}]", a));
      else if (Touch(ranges[a], ranges[b]))
        fields->Wrong(
            field,
            fmt::format(
                "meets affected[{}] at a release that would be both fixed and "
                "affected: make them one",
                a));
    }
}

void ReadPeople(Fields* fields, Advisory* out) {
  for (Fields& from : fields->TablesIfAny("credit")) {
    out->credits.push_back(
        {from.Text("name"), from.OneOf("role", {"finder", "coordinator"})});
    from.NothingElse();
  }
  for (Fields& from : fields->TablesIfAny("reference")) {
    out->references.push_back({from.Text("url"), from.Text("summary")});
    if (!IsHttps(out->references.back().url))
      from.Wrong("url", "has to be an https URL");
    from.NothingElse();
  }
}

void CheckEvents(Fields* fields, const Advisory& advisory, Time now) {
  std::vector<std::string> wanted = kPublished;
  if (advisory.fixed())
    wanted.insert(wanted.end(), kFixed.begin(), kFixed.end());
  for (const std::string& event : wanted)
    if (!advisory.timeline.count(event))
      fields->Wrong("timeline." + event, "is missing");
  for (const auto& [event, when] : advisory.timeline)
    if (when > now && event != "next_release")
      fields->Wrong("timeline." + event,
                    event == "published"
                        ? "lies in the future: it may not be in a public tree"
                        : "lies in the future");
  const auto published = advisory.timeline.find("published");
  if (published != advisory.timeline.end() && !advisory.history.empty() &&
      published->second != advisory.history.front().date)
    fields->Wrong("timeline.published", "is not the date of history[0]");
}

void ReadTimes(Fields* fields, const Clock& clock, Advisory* out) {
  out->history = ReadHistory(fields);
  if (std::optional<Fields> timeline = fields->TableIfAny("timeline"))
    out->timeline = ReadTimeline(&*timeline, clock);
  for (Fields& from : fields->TablesIfAny("missed")) {
    out->missed.push_back({from.Text("rule"), from.Text("reason")});
    from.NothingElse();
  }
}

// A deadline that was missed is a problem unless the advisory says why.
void CheckClock(Fields* fields, const Clock& clock, Time now,
                const Advisory& advisory) {
  const std::vector<Missed>& missed = advisory.missed;
  std::set<std::string> violated;
  for (const ClockVerdict& verdict :
       Judge(clock, advisory.severity, advisory.timeline, now)) {
    const std::string& rule = verdict.rule->id;
    if (!IsViolation(verdict.state)) continue;
    violated.insert(rule);
    const bool said =
        std::any_of(missed.begin(), missed.end(),
                    [&rule](const Missed& m) { return m.rule == rule; });
    if (!said || verdict.state == ClockState::kDisordered ||
        verdict.state == ClockState::kUnbounded)
      fields->Wrong("timeline." + verdict.rule->to, ToString(verdict));
  }
  for (const Missed& said : missed)
    if (!violated.count(said.rule))
      fields->Wrong("missed", "the rule '" + said.rule + "' was not missed");
}

}  // namespace

std::vector<Revision> ReadHistory(Fields* fields) {
  std::vector<Revision> out;
  for (Fields& from : fields->Tables("history")) {
    const Revision revision = {from.When("date"), from.Text("summary")};
    if (!out.empty() && revision.date <= out.back().date)
      from.Wrong("date", "has to come after that of the revision before");
    from.NothingElse();
    out.push_back(revision);
  }
  return out;
}

bool IsCve(const std::string& id) {
  static const std::regex kCve("CVE-[0-9]{4}-[0-9]{4,}");
  return std::regex_match(id, kCve);
}

void CheckHistory(Fields* fields, const std::vector<Revision>& history,
                  Time now) {
  if (!history.empty() && history.back().date > now)
    fields->Wrong("history", "has a date that lies in the future");
}

void CheckTests(Fields* fields, const std::vector<std::string>& ids,
                const TestIds& tests) {
  for (const std::string& id : ids)
    if (!tests.Exists(id))
      fields->Wrong("tests", "there is no test '" + id + "' in this tree");
}

bool Advisory::fixed() const {
  return !affected.empty() &&
         std::all_of(affected.begin(), affected.end(),
                     [](const Affected& range) { return range.fixed; });
}

Advisory ParseAdvisory(const std::string& text, const std::string& file,
                       const Rules& rules, Problems* problems) {
  Advisory out;
  out.file = file;
  const auto table = ParseToml(text, file, problems);
  if (!table) return out;
  Fields fields(*table, file, "", problems);
  ReadIdentity(&fields, &out);
  ReadSeverity(&fields, &out);
  out.summary = fields.Text("summary");
  out.description = fields.Text("description");
  out.impact = fields.Text("impact");
  out.workaround = fields.TextIfAny("workaround");
  out.withdrawn = fields.TextIfAny("withdrawn");
  ReadAffected(&fields, rules.publisher, &out);
  CheckOverlap(&fields, out.affected);
  // An advisory without a fix need not have a test yet.
  out.tests = out.fixed() ? fields.Texts("tests") : fields.TextsIfAny("tests");
  ReadPeople(&fields, &out);
  ReadTimes(&fields, rules.clock, &out);
  fields.NothingElse();
  if (!rules.tests) return out;
  CheckTests(&fields, out.tests, *rules.tests);
  CheckHistory(&fields, out.history, rules.now);
  CheckEvents(&fields, out, rules.now);
  CheckClock(&fields, rules.clock, rules.now, out);
  return out;
}

void CheckTogether(const std::vector<Advisory>& advisories,
                   Problems* problems) {
  std::map<std::string, std::string> file_of;
  for (const Advisory& advisory : advisories) {
    if (advisory.cve.empty() || !advisory.withdrawn.empty()) continue;
    const auto [first, fresh] =
        file_of.try_emplace(advisory.cve, advisory.file);
    if (!fresh)
      problems->push_back(
          {advisory.file, "cve",
           advisory.cve + " is that of " + first->second + " already"});
  }
}

Report ParseReport(const std::string& text, const std::string& file,
                   const Clock& clock, Problems* problems) {
  Report out;
  const auto table = ParseToml(text, file, problems);
  if (!table) return out;
  Fields fields(*table, file, "", problems);
  if (fields.Has("severity"))
    out.severity = fields.OneOf("severity", kSeverities);
  if (std::optional<Fields> timeline = fields.TableIfAny("timeline"))
    out.timeline = ReadTimeline(&*timeline, clock);
  else if (!fields.Has("timeline"))
    fields.Wrong("timeline", "is missing");
  return out;
}

std::vector<const Advisory*> Affecting(const std::vector<Advisory>& advisories,
                                       const std::string& component,
                                       const Installed& installed) {
  const auto inside = [&](const Affected& range) {
    return range.component == component &&
           IsWithin(installed, range.introduced, range.fixed);
  };
  std::vector<const Advisory*> out;
  for (const Advisory& advisory : advisories)
    if (advisory.withdrawn.empty() &&
        std::any_of(advisory.affected.begin(), advisory.affected.end(), inside))
      out.push_back(&advisory);
  return out;
}

}  // namespace siw::advisory
