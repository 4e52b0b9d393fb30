// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pcap/pcap.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "tools/siw/output.h"
#include "tools/siw/trace/decode.h"
#include "tools/siw/trace/packet.h"
#include "tools/siw/trace/pcapng.h"
#include "tools/siw/trace/words.h"

namespace siw::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr uid_t kNobody = 65534;
constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

volatile sig_atomic_t g_stop = 0;

void Stop(int) { g_stop = 1; }

struct PacketCounts {
  uint64_t all = 0;
  uint64_t tcp = 0;
  uint64_t fragments = 0;
  uint64_t cut = 0;
};

// Text or JSON, as the events come.
class Printer {
 public:
  Printer(CatalogueView catalogue, bool json,
          const std::function<void(const std::string&)>& print)
      : catalogue_(catalogue), json_(json), print_(print) {}

  void Begin() const {
    if (json_)
      print_(fmt::format("{{\"schema\": {},\n\"events\": [", kJsonSchema));
  }

  void Add(const ConnectionInfo& info, const Event& event,
           const std::string& text) {
    if (json_) {
      print_((any_ ? ",\n" : "\n") + DumpLine(EventJson(catalogue_, event)));
      any_ = true;
      return;
    }
    if (!start_) start_ = event.origin.time;
    if (told_.insert(event.connection).second) {
      print_(fmt::format("connection {}: {} -> {}\n", event.connection + 1,
                         EndpointText(info.first), EndpointText(info.second)));
    }
    print_(fmt::format("{:>6} {:>12.6f} {} {} {}\n", event.origin.packet,
                       static_cast<double>(event.origin.time - *start_) / 1e9,
                       event.connection + 1, event.forward ? "->" : "<-",
                       text));
  }

  void End(const Decoder& decoder, const PacketCounts& packets,
           const std::string& unread) const {
    json_ ? EndJson(decoder, packets, unread)
          : EndText(decoder, packets, unread);
  }

 private:
  void EndJson(const Decoder& decoder, const PacketCounts& packets,
               const std::string& unread) const {
    Json connections = Json::array();
    for (size_t i = 0; i < decoder.connections().size(); ++i)
      connections.push_back(ConnectionJson(i, decoder.connections()[i]));
    const Json counts = {{"all", packets.all},
                         {"tcp", packets.tcp},
                         {"fragments", packets.fragments},
                         {"cut", packets.cut},
                         {"ignored", decoder.ignored()}};
    print_(fmt::format(
        "\n],\n\"connections\": {},\n\"other_connections\": {},\n"
        "\"given_up\": {},\n\"packets\": {},\n\"unread\": {}}}\n",
        DumpLine(connections), decoder.others(), decoder.given_up(),
        DumpLine(counts), unread.empty() ? "null" : DumpLine(Json(unread))));
  }

  void EndText(const Decoder& decoder, const PacketCounts& packets,
               const std::string& unread) const {
    print_("\n");
    for (size_t i = 0; i < decoder.connections().size(); ++i)
      print_(ConnectionText(i, decoder.connections()[i]));
    if (decoder.connections().empty())
      print_("no iWARP was found in this capture\n");
    print_(
        fmt::format("{} packets, {} of TCP; {} TCP connections without iWARP\n",
                    packets.all, packets.tcp, decoder.others()));
    if (packets.fragments > 0)
      print_(
          fmt::format("{} IP fragments were left out: they are not put "
                      "together\n",
                      packets.fragments));
    if (packets.cut > 0)
      print_(
          fmt::format("{} packets are cut off in their headers: capture "
                      "with a larger snap length (tcpdump -s 0)\n",
                      packets.cut));
    if (decoder.ignored() > 0)
      print_(
          fmt::format("{} segments were left out: more than {} connections "
                      "at a time\n",
                      decoder.ignored(), Decoder::kMostConnections));
    if (decoder.given_up() > 0)
      print_(
          fmt::format("{} directions of connections were given up, and not "
                      "read to their ends\n",
                      decoder.given_up()));
    if (!unread.empty())
      print_(fmt::format("the rest of the capture cannot be read: {}\n",
                         Printable(unread)));
  }

  CatalogueView catalogue_;
  bool json_;
  const std::function<void(const std::string&)>& print_;
  bool any_ = false;
  std::optional<int64_t> start_;
  std::set<size_t> told_;
};

using Capture = std::unique_ptr<pcap_t, void (*)(pcap_t*)>;
using File = std::unique_ptr<FILE, int (*)(FILE*)>;

// Since 1970, of a capture that was opened for nanoseconds: tv_usec has them.
// A capture may have times that no clock had; 64 bits go to the year 2262.
int64_t Nanoseconds(const timeval& time) {
  constexpr int64_t kSecond = 1000000000;
  return std::clamp<int64_t>(time.tv_sec, 0, INT64_MAX / kSecond - 1) *
             kSecond +
         std::clamp<int64_t>(time.tv_usec, 0, kSecond - 1);
}

// Returns why the capture ends before its end; empty if it does not, or a
// signal said so.
std::string Feed(pcap_t* capture, Decoder* decoder, PacketCounts* counts) {
  const int link_type = pcap_datalink(capture);
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int got = 0;
  while (!StopOnSignal::Came() &&
         (got = pcap_next_ex(capture, &header, &data)) == 1) {
    ++counts->all;
    TcpSegment segment;
    switch (ParsePacket(link_type, OctetSpan(data, header->caplen), header->len,
                        &segment)) {
      case PacketKind::kTcp:
        ++counts->tcp;
        decoder->Add(segment, {counts->all, Nanoseconds(header->ts)});
        break;
      case PacketKind::kFragment:
        ++counts->fragments;
        break;
      case PacketKind::kCut:
        ++counts->cut;
        break;
      case PacketKind::kOther:
        break;
    }
  }
  // A signal leaves read() with an error.
  return got == PCAP_ERROR_BREAK || StopOnSignal::Came() ? ""
                                                         : pcap_geterr(capture);
}

}  // namespace

Result<TraceFiles> OpenTraceFiles(const std::string& capture,
                                  const std::string& write) {
  File in(capture == "-" ? stdin : fopen(capture.c_str(), "rbe"), fclose);
  if (!in) return ErrnoError(capture);
  struct stat read_stat = {};
  if (fstat(fileno(in.get()), &read_stat) < 0) return ErrnoError(capture);
  if (S_ISDIR(read_stat.st_mode))
    return Error{capture + ": a directory, not a capture"};
  if (!write.empty() && IsSameFile(fileno(in.get()), write))
    return Error{write + ": it is the capture that is read"};
  FILE* out = nullptr;
  if (!write.empty()) {
    out = CreateFile(write);
    if (!out) return ErrnoError(write);
  }
  return TraceFiles{in.release(), out};
}

bool IsSameFile(int fd, const std::string& path) {
  struct stat one = {};
  struct stat other = {};
  return fstat(fd, &one) == 0 && stat(path.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

FILE* CreateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (fd < 0) return nullptr;
  FILE* file = fdopen(fd, "wb");
  if (!file) close(fd);
  return file;
}

Status DropPrivileges() {
  if (geteuid() == 0 &&
      (setgroups(0, nullptr) < 0 || setresgid(kNobody, kNobody, kNobody) < 0 ||
       setresuid(kNobody, kNobody, kNobody) < 0))
    return ErrnoError("cannot become nobody to read what others sent");
  // Those of a file, or that securebits keep.
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) < 0) return ErrnoError("capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return ErrnoError("no_new_privs");
  return Done{};
}

StopOnSignal::StopOnSignal() {
  g_stop = 0;
  struct sigaction action = {};
  action.sa_handler = Stop;
  for (size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &action, &before_[i]);
}

StopOnSignal::~StopOnSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i)
    sigaction(kSignals[i], &before_[i], nullptr);
}

bool StopOnSignal::Came() { return g_stop; }

Result<TraceResult> Trace(
    const TraceFiles& files, CatalogueView catalogue,
    const std::string& application, bool json,
    const std::function<void(const std::string&)>& print) {
  const File write(files.write, fclose);
  char why[PCAP_ERRBUF_SIZE] = "";
  const Capture capture(pcap_fopen_offline_with_tstamp_precision(
                            files.capture, PCAP_TSTAMP_PRECISION_NANO, why),
                        pcap_close);
  if (!capture) {
    fclose(files.capture);
    return Error{fmt::format("not a capture: {}", Printable(why))};
  }
  const int link_type = pcap_datalink(capture.get());
  if (!IsKnownLinkType(link_type)) {
    const char* name = pcap_datalink_val_to_name(link_type);
    return Error{
        fmt::format("the capture is of link type {} ({}); Ethernet, Linux "
                    "cooked and raw IP are understood",
                    link_type, name ? name : "unknown")};
  }

  std::optional<PcapngWriter> writer;
  if (write) writer.emplace(write.get(), application);
  Printer printer(catalogue, json, print);
  Decoder* decoder_of_event = nullptr;
  Decoder decoder([&](const Event& event) {
    const ConnectionInfo& info =
        decoder_of_event->connections()[event.connection];
    const std::string text = json && !writer ? "" : EventText(catalogue, event);
    printer.Add(info, event, text);
    if (writer) writer->Add(info, event, text);
  });
  decoder_of_event = &decoder;

  TraceResult result;
  PacketCounts counts;
  const StopOnSignal signals;
  printer.Begin();
  result.unread = Feed(capture.get(), &decoder, &counts);
  decoder.Finish();
  printer.End(decoder, counts, result.unread);
  if (writer) {
    const Status status = writer->Finish();
    if (!status) return status.error();
  }
  result.connections = decoder.connections().size();
  result.given_up = decoder.given_up();
  for (const ConnectionInfo& info : decoder.connections())
    result.faults += info.faults;
  return result;
}

}  // namespace siw::trace
