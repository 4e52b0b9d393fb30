// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What is wrong on this host: each finding an id of the catalogue, what was
// seen, and the next command.
#ifndef SIW_TOOLS_SIW_STATUS_FINDINGS_H_
#define SIW_TOOLS_SIW_STATUS_FINDINGS_H_

#include <string>
#include <vector>

#include "tools/common/catalogue.h"
#include "tools/siw/status/facts.h"

namespace siw {

struct Finding {
  const CatalogueEntry* entry = nullptr;
  Severity severity = Severity::kError;
  std::string object;    // "module", "siw0", "/dev/infiniband/rdma_cm"
  std::string evidence;  // what was seen, and where
  std::string next;      // a command
};

// One thing that was looked at, and what is wrong with it.
struct Check {
  std::string what;  // "module"
  std::string seen;
  std::vector<Finding> findings;
};

// From the bottom up: what is below breaks what is above it.
std::vector<Check> Examine(const Facts& facts, CatalogueView catalogue);

// The findings of all checks: errors first, each group in the order in which it
// should be looked at.
std::vector<Finding> Judge(const std::vector<Check>& checks);

bool HasError(const std::vector<Finding>& findings);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_FINDINGS_H_
