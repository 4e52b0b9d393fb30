// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw doctor --level net` makes of it: why a stream is not faster, is
// there congestion, why was there no connection, is it exposed.
#ifndef SIW_TOOLS_SIW_NET_NET_FINDINGS_H_
#define SIW_TOOLS_SIW_NET_NET_FINDINGS_H_

#include <vector>

#include "tools/common/catalogue.h"
#include "tools/siw/net/net_facts.h"
#include "tools/siw/status/findings.h"

namespace siw::net {

std::vector<Check> ExamineNet(const NetFacts& facts, CatalogueView catalogue);

}  // namespace siw::net

#endif  // SIW_TOOLS_SIW_NET_NET_FINDINGS_H_
