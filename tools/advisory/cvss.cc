#include "tools/advisory/cvss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace siw::advisory {
namespace {

constexpr std::string_view kPrefix = "CVSS:3.1";

struct Metric {
  std::string_view name;
  std::string_view values;
};

constexpr std::array<Metric, 8> kMetrics = {{{"AV", "NALP"},
                                             {"AC", "LH"},
                                             {"PR", "NLH"},
                                             {"UI", "NR"},
                                             {"S", "UC"},
                                             {"C", "HLN"},
                                             {"I", "HLN"},
                                             {"A", "HLN"}}};

// Section 7.4
double AttackVector(char v) {
  return v == 'N' ? 0.85 : v == 'A' ? 0.62 : v == 'L' ? 0.55 : 0.2;
}
double AttackComplexity(char v) { return v == 'L' ? 0.77 : 0.44; }
double Privileges(char v, bool changed) {
  if (v == 'N') return 0.85;
  if (v == 'L') return changed ? 0.68 : 0.62;
  return changed ? 0.5 : 0.27;
}
double UserInteraction(char v) { return v == 'N' ? 0.85 : 0.62; }
double Impact(char v) { return v == 'H' ? 0.56 : v == 'L' ? 0.22 : 0; }

// Appendix A: up to one decimal, without the pitfalls of binary fractions
double RoundUp(double value) {
  const long scaled = std::lround(value * 100000);
  if (scaled % 10000 == 0) return static_cast<double>(scaled) / 100000.0;
  return std::floor(static_cast<double>(scaled) / 10000.0 + 1) / 10.0;
}

double BaseScore(const std::array<char, kMetrics.size()>& v) {
  const bool changed = v[4] == 'C';
  const double iss =
      1 - (1 - Impact(v[5])) * (1 - Impact(v[6])) * (1 - Impact(v[7]));
  const double impact =
      changed ? 7.52 * (iss - 0.029) - 3.25 * std::pow(iss - 0.02, 15)
              : 6.42 * iss;
  const double exploitability =
      8.22 * AttackVector(v[0]) * AttackComplexity(v[1]) *
      Privileges(v[2], changed) * UserInteraction(v[3]);
  if (impact <= 0) return 0;
  const double sum = impact + exploitability;
  return RoundUp(std::min(changed ? 1.08 * sum : sum, 10.0));
}

}  // namespace

Result<Cvss> ParseCvss(const std::string& vector) {
  const Error error{"'" + vector +
                    "' is not of the form "
                    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"};
  std::string_view rest = vector;
  if (rest.substr(0, kPrefix.size()) != kPrefix) return error;
  rest.remove_prefix(kPrefix.size());
  std::array<char, kMetrics.size()> value = {};
  for (size_t i = 0; i < kMetrics.size(); ++i) {
    const Metric& metric = kMetrics[i];
    const size_t length = 1 + metric.name.size() + 2;
    if (rest.size() < length || rest[0] != '/' ||
        rest.substr(1, metric.name.size()) != metric.name ||
        rest[length - 2] != ':' ||
        metric.values.find(rest[length - 1]) == std::string_view::npos)
      return error;
    value[i] = rest[length - 1];
    rest.remove_prefix(length);
  }
  if (!rest.empty()) return error;
  return Cvss{vector, BaseScore(value)};
}

std::string Rating(double score) {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "none";
}

}  // namespace siw::advisory
