// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw trace` without a capture: what the driver does, from its tracepoints.
#ifndef SIW_TOOLS_SIW_TRACE_LIVE_H_
#define SIW_TOOLS_SIW_TRACE_LIVE_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/result.h"
#include "tools/siw/trace/requests.h"

struct tracefs_instance;

namespace siw::trace {

// Writes requests as they end; the summary comes last.
class LiveWriter {
 public:
  using Print = std::function<void(const std::string&)>;
  // `perfetto` is null, or gets the same as Chrome's trace events.
  LiveWriter(bool json, Print print, FILE* perfetto,
             std::map<uint32_t, std::string> devices);

  void Add(const Request& request);
  void Note(int64_t time, uint32_t device, const std::string& text);
  // `unread`: why there may be more; empty if there is not.
  Status Finish(const Requests& requests, uint64_t lost,
                const std::string& unread);

 private:
  std::string Device(uint32_t index) const;
  void AddPerfetto(const Request& request);
  void PutPerfetto(const std::string& event);
  void PrintLine(const std::string& text);
  void PutEvent(const std::string& json);

  bool json_;
  Print print_;
  FILE* perfetto_;
  std::map<uint32_t, std::string> devices_;
  bool first_ = true;
  bool first_perfetto_ = true;
  uint64_t number_ = 0;
};

// An instance of tracing of our own, in which siw's events are on; it goes with
// this object.
class LiveEvents {
 public:
  // Of one queue pair, or of all. `probe_filter` is that of tcp:tcp_probe.
  static Result<std::unique_ptr<LiveEvents>> Open(
      std::optional<uint32_t> qp, const std::string& probe_filter);
  ~LiveEvents();
  LiveEvents(const LiveEvents&) = delete;
  LiveEvents& operator=(const LiveEvents&) = delete;
  int fd() const { return fd_; }
  // Why tcp:tcp_probe is not on; empty if it is.
  const std::string& no_probe() const { return no_probe_; }
  // No more events come.
  void Stop();

 private:
  explicit LiveEvents(tracefs_instance* instance) : instance_(instance) {}

  tracefs_instance* instance_;
  int fd_ = -1;
  std::string no_probe_;
};

struct KnownStream {
  uint32_t device = 0;
  uint32_t qp = 0;
  std::string peer;
};

// For tcp:tcp_probe, which tells of every segment that this host receives: the
// ports of the peers that are asked for, if they are known; empty: any.
std::string ProbeFilter(const RequestFilter& filter,
                        const std::vector<KnownStream>& streams);

struct LiveOptions {
  RequestFilter filter;
  bool json = false;
  double seconds = 0;    // 0: until a signal ends it
  std::string events;    // read these lines, not the kernel's; "-": stdin
  std::string perfetto;  // file to write, or empty
  bool drop_privileges = false;  // once `events` is open
};

struct LiveResult {
  uint64_t requests = 0;
  uint64_t faults = 0;
  uint64_t lost = 0;   // events
  std::string unread;  // why the input was not read to its end
};

Result<LiveResult> TraceLive(const LiveOptions& options,
                             const std::vector<KnownStream>& streams,
                             std::map<uint32_t, std::string> devices,
                             LiveWriter::Print print);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_LIVE_H_
