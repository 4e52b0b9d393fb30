#include "tools/advisory/csaf.h"

#include <algorithm>
#include <cctype>

namespace siw::advisory {
namespace {

Json Note(const char* category, const char* title, const std::string& text) {
  return {{"category", category}, {"title", title}, {"text", text}};
}

std::string FileName(const std::string& id) {
  std::string out;
  for (const char c : id) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-';
    if (plain)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (out.empty() || out.back() != '_')
      out += '_';
  }
  return out + ".json";
}

std::string Path(const std::string& id, Time released) {
  return FormatDay(released).substr(0, 4) + "/" + FileName(id);
}

Json Tracking(const std::string& id, const std::vector<Revision>& history) {
  Json revisions = Json::array();
  for (const Revision& revision : history)
    revisions.push_back({{"date", FormatTime(revision.date)},
                         {"number", std::to_string(revisions.size() + 1)},
                         {"summary", revision.summary}});
  return {{"current_release_date", FormatTime(history.back().date)},
          {"id", id},
          {"initial_release_date", FormatTime(history.front().date)},
          {"revision_history", revisions},
          {"status", "final"},
          {"version", std::to_string(history.size())}};
}

struct Head {
  const char* category;
  std::string id;
  std::string title;
  Json notes;
};

Json Document(const Head& head, const std::vector<Revision>& history,
              const Publisher& publisher) {
  const std::string self =
      CsafUrl(publisher, Path(head.id, history.front().date));
  return {
      {"category", head.category},
      {"csaf_version", "2.0"},
      {"distribution",
       {{"text", "May be passed on without restriction."},
        {"tlp", {{"label", "WHITE"}, {"url", "https://www.first.org/tlp/"}}}}},
      {"lang", "en"},
      {"notes", head.notes},
      {"publisher",
       {{"category", "vendor"},
        {"contact_details", publisher.contact},
        {"name", publisher.name},
        {"namespace", publisher.namespace_url}}},
      {"references", Json::array({{{"category", "self"},
                                   {"summary", "This document"},
                                   {"url", self}}})},
      {"title", head.title},
      {"tracking", Tracking(head.id, history)}};
}

// Releases of a component, as a node of the product tree
Json Releases(const Component& component, const char* category,
              const std::string& name, const std::string& id) {
  // A range has no version: the name of the package alone
  const bool release = std::string(category) == "product_version";
  const std::string purl = component.purl + (release ? "@" + name : "");
  const Json product = {{"name", component.title + " " + name},
                        {"product_id", id},
                        {"product_identification_helper", {{"purl", purl}}}};
  return {{"category", category}, {"name", name}, {"product", product}};
}

std::string RangeName(const Affected& range) {
  std::string name = "vers:generic/>=" + ToString(range.introduced);
  if (range.fixed) name += "|<" + ToString(*range.fixed);
  return name;
}

std::string AffectedId(const Affected& range) {
  return range.component + "/" + RangeName(range).substr(13);
}

std::string FixedId(const Affected& range) {
  return range.component + "/" + ToString(*range.fixed);
}

std::string AnyId(const Component& component) { return component.name + "/*"; }

Json Tree(const Publisher& publisher, Json products) {
  return {{"branches", Json::array({{{"category", "vendor"},
                                     {"name", publisher.name},
                                     {"branches", std::move(products)}}})}};
}

Json Product(const Component& component, Json releases) {
  return {{"category", "product_name"},
          {"name", component.name},
          {"branches", std::move(releases)}};
}

// Every release of `component`, none of which is affected
Json AllOf(const Component& component) {
  return Releases(component, "product_version_range", "vers:generic/*",
                  AnyId(component));
}

bool IsIn(const Advisory& advisory, const Component& component) {
  return std::any_of(advisory.affected.begin(), advisory.affected.end(),
                     [&component](const Affected& range) {
                       return range.component == component.name;
                     });
}

Json AdvisoryTree(const Advisory& advisory, const Publisher& publisher) {
  Json products = Json::array();
  for (const Component& component : publisher.components) {
    Json releases = Json::array();
    for (const Affected& range : advisory.affected) {
      if (range.component != component.name) continue;
      releases.push_back(Releases(component, "product_version_range",
                                  RangeName(range), AffectedId(range)));
      if (range.fixed)
        releases.push_back(Releases(component, "product_version",
                                    ToString(*range.fixed), FixedId(range)));
    }
    if (releases.empty()) releases.push_back(AllOf(component));
    products.push_back(Product(component, std::move(releases)));
  }
  return Tree(publisher, std::move(products));
}

struct Products {
  Json affected = Json::array();
  Json fixed = Json::array();
  Json untouched = Json::array();  // components that the defect is not in
};

Products ProductsOf(const Advisory& advisory, const Publisher& publisher) {
  Products out;
  for (const Affected& range : advisory.affected) {
    out.affected.push_back(AffectedId(range));
    if (range.fixed) out.fixed.push_back(FixedId(range));
  }
  for (const Component& component : publisher.components)
    if (!IsIn(advisory, component)) out.untouched.push_back(AnyId(component));
  return out;
}

// "Upgrade siw-dkms to 0.1.4 or later before 0.2.0, or to 0.2.1 or later.": the
// releases that are not affected, from the end of `from` on
std::string Remedy(const Advisory& advisory, const Affected& from) {
  std::vector<Affected> ranges;
  for (const Affected& range : advisory.affected)
    if (range.component == from.component &&
        range.introduced >= from.introduced)
      ranges.push_back(range);
  std::sort(ranges.begin(), ranges.end(),
            [](const Affected& a, const Affected& b) {
              return a.introduced < b.introduced;
            });
  std::string out = "Upgrade " + from.component;
  for (size_t at = 0; at < ranges.size() && ranges[at].fixed; ++at) {
    out += (at == 0 ? " to " : ", or to ") + ToString(*ranges[at].fixed) +
           " or later";
    if (at + 1 < ranges.size())
      out += " before " + ToString(ranges[at + 1].introduced);
  }
  return out + ".";
}

Json Remediations(const Advisory& advisory) {
  Json out = Json::array();
  for (const Affected& range : advisory.affected)
    out.push_back(
        range.fixed ? Json{{"category", "vendor_fix"},
                           {"details", Remedy(advisory, range)},
                           {"product_ids", Json::array({AffectedId(range)})}}
                    : Json{{"category", "none_available"},
                           {"details", "There is no fix yet."},
                           {"product_ids", Json::array({AffectedId(range)})}});
  return out;
}

// No remediation, no score: nothing is affected.
void SetWithdrawn(const Advisory& advisory, Products products, Json* out) {
  for (const Json* more : {&products.affected, &products.fixed})
    products.untouched.insert(products.untouched.end(), more->begin(),
                              more->end());
  (*out)["product_status"] = {{"known_not_affected", products.untouched}};
  (*out)["threats"] =
      Json::array({{{"category", "impact"},
                    {"details", "Withdrawn: " + advisory.withdrawn},
                    {"product_ids", products.untouched}}});
}

void SetStatus(const Advisory& advisory, const Products& products, Json* out) {
  Json status = {{"known_affected", products.affected}};
  if (!products.fixed.empty()) status["fixed"] = products.fixed;
  Json threats = Json::array({{{"category", "impact"},
                               {"details", advisory.impact},
                               {"product_ids", products.affected}}});
  if (advisory.exploited())
    threats.push_back({{"category", "exploit_status"},
                       {"details", "It is known to be exploited."},
                       {"product_ids", products.affected}});
  if (!products.untouched.empty()) {
    status["known_not_affected"] = products.untouched;
    (*out)["flags"] = Json::array({{{"label", "vulnerable_code_not_present"},
                                    {"product_ids", products.untouched}}});
  }
  (*out)["product_status"] = status;
  (*out)["threats"] = threats;
  Json remediations = Remediations(advisory);
  if (!advisory.workaround.empty())
    remediations.push_back({{"category", "workaround"},
                            {"details", advisory.workaround},
                            {"product_ids", products.affected}});
  (*out)["remediations"] = remediations;
  std::string severity = Rating(advisory.cvss.score);
  for (char& c : severity) c = static_cast<char>(std::toupper(c));
  (*out)["scores"] = Json::array({{{"cvss_v3",
                                    {{"version", "3.1"},
                                     {"vectorString", advisory.cvss.vector},
                                     {"baseScore", advisory.cvss.score},
                                     {"baseSeverity", severity}}},
                                   {"products", products.affected}}});
}

void SetPeople(const Advisory& advisory, Json* out) {
  for (const Credit& credit : advisory.credits)
    (*out)["acknowledgments"].push_back(
        {{"names", Json::array({credit.name})},
         {"summary", credit.role == "finder" ? "found it" : "coordinated"}});
  for (const Reference& reference : advisory.references)
    (*out)["references"].push_back({{"category", "external"},
                                    {"summary", reference.summary},
                                    {"url", reference.url}});
}

std::string Tests(const std::vector<std::string>& tests) {
  std::string out;
  for (const std::string& test : tests) out += (out.empty() ? "" : "\n") + test;
  return out;
}

Json Vulnerability(const Advisory& advisory, const Publisher& publisher) {
  Json out;
  if (!advisory.cve.empty()) out["cve"] = advisory.cve;
  out["cwe"] = {{"id", advisory.cwe_id}, {"name", advisory.cwe_name}};
  out["ids"] =
      Json::array({{{"system_name", publisher.name}, {"text", advisory.id}}});
  out["notes"] =
      Json::array({Note("description", "Description", advisory.description)});
  if (!advisory.tests.empty())
    out["notes"].push_back(
        Note("details", "Regression tests", Tests(advisory.tests)));
  out["title"] = advisory.title;
  const Products products = ProductsOf(advisory, publisher);
  if (advisory.withdrawn.empty())
    SetStatus(advisory, products, &out);
  else
    SetWithdrawn(advisory, products, &out);
  SetPeople(advisory, &out);
  return out;
}

Json Make(const Advisory& advisory, const Publisher& publisher,
          const char* category, const std::string& id) {
  Json notes = Json::array({Note("summary", "Summary", advisory.summary)});
  if (!advisory.withdrawn.empty())
    notes.push_back(Note("general", "Withdrawn", advisory.withdrawn));
  Json document = Document(
      {category, id,
       (advisory.withdrawn.empty() ? "" : "Withdrawn: ") + advisory.title,
       std::move(notes)},
      advisory.history, publisher);
  document["aggregate_severity"] = {{"text", advisory.severity}};
  return {
      {"document", document},
      {"product_tree", AdvisoryTree(advisory, publisher)},
      {"vulnerabilities", Json::array({Vulnerability(advisory, publisher)})}};
}

}  // namespace

Json CsafAdvisory(const Advisory& advisory, const Publisher& publisher) {
  return Make(advisory, publisher, "csaf_security_advisory", advisory.id);
}

Json CsafVex(const Advisory& advisory, const Publisher& publisher) {
  return Make(advisory, publisher, "csaf_vex", advisory.id + "-VEX");
}

Json CsafVex(const Statement& statement, const Publisher& publisher) {
  Json products = Json::array();
  Json ids = Json::array();
  for (const Component& component : publisher.components) {
    products.push_back(Product(component, Json::array({AllOf(component)})));
    ids.push_back(AnyId(component));
  }
  Json vulnerability = {
      {"cve", statement.cve},
      {"notes",
       Json::array({Note("description", "Description", statement.title)})},
      {"title", statement.title}};
  if (statement.status == "not_affected") {
    vulnerability["product_status"] = {{"known_not_affected", ids}};
    vulnerability["flags"] = Json::array(
        {{{"label", statement.justification}, {"product_ids", ids}}});
    vulnerability["threats"] = Json::array({{{"category", "impact"},
                                             {"details", statement.reason},
                                             {"product_ids", ids}}});
    vulnerability["notes"].push_back(
        Note("details", "Regression tests", Tests(statement.tests)));
  } else {
    vulnerability["product_status"] = {{"under_investigation", ids}};
    vulnerability["notes"].push_back(
        Note("details", "State of the investigation", statement.reason));
  }
  return {
      {"document",
       Document({"csaf_vex", "SIW-VEX-" + statement.cve,
                 statement.cve + ": " + statement.title,
                 Json::array({Note("summary", "Summary", statement.reason)})},
                statement.history, publisher)},
      {"product_tree", Tree(publisher, std::move(products))},
      {"vulnerabilities", Json::array({vulnerability})}};
}

std::string CsafPath(const Json& document) {
  const Json& tracking = document["document"]["tracking"];
  return Path(tracking["id"], *ParseTime(tracking["initial_release_date"]));
}

std::string CsafUrl(const Publisher& publisher, const std::string& path) {
  return publisher.base_url + ".well-known/csaf/white/" + path;
}

}  // namespace siw::advisory
