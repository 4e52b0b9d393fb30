#include "ci/vm/bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace siw::vm {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kAllowedLoss = 0.05;
constexpr size_t kRowWords = 7;
constexpr size_t kSizeWord = 4;
constexpr size_t kQpsWord = 5;
constexpr std::string_view kOurs = "siw";

std::vector<std::string> Words(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

template <typename Range>
std::string Join(const Range& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// Lines with something in them, and their numbers; "#" begins a comment.
std::vector<std::pair<size_t, std::string>> Lines(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::pair<size_t, std::string>> lines;
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t") != std::string::npos)
      lines.emplace_back(number, line);
  }
  return lines;
}

// "a,b,c"; "-" is nobody.
std::vector<std::string> Peers(const std::string& text) {
  std::vector<std::string> peers;
  std::istringstream stream(text);
  for (std::string peer; std::getline(stream, peer, ',');)
    if (peer != "-") peers.push_back(peer);
  return peers;
}

bool Matches(const std::string& pattern, const std::string& row) {
  return fnmatch(pattern.c_str(), row.c_str(), FNM_EXTMATCH) == 0;
}

size_t Matching(const std::string& pattern,
                const std::vector<std::string>& all) {
  return static_cast<size_t>(std::count_if(
      all.begin(), all.end(),
      [&](const std::string& one) { return Matches(pattern, one); }));
}

Measurement ParseMeasurement(const Json& json) {
  Measurement m;
  m.row = json.at("row").get<std::string>();
  m.peer = json.at("peer").get<std::string>();
  m.error = json.value("error", "");
  if (json.contains("error") &&
      m.error.find_first_not_of(' ') == std::string::npos)
    m.error = "failed, in silence";
  m.lost = json.value("lost", "");
  if (m.error.empty()) {
    m.values = json.at("values").get<std::vector<double>>();
    const bool usable = std::all_of(m.values.begin(), m.values.end(),
                                    [](double value) { return value > 0; });
    if (m.values.empty() || !usable) m.error = "no figure above 0";
  }
  return m;
}

Ratio Compare(const std::string& row, const std::string& peer,
              const Measurement& ours, const Measurement& theirs) {
  Ratio ratio;
  ratio.row = row;
  ratio.peer = peer;
  ratio.error = !ours.error.empty() ? "siw: " + ours.error : theirs.error;
  if (!ratio.error.empty()) return ratio;
  // Of a latency, less is better.
  const bool less = IsLatency(row);
  const auto& above = less ? theirs.values : ours.values;
  const auto& below = less ? ours.values : theirs.values;
  const auto [above_min, above_max] =
      std::minmax_element(above.begin(), above.end());
  const auto [below_min, below_max] =
      std::minmax_element(below.begin(), below.end());
  ratio.median = Median(above) / Median(below);
  ratio.low = *above_min / *below_max;
  ratio.high = *above_max / *below_min;
  return ratio;
}

}  // namespace

bool IsLatency(std::string_view row) {
  return row.find("latency") != std::string_view::npos;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  if (values.size() % 2 == 1) return values[half];
  return (values[half - 1] + values[half]) / 2;
}

double Spread(const std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return (*most - *least) / Median(values);
}

const Measurement* Run::Find(std::string_view row,
                             std::string_view peer) const {
  const auto found = std::find_if(measurements.begin(), measurements.end(),
                                  [row, peer](const Measurement& m) {
                                    return m.row == row && m.peer == peer;
                                  });
  return found == measurements.end() ? nullptr : &*found;
}

std::string OwnRow(std::string_view row, std::string_view peer) {
  std::vector<std::string> words = Words(row);
  if (words.size() != kRowWords || peer.size() < 2 ||
      peer.find_first_not_of("0123456789", 1) != std::string_view::npos)
    return "";
  if (peer[0] != 'q' && peer[0] != 's') return "";
  words[peer[0] == 'q' ? kQpsWord : kSizeWord] = peer.substr(1);
  return Join(words);
}

Result<Run> ParseRun(std::string_view text) {
  Run run;
  size_t number = 0;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    ++number;
    try {
      const Json json = Json::parse(line);
      if (json.contains("facts"))
        run.facts = json["facts"].get<std::map<std::string, std::string>>();
      else
        run.measurements.push_back(ParseMeasurement(json));
    } catch (const Json::exception& e) {
      return Error{fmt::format("line {}: {}", number, e.what())};
    }
  }
  return run;
}

Result<std::vector<Planned>> ParsePlan(std::string_view text) {
  std::vector<Planned> plan;
  for (const auto& [number, line] : Lines(text)) {
    const std::vector<std::string> words = Words(line);
    // Set, the row, how many messages, peers.
    if (words.size() != kRowWords + 3)
      return Error{fmt::format("line {}: {} words, {} expected", number,
                               words.size(), kRowWords + 3)};
    const std::vector<std::string> row(words.begin() + 1, words.end() - 2);
    plan.push_back({words[0], Join(row), Peers(words.back())});
  }
  return plan;
}

Result<std::vector<Figure>> ParseFigures(std::string_view text) {
  std::vector<Figure> figures;
  for (const auto& [number, line] : Lines(text)) {
    const std::vector<std::string> words = Words(line);
    if (words[0] == "=") {
      figures.push_back(
          {Join(std::vector(words.begin() + 1, words.end())), {}});
      continue;
    }
    Bound bound;
    const char* end = words[0].data() + words[0].size();
    const auto [rest, error] =
        std::from_chars(words[0].data(), end, bound.least);
    if (figures.empty() || error != std::errc() || rest != end ||
        words.size() != kRowWords + 2)
      return Error{fmt::format(
          "line {}: neither \"= WHAT\" nor \"LEAST PEER ROWS\"", number)};
    bound.peer = words[1];
    bound.rows = Join(std::vector(words.begin() + 2, words.end()));
    figures.back().bounds.push_back(std::move(bound));
  }
  return figures;
}

std::vector<Ratio> Ratios(const Run& run, const std::vector<Planned>& plan) {
  std::vector<Ratio> ratios;
  for (const Planned& planned : plan) {
    const Measurement* ours = run.Find(planned.row, kOurs);
    if (!ours) continue;
    for (const std::string& peer : planned.peers) {
      const std::string own = OwnRow(planned.row, peer);
      const Measurement* theirs =
          own.empty() ? run.Find(planned.row, peer) : run.Find(own, kOurs);
      if (theirs) ratios.push_back(Compare(planned.row, peer, *ours, *theirs));
    }
  }
  return ratios;
}

Finding Find(const Bound& bound, const std::vector<Ratio>& ratios,
             const std::vector<Planned>& plan) {
  Finding finding;
  for (const Planned& planned : plan)
    if (Matches(bound.rows, planned.row))
      finding.planned += Matching(bound.peer, planned.peers);
  for (const Ratio& ratio : ratios) {
    if (!Matches(bound.peer, ratio.peer) || !ratio.error.empty() ||
        !Matches(bound.rows, ratio.row))
      continue;
    if (finding.measured++ == 0 || ratio.median < finding.worst) {
      finding.worst = ratio.median;
      finding.worst_row = ratio.row;
    }
  }
  if (finding.measured == 0) return finding;
  if (finding.worst < bound.least)
    finding.met = Met::kNo;
  else
    finding.met = finding.measured < finding.planned ? Met::kSoFar : Met::kYes;
  return finding;
}

Result<std::map<std::string, double>> ParseStored(std::string_view text) {
  try {
    return Json::parse(text).at("ratios").get<std::map<std::string, double>>();
  } catch (const Json::exception& e) {
    return Error{e.what()};
  }
}

std::string StoredText(const Run& run, const std::vector<Ratio>& ratios) {
  Json json;
  json["facts"] = run.facts;
  json["ratios"] = Json::object();
  for (const Ratio& ratio : ratios)
    if (ratio.error.empty())
      json["ratios"][ratio.Name()] =
          std::stod(fmt::format("{:.4g}", ratio.median));
  return json.dump(2) + "\n";
}

std::vector<Regression> Regressions(
    const std::vector<Ratio>& ratios,
    const std::map<std::string, double>& stored) {
  std::vector<Regression> regressions;
  for (const Ratio& ratio : ratios) {
    const auto before = stored.find(ratio.Name());
    if (before == stored.end()) continue;
    const double now = ratio.error.empty() ? ratio.median : 0;
    if (now < before->second * (1 - kAllowedLoss))
      regressions.push_back({ratio.Name(), before->second, now});
  }
  return regressions;
}

std::string_view MetText(Met met) {
  switch (met) {
    case Met::kYes:
      return "met";
    case Met::kSoFar:
      return "met so far";
    case Met::kNo:
      return "not met";
    case Met::kNotMeasured:
      return "not measured";
  }
  return "";
}

std::string BoundText(const Bound& bound) {
  if (bound.peer[0] == 'q')
    return fmt::format("at least {:.3g} of that with {} QP", bound.least,
                       bound.peer.substr(1));
  if (bound.peer == "s*")
    return fmt::format("at least {:.3g} of a size next to it", bound.least);
  return fmt::format("at least {:.3g} of {}", bound.least, bound.peer);
}

}  // namespace siw::vm
