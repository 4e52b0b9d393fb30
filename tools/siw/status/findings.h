// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What is wrong on this host: each finding an id of the catalogue, what was
// seen, and the next command.
#ifndef SIW_TOOLS_SIW_STATUS_FINDINGS_H_
#define SIW_TOOLS_SIW_STATUS_FINDINGS_H_

#include <string>
#include <string_view>
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
  bool past = false;  // what it tells of may be long over
  std::vector<Finding> findings;
};

// What the examinations of all levels share.
class Examiner {
 protected:
  explicit Examiner(CatalogueView catalogue) : catalogue_(catalogue) {}

  void Begin(std::string what, std::string seen, bool past = false);
  // To the check that was begun last; an id the catalogue lacks is left out.
  void Add(std::string_view id, std::string object, std::string evidence,
           std::string next);

  CatalogueView catalogue_;
  std::vector<Check> checks_;
};

// From the bottom up: what is below breaks what is above it.
std::vector<Check> Examine(const Facts& facts, CatalogueView catalogue);

// The findings of all checks, what should be looked at first in front: errors,
// then what is so now before what may be over, then warnings before hints, and
// then the order of the checks, in which a cause comes before what it leads to.
std::vector<Finding> Judge(const std::vector<Check>& checks);

bool HasError(const std::vector<Finding>& findings);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_FINDINGS_H_
