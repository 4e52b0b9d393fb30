// A run of the bench as files and as text.
#ifndef SIW_CI_VM_BENCH_PAGE_H_
#define SIW_CI_VM_BENCH_PAGE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "ci/vm/bench.h"
#include "tools/common/result.h"

namespace siw::vm {

// All that is shown, already computed.
struct BenchReport {
  Run run;
  std::vector<Planned> plan;
  std::vector<Figure> figures;
  std::vector<Ratio> ratios;
  std::map<std::string, double> stored;  // empty: there is no baseline
};

// Self-contained: figures, plots of the ratios as SVG, measurements.
std::string BenchHtml(const BenchReport& report);
std::string BenchJson(const BenchReport& report);
// For a terminal.
std::string BenchText(const BenchReport& report);

struct BenchFiles {
  std::filesystem::path results;   // JSON lines of ci/bench/script
  std::filesystem::path rows;      // ci/bench/rows
  std::filesystem::path figures;   // ci/bench/figures
  std::filesystem::path baseline;  // need not exist
  std::filesystem::path out;       // directory of results.json, index.html
};

Result<BenchReport> ReadBench(const BenchFiles& files);
Status WriteBench(const BenchReport& report, const std::filesystem::path& out);
// What is worse than the baseline, of which something must have been measured.
Result<std::vector<Regression>> CheckBench(const BenchReport& report);
// The next baseline. A run with measurements that failed is none, nor one
// without a ratio of the last baseline.
Status StoreBench(const BenchReport& report, const std::filesystem::path& file);

// Measurements that failed.
size_t CountErrors(const BenchReport& report);
// Measurements that needed a run more, since one failed.
size_t CountLost(const BenchReport& report);

}  // namespace siw::vm

#endif  // SIW_CI_VM_BENCH_PAGE_H_
