// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw explain`: what an id, a line of the kernel log or an errno means.
#ifndef SIW_TOOLS_SIW_EXPLAIN_EXPLAIN_H_
#define SIW_TOOLS_SIW_EXPLAIN_EXPLAIN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/log_line.h"

namespace siw {

struct Explanation {
  std::string query;
  std::vector<LineMatch> matches;  // the best first
  std::optional<ForeignLine> foreign;
  std::vector<const CatalogueEntry*> similar;  // if nothing matches
};

// An id, a line, a Terminate code ("1/1/00"), a name of the catalogue
// ("IBV_WC_REM_ACCESS_ERR", "rx_crc_error") or words of a title.
Explanation Explain(CatalogueView catalogue, std::string_view text);

// Each entry that gives this error number. `text` is a number or a name.
Explanation ExplainErrno(CatalogueView catalogue, std::string_view text);

// The lines of a log that mean something here; the same message of the same
// device once, with how often it came.
struct LogFinding {
  std::string line;  // the last of them
  LineMatch match;
  size_t count = 0;
};
std::vector<LogFinding> ExplainLog(const LineMatcher& matcher,
                                   const std::vector<std::string>& lines);

std::string ExplanationText(const Explanation& explanation);
std::string ExplanationJson(const Explanation& explanation);
std::string LogText(const std::vector<LogFinding>& findings);
// How many lines of another siw there are besides; empty if there is none.
std::string ForeignText(const LineMatcher& matcher,
                        const std::vector<std::string>& lines);
std::string LogJson(const std::vector<LogFinding>& findings);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_EXPLAIN_EXPLAIN_H_
