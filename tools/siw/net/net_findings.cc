// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/net/net_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "tools/common/peer.h"
#include "tools/siw/output.h"

namespace siw::net {
namespace {

using top::Row;
using top::Stream;
using top::View;

constexpr double kCpuFull = 0.95;
constexpr double kCpuOfPrograms = 0.5;
constexpr double kCpuWaited = 0.3;
// Of packets, by chance, in a second.
constexpr uint64_t kFew = 5;
constexpr uint64_t kDropShare = 1000;  // 1 in so many
// A round trip so many times its least, and so much longer, waits in a queue.
constexpr uint32_t kQueued = 10;
constexpr uint32_t kQueuedMicroseconds = 250000;
// FPDUs of fewer octets, if there are many in a second
constexpr uint64_t kSmallFpdu = 512;
constexpr double kManyFpdus = 500;
constexpr uint32_t kFastMegabits = 10000;
constexpr uint32_t kUsualMtu = 1500;

bool IsWildcard(const std::string& address) {
  return address.rfind("0.0.0.0:", 0) == 0 || address.rfind("[::]:", 0) == 0;
}

// A counter that went back is one that began anew.
uint64_t Grown(uint64_t before, uint64_t now) {
  return now < before ? 0 : now - before;
}

std::string Name(const Stream& stream) {
  return fmt::format("QP {} to {}", *stream.id.qp, stream.id.destination);
}

class Examination : Examiner {
 public:
  Examination(const NetFacts& facts, CatalogueView catalogue)
      : Examiner(catalogue),
        facts_(facts),
        view_(top::Compare(facts.before.sample, facts.now.sample)) {}

  std::vector<Check> Run() {
    if (facts_.peer) Peer(*facts_.peer);
    Listeners();
    Drops();
    Bandwidth();
    QueueDepth();
    Below();
    Exposure();
    return std::move(checks_);
  }

 private:
  // The streams for which `why` has something to say, as one finding. In `next`
  // there may be PEER and INTERFACE: those of the first.
  template <typename Why>
  void AddStreams(std::string_view id, std::string next, Why why) {
    std::string first;
    std::string object;
    size_t more = 0;
    for (const Row& row : view_.rows) {
      if (!row.stream.tcp || row.is_new) continue;
      const Stream* before = Before(row.stream);
      if (!before || !before->tcp) continue;
      const std::string text = why(row, *before->tcp, *row.stream.tcp);
      if (text.empty()) continue;
      if (first.empty()) {
        first = fmt::format("{}: {}", Name(row.stream), text);
        object = row.stream.device;
        Replace("PEER", SplitPeer(row.stream.id.destination).first, &next);
        Replace("INTERFACE", NetdevOf(object), &next);
      } else {
        ++more;
      }
    }
    if (first.empty()) return;
    if (more > 0) first += fmt::format("; {} more streams", more);
    Add(id, object, first, next);
  }

  static void Replace(std::string_view word, const std::string& with,
                      std::string* text) {
    const size_t at = text->find(word);
    if (at != std::string::npos && !with.empty())
      text->replace(at, word.size(), Quoted(with));
  }

  std::string NetdevOf(const std::string& device) const {
    for (const top::Device& one : facts_.now.sample.devices) {
      if (one.name == device) return one.netdev;
    }
    return "";
  }

  const Stream* Before(const Stream& stream) const {
    for (const Stream& then : facts_.before.sample.streams) {
      if (then.device == stream.device && then.id.qp == stream.id.qp &&
          then.id.destination == stream.id.destination)
        return &then;
    }
    return nullptr;
  }

  bool Active() const {
    return std::any_of(view_.rows.begin(), view_.rows.end(), [](const Row& r) {
      return r.sent > 0 || r.received > 0 ||
             (r.stream.tcp && r.stream.tcp->send_queue > 0);
    });
  }

  bool MostComesIn() const {
    double sent = 0;
    double received = 0;
    for (const Row& row : view_.rows) {
      sent += row.sent;
      received += row.received;
    }
    return received > 2 * sent;
  }

  // What the driver tells of a queue pair; empty if it is not seen.
  static std::string Detail(const RdmaQp& qp, std::string_view name) {
    for (const auto& [key, value] : qp.details) {
      if (key == name) return value;
    }
    return "";
  }

  const RdmaQp* QpOf(const Stream& stream) const {
    for (const Link& link : facts_.links) {
      for (const RdmaQp& qp : link.queues) {
        if (link.name == stream.device && qp.number == stream.id.qp) return &qp;
      }
    }
    return nullptr;
  }

  // Since its connection was made.
  static std::string UseOf(const RdmaQp& qp) {
    std::string use =
        fmt::format("at most {} of {} in its send queue, {} of {} Reads",
                    Detail(qp, "sq_high"), Detail(qp, "sq_size"),
                    Detail(qp, "ord_high"), Detail(qp, "ord"));
    // Before a message has taken a receive it says how many there may be.
    const std::string low = Detail(qp, "rq_low");
    if (!low.empty() && low != Detail(qp, "rq_size"))
      use += fmt::format(", at least {} of {} receives left", low,
                         Detail(qp, "rq_size"));
    return use;
  }

  int Percent(uint64_t before, uint64_t now) const {
    return now < before || view_.seconds <= 0
               ? 0
               : static_cast<int>(static_cast<double>(now - before) / 1e4 /
                                  view_.seconds);
  }

  void Peer(const PeerFacts& peer) {
    std::string seen = peer.unknown;
    if (seen.empty()) {
      seen = fmt::format("{}, from {} on {}", peer.address,
                         peer.source.empty() ? "nowhere" : peer.source,
                         peer.netdev.empty() ? "nothing" : peer.netdev);
      if (peer.error && *peer.error == 0)
        seen += ", TCP answers at the port, whether iWARP does is not tried";
    }
    Begin("peer", seen);
    if (!peer.unknown.empty()) {
      Add("SIW-NET-NAME", peer.asked, peer.unknown,
          fmt::format("getent ahosts {}", Quoted(SplitPeer(peer.asked).first)));
      return;
    }
    if (!peer.netdev.empty() && !HasLink(peer.netdev)) {
      Add("SIW-NET-NO-LINK", peer.netdev,
          fmt::format("{} is reached from {} on {}, which has no siw link",
                      peer.address, peer.source, peer.netdev),
          fmt::format("rdma link add {} type siw netdev {}",
                      Quoted("siw_" + peer.netdev), Quoted(peer.netdev)));
    }
    if (peer.error && *peer.error != 0) Unreached(peer);
  }

  void Unreached(const PeerFacts& peer) {
    const int error = *peer.error;
    const std::string evidence =
        fmt::format("connect: {}", std::strerror(error));
    const std::string host = Quoted(SplitPeer(peer.asked).first);
    if (error == ECONNREFUSED)
      Add("SIW-CONN-REFUSED", peer.address, evidence,
          "rdma resource show cm_id   # on the peer");
    else if (error == ETIMEDOUT)
      Add("SIW-CONN-TCP-TIMEOUT", peer.address, evidence + " within 3 s",
          fmt::format("ping -c 3 {}", host));
    else
      Add("SIW-CONN-UNREACHABLE", peer.address, evidence,
          fmt::format("ip route get {}", host));
  }

  bool HasLink(const std::string& netdev) const {
    return std::any_of(facts_.links.begin(), facts_.links.end(),
                       [&](const Link& link) { return link.netdev == netdev; });
  }

  void Listeners() {
    std::string seen;
    for (const Link& link : facts_.links) {
      for (const RdmaCmId& id : link.connections) {
        if (id.state == "LISTEN")
          seen += (seen.empty() ? "" : ", ") + id.source;
      }
    }
    Begin("listeners", seen.empty() ? "none" : seen);
  }

  void Bandwidth() {
    std::string seen = fmt::format("{} streams for {:.1f} s", view_.rows.size(),
                                   view_.seconds);
    if (MostComesIn())
      seen += ", most of it comes in: what limits that, the peer sees";
    Begin("bandwidth", seen);
    for (const std::string& why : facts_.now.sample.unseen) {
      if (why.rfind("sock_diag", 0) == 0)
        Add("SIW-TOOL-SOCKDIAG", "sock_diag", why, "modprobe tcp_diag");
    }
    // A window or a buffer is too small for what waits in it, too.
    AddStreams("SIW-NET-QUEUED", "ping -i 0.2 -c 20 PEER",
               [](const Row&, const auto& then, const auto& now) {
                 if (now.acknowledged == then.acknowledged || !now.min_rtt ||
                     now.rtt < now.min_rtt + kQueuedMicroseconds ||
                     now.rtt / kQueued < now.min_rtt)
                   return std::string();
                 return fmt::format("round trip {} us, {} us at best", now.rtt,
                                    now.min_rtt);
               });
    AddStreams("SIW-NET-WINDOW", "sysctl net.ipv4.tcp_rmem   # on the peer",
               [this](const Row& row, const auto& then, const auto& now) {
                 if (row.limited_by != "peer window") return std::string();
                 return fmt::format(
                     "the peer's window was full for {} % of the time, {} "
                     "octets of it, round trip {} us",
                     Percent(then.window_limited, now.window_limited),
                     now.send_window, now.rtt);
               });
    AddStreams("SIW-NET-SNDBUF", "sysctl net.ipv4.tcp_wmem",
               [this](const Row& row, const auto& then, const auto& now) {
                 if (row.limited_by != "send buffer") return std::string();
                 return fmt::format(
                     "the send buffer of {} octets was too small for {} % of "
                     "the time, round trip {} us",
                     now.send_buffer,
                     Percent(then.buffer_limited, now.buffer_limited), now.rtt);
               });
    // What comes late is sent again as if it were lost.
    AddStreams("SIW-NET-REORDER", "ethtool -x INTERFACE",
               [](const Row&, const auto& then, const auto& now) {
                 return now.reordering > then.reordering
                            ? fmt::format("seen {} times",
                                          now.reordering - then.reordering)
                            : std::string();
               });
    AddStreams(
        "SIW-NET-LOSS", "siw top --sort retransmits",
        [](const Row& row, const auto& then, const auto& now) {
          if (row.limited_by != "loss") return std::string();
          if (now.acknowledged == then.acknowledged && now.unanswered > 1)
            return fmt::format(
                "no answer to {} octets, sent again {} times in a row",
                now.send_queue, now.unanswered);
          if (now.segments_again - then.segments_again < kFew)
            return std::string();
          return fmt::format("{} of {} octets were sent again",
                             now.sent_again - then.sent_again,
                             now.sent - then.sent);
        });
    AddStreams("SIW-NET-ECN", "sysctl net.ipv4.tcp_ecn",
               [](const Row&, const auto& then, const auto& now) {
                 return now.ecn_marks > then.ecn_marks
                            ? fmt::format("{} segments came marked",
                                          now.ecn_marks - then.ecn_marks)
                            : std::string();
               });
    for (const top::Device& device : facts_.now.sample.devices)
      OfDevice(device);
    AddStreams("SIW-NET-APP", "siw top",
               [this](const Row& row, const auto&, const auto& now) {
                 if (row.limited_by != "application") return std::string();
                 return fmt::format(
                     "the program did not fill it, {} octets wait to be sent, "
                     "round trip {} us{}",
                     now.not_sent, now.rtt, UseOf(row.stream));
               });
  }

  std::string UseOf(const Stream& stream) const {
    const RdmaQp* qp = QpOf(stream);
    return qp && !Detail(*qp, "ord").empty() ? ", " + UseOf(*qp) : "";
  }

  // What is not known of one stream: the driver counts for the device.
  void OfDevice(const top::Device& now) {
    for (const top::Device& then : facts_.before.sample.devices) {
      if (then.name == now.name && Active()) Grew(then, now);
    }
  }

  void Grew(const top::Device& then, const top::Device& now) {
    const auto grown = [&](const std::string& name) -> uint64_t {
      const auto a = then.counters.find(name);
      const auto b = now.counters.find(name);
      return a == then.counters.end() || b == now.counters.end()
                 ? 0
                 : Grown(a->second, b->second);
    };
    const uint64_t stalls = grown("tx_read_stall");
    if (stalls > kFew && ReadsAtTheirMost(now.name))
      Add("SIW-NET-ORD", now.name,
          fmt::format("tx_read_stall: {} in {:.1f} s", stalls, view_.seconds),
          fmt::format("rdma -dd resource show qp link {}", Quoted(now.name)));
    const uint64_t fpdus = grown("tx_fpdu") + grown("rx_fpdu");
    const uint64_t octets = grown("tx_bytes") + grown("rx_bytes");
    if (static_cast<double>(fpdus) >= kManyFpdus * view_.seconds &&
        octets / kSmallFpdu < fpdus)
      Add("SIW-NET-FPDU", now.name,
          fmt::format("{} FPDUs in {:.1f} s, {} octets each", fpdus,
                      view_.seconds, octets / fpdus),
          fmt::format("rdma statistic show link {}/1", Quoted(now.name)));
  }

  // A fence, or a send queue full of Reads, holds up work as well, and there
  // may be no more work. Where the driver tells no details, the counter is all
  // there is.
  bool ReadsAtTheirMost(const std::string& device) const {
    bool told = false;
    for (const Link& link : facts_.links) {
      for (const RdmaQp& qp : link.queues) {
        const std::string ord = Detail(qp, "ord");
        if (link.name != device || ord.empty() || ord == "0") continue;
        told = true;
        if (Detail(qp, "ord_high") == ord) return true;
      }
    }
    return !told;
  }

  // How far what was posted filled the queues: of each device the stream that
  // did so most.
  void QueueDepth() {
    std::map<std::string, std::pair<double, std::string>> most;
    for (const Row& row : view_.rows) {
      const RdmaQp* qp = QpOf(row.stream);
      if (!qp || Detail(*qp, "ord").empty()) continue;
      const double size = std::atof(Detail(*qp, "sq_size").c_str());
      const double share =
          size > 0 ? std::atof(Detail(*qp, "sq_high").c_str()) / size : 0;
      auto& [best, text] = most[row.stream.device];
      if (!text.empty() && share <= best) continue;
      best = share;
      text = fmt::format("{} QP {}: {}", row.stream.device, qp->number,
                         UseOf(*qp));
    }
    std::string seen;
    for (const auto& [device, one] : most)
      seen += (seen.empty() ? "" : "; ") + one.second;
    Begin("queue depth", seen.empty() ? "no stream is seen" : seen);
  }

  // CPU and interface.
  void Below() {
    Begin("interface and CPU", BelowSeen());
    if (facts_.crc_instruction && !*facts_.crc_instruction && CrcIsUsed())
      Add("SIW-NET-CRC-SLOW", "CPU", "/proc/cpuinfo has no sse4_2 and no crc32",
          "lscpu");
    if (Active()) Cpus();
    for (const auto& [name, netdev] : facts_.now.netdevs) {
      // Without /sys, or in another namespace, it is not known.
      if (netdev.loopback || netdev.mtu == 0) continue;
      if (netdev.mtu < kUsualMtu ||
          (netdev.mtu == kUsualMtu && netdev.speed >= kFastMegabits))
        Add("SIW-NET-MTU", name,
            fmt::format(
                "MTU {}{}", netdev.mtu,
                netdev.speed ? fmt::format(", {} Mbit/s", netdev.speed) : ""),
            fmt::format("ip -d link show {}", Quoted(name)));
    }
    AddStreams("SIW-NET-PATH-MTU", "tracepath PEER",
               [this](const Row& row, const auto&, const auto& now) {
                 const auto netdev =
                     facts_.now.netdevs.find(NetdevOf(row.stream.device));
                 if (netdev == facts_.now.netdevs.end() || !now.path_mtu ||
                     now.path_mtu >= netdev->second.mtu)
                   return std::string();
                 return fmt::format("path MTU {}, {} has {}", now.path_mtu,
                                    netdev->first, netdev->second.mtu);
               });
  }

  // By what a device wants of new streams, or by a stream: in a network
  // namespace what the device wants may not be seen.
  bool CrcIsUsed() const {
    return std::any_of(
        facts_.links.begin(), facts_.links.end(), [](const Link& link) {
          return link.crc || std::any_of(link.queues.begin(), link.queues.end(),
                                         [](const RdmaQp& qp) {
                                           return Detail(qp, "crc") == "1";
                                         });
        });
  }

  std::string BelowSeen() const {
    std::string seen = fmt::format("{} CPUs", facts_.now.cpus.size());
    for (const auto& [name, netdev] : facts_.now.netdevs)
      seen += fmt::format(", {} MTU {}{}", name, netdev.mtu,
                          netdev.qdisc.empty() ? "" : " " + netdev.qdisc);
    return seen;
  }

  // A program that polls has a CPU to itself: that is full, and nobody minds.
  // One that works for the kernel, or for which tasks wait, has too much to do.
  void Cpus() {
    for (const auto& [number, now] : facts_.now.cpus) {
      // One that was offline then has not been watched.
      const auto found = facts_.before.cpus.find(number);
      if (found == facts_.before.cpus.end()) continue;
      const Look::Cpu& then = found->second;
      if (now.all <= then.all) continue;
      const auto all = static_cast<double>(now.all - then.all);
      const auto share = [all](uint64_t before, uint64_t after) {
        return static_cast<double>(Grown(before, after)) / all;
      };
      const double busy = share(then.busy, now.busy);
      const double user = share(then.user, now.user);
      const double waited =
          static_cast<double>(Grown(then.waited, now.waited)) / 1e9 /
          view_.seconds;
      if (busy < kCpuFull || (user > kCpuOfPrograms && waited < kCpuWaited))
        continue;
      Add("SIW-NET-CPU", fmt::format("CPU {}", number),
          fmt::format("{:.0f} % busy, {:.0f} % with programs, {:.0f} % with "
                      "interrupts; tasks waited {:.0f} % of the time",
                      busy * 100, user * 100,
                      share(then.softirq, now.softirq) * 100, waited * 100),
          "mpstat -P ALL 1");
      return;
    }
  }

  // What this host itself drops.
  void Drops() {
    const Look& before = facts_.before;
    const uint64_t backlog =
        Grown(before.backlog_drops, facts_.now.backlog_drops);
    Begin("drops", fmt::format("{} packets dropped between interface and stack",
                               backlog));
    if (Matters(backlog,
                Grown(before.backlog_packets, facts_.now.backlog_packets)))
      Add("SIW-NET-DROPS", "host",
          fmt::format("/proc/net/softnet_stat: {} in {:.1f} s", backlog,
                      view_.seconds),
          "sysctl net.core.netdev_max_backlog");
    for (const auto& [name, now] : facts_.now.netdevs) {
      const auto then = before.netdevs.find(name);
      if (then != before.netdevs.end()) DropsOf(then->second, now);
    }
  }

  void DropsOf(const Netdev& then, const Netdev& now) {
    const uint64_t dropped = Grown(then.dropped, now.dropped);
    if (Matters(dropped, Grown(then.packets, now.packets)))
      Add("SIW-NET-DROPS", now.name,
          fmt::format("{} packets dropped in {:.1f} s", dropped, view_.seconds),
          fmt::format("ip -s -s link show {}", Quoted(now.name)));
    const uint64_t queue = Grown(then.qdisc_drops, now.qdisc_drops);
    if (Matters(queue, Grown(then.qdisc_packets, now.qdisc_packets)))
      Add("SIW-NET-QDISC", now.name,
          fmt::format("{} dropped {} packets in {:.1f} s", now.qdisc, queue,
                      view_.seconds),
          fmt::format("tc -s qdisc show dev {}", Quoted(now.name)));
  }

  // A frame now and then that nobody wants, such as one of LLDP, counts as
  // dropped, too.
  bool Matters(uint64_t dropped, uint64_t packets) const {
    return Active() && dropped >= kFew && dropped >= packets / kDropShare;
  }

  void Exposure() {
    Begin("exposure", "cleartext and listeners");
    for (const top::Device& device : facts_.now.sample.devices) {
      const auto netdev = facts_.now.netdevs.find(device.netdev);
      if (netdev == facts_.now.netdevs.end() || netdev->second.loopback ||
          netdev->second.type == "wireguard")
        continue;
      for (const Stream& stream : facts_.now.sample.streams) {
        if (stream.device != device.name) continue;
        Add("SIW-NET-CLEAR", device.name,
            fmt::format("{} leaves by {}", Name(stream), device.netdev),
            "ip xfrm policy   # as root: is there IPsec?");
        break;
      }
    }
    // A server may well do so.
    for (const Link& link : facts_.links) {
      std::string wild;
      for (const RdmaCmId& id : link.connections) {
        if (id.state == "LISTEN" && IsWildcard(id.source))
          wild += (wild.empty() ? "" : ", ") + id.source;
      }
      if (!wild.empty())
        Add("SIW-NET-WILDCARD", link.name, "listens on " + wild,
            fmt::format("rdma resource show cm_id link {}/1",
                        Quoted(link.name)));
    }
  }

  const NetFacts& facts_;
  View view_;
};

}  // namespace

std::vector<Check> ExamineNet(const NetFacts& facts, CatalogueView catalogue) {
  return Examination(facts, catalogue).Run();
}

}  // namespace siw::net
