// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/advisories.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/siw/status/facts.h"

namespace siw {
namespace {

using Json = nlohmann::json;

// find() of what is no object finds nothing.
std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

// Not a copy: to copy a value is to go down into it, and that may be as deep as
// the file is long.
const Json& Member(const Json& json, const char* key) {
  static const Json kNothing;
  const auto found = json.find(key);
  return found == json.end() ? kNothing : *found;
}

// {"introduced": "0.1.0"} begins a range, {"fixed": "0.1.4"} ends it.
bool ReadEvents(const Json& events, const std::string& component,
                KnownAdvisory* out) {
  bool open = false;
  for (const Json& event : events) {
    const std::string introduced = Text(event, "introduced");
    const std::string fixed = Text(event, "fixed");
    const auto version =
        advisory::ParseVersion(introduced.empty() ? fixed : introduced);
    if (!version || introduced.empty() == fixed.empty()) return false;
    // A line without a fix may be followed by the next one.
    if (introduced.empty() && !open) return false;
    // Nothing would be affected, and nobody would know why.
    if (introduced.empty() && *version <= out->affected.back().introduced)
      return false;
    if (fixed.empty())
      out->affected.push_back({component, *version, std::nullopt});
    else
      out->affected.back().fixed = *version;
    open = fixed.empty();
  }
  return events.is_array() && !events.empty();
}

// Why it cannot be read, or nothing
std::string ReadOne(const std::string& text, KnownAdvisory* out) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return "no JSON";
  out->id = Text(json, "id");
  out->title = Text(json, "summary");
  // What is not registered as a prefix of OSV begins with it.
  if (out->id.compare(0, 2, "x_") == 0) out->id.erase(0, 2);
  if (out->id.empty()) return "it has no id";
  out->severity = Text(Member(json, "database_specific"), "severity");
  out->modified = Text(json, "modified");
  out->withdrawn = Text(json, "withdrawn");
  if (!out->withdrawn.empty()) return "";
  for (const Json& affected : Member(json, "affected")) {
    const std::string component =
        Text(Member(affected, "database_specific"), "component");
    const Json& ranges = Member(affected, "ranges");
    const bool ours =
        !component.empty() && !ranges.empty() &&
        std::all_of(ranges.begin(), ranges.end(), [&](const Json& range) {
          return Text(range, "type") == "SEMVER" &&
                 ReadEvents(Member(range, "events"), component, out);
        });
    if (!ours) return "its versions are not those of our packages";
  }
  return out->affected.empty() ? "it names no version" : "";
}

bool IsJson(const std::string& name) {
  return name.size() > 5 && name.compare(name.size() - 5, 5, ".json") == 0;
}

// The number of documents that were read
size_t ReadDirectory(const Host& host, const std::string& directory,
                     std::map<std::string, KnownAdvisory>* known,
                     std::vector<UnreadAdvisory>* unread) {
  const auto names = host.Names(directory);
  if (!names) unread->push_back({directory, names.error().message});
  size_t count = 0;
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (!IsJson(name)) continue;
    KnownAdvisory advisory;
    advisory.file = directory + "/" + name;
    const Result<std::string> text = host.Read(advisory.file);
    const std::string why =
        text ? ReadOne(*text, &advisory) : text.error().message;
    if (!why.empty()) {
      unread->push_back({directory, name + ": " + why});
      continue;
    }
    ++count;
    const auto [at, is_new] = known->try_emplace(advisory.id, advisory);
    if (!is_new && advisory.modified >= at->second.modified)
      at->second = std::move(advisory);
  }
  return count;
}

}  // namespace

AdvisoryFacts ReadAdvisories(const Host& host) {
  AdvisoryFacts facts;
  std::map<std::string, KnownAdvisory> known;
  facts.has_shipped = host.Exists(kShipped);
  facts.shipped = ReadDirectory(host, kShipped, &known, &facts.unread);
  facts.added = ReadDirectory(host, kAdvisories, &known, &facts.unread);
  for (auto& [id, advisory] : known) facts.known.push_back(std::move(advisory));
  return facts;
}

std::vector<Part> Parts(const Facts& facts) {
  const ModuleFacts& module = facts.module;
  const auto package = [&facts](const std::string& name) {
    const auto found = facts.packages.find(name);
    return found == facts.packages.end() ? "" : found->second;
  };
  std::vector<Part> parts;
  const auto add = [&parts](std::string component, std::string version,
                            std::string_view how) {
    if (!version.empty())
      parts.push_back({std::move(component), std::move(version), how});
  };
  add("siw-dkms",
      module.dkms_version.empty() ? package("siw-dkms") : module.dkms_version,
      "installed");
  // One that tells no version is none of ours.
  if (module.loaded && module.out_of_tree)
    parts.push_back({"siw-dkms", module.version, "loaded"});
  add("siw", facts.command, "installed");
  add("siw-provider", package("siw-provider"), "installed");
  return parts;
}

std::string UpgradeCommand(const Facts& facts, const Part& part) {
  const std::string_view packages =
      part.component == "siw-provider" ? "siw-provider" : facts.packager->ours;
  return std::string(facts.packager->upgrade) + " " + std::string(packages);
}

bool Affects(const KnownAdvisory& known, const Part& part) {
  const auto installed = advisory::ParseInstalled(part.version);
  return installed &&
         std::any_of(known.affected.begin(), known.affected.end(),
                     [&](const AffectedRange& range) {
                       return range.component == part.component &&
                              advisory::IsWithin(*installed, range.introduced,
                                                 range.fixed);
                     });
}

}  // namespace siw
