// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What a run found: KTAP as it goes, then JSON, JUnit and one page of HTML.
#ifndef SIW_SELFTESTS_CONFORM_REPORT_H_
#define SIW_SELFTESTS_CONFORM_REPORT_H_

#include <string>
#include <vector>

#include "selftests/conform/table.h"

namespace siw::conform {

enum class Verdict { kPass, kFail, kSkip };

struct Outcome {
  std::string id;
  std::string title;
  Verdict verdict = Verdict::kPass;
  std::string reason;  // of a skip
  std::vector<std::string> failures;
  std::vector<std::string> notes;
  double seconds = 0;
  std::string pcap;  // a file next to the report
};

struct Run {
  std::string peer;  // what the counterpart says about itself
  std::vector<Outcome> outcomes;
  std::vector<Row> rows;
};

struct Totals {
  size_t passed = 0;
  size_t failed = 0;
  size_t skipped = 0;
};
Totals Count(const std::vector<Outcome>& outcomes);

std::string KtapLines(size_t number, const Outcome& outcome);

// What the run says to a row: "pass", "fail", "skip", "not run", or "elsewhere"
// if it has tests of other programs only.
std::string RowResult(const Row& row, const std::vector<Outcome>& outcomes);
// Rows whose verdict the run contradicts, a line each.
std::vector<std::string> Contradictions(const Run& run);

std::string Json(const Run& run);
std::string JUnit(const Run& run);
std::string Html(const Run& run);
Status WriteReport(const std::string& dir, const Run& run);

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_REPORT_H_
