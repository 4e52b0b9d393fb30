// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw report`: what somebody who shall find a bug needs to know of this host,
// and nothing that must not leave it.
#ifndef SIW_TOOLS_SIW_REPORT_REPORT_H_
#define SIW_TOOLS_SIW_REPORT_REPORT_H_

#include <string>
#include <vector>

#include "tools/common/catalogue.h"
#include "tools/common/host.h"
#include "tools/siw/report/archive.h"
#include "tools/siw/status/facts.h"
#include "tools/siw/status/findings.h"
#include "tools/siw/top/sample.h"

namespace siw::report {

struct Inputs {
  std::string command_version;
  Facts facts;
  std::vector<Check> status;        // of `siw status`
  std::vector<Check> doctor;        // of `siw doctor --level net`
  std::vector<std::string> unseen;  // what the doctor could not see, and why
  top::Channel rdma;
};

struct Unread {
  std::string what;
  std::string why;
};

struct Report {
  std::vector<Item> items;  // README first
  std::vector<Unread> unread;
  size_t addresses = 0;  // that were given a name
};

Report Collect(const Host& host, const Inputs& inputs, CatalogueView catalogue,
               bool keep_addresses);

// Of a kernel log, the lines of siw, and of a report of a fault that names it
// what is not the contents of registers and memory.
std::vector<std::string> OurLines(const std::vector<std::string>& log,
                                  CatalogueView catalogue);

std::string ReportText(const std::string& path, const Report& report);
std::string ReportJson(const std::string& path, const Report& report);

}  // namespace siw::report

#endif  // SIW_TOOLS_SIW_REPORT_REPORT_H_
