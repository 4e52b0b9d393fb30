// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What programs, and parts of the kernel that are not siw, print of RDMA that
// failed: "cma event RDMA_CM_EVENT_REJECTED, error -111" of rping, "Failed
// status 12: wr_id 0" of perftest, "rdma_connect: Connection refused".
#ifndef SIW_TOOLS_SIW_EXPLAIN_PROGRAM_LINE_H_
#define SIW_TOOLS_SIW_EXPLAIN_PROGRAM_LINE_H_

#include <string_view>
#include <vector>

#include "tools/common/catalogue.h"

namespace siw {

// Entries one of whose names is in the line, or that have the completion status
// whose number is in it (enum ibv_wc_status, where the line is about a
// completion); of these, if there are such, those with the error number that is
// in it: "error -111", "status -104", or at its end the words of strerror(3).
// All with that error number if no name is in the line.
std::vector<const CatalogueEntry*> ReadProgramLine(CatalogueView catalogue,
                                                   std::string_view line);

// Entries of what a tracepoint of the driver says went wrong, in a line of the
// trace buffer: the cause of a siw_conn_failed, the code of a
// siw_terminate_sent or siw_terminate_received. Else none.
std::vector<const CatalogueEntry*> ReadTraceLine(CatalogueView catalogue,
                                                 std::string_view line);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_EXPLAIN_PROGRAM_LINE_H_
