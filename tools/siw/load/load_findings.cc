// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/load/load_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/common/peer.h"
#include "tools/siw/output.h"

namespace siw::load {
namespace {

// A round trip after sleep that takes so much longer, and so long at all, is
// longer because of the sleep.
constexpr double kIdleFactor = 3;
constexpr double kIdleMicroseconds = 50;
// Of round trips to the peer, the slowest to the fastest.
constexpr double kUnsteadyFactor = 10;
constexpr double kUnsteadyMicroseconds = 1000;
// An interrupt that comes so much later is felt.
constexpr uint32_t kHeldBackMicroseconds = 50;

double Gigabits(double octets_per_second) {
  return octets_per_second * 8 / 1e9;
}

class Examination : Examiner {
 public:
  Examination(const LoadFacts& facts, CatalogueView catalogue)
      : Examiner(catalogue), facts_(facts) {
    for (const Speed& speed : facts.speeds) {
      if (speed.megabits > fastest_.megabits) fastest_ = speed;
    }
  }

  std::vector<Check> Run() {
    if (!facts_.peer.empty()) Peer();
    const std::string by =
        facts_.crc_by.empty() ? "" : fmt::format(" by {}", facts_.crc_by);
    OneRate("CRC", "SIW-LOAD-CRC", facts_.crc, "one CPU" + by,
            "grep -A 1 crc32c /proc/crypto");
    OneRate("memory", "SIW-LOAD-COPY", facts_.copy, "one CPU",
            "numactl --hardware");
    OneRate("TCP inside this host", "SIW-LOAD-TCP", facts_.tcp,
            "one connection", "mpstat -P ALL 1");
    Wake();
    Interrupts();
    return std::move(checks_);
  }

 private:
  // Against the fastest interface with a link.
  void OneRate(const char* what, std::string_view id, const Rate& rate,
               const std::string& by, const char* next) {
    if (!rate) {
      Begin(what, "not measured: " + rate.error().message);
      return;
    }
    const std::string seen =
        fmt::format("{:.1f} Gbit/s, {}", Gigabits(*rate), by);
    Begin(what, seen);
    if (fastest_.megabits == 0 || *rate * 8 >= fastest_.megabits * 1e6) return;
    Add(id, fastest_.netdev,
        fmt::format("{}; {} has {:.1f} Gbit/s", seen, fastest_.netdev,
                    fastest_.megabits / 1e3),
        next);
  }

  void Wake() {
    if (!facts_.wake) {
      Begin("wake-up", "not measured: " + facts_.wake.error().message);
      return;
    }
    const RoundTrips& trips = *facts_.wake;
    const std::string seen = fmt::format(
        "a round trip between two threads takes {:.0f} us, after sleep {:.0f} "
        "us, idle driver {}",
        trips.at_once, trips.after_idle,
        facts_.idle_driver.empty() ? "none" : facts_.idle_driver);
    Begin("wake-up", seen);
    if (trips.after_idle > kIdleMicroseconds &&
        trips.after_idle > kIdleFactor * trips.at_once)
      Add("SIW-LOAD-IDLE", "CPU", seen, "cpupower idle-info");
  }

  void Interrupts() {
    std::string seen;
    for (const Speed& speed : facts_.speeds) {
      if (speed.held_back)
        seen += fmt::format("{}{} up to {} us", seen.empty() ? "" : ", ",
                            speed.netdev, *speed.held_back);
    }
    Begin("interrupts held back", seen.empty() ? "not known" : seen);
    for (const Speed& speed : facts_.speeds) {
      if (speed.held_back && *speed.held_back >= kHeldBackMicroseconds)
        Add("SIW-LOAD-COALESCE", speed.netdev,
            fmt::format("rx-usecs {}", *speed.held_back),
            fmt::format("ethtool -c {}", Quoted(speed.netdev)));
    }
  }

  void Peer() {
    if (!facts_.peer_round_trips) {
      Begin("peer round trip",
            "not measured: " + facts_.peer_round_trips.error().message);
      return;
    }
    const std::vector<double>& took = *facts_.peer_round_trips;
    const auto [least, most] = std::minmax_element(took.begin(), took.end());
    const std::string seen =
        fmt::format("{}: {:.0f} to {:.0f} us in {} connections", facts_.peer,
                    *least, *most, took.size());
    Begin("peer round trip", seen);
    if (*most > kUnsteadyMicroseconds && *most > kUnsteadyFactor * *least)
      Add("SIW-LOAD-UNSTEADY", facts_.peer, seen,
          fmt::format("ping -i 0.2 -c 50 {}",
                      Quoted(SplitPeer(facts_.peer).first)));
    // What has to be under way to fill the link.
    const double product = fastest_.megabits * 1e6 / 8 * *least / 1e6;
    if (facts_.send_buffer > 0 &&
        product > static_cast<double>(facts_.send_buffer))
      Add("SIW-LOAD-BUFFER", fastest_.netdev,
          fmt::format("{:.1f} Gbit/s for {:.0f} us are {:.0f} octets under "
                      "way, tcp_wmem allows {}",
                      fastest_.megabits / 1e3, *least, product,
                      facts_.send_buffer),
          "sysctl net.ipv4.tcp_wmem");
  }

  const LoadFacts& facts_;
  Speed fastest_;
};

}  // namespace

std::vector<Check> ExamineLoad(const LoadFacts& facts,
                               CatalogueView catalogue) {
  return Examination(facts, catalogue).Run();
}

}  // namespace siw::load
