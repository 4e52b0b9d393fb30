// What a run of `ci/run bench` amounts to: ratios between our driver and its
// peers, the figures that were asked for, and what became worse.
//
// A row is a measurement by name: "TOOL WHAT MTU CRC SIZE QPS BATCH", as in
// ci/bench/rows. A ratio above one is in our favour, also where less is better.
#ifndef SIW_CI_VM_BENCH_H_
#define SIW_CI_VM_BENCH_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/result.h"

namespace siw::vm {

struct Measurement {
  std::string row;
  std::string peer;            // siw is ours
  std::vector<double> values;  // octets per second, or ns where it is a latency
  std::string error;           // why there are none
  std::string lost;            // why a run before them failed, if one did
};

struct Run {
  std::map<std::string, std::string> facts;
  std::vector<Measurement> measurements;

  const Measurement* Find(std::string_view row, std::string_view peer) const;
};

// A peer that is a row of ours: "q8" is the same with 8 queue pairs, "s64" the
// same with 64 octets. Nothing for other peers.
std::string OwnRow(std::string_view row, std::string_view peer);

struct Ratio {
  std::string row;
  std::string peer;
  double median = 0;
  double low = 0;  // our worst against the peer's best
  double high = 0;
  std::string error;  // why there is no ratio

  std::string Name() const { return row + " : " + peer; }
};

// A line of ci/bench/rows: what is measured, and whom with.
struct Planned {
  std::string set;
  std::string row;
  std::vector<std::string> peers;
};

// At least so much of the peer, in all rows of the pattern.
struct Bound {
  double least = 0;
  std::string peer;  // shell pattern
  std::string rows;  // shell pattern
};

struct Figure {
  std::string what;
  std::vector<Bound> bounds;  // none: nothing measures it
};

enum class Met { kYes, kSoFar, kNo, kNotMeasured };

struct Finding {
  Met met = Met::kNotMeasured;
  size_t measured = 0;  // ratios
  size_t planned = 0;   // in the full set
  double worst = 0;
  std::string worst_row;
};

struct Regression {
  std::string name;
  double before = 0;
  double now = 0;  // 0: failed
};

bool IsLatency(std::string_view row);
double Median(std::vector<double> values);
// From least to most, as a part of the median.
double Spread(const std::vector<double>& values);

// A line of JSON each: {"facts":{...}}, {"row","peer","values"|"error"},
// with "lost" beside values.
Result<Run> ParseRun(std::string_view text);
Result<std::vector<Planned>> ParsePlan(std::string_view text);
// "= WHAT" begins a figure, "LEAST PEER ROWS" is a bound of it.
Result<std::vector<Figure>> ParseFigures(std::string_view text);

std::vector<Ratio> Ratios(const Run& run, const std::vector<Planned>& plan);
Finding Find(const Bound& bound, const std::vector<Ratio>& ratios,
             const std::vector<Planned>& plan);

// Ratios by name, of a file that StoredText() made.
Result<std::map<std::string, double>> ParseStored(std::string_view text);
std::string StoredText(const Run& run, const std::vector<Ratio>& ratios);
// What fell by more than 5 %, or is not there any more although it was tried.
std::vector<Regression> Regressions(
    const std::vector<Ratio>& ratios,
    const std::map<std::string, double>& stored);

std::string_view MetText(Met met);
std::string BoundText(const Bound& bound);

}  // namespace siw::vm

#endif  // SIW_CI_VM_BENCH_H_
