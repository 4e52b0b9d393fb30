// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw status` and `siw doctor`: facts and findings for people and programs.
#ifndef SIW_TOOLS_SIW_STATUS_STATUS_H_
#define SIW_TOOLS_SIW_STATUS_STATUS_H_

#include <string>
#include <vector>

#include "tools/siw/status/facts.h"
#include "tools/siw/status/findings.h"

namespace siw {

std::string StatusText(const Facts& facts,
                       const std::vector<Finding>& findings);
std::string StatusJson(const Facts& facts,
                       const std::vector<Finding>& findings);

// What was found, what matters most first; then every check with its verdict.
std::string DoctorText(const std::vector<Check>& checks);
std::string DoctorJson(const std::string& level,
                       const std::vector<Check>& checks);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_STATUS_H_
