// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Security advisories that the administrator put into /etc/siw/advisories: OSV
// documents, as siw-advisory makes them. Nothing is fetched.
#ifndef SIW_TOOLS_SIW_STATUS_ADVISORIES_H_
#define SIW_TOOLS_SIW_STATUS_ADVISORIES_H_

#include <optional>
#include <string>
#include <vector>

#include "tools/advisory/version.h"
#include "tools/common/host.h"

namespace siw {

constexpr const char* kAdvisories = "/etc/siw/advisories";

// Releases of a package from `introduced` on and before `fixed`, or all of them
struct AffectedRange {
  std::string component;
  advisory::Version introduced;
  std::optional<advisory::Version> fixed;
};

struct KnownAdvisory {
  std::string id;  // "SIW-2027-0001"
  std::string title;
  std::vector<AffectedRange> affected;  // none if it was withdrawn
};

struct AdvisoryFacts {
  std::vector<KnownAdvisory> known;
  std::vector<std::string> unread;  // "FILE: why"
};

AdvisoryFacts ReadAdvisories(const Host& host);

// `version` as DKMS or the module tells it; what is none of ours is not
// affected.
bool Affects(const KnownAdvisory& known, const std::string& component,
             const std::string& version);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_ADVISORIES_H_
