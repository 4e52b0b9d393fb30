// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw doctor --level load` measures: what this host can do by itself, and
// how far the peer is.
#ifndef SIW_TOOLS_SIW_LOAD_LOAD_FACTS_H_
#define SIW_TOOLS_SIW_LOAD_LOAD_FACTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/host.h"
#include "tools/common/result.h"

namespace siw::load {

// Of one CPU, in octets a second.
using Rate = Result<double>;

// Round trips of one octet between two threads by TCP, in microseconds: the
// middle one of many.
struct RoundTrips {
  double at_once = 0;     // one after the other
  double after_idle = 0;  // each after some milliseconds of sleep
};

struct Speed {
  std::string netdev;
  uint32_t megabits = 0;
  // How long it may hold back an interrupt for what came; none: not known.
  std::optional<uint32_t> held_back;
};

struct LoadFacts {
  Rate crc = Error{"not measured"};
  std::string crc_by;  // what computes it in the kernel, "crc32c-intel"
  Rate copy = Error{"not measured"};
  Rate tcp = Error{"not measured"};
  Result<RoundTrips> wake = Error{"not measured"};
  std::string idle_driver;    // of cpuidle, empty: none
  std::vector<Speed> speeds;  // of interfaces with a link, those known
  uint64_t send_buffer = 0;   // the most that tcp_wmem allows, in octets
  std::string peer;           // "192.0.2.2:4420", empty: none was named
  // At least one.
  Result<std::vector<double>> peer_round_trips = Error{"no port was named"};
};

using Milliseconds = std::chrono::milliseconds;

// CRC32c by the kernel, as the driver has it computed (AF_ALG).
Rate MeasureCrc(Milliseconds how_long);
std::string CrcDriver(const Host& host);
Rate MeasureCopy(Milliseconds how_long);
// One TCP connection inside this host, which no interface sees.
Rate MeasureTcp(Milliseconds how_long);
Result<RoundTrips> MeasureWake(int rounds, Milliseconds idle);
// TCP connections to `host`, made and ended: microseconds until each was made.
Result<std::vector<double>> MeasurePeer(const std::string& host,
                                        const std::string& port, int rounds);

// "ethtool -c": rx-usecs
std::optional<uint32_t> HeldBack(const std::string& netdev);

// The third number of tcp_wmem.
uint64_t MostSendBuffer(const Host& host);

}  // namespace siw::load

#endif  // SIW_TOOLS_SIW_LOAD_LOAD_FACTS_H_
