// CSAF 2.0 documents: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html
#ifndef SIW_TOOLS_ADVISORY_CSAF_H_
#define SIW_TOOLS_ADVISORY_CSAF_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tools/advisory/advisory.h"
#include "tools/advisory/vex.h"

namespace siw::advisory {

using Json = nlohmann::json;

// Category csaf_security_advisory
Json CsafAdvisory(const Advisory& advisory, const Publisher& publisher);
// The same facts in category csaf_vex, which is all that some scanners read
Json CsafVex(const Advisory& advisory, const Publisher& publisher);
// Category csaf_vex, about a CVE of somebody else
Json CsafVex(const Statement& statement, const Publisher& publisher);

// "2027/siw-2027-0001.json": section 5.1, below the directory of a TLP label
std::string CsafPath(const Json& document);
std::string CsafUrl(const Publisher& publisher, const std::string& path);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_CSAF_H_
