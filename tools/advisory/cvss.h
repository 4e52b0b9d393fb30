// The base score of CVSS 3.1:
// https://www.first.org/cvss/v3.1/specification-document
#ifndef SIW_TOOLS_ADVISORY_CVSS_H_
#define SIW_TOOLS_ADVISORY_CVSS_H_

#include <string>

#include "tools/common/result.h"

namespace siw::advisory {

struct Cvss {
  std::string vector;
  double score = 0;
};

// A base vector, each metric once and in order, and no other metrics:
// "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
Result<Cvss> ParseCvss(const std::string& vector);

// none, low, medium, high or critical, by the bands of section 5
std::string Rating(double score);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_CVSS_H_
