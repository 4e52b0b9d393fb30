// Runs a program to its end.
#ifndef SIW_TOOLS_ADVISORY_COMMAND_H_
#define SIW_TOOLS_ADVISORY_COMMAND_H_

#include <string>
#include <vector>

#include "tools/common/result.h"

namespace siw::advisory {

// What it printed, or an error if it did not exit with 0. Its messages go to
// our stderr. No shell is involved.
Result<std::string> RunCommand(const std::vector<std::string>& argv,
                               const std::string& dir);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_COMMAND_H_
