// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/siw/output.h"

namespace siw {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostConnections = 10;

Json OrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

std::string Who(const RdmaCmId& id) {
  if (!id.owner.empty()) return fmt::format("kernel {}", Printable(id.owner));
  return id.pid ? fmt::format("pid {}", *id.pid) : "";
}

std::string FindingText(const Finding& finding) {
  return fmt::format("  {:<8}{}: {}\n          {}: {}\n          next: {}\n",
                     SeverityName(finding.severity), finding.entry->id,
                     finding.entry->title, Printable(finding.object),
                     Printable(finding.evidence), Printable(finding.next));
}

std::string FindingsText(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) out += FindingText(finding);
  return out.empty() ? "  nothing wrong was found\n" : out;
}

Json FindingsJson(const std::vector<Finding>& findings) {
  Json found = Json::array();
  for (const Finding& finding : findings) {
    found.push_back({{"id", finding.entry->id},
                     {"severity", SeverityName(finding.severity)},
                     {"title", finding.entry->title},
                     {"object", finding.object},
                     {"evidence", finding.evidence},
                     {"next", finding.next}});
  }
  return found;
}

// The worst of what was found, or "ok".
std::string_view Verdict(const Check& check) {
  if (check.findings.empty()) return "ok";
  Severity worst = Severity::kInfo;
  for (const Finding& finding : check.findings)
    worst = std::max(worst, finding.severity);
  return SeverityName(worst);
}

std::string ModuleText(const ModuleFacts& module) {
  if (module.loaded) {
    return fmt::format(
        "loaded, {}{}",
        module.out_of_tree ? "not the kernel's own" : "the kernel's own",
        module.version.empty() ? "" : " " + module.version);
  }
  return module.available.empty() ? "none for this kernel"
                                  : "not loaded, " + module.available;
}

std::string LinkText(const Link& link) {
  std::string out =
      fmt::format("  {:<10}{} on {}", Printable(link.name), link.state,
                  link.netdev.empty() ? "nothing" : Printable(link.netdev));
  if (link.qps) out += fmt::format(", {} queue pairs", *link.qps);
  out += "\n";
  size_t shown = 0;
  for (const RdmaCmId& id : link.connections) {
    if (++shown > kMostConnections) break;
    out += fmt::format("    {:<12} {} -> {}{} {}\n", id.state, id.source,
                       id.destination,
                       id.qp ? fmt::format(" QP {}", *id.qp) : "", Who(id));
  }
  if (link.connections.size() > kMostConnections)
    out += fmt::format("    and {} more\n",
                       link.connections.size() - kMostConnections);
  return out;
}

Json LinkJson(const Link& link) {
  Json connections = Json::array();
  for (const RdmaCmId& id : link.connections) {
    connections.push_back({{"state", id.state},
                           {"qp", id.qp ? Json(*id.qp) : Json(nullptr)},
                           {"pid", id.pid ? Json(*id.pid) : Json(nullptr)},
                           {"kernel", OrNull(id.owner)},
                           {"source", id.source},
                           {"destination", id.destination}});
  }
  return {{"name", link.name},
          {"netdev", OrNull(link.netdev)},
          {"state", link.state},
          {"driver_is_ours", link.ours},
          {"uverbs", link.uverbs},
          {"queue_pairs", link.qps ? Json(*link.qps) : Json(nullptr)},
          {"connections", connections},
          {"counters", link.counters}};
}

}  // namespace

std::string StatusText(const Facts& facts,
                       const std::vector<Finding>& findings) {
  std::string out = FindingsText(findings);
  out += fmt::format("kernel    {}\nmodule    {}\n", facts.kernel,
                     ModuleText(facts.module));
  std::string packages;
  for (const auto& [name, version] : facts.packages)
    packages +=
        fmt::format("{}{} {}", packages.empty() ? "" : ", ", name, version);
  out += fmt::format("packages  {}\n", packages.empty() ? "none" : packages);
  out += fmt::format("provider  {}\n",
                     facts.provider.empty() ? "none" : facts.provider);
  out +=
      fmt::format("memlock   {}\n",
                  facts.memlock ? fmt::format("{} KiB", *facts.memlock / 1024)
                                : "without limit");
  out += fmt::format("links     {}\n", facts.links.size());
  for (const Link& link : facts.links) out += LinkText(link);
  return out;
}

std::string StatusJson(const Facts& facts,
                       const std::vector<Finding>& findings) {
  Json links = Json::array();
  for (const Link& link : facts.links) links.push_back(LinkJson(link));
  Json configured = Json::array();
  for (const ConfiguredLink& link : facts.configured)
    configured.push_back({{"name", link.name}, {"netdev", link.netdev}});
  const ModuleFacts& module = facts.module;
  const auto limit = facts.memlock ? Json(*facts.memlock) : Json(nullptr);
  return Dump({{"schema", kJsonSchema},
               {"findings", FindingsJson(findings)},
               {"kernel", facts.kernel},
               {"module",
                {{"loaded", module.loaded},
                 {"out_of_tree", module.out_of_tree},
                 {"version", OrNull(module.version)},
                 {"file", OrNull(module.available)},
                 {"headers", module.headers},
                 {"dkms_version", OrNull(module.dkms_version)},
                 {"dkms_built", module.dkms_built}}},
               {"secure_boot", facts.trust.secure_boot},
               {"lockdown", OrNull(facts.trust.lockdown)},
               {"packages", facts.packages},
               {"provider", OrNull(facts.provider)},
               {"memlock", limit},
               {"configured", configured},
               {"links", links}});
}

std::string DoctorText(const std::vector<Check>& checks) {
  std::string out = FindingsText(Judge(checks));
  for (const Check& check : checks)
    out += fmt::format("{:<10}{}: {}\n", Verdict(check), check.what,
                       Printable(check.seen));
  return out;
}

std::string DoctorJson(const std::string& level,
                       const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"what", check.what},
                    {"verdict", Verdict(check)},
                    {"seen", check.seen},
                    {"findings", FindingsJson(check.findings)}});
  }
  return Dump({{"schema", kJsonSchema},
               {"level", level},
               {"findings", FindingsJson(Judge(checks))},
               {"checks", list}});
}

}  // namespace siw
