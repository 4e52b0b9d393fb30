// The files of security/, read and checked.
#ifndef SIW_TOOLS_ADVISORY_TREE_H_
#define SIW_TOOLS_ADVISORY_TREE_H_

#include <string>
#include <vector>

#include "tools/advisory/advisory.h"
#include "tools/advisory/rfc5042.h"
#include "tools/advisory/site.h"

namespace siw::advisory {

struct Tree {
  Source source;
  Clock clock;
  std::vector<Clause> rfc5042;
};

// `root` is the top of the project's tree. A tree with problems is not to be
// published.
Tree LoadTree(const std::string& root, Time now, Problems* problems);

// For a system that has just publisher.toml, clock.toml and advisories/ of the
// directory `security`: they were checked before they were published, so
// neither tests nor dates are looked at.
Source LoadAdvisories(const std::string& security, Problems* problems);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_TREE_H_
