// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tools/common/errno_name.h"
#include "tools/siw/explain/program_line.h"
#include "tools/siw/output.h"

namespace siw {
namespace {

constexpr size_t kMostSimilar = 5;
// More than this many whole texts do not help: the rest is listed.
constexpr size_t kMostWhole = 2;

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return upper;
}

bool Has(Strings list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view item) {
    return Upper(item) == Upper(text);
  });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  while (!text.empty() &&
         std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  return text;
}

// "0/1/0", "1/1/0x00" and "1/1/00" are one code; empty if it is none.
std::string Code(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  unsigned long part[3];
  const char* at = copy.c_str();
  for (int i = 0; i < 3; ++i) {
    if (!std::isxdigit(static_cast<unsigned char>(*at))) return "";
    part[i] = std::strtoul(at, &end, i == 2 ? 16 : 10);
    if (*end != (i == 2 ? '\0' : '/')) return "";
    at = end + 1;
  }
  if (part[0] > 15 || part[1] > 15 || part[2] > 255) return "";
  return fmt::format("{}/{}/{:02x}", part[0], part[1], part[2]);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : Upper(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word += c;
    } else if (!word.empty()) {
      if (word.size() > 2) words.push_back(word);
      word.clear();
    }
  }
  return words;
}

// Words that are in any text and say nothing of it.
constexpr std::array<std::string_view, 20> kFillers = {
    "AND",  "ARE", "BUT",  "CAN", "CANNOT", "DOES", "FOR",
    "FROM", "HAS", "HAVE", "ITS", "NOT",    "OUT",  "SIW",
    "THAT", "THE", "THIS", "WAS", "WITH",   "LINE"};

// Words of an entry: those of its title and texts count twice, and of its
// example what is called.
std::map<std::string, double> WordsOf(const CatalogueEntry& entry) {
  std::map<std::string, double> words;
  for (std::string& word : Words(entry.cause)) words[std::move(word)] = 1;
  std::string more = fmt::format("{} {}", entry.id, entry.title);
  for (const std::string_view text : entry.texts)
    more += fmt::format(" {}", text);
  for (const std::string_view name : entry.names)
    more += fmt::format(" {}", name);
  for (std::string& word : Words(more)) words[std::move(word)] = 2;
  for (std::string& word : Words(entry.example)) {
    if (word.find('_') != std::string::npos) words[std::move(word)] = 2;
  }
  for (const std::string_view filler : kFillers)
    words.erase(std::string(filler));
  return words;
}

// How much each entry shares with `text`; a word counts the more, the fewer
// entries have it. Those that share nothing are left out.
std::vector<std::pair<double, const CatalogueEntry*>> Scores(
    CatalogueView catalogue, std::string_view text) {
  std::map<std::string, size_t> spread;
  std::vector<std::map<std::string, double>> words;
  for (const CatalogueEntry& entry : catalogue) {
    words.push_back(WordsOf(entry));
    for (const auto& [word, weight] : words.back()) ++spread[word];
  }
  const std::vector<std::string> wanted = Words(text);
  const std::set<std::string> distinct(wanted.begin(), wanted.end());

  std::vector<std::pair<double, const CatalogueEntry*>> scored;
  for (size_t i = 0; i < catalogue.size(); ++i) {
    double score = 0;
    for (const std::string& word : distinct) {
      const auto found = words[i].find(word);
      if (found == words[i].end()) continue;
      score += found->second * std::log(static_cast<double>(catalogue.size()) /
                                        static_cast<double>(spread[word]));
    }
    if (score > 0) scored.emplace_back(score, &catalogue[i]);
  }
  std::stable_sort(
      scored.begin(), scored.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  return scored;
}

std::vector<const CatalogueEntry*> Similar(CatalogueView catalogue,
                                           std::string_view text) {
  std::vector<const CatalogueEntry*> similar;
  for (const auto& [score, entry] : Scores(catalogue, text)) {
    if (similar.size() < kMostSimilar) similar.push_back(entry);
  }
  return similar;
}

// Those that share most with the line come first.
void AddProgram(CatalogueView catalogue, std::string_view line,
                Explanation* explanation) {
  std::map<const CatalogueEntry*, double> scores;
  for (const auto& [score, entry] : Scores(catalogue, line))
    scores[entry] = score;
  std::vector<const CatalogueEntry*> entries = ReadProgramLine(catalogue, line);
  std::stable_sort(
      entries.begin(), entries.end(),
      [&](const auto* a, const auto* b) { return scores[a] > scores[b]; });
  for (const CatalogueEntry* entry : entries)
    explanation->matches.push_back({entry, {}});
}

void AddTerm(CatalogueView catalogue, std::string_view code,
             Explanation* explanation) {
  for (const CatalogueEntry& entry : catalogue) {
    if (entry.term == code) explanation->matches.push_back({&entry, {}});
  }
}

void AddErrno(CatalogueView catalogue, int number, Explanation* explanation) {
  const std::string name = ErrnoName(number);
  for (const CatalogueEntry& entry : catalogue) {
    if (Has(entry.errnos, name)) explanation->matches.push_back({&entry, {}});
  }
}

// The device alone may be in a line of anything.
bool SaysMore(const ForeignLine& foreign) {
  return foreign.inbox || !foreign.term.empty() ||
         std::any_of(foreign.fields.begin(), foreign.fields.end(),
                     [](const Field& field) { return field.name != "device"; });
}

void AddForeign(CatalogueView catalogue, std::string_view line,
                Explanation* explanation) {
  std::optional<ForeignLine> foreign = ReadForeignLine(line);
  if (!foreign || (foreign->fields.empty() && !SaysMore(*foreign))) return;
  if (!foreign->term.empty()) AddTerm(catalogue, foreign->term, explanation);
  for (const Field& field : foreign->fields) {
    if (field.name == "errno" && explanation->matches.empty())
      AddErrno(catalogue, std::atoi(field.value.c_str()), explanation);
  }
  explanation->foreign = std::move(foreign);
}

nlohmann::ordered_json Json(const LineMatch& match) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  for (const Field& field : match.fields) fields[field.name] = field.value;
  return {{"id", match.entry->id},
          {"title", match.entry->title},
          {"severity", SeverityName(match.entry->severity)},
          {"kind", match.entry->kind},
          {"fields", fields},
          {"in_box", match.inbox},
          {"cause", match.entry->cause},
          {"what_to_do", match.entry->action},
          {"how_to_confirm", match.entry->confirm}};
}

std::string FieldLine(const Fields& fields) {
  std::string out;
  for (const Field& field : fields)
    out += fmt::format("  {} {}\n", field.name, Printable(field.value));
  return out;
}

// With an entry, which is about the driver of this package.
constexpr std::string_view kOfInbox =
    "\nThis line is of the in-box driver, the siw that comes with the kernel,\n"
    "not of this package. The cause is the same; which completions, events\n"
    "and counters come of it is told of the driver of this package. To\n"
    "change to that one: `siw explain SIW-MOD-INBOX`\n";

std::string Whole(const LineMatch& match) {
  const CatalogueEntry& entry = *match.entry;
  return fmt::format(
      "{}: {}\n{}{}\nCause\n{}\n\nWhat to do\n{}\n\nHow to confirm\n{}\n",
      entry.id, entry.title, FieldLine(match.fields),
      match.inbox ? kOfInbox : "", Indented(entry.cause),
      Indented(entry.action), Indented(entry.confirm));
}

std::string ForeignHead(const ForeignLine& foreign) {
  std::string out;
  if (foreign.inbox) {
    out =
        "This line is in no entry. It begins like those of the in-box driver,\n"
        "the siw that comes with the kernel, and a few of the kernel about a\n"
        "module; those of the driver of this package begin with the device.\n";
  } else if (foreign.core) {
    out =
        "This line is in no entry. It begins as those of the RDMA core of the\n"
        "kernel do, with the device, whichever driver that has.\n";
  } else {
    out = "This line is in no entry: another driver, or another version.\n";
  }
  if (!foreign.fields.empty() || !foreign.term.empty())
    out += "What it says:\n";
  out += FieldLine(foreign.fields);
  if (!foreign.term.empty())
    out += fmt::format("  Terminate {}\n", foreign.term);
  return out;
}

constexpr std::string_view kForeignMore =
    "\nWhich siw is loaded, what it has, and what was said before and after:\n"
    "  modinfo -n siw\n"
    "  rdma link show\n"
    "  rdma statistic show\n"
    "  journalctl -k -b\n"
    "To change from the in-box driver to that of this package:\n"
    "  siw explain SIW-MOD-INBOX\n";

std::string Line(const CatalogueEntry& entry) {
  return fmt::format("  {:<24} {}\n", entry.id, entry.title);
}

}  // namespace

Explanation Explain(CatalogueView catalogue, std::string_view text) {
  text = Trim(text);
  Explanation explanation{std::string(text), {}, {}, {}};
  if (const CatalogueEntry* entry = FindId(catalogue, text)) {
    explanation.matches.push_back({entry, {}});
    return explanation;
  }
  if (std::optional<LineMatch> match = LineMatcher(catalogue).Match(text)) {
    explanation.matches.push_back(std::move(*match));
    return explanation;
  }
  for (const CatalogueEntry* entry : ReadTraceLine(catalogue, text))
    explanation.matches.push_back({entry, {}});
  const std::string code = Code(text);
  if (!code.empty()) AddTerm(catalogue, code, &explanation);
  for (const CatalogueEntry& entry : catalogue) {
    if (Has(entry.names, text) || Has(entry.counters, text))
      explanation.matches.push_back({&entry, {}});
  }
  if (!explanation.matches.empty()) return explanation;
  const bool one_word = text.find(' ') == std::string_view::npos;
  if (one_word && ErrnoNumber(text)) return ExplainErrno(catalogue, text);

  if (!one_word) AddForeign(catalogue, text, &explanation);
  if (!one_word && !explanation.foreign)
    AddProgram(catalogue, text, &explanation);
  if (explanation.matches.empty())
    explanation.similar = Similar(catalogue, text);
  return explanation;
}

Explanation ExplainErrno(CatalogueView catalogue, std::string_view text) {
  Explanation explanation{std::string(text), {}, {}, {}};
  if (const std::optional<int> number = ErrnoNumber(text)) {
    explanation.query = fmt::format("{} ({}, {})", ErrnoName(*number), *number,
                                    std::strerror(*number));
    AddErrno(catalogue, *number, &explanation);
  }
  return explanation;
}

std::vector<LogFinding> ExplainLog(const LineMatcher& matcher,
                                   const std::vector<std::string>& lines) {
  const auto device = [](const LineMatch& match) -> std::string_view {
    for (const Field& field : match.fields) {
      if (field.name == "device") return field.value;
    }
    return {};
  };
  std::vector<LogFinding> findings;
  for (const std::string& line : lines) {
    std::optional<LineMatch> match = matcher.Match(line);
    if (!match) continue;
    const auto known = std::find_if(
        findings.begin(), findings.end(), [&](const LogFinding& finding) {
          return finding.match.entry == match->entry &&
                 device(finding.match) == device(*match);
        });
    const size_t count = 1 + (known == findings.end() ? 0 : known->count);
    if (known != findings.end()) findings.erase(known);
    findings.push_back({line, std::move(*match), count});
  }
  return findings;
}

std::string ExplanationText(const Explanation& explanation) {
  std::string out;
  const auto& matches = explanation.matches;
  if (explanation.foreign) {
    out += ForeignHead(*explanation.foreign);
    if (!matches.empty()) out += "\nThat can mean:\n\n";
  } else if (matches.empty()) {
    out +=
        fmt::format("SIW-TOOL-UNKNOWN: The catalogue does not know this: {}\n",
                    Printable(explanation.query));
  }
  if (matches.size() > kMostWhole) {
    out += fmt::format("{}: {} entries; `siw explain ID` tells all of one\n",
                       Printable(explanation.query), matches.size());
    for (const LineMatch& match : matches) out += Line(*match.entry);
  } else {
    for (size_t i = 0; i < matches.size(); ++i)
      out += (i > 0 ? "\n" : "") + Whole(matches[i]);
  }
  if (matches.empty() && !explanation.similar.empty()) {
    out += "Did you mean\n";
    for (const CatalogueEntry* entry : explanation.similar) out += Line(*entry);
  }
  if (explanation.foreign) out += kForeignMore;
  return out;
}

std::string ExplanationJson(const Explanation& explanation) {
  nlohmann::ordered_json matches = nlohmann::ordered_json::array();
  for (const LineMatch& match : explanation.matches)
    matches.push_back(Json(match));
  nlohmann::ordered_json similar = nlohmann::ordered_json::array();
  for (const CatalogueEntry* entry : explanation.similar)
    similar.push_back(entry->id);
  nlohmann::ordered_json foreign = nullptr;
  if (explanation.foreign) {
    foreign = nlohmann::ordered_json::object();
    for (const Field& field : explanation.foreign->fields)
      foreign[field.name] = field.value;
    if (!explanation.foreign->term.empty())
      foreign["term"] = explanation.foreign->term;
    foreign["in_box"] = explanation.foreign->inbox;
  }
  return Dump({{"schema", kJsonSchema},
               {"query", explanation.query},
               {"matches", matches},
               {"foreign", foreign},
               {"similar", similar}});
}

std::string LogText(const std::vector<LogFinding>& findings) {
  std::string out;
  for (const LogFinding& finding : findings) {
    out += fmt::format("{}\n  {}: {}{}{}\n", Printable(finding.line),
                       finding.match.entry->id, finding.match.entry->title,
                       finding.match.inbox ? ", says the in-box driver" : "",
                       finding.count > 1
                           ? fmt::format(" ({} times)", finding.count)
                           : std::string());
  }
  return out.empty() ? "Nothing in this log is in the catalogue.\n" : out;
}

std::string ForeignText(const LineMatcher& matcher,
                        const std::vector<std::string>& lines) {
  size_t count = 0;
  std::string_view last;
  for (const std::string& line : lines) {
    const std::optional<ForeignLine> foreign = ReadForeignLine(line);
    if (!foreign || !SaysMore(*foreign) || matcher.Match(line)) continue;
    ++count;
    last = line;
  }
  if (count == 0) return "";
  return fmt::format(
      "{} of another siw, or of another version; the last:\n  {}\n"
      "  `siw explain LINE` takes out of one what it can\n",
      count, Printable(last));
}

std::string LogJson(const std::vector<LogFinding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const LogFinding& finding : findings) {
    nlohmann::ordered_json json = Json(finding.match);
    json["line"] = finding.line;
    json["count"] = finding.count;
    list.push_back(json);
  }
  return Dump({{"schema", kJsonSchema}, {"matches", list}});
}

}  // namespace siw
