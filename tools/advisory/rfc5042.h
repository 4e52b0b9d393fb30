// What RFC 5042 asks, of whom, and what shows that it is so:
// security/rfc5042.toml
#ifndef SIW_TOOLS_ADVISORY_RFC5042_H_
#define SIW_TOOLS_ADVISORY_RFC5042_H_

#include <string>
#include <vector>

#include "tools/advisory/advisory.h"

namespace siw::advisory {

struct Clause {
  std::string section;
  std::string level;
  std::string text;
  std::string owner;
  std::string status;
  std::vector<std::string> tests;
  std::string remark;
};

std::vector<Clause> ParseRfc5042(const std::string& text,
                                 const std::string& file, const TestIds& tests,
                                 Problems* problems);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_RFC5042_H_
