// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/live.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include "tools/siw/trace/trace.h"
#include "tools/siw/trace/tracing.h"

namespace siw::trace {
namespace {

// Those of regions are left out: they hold STags, and no step of a request.
constexpr std::array<const char*, 14> kEvents = {
    "siw_post",           "siw_doorbell",
    "siw_start",          "siw_tx_fpdu",
    "siw_train",          "siw_rx_fpdu",
    "siw_placed",         "siw_complete",
    "siw_notify",         "siw_conn_state",
    "siw_conn_failed",    "siw_qp_state",
    "siw_terminate_sent", "siw_terminate_received"};
constexpr const char* kSystem = "siw";
constexpr const char* kBufferKilobytes = "8192";  // of each CPU
constexpr const char* kInstance = "siw-trace-";
constexpr int kPauseMilliseconds = 50;
// No event of ours is longer.
constexpr size_t kLongestLine = 4096;

Error TracefsError(const std::string& what) {
  if (errno == EACCES || errno == EPERM) return Error{what + ": needs root"};
  return ErrnoError(what);
}

// What a killed one left behind.
void RemoveStale() {
  char** names = tracing_instances("^siw-trace-[0-9]+$");
  for (char** name = names; name && *name; ++name) {
    const std::string process =
        std::string("/proc/") + (*name + std::strlen(kInstance));
    if (access(process.c_str(), F_OK) == 0) continue;
    tracefs_instance* instance = tracing_instance_create(*name);
    if (!instance) continue;
    tracing_instance_destroy(instance);
  }
  tracing_list_free(names);
}

// Returns why it cannot be turned on, or nothing.
std::string EnableProbe(tracefs_instance* instance, const std::string& filter) {
  const std::string path = "tracefs: events/tcp/tcp_probe";
  if (!tracing_event_file_exists(instance, "tcp", "tcp_probe", "enable"))
    return path + ": this kernel has no such event";
  if ((!filter.empty() &&
       tracing_event_file_write(instance, "tcp", "tcp_probe", "filter",
                                filter.c_str()) < 0) ||
      tracing_event_file_write(instance, "tcp", "tcp_probe", "enable", "1") < 0)
    return TracefsError(path).message;
  return "";
}

// On the clock of the events.
int64_t Now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Calls `use` for each line of what is read.
class LineSplitter {
 public:
  template <typename Use>
  void Feed(std::string_view chunk, Use use) {
    for (const char c : chunk) {
      if (c == '\n') {
        use(std::string_view(line_));
        line_.clear();
      } else if (line_.size() < kLongestLine) {
        line_ += c;
      }
    }
  }
  // At the end: the last line may have no newline.
  template <typename Use>
  void Finish(Use use) {
    if (!line_.empty()) Feed("\n", use);
  }

 private:
  std::string line_;
};

bool IsOver(const LiveOptions& options,
            std::chrono::steady_clock::time_point begin) {
  const std::chrono::duration<double> passed =
      std::chrono::steady_clock::now() - begin;
  return StopOnSignal::Came() ||
         (options.seconds > 0 && passed.count() >= options.seconds);
}

// `events` is null if it reads a file. Returns why it could not go on; empty:
// it was at the end.
std::string ReadLines(int fd, LiveEvents* events, const LiveOptions& options,
                      Requests* requests, uint64_t* lost) {
  const auto begin = std::chrono::steady_clock::now();
  LineSplitter splitter;
  std::array<char, 65536> buffer;
  const auto use = [&](std::string_view line) {
    if (const auto event = ParseLiveLine(line)) {
      requests->Add(*event);
    } else if (const auto missed = ParseLost(line)) {
      *lost += *missed;
      requests->Lost();
    }
  };
  bool over = false;
  for (;;) {
    if (!over && IsOver(options, begin)) {
      if (!events) return "";
      over = true;
      // What is there by now is still read.
      events->Stop();
    }
    pollfd wait = {fd, POLLIN, 0};
    // Who fills a pipe may take their time, and ours may be over meanwhile.
    if (!events && poll(&wait, 1, kPauseMilliseconds) <= 0) continue;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno != EAGAIN && errno != EINTR) return std::strerror(errno);
    if (n > 0) splitter.Feed({buffer.data(), static_cast<size_t>(n)}, use);
    if (over && n <= 0) return "";
    if (n > 0) continue;
    if (!events) {
      if (n < 0) continue;
      splitter.Finish(use);
      return "";
    }
    // Nothing came for a while.
    requests->Flush(Now());
    fflush(stdout);
    poll(&wait, 1, kPauseMilliseconds);
  }
}

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

}  // namespace

std::string ProbeFilter(const RequestFilter& filter,
                        const std::vector<KnownStream>& streams) {
  std::set<std::string> ports;
  const auto add = [&](const std::string& text) {
    const std::optional<Peer> peer = ParsePeer(text);
    if (peer && !peer->port.empty()) ports.insert(peer->port);
  };
  for (const KnownStream& stream : streams) {
    if (filter.qp == stream.qp) add(stream.peer);
  }
  if (ports.empty()) add(filter.peer);
  std::string out;
  for (const std::string& port : ports)
    out += fmt::format("{}dport=={}", out.empty() ? "" : " || ", port);
  return out;
}

Result<std::unique_ptr<LiveEvents>> LiveEvents::Open(
    std::optional<uint32_t> qp, const std::string& probe_filter) {
  errno = ENOENT;
  if (!tracing_dir()) return TracefsError("tracefs");
  if (access("/sys/module/siw", F_OK) < 0)
    return Error{"the module siw is not loaded: siw doctor"};
  RemoveStale();
  const std::string name = fmt::format("{}{}", kInstance, getpid());
  tracefs_instance* instance = tracing_instance_create(name.c_str());
  if (!instance) return TracefsError("tracefs: instances/" + name);
  std::unique_ptr<LiveEvents> events(new LiveEvents(instance));
  if (tracing_file_write(instance, "trace_clock", "mono") < 0 ||
      tracing_file_write(instance, "buffer_size_kb", kBufferKilobytes) < 0)
    return TracefsError("tracefs: instances/" + name);
  // Before those of siw: what is sent is seen acknowledged.
  events->no_probe_ = EnableProbe(instance, probe_filter);
  for (const char* event : kEvents) {
    const std::string path = fmt::format("tracefs: events/siw/{}", event);
    if (!tracing_event_file_exists(instance, kSystem, event, "enable"))
      return Error{path + ": the driver that is loaded has no such event"};
    // Where the last FPDU of a message is placed, all of it is.
    std::string filter = std::strcmp(event, "siw_placed") == 0 ? "last==1" : "";
    // A completion queue does not know the queue pair.
    if (qp && std::strcmp(event, "siw_notify") != 0)
      filter += fmt::format("{}qpn=={}", filter.empty() ? "" : " && ", *qp);
    if (!filter.empty() &&
        tracing_event_file_write(instance, kSystem, event, "filter",
                                 filter.c_str()) < 0)
      return TracefsError(path);
    if (tracing_event_file_write(instance, kSystem, event, "enable", "1") < 0)
      return TracefsError(path);
  }
  events->fd_ = tracing_file_open(instance, "trace_pipe",
                                  O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (events->fd_ < 0) return TracefsError("tracefs: trace_pipe");
  return events;
}

void LiveEvents::Stop() { tracing_file_write(instance_, "tracing_on", "0"); }

LiveEvents::~LiveEvents() {
  if (fd_ >= 0) close(fd_);
  Stop();
  tracing_instance_destroy(instance_);
}

Result<LiveResult> TraceLive(const LiveOptions& options,
                             const std::vector<KnownStream>& streams,
                             std::map<uint32_t, std::string> devices,
                             LiveWriter::Print print) {
  const StopOnSignal signals;
  const bool live = options.events.empty();
  std::unique_ptr<LiveEvents> events;
  File input(nullptr, fclose);
  int fd = STDIN_FILENO;
  if (live) {
    Result<std::unique_ptr<LiveEvents>> opened = LiveEvents::Open(
        options.filter.qp, ProbeFilter(options.filter, streams));
    if (!opened) return opened.error();
    events = std::move(*opened);
    fd = events->fd();
  } else if (options.events != "-") {
    // Nobody may have a FIFO open yet.
    fd = open(options.events.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return ErrnoError(options.events);
    input.reset(fdopen(fd, "rb"));
  }
  // What is there is not lost for an error, nor written over while it is read.
  File perfetto(nullptr, fclose);
  if (!options.perfetto.empty()) {
    if (IsSameFile(fd, options.perfetto))
      return Error{options.perfetto + ": it is what --events reads"};
    perfetto.reset(CreateFile(options.perfetto));
    if (!perfetto) return ErrnoError(options.perfetto);
  }
  if (!live && options.drop_privileges) {
    const Status dropped = DropPrivileges();
    if (!dropped) return dropped.error();
  }

  LiveWriter writer(options.json, std::move(print), perfetto.get(),
                    std::move(devices));
  Requests requests(
      options.filter, [&](const Request& one) { writer.Add(one); },
      [&](int64_t time, uint32_t device, const std::string& text) {
        writer.Note(time, device, text);
      });
  for (const KnownStream& stream : streams)
    requests.SetPeer(stream.device, stream.qp, stream.peer);
  if (events) requests.ExpectNoAcks(events->no_probe());
  LiveResult result;
  result.unread = ReadLines(fd, events.get(), options, &requests, &result.lost);
  requests.Finish();
  result.requests = requests.count();
  result.faults = requests.faults();
  const Status status = writer.Finish(requests, result.lost, result.unread);
  if (!status) return status.error();
  return result;
}

}  // namespace siw::trace
