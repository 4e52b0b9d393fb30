// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw doctor --level load` makes of it: can this host fill its link, and
// what makes a round trip long?
#ifndef SIW_TOOLS_SIW_LOAD_LOAD_FINDINGS_H_
#define SIW_TOOLS_SIW_LOAD_LOAD_FINDINGS_H_

#include <vector>

#include "tools/common/catalogue.h"
#include "tools/siw/load/load_facts.h"
#include "tools/siw/status/findings.h"

namespace siw::load {

std::vector<Check> ExamineLoad(const LoadFacts& facts, CatalogueView catalogue);

}  // namespace siw::load

#endif  // SIW_TOOLS_SIW_LOAD_LOAD_FINDINGS_H_
