// What is wrong with a file of security/: where, and which rule it breaks.
#ifndef SIW_TOOLS_ADVISORY_PROBLEM_H_
#define SIW_TOOLS_ADVISORY_PROBLEM_H_

#include <string>
#include <vector>

namespace siw::advisory {

struct Problem {
  std::string file;
  std::string field;
  std::string rule;
};

using Problems = std::vector<Problem>;

// "file: field: rule"
inline std::string ToString(const Problem& problem) {
  return problem.file + ": " + problem.field + ": " + problem.rule;
}

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_PROBLEM_H_
