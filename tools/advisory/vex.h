// What a public CVE of software of this kind means for ours: security/vex.toml
#ifndef SIW_TOOLS_ADVISORY_VEX_H_
#define SIW_TOOLS_ADVISORY_VEX_H_

#include <string>
#include <vector>

#include "tools/advisory/advisory.h"

namespace siw::advisory {

// About all releases of all components
struct Statement {
  std::string cve;
  std::string title;
  std::string status;         // not_affected or under_investigation
  std::string justification;  // of CSAF's flags, for not_affected
  std::string reason;
  std::vector<std::string> tests;
  std::vector<Revision> history;
};

std::vector<Statement> ParseVex(const std::string& text,
                                const std::string& file, const Rules& rules,
                                Problems* problems);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_VEX_H_
