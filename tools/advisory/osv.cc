#include "tools/advisory/osv.h"

#include <string>

#include "tools/advisory/csaf.h"

namespace siw::advisory {
namespace {

Json Events(const Advisory& advisory, const Component& component) {
  Json out = Json::array();
  for (const Affected& range : advisory.affected) {
    if (range.component != component.name) continue;
    out.push_back({{"introduced", ToString(range.introduced)}});
    if (range.fixed) out.push_back({{"fixed", ToString(*range.fixed)}});
  }
  return out;
}

Json AffectedOf(const Advisory& advisory, const Publisher& publisher) {
  Json out = Json::array();
  for (const Component& component : publisher.components) {
    const Json events = Events(advisory, component);
    if (events.empty()) continue;
    out.push_back(
        {{"ranges", Json::array({{{"type", "SEMVER"}, {"events", events}}})},
         {"database_specific",
          {{"component", component.name}, {"purl", component.purl}}}});
  }
  return out;
}

}  // namespace

Json Osv(const Advisory& advisory, const Publisher& publisher) {
  Json out = {{"schema_version", "1.7.0"},
              {"id", "x_" + advisory.id},
              {"published", FormatTime(advisory.history.front().date)},
              {"modified", FormatTime(advisory.history.back().date)}};
  if (!advisory.withdrawn.empty())
    out["withdrawn"] = FormatTime(advisory.history.back().date);
  if (!advisory.cve.empty()) out["aliases"] = Json::array({advisory.cve});
  out["summary"] = advisory.title;
  out["details"] = advisory.description + "\n\n" + advisory.impact;
  out["severity"] =
      Json::array({{{"type", "CVSS_V3"}, {"score", advisory.cvss.vector}}});
  out["affected"] = AffectedOf(advisory, publisher);
  const std::string csaf =
      CsafUrl(publisher, CsafPath(CsafAdvisory(advisory, publisher)));
  out["references"] = Json::array({{{"type", "ADVISORY"}, {"url", csaf}}});
  for (const Reference& reference : advisory.references)
    out["references"].push_back({{"type", "WEB"}, {"url", reference.url}});
  for (const Credit& credit : advisory.credits)
    out["credits"].push_back(
        {{"name", credit.name},
         {"type", credit.role == "finder" ? "FINDER" : "COORDINATOR"}});
  out["database_specific"] = {{"severity", advisory.severity},
                              {"cwe_ids", Json::array({advisory.cwe_id})}};
  return out;
}

}  // namespace siw::advisory
