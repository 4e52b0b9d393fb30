// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/net/net_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace siw::net {
namespace {

using top::Row;
using top::Stream;
using top::View;

constexpr double kCpuFull = 0.95;
constexpr uint32_t kFastMegabits = 10000;
constexpr uint32_t kUsualMtu = 1500;

bool IsWildcard(const std::string& address) {
  return address.rfind("0.0.0.0:", 0) == 0 || address.rfind("[::]:", 0) == 0;
}

std::string Name(const Stream& stream) {
  return fmt::format("QP {} to {}", *stream.id.qp, stream.id.destination);
}

class Examination {
 public:
  Examination(const NetFacts& facts, CatalogueView catalogue)
      : facts_(facts),
        catalogue_(catalogue),
        view_(top::Compare(facts.before.sample, facts.now.sample)) {}

  std::vector<Check> Run() {
    if (facts_.peer) Peer(*facts_.peer);
    Listeners();
    Bandwidth();
    Below();
    Congestion();
    Exposure();
    return std::move(checks_);
  }

 private:
  void Begin(std::string what, std::string seen) {
    checks_.push_back({std::move(what), std::move(seen), {}});
  }

  void Add(std::string_view id, std::string object, std::string evidence,
           std::string next) {
    const CatalogueEntry* entry = FindId(catalogue_, id);
    if (entry) {
      checks_.back().findings.push_back({entry, entry->severity,
                                         std::move(object), std::move(evidence),
                                         std::move(next)});
    }
  }

  // The streams for which `why` has something to say, as one finding.
  template <typename Why>
  void AddStreams(std::string_view id, const std::string& next, Why why) {
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
      } else {
        ++more;
      }
    }
    if (first.empty()) return;
    if (more > 0) first += fmt::format("; {} more streams", more);
    Add(id, object, first, next);
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
      return r.sent > 0 || r.received > 0;
    });
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
      if (peer.error && *peer.error == 0) seen += ", the port answers TCP";
    }
    Begin("peer", seen);
    if (!peer.unknown.empty()) {
      Add("SIW-NET-NAME", peer.asked, peer.unknown,
          fmt::format("getent ahosts {}", SplitPeer(peer.asked).first));
      return;
    }
    if (!peer.netdev.empty() && !HasLink(peer.netdev)) {
      Add("SIW-NET-NO-LINK", peer.netdev,
          fmt::format("{} is reached from {} on {}, which has no siw link",
                      peer.address, peer.source, peer.netdev),
          fmt::format("rdma link add siw_{} type siw netdev {}", peer.netdev,
                      peer.netdev));
    }
    if (peer.error && *peer.error != 0) Unreached(peer);
  }

  void Unreached(const PeerFacts& peer) {
    const int error = *peer.error;
    const std::string evidence =
        fmt::format("connect: {}", std::strerror(error));
    const std::string host = SplitPeer(peer.asked).first;
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
    Begin("bandwidth", fmt::format("{} streams for {:.1f} s", view_.rows.size(),
                                   view_.seconds));
    for (const std::string& why : facts_.now.sample.unseen) {
      if (why.rfind("sock_diag", 0) == 0)
        Add("SIW-TOOL-SOCKDIAG", "sock_diag", why, "modprobe tcp_diag");
    }
    AddStreams("SIW-NET-WINDOW", "sysctl net.ipv4.tcp_rmem   # on the peer",
               [this](const Row& row, const auto& then, const auto& now) {
                 if (row.limited_by != "peer window") return std::string();
                 return fmt::format(
                     "the peer's window was full for {} % of the time, {} "
                     "octets of it",
                     Percent(then.window_limited, now.window_limited),
                     now.send_window);
               });
    AddStreams("SIW-NET-SNDBUF", "sysctl net.ipv4.tcp_wmem",
               [this](const Row& row, const auto& then, const auto& now) {
                 if (row.limited_by != "send buffer") return std::string();
                 return fmt::format(
                     "the send buffer of {} octets was too small for {} % of "
                     "the time",
                     now.send_buffer,
                     Percent(then.buffer_limited, now.buffer_limited));
               });
    AddStreams("SIW-NET-LOSS", "siw top --sort retransmits",
               [](const Row& row, const auto& then, const auto& now) {
                 if (row.limited_by != "loss") return std::string();
                 return fmt::format("{} of {} octets were sent again",
                                    now.sent_again - then.sent_again,
                                    now.sent - then.sent);
               });
    AddStreams("SIW-NET-APP", "siw top",
               [](const Row& row, const auto&, const auto& now) {
                 if (row.limited_by != "application") return std::string();
                 return fmt::format(
                     "the program did not fill it, {} octets wait to be sent",
                     now.not_sent);
               });
  }

  // CPU and interface.
  void Below() {
    Begin("interface and CPU", BelowSeen());
    if (facts_.crc_instruction && !*facts_.crc_instruction)
      Add("SIW-NET-CRC-SLOW", "CPU", "/proc/cpuinfo has no sse4_2 and no crc32",
          "lscpu");
    if (Active()) Cpus();
    for (const auto& [name, netdev] : facts_.now.netdevs) {
      if (netdev.loopback) continue;
      if (netdev.mtu < kUsualMtu ||
          (netdev.mtu == kUsualMtu && netdev.speed >= kFastMegabits))
        Add("SIW-NET-MTU", name,
            fmt::format(
                "MTU {}{}", netdev.mtu,
                netdev.speed ? fmt::format(", {} Mbit/s", netdev.speed) : ""),
            fmt::format("ip -d link show {}", name));
    }
    AddStreams(
        "SIW-NET-PATH-MTU", "tracepath PEER",
        [this](const Row& row, const auto&, const auto& now) {
          const auto device = std::find_if(
              facts_.now.sample.devices.begin(),
              facts_.now.sample.devices.end(),
              [&](const auto& d) { return d.name == row.stream.device; });
          const auto netdev = device == facts_.now.sample.devices.end()
                                  ? facts_.now.netdevs.end()
                                  : facts_.now.netdevs.find(device->netdev);
          if (netdev == facts_.now.netdevs.end() || !now.path_mtu ||
              now.path_mtu >= netdev->second.mtu)
            return std::string();
          return fmt::format("path MTU {}, {} has {}", now.path_mtu,
                             netdev->first, netdev->second.mtu);
        });
  }

  std::string BelowSeen() const {
    std::string seen = fmt::format("{} CPUs", facts_.now.cpus.size());
    for (const auto& [name, netdev] : facts_.now.netdevs)
      seen += fmt::format(", {} MTU {}{}", name, netdev.mtu,
                          netdev.qdisc.empty() ? "" : " " + netdev.qdisc);
    return seen;
  }

  void Cpus() {
    const size_t n =
        std::min(facts_.before.cpus.size(), facts_.now.cpus.size());
    for (size_t i = 0; i < n; ++i) {
      const Look::Cpu& then = facts_.before.cpus[i];
      const Look::Cpu& now = facts_.now.cpus[i];
      if (now.all <= then.all) continue;
      const auto all = static_cast<double>(now.all - then.all);
      const double busy = static_cast<double>(now.busy - then.busy) / all;
      if (busy < kCpuFull) continue;
      Add("SIW-NET-CPU", fmt::format("CPU {}", i),
          fmt::format(
              "{:.0f} % busy, {:.0f} % with interrupts", busy * 100,
              static_cast<double>(now.softirq - then.softirq) / all * 100),
          "mpstat -P ALL 1");
      return;
    }
  }

  void Congestion() {
    const uint64_t backlog =
        facts_.now.backlog_drops - facts_.before.backlog_drops;
    Begin(
        "congestion",
        fmt::format("{} packets dropped between interface and stack", backlog));
    if (backlog > 0)
      Add("SIW-NET-DROPS", "host",
          fmt::format("/proc/net/softnet_stat: {} in {:.1f} s", backlog,
                      view_.seconds),
          "sysctl net.core.netdev_max_backlog");
    for (const auto& [name, now] : facts_.now.netdevs) {
      const auto then = facts_.before.netdevs.find(name);
      if (then == facts_.before.netdevs.end()) continue;
      if (now.dropped > then->second.dropped)
        Add("SIW-NET-DROPS", name,
            fmt::format("{} packets dropped in {:.1f} s",
                        now.dropped - then->second.dropped, view_.seconds),
            fmt::format("ip -s -s link show {}", name));
      if (now.qdisc_drops > then->second.qdisc_drops)
        Add("SIW-NET-QDISC", name,
            fmt::format("{} dropped {} packets in {:.1f} s", now.qdisc,
                        now.qdisc_drops - then->second.qdisc_drops,
                        view_.seconds),
            fmt::format("tc -s qdisc show dev {}", name));
    }
    AddStreams("SIW-NET-ECN", "sysctl net.ipv4.tcp_ecn",
               [](const Row&, const auto& then, const auto& now) {
                 return now.ecn_marks > then.ecn_marks
                            ? fmt::format("{} segments came marked",
                                          now.ecn_marks - then.ecn_marks)
                            : std::string();
               });
    AddStreams("SIW-NET-REORDER", "ethtool -x INTERFACE",
               [](const Row&, const auto& then, const auto& now) {
                 return now.reordering > then.reordering
                            ? fmt::format("seen {} times",
                                          now.reordering - then.reordering)
                            : std::string();
               });
  }

  void Exposure() {
    Begin("exposure", "cleartext and listeners");
    for (const Link& link : facts_.links) {
      std::string wild;
      for (const RdmaCmId& id : link.connections) {
        if (id.state == "LISTEN" && IsWildcard(id.source))
          wild += (wild.empty() ? "" : ", ") + id.source;
      }
      if (!wild.empty())
        Add("SIW-NET-WILDCARD", link.name, "listens on " + wild,
            fmt::format("rdma resource show cm_id link {}/1", link.name));
    }
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
  }

  const NetFacts& facts_;
  CatalogueView catalogue_;
  View view_;
  std::vector<Check> checks_;
};

}  // namespace

std::vector<Check> ExamineNet(const NetFacts& facts, CatalogueView catalogue) {
  return Examination(facts, catalogue).Run();
}

}  // namespace siw::net
