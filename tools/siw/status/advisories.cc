// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/advisories.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace siw {
namespace {

using Json = nlohmann::json;

// find() of what is no object finds nothing.
std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

Json Part(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? Json() : *found;
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
  if (out->id.empty()) return "it has no id";
  // What is not registered as a prefix of OSV begins with it.
  if (out->id.compare(0, 2, "x_") == 0) out->id.erase(0, 2);
  if (!Text(json, "withdrawn").empty()) return "";
  for (const Json& affected : Part(json, "affected")) {
    const std::string component =
        Text(Part(affected, "database_specific"), "component");
    for (const Json& range : Part(affected, "ranges")) {
      if (component.empty() || Text(range, "type") != "SEMVER" ||
          !ReadEvents(Part(range, "events"), component, out))
        return "its versions are not those of our packages";
    }
  }
  return out->affected.empty() ? "it names no version" : "";
}

bool IsJson(const std::string& name) {
  return name.size() > 5 && name.compare(name.size() - 5, 5, ".json") == 0;
}

}  // namespace

AdvisoryFacts ReadAdvisories(const Host& host) {
  AdvisoryFacts facts;
  for (const std::string& name : host.List(kAdvisories)) {
    if (!IsJson(name)) continue;
    KnownAdvisory advisory;
    const Result<std::string> text =
        host.Read(std::string(kAdvisories) + "/" + name);
    const std::string why =
        text ? ReadOne(*text, &advisory) : text.error().message;
    if (why.empty())
      facts.known.push_back(std::move(advisory));
    else
      facts.unread.push_back(name + ": " + why);
  }
  return facts;
}

bool Affects(const KnownAdvisory& known, const std::string& component,
             const std::string& version) {
  const auto installed = advisory::ParseInstalled(version);
  return installed &&
         std::any_of(known.affected.begin(), known.affected.end(),
                     [&](const AffectedRange& range) {
                       return range.component == component &&
                              advisory::IsWithin(*installed, range.introduced,
                                                 range.fixed);
                     });
}

}  // namespace siw
