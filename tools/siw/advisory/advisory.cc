// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/advisory/advisory.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace siw {
namespace {

using Json = nlohmann::ordered_json;

std::string HeadText(const KnownAdvisory& advisory) {
  return fmt::format("{}  {:<8}  {}{}\n", Printable(advisory.id),
                     Printable(advisory.severity),
                     advisory.withdrawn.empty() ? "" : "Withdrawn: ",
                     Printable(advisory.title));
}

std::string RangeText(const AffectedRange& range) {
  return fmt::format(
      "{} from {} on, {}", Printable(range.component),
      advisory::ToString(range.introduced),
      range.fixed ? "fixed in " + advisory::ToString(*range.fixed) : "no fix");
}

// What the rest of the output was made from
std::string SourcesText(const AdvisoryFacts& facts) {
  std::string out = fmt::format(
      "{} in {}, {} in {}\n", facts.added, kAdvisories,
      facts.has_shipped ? std::to_string(facts.shipped) : "no directory",
      kShipped);
  for (const UnreadAdvisory& unread : facts.unread)
    out += fmt::format("unread: {}: {}\n", unread.directory,
                       Printable(unread.why));
  return out;
}

Json SourcesJson(const AdvisoryFacts& facts) {
  Json unread = Json::array();
  for (const UnreadAdvisory& advisory : facts.unread)
    unread.push_back(
        {{"directory", advisory.directory}, {"why", advisory.why}});
  return {{"shipped", facts.has_shipped ? Json(facts.shipped) : Json(nullptr)},
          {"added", facts.added},
          {"unread", unread}};
}

Json RangeJson(const AffectedRange& range) {
  return {{"component", range.component},
          {"introduced", advisory::ToString(range.introduced)},
          {"fixed", range.fixed ? Json(advisory::ToString(*range.fixed))
                                : Json(nullptr)}};
}

bool IsKernels(const ModuleFacts& module) {
  return module.loaded && !module.out_of_tree;
}

std::string_view VerdictName(const PartVerdict& verdict) {
  if (!verdict.affected_by) return "unknown";
  return verdict.affected_by->empty() ? "not affected" : "affected";
}

std::string VerdictText(const PartVerdict& verdict) {
  const Part& part = verdict.part;
  std::string out = fmt::format(
      "{} {}, {}: ", part.component,
      part.version.empty() ? "without a version" : Printable(part.version),
      part.how);
  if (!verdict.affected_by) return out + "no version of ours\n";
  if (verdict.affected_by->empty()) return out + "not affected\n";
  out += "affected by\n";
  for (const KnownAdvisory* advisory : *verdict.affected_by) {
    out += "  " + HeadText(*advisory);
    for (const AffectedRange& range : advisory->affected) {
      if (range.component == part.component)
        out += "    " + RangeText(range) + "\n";
    }
  }
  return out + "  next: " + verdict.next + "\n";
}

bool AllWasRead(const AdvisoryFacts& facts) {
  return facts.has_shipped && facts.unread.empty();
}

}  // namespace

std::vector<PartVerdict> CheckParts(const Facts& facts) {
  std::vector<PartVerdict> verdicts;
  for (const Part& part : Parts(facts)) {
    PartVerdict verdict = {part, std::nullopt, ""};
    if (advisory::ParseInstalled(part.version)) {
      verdict.affected_by.emplace();
      for (const KnownAdvisory& known : facts.advisories.known) {
        if (Affects(known, part)) verdict.affected_by->push_back(&known);
      }
      if (!verdict.affected_by->empty())
        verdict.next = UpgradeCommand(facts, part);
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

ExitCode CheckExit(const AdvisoryFacts& facts,
                   const std::vector<PartVerdict>& verdicts) {
  bool known = AllWasRead(facts);
  for (const PartVerdict& verdict : verdicts) {
    if (!verdict.affected_by)
      known = false;
    else if (!verdict.affected_by->empty())
      return kExitFound;
  }
  return known ? kExitGood : kExitBlind;
}

std::string CheckText(const Facts& facts,
                      const std::vector<PartVerdict>& verdicts) {
  std::string out;
  for (const PartVerdict& verdict : verdicts) out += VerdictText(verdict);
  if (IsKernels(facts.module))
    out +=
        "the module that is loaded is the kernel's own: so are its "
        "advisories\n";
  return out + "advisories: " + SourcesText(facts.advisories);
}

std::string CheckJson(const Facts& facts,
                      const std::vector<PartVerdict>& verdicts) {
  Json parts = Json::array();
  for (const PartVerdict& verdict : verdicts) {
    Json ids = Json::array();
    if (verdict.affected_by) {
      for (const KnownAdvisory* advisory : *verdict.affected_by)
        ids.push_back(advisory->id);
    }
    parts.push_back(
        {{"component", verdict.part.component},
         {"version", verdict.part.version},
         {"how", verdict.part.how},
         {"verdict", VerdictName(verdict)},
         {"affected_by", ids},
         {"next", verdict.next.empty() ? Json(nullptr) : Json(verdict.next)}});
  }
  return Dump({{"schema", kJsonSchema},
               {"parts", parts},
               {"module_is_the_kernels", IsKernels(facts.module)},
               {"sources", SourcesJson(facts.advisories)}});
}

ExitCode ListExit(const AdvisoryFacts& facts) {
  return AllWasRead(facts) ? kExitGood : kExitBlind;
}

std::string ListText(const AdvisoryFacts& facts) {
  std::string out;
  for (const KnownAdvisory& advisory : facts.known) {
    out += HeadText(advisory);
    for (const AffectedRange& range : advisory.affected)
      out += "  " + RangeText(range) + "\n";
  }
  return out + "advisories: " + SourcesText(facts);
}

std::string ListJson(const AdvisoryFacts& facts) {
  Json advisories = Json::array();
  for (const KnownAdvisory& advisory : facts.known) {
    Json affected = Json::array();
    for (const AffectedRange& range : advisory.affected)
      affected.push_back(RangeJson(range));
    advisories.push_back(
        {{"id", advisory.id},
         {"title", advisory.title},
         {"severity", advisory.severity},
         {"modified", advisory.modified},
         {"withdrawn", advisory.withdrawn.empty() ? Json(nullptr)
                                                  : Json(advisory.withdrawn)},
         {"file", advisory.file},
         {"affected", affected}});
  }
  return Dump({{"schema", kJsonSchema},
               {"advisories", advisories},
               {"sources", SourcesJson(facts)}});
}

}  // namespace siw
