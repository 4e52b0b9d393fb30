// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Security advisories against what is installed: OSV documents as siw-advisory
// makes them, those that came with the package and those that the administrator
// put into /etc. Nothing is fetched.
#ifndef SIW_TOOLS_SIW_STATUS_ADVISORIES_H_
#define SIW_TOOLS_SIW_STATUS_ADVISORIES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/advisory/version.h"
#include "tools/common/host.h"

namespace siw {

// What was known when the package was built, and what became known since
constexpr const char* kShipped = "/usr/share/siw/advisories";
constexpr const char* kAdvisories = "/etc/siw/advisories";

struct Facts;

// Releases of a package from `introduced` on and before `fixed`, or all of them
struct AffectedRange {
  std::string component;
  advisory::Version introduced;
  std::optional<advisory::Version> fixed;
};

struct KnownAdvisory {
  std::string id;  // "SIW-2027-0001"
  std::string title;
  std::string severity;
  std::string modified;   // "2027-01-05T16:00:00Z"
  std::string withdrawn;  // likewise; empty if it was not
  std::string file;
  std::vector<AffectedRange> affected;  // none if it was withdrawn
};

struct UnreadAdvisory {
  std::string directory;
  std::string why;  // "FILE: why"
};

struct AdvisoryFacts {
  bool has_shipped = false;  // there is a kShipped
  size_t shipped = 0;        // documents that were read there
  size_t added = 0;          // ... in kAdvisories
  // By id, each once: of two that were revised, the later one.
  std::vector<KnownAdvisory> known;
  std::vector<UnreadAdvisory> unread;
};

AdvisoryFacts ReadAdvisories(const Host& host);

// Something of ours on this host that an advisory can name
struct Part {
  std::string component;
  std::string version;  // as DKMS, the module or the package manager tells it
  std::string_view how;
};

// A module that was loaded before an upgrade stays what it was: it is a part of
// its own.
std::vector<Part> Parts(const Facts& facts);

// What installs a later release of it
std::string UpgradeCommand(const Facts& facts, const Part& part);

// What has no version of ours is affected by nothing.
bool Affects(const KnownAdvisory& known, const Part& part);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_ADVISORIES_H_
