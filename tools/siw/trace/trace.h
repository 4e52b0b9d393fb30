// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw trace --pcap`: a capture in words.
#ifndef SIW_TOOLS_SIW_TRACE_TRACE_H_
#define SIW_TOOLS_SIW_TRACE_TRACE_H_

#include <signal.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "tools/common/catalogue.h"
#include "tools/common/result.h"

namespace siw::trace {

struct TraceFiles {
  FILE* capture = nullptr;  // is closed
  FILE* write = nullptr;    // null: nothing is written; else is closed
};

// Opens both; "-" is the standard input. What is to be written must not be what
// is read.
Result<TraceFiles> OpenTraceFiles(const std::string& capture,
                                  const std::string& write);

// Is what is open the file of that name?
bool IsSameFile(int fd, const std::string& path);

// To write STags and data to: a file that is new can be read by its owner
// alone. Null: errno says why.
FILE* CreateFile(const std::string& path);

// A capture is what others sent, and so are lines they recorded: nothing of
// root, and no capability, is kept to read them with.
Status DropPrivileges();

// While there is one, signals end the reading and not the process: tracing has
// to be turned off, and what is held to be told.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  static bool Came();

 private:
  std::array<struct sigaction, 4> before_;
};

struct TraceResult {
  size_t connections = 0;  // with iWARP
  size_t faults = 0;
  uint64_t given_up = 0;  // directions of connections, before their ends
  std::string unread;     // why the capture could not be read to its end
};

// Prints as it goes, until a signal ends it. An error: it is no capture, or not
// one of TCP over IP.
Result<TraceResult> Trace(const TraceFiles& files, CatalogueView catalogue,
                          const std::string& application, bool json,
                          const std::function<void(const std::string&)>& print);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_TRACE_H_
