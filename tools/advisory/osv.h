// The Open Source Vulnerability format: https://ossf.github.io/osv-schema/
#ifndef SIW_TOOLS_ADVISORY_OSV_H_
#define SIW_TOOLS_ADVISORY_OSV_H_

#include <nlohmann/json.hpp>

#include "tools/advisory/advisory.h"

namespace siw::advisory {

// The prefix SIW- is not registered with OSV, and our packages are in none of
// its ecosystems: the id begins with "x_", and the component's name is in
// database_specific.
nlohmann::json Osv(const Advisory& advisory, const Publisher& publisher);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_OSV_H_
