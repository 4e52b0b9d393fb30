// Versions of this project, and those that a package manager tells.
#ifndef SIW_TOOLS_ADVISORY_VERSION_H_
#define SIW_TOOLS_ADVISORY_VERSION_H_

#include <array>
#include <compare>
#include <optional>
#include <string>

#include "tools/common/result.h"

namespace siw::advisory {

// A release: MAJOR.MINOR.PATCH
struct Version {
  std::array<unsigned, 3> number = {};

  auto operator<=>(const Version&) const = default;
};

// "1.2.3" without a leading zero, and nothing else
Result<Version> ParseVersion(const std::string& text);
std::string ToString(const Version& version);

// What is installed: a release, or something made before it.
struct Installed {
  Version version;
  bool before = false;  // "0.2.0~rc1"
};

// Takes a Debian or RPM version apart: "1:0.2.0~rc1-1~deb12u1". What was built
// for an older suite ("0.2.0~deb11") sorts below its release, and is that
// release all the same.
Result<Installed> ParseInstalled(const std::string& text);

// From `introduced` on and before `fixed`, or for ever? What was made before a
// release counts as affected at either end.
bool IsWithin(const Installed& installed, const Version& introduced,
              const std::optional<Version>& fixed);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_VERSION_H_
