// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw advisory`: the security advisories this host knows, and whether what is
// installed is affected.
#ifndef SIW_TOOLS_SIW_ADVISORY_ADVISORY_H_
#define SIW_TOOLS_SIW_ADVISORY_ADVISORY_H_

#include <optional>
#include <string>
#include <vector>

#include "tools/siw/output.h"
#include "tools/siw/status/facts.h"

namespace siw {

// A part of what is installed, and the advisories that affect it; none if its
// version cannot be told from those of other projects.
struct PartVerdict {
  Part part;
  std::optional<std::vector<const KnownAdvisory*>> affected_by;
  std::string next;  // the command that upgrades it, if it is affected
};

// `facts` has to outlive what is returned.
std::vector<PartVerdict> CheckParts(const Facts& facts);

// Not affected is only what was held against all there is: an advisory that
// cannot be read, or a package without its own, leaves it open.
ExitCode CheckExit(const AdvisoryFacts& facts,
                   const std::vector<PartVerdict>& verdicts);
std::string CheckText(const Facts& facts,
                      const std::vector<PartVerdict>& verdicts);
std::string CheckJson(const Facts& facts,
                      const std::vector<PartVerdict>& verdicts);

ExitCode ListExit(const AdvisoryFacts& facts);
std::string ListText(const AdvisoryFacts& facts);
std::string ListJson(const AdvisoryFacts& facts);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_ADVISORY_ADVISORY_H_
