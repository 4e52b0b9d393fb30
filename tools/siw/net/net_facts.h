// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw doctor --level net` looks at: streams for a moment, and what is
// below them.
#ifndef SIW_TOOLS_SIW_NET_NET_FACTS_H_
#define SIW_TOOLS_SIW_NET_NET_FACTS_H_

#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/host.h"
#include "tools/common/rdma_netlink.h"
#include "tools/siw/top/sample.h"
#include "tools/siw/top/view.h"

namespace siw::net {

struct Netdev {
  std::string name;
  uint32_t mtu = 0;
  uint32_t speed = 0;  // Mbit/s, 0: unknown
  bool loopback = false;
  std::string type;            // "wireguard", "vlan"; empty: a plain one
  uint64_t packets = 0;        // both ways, so far
  uint64_t dropped = 0;        // of them or besides
  std::string qdisc;           // at its root, empty if it cannot be seen
  uint64_t qdisc_packets = 0;  // let through by all of its disciplines, so far
  uint64_t qdisc_drops = 0;    // not let through
};

// One look at what changes.
struct Look {
  top::Sample sample;
  std::map<std::string, Netdev> netdevs;  // those with a device of siw
  // Of a CPU, in ticks.
  struct Cpu {
    uint64_t all = 0;
    uint64_t busy = 0;
    uint64_t softirq = 0;
    uint64_t user = 0;    // in programs
    uint64_t waited = 0;  // nanoseconds that tasks waited for it, added up
  };
  std::map<unsigned, Cpu> cpus;  // by number: those that are online
  // Between interface and stack.
  uint64_t backlog_packets = 0;
  uint64_t backlog_drops = 0;
};

// What came of a try to reach the peer.
struct PeerFacts {
  std::string asked;         // as the user wrote it
  std::string unknown;       // why it has no address
  std::string address;       // "192.0.2.2:4420"
  std::string source;        // address of this host on the way to it
  std::string netdev;        // that leads there: rdma_cm takes its link
  std::optional<int> error;  // of the TCP connection, 0: it was made
};

struct NetFacts {
  Look before;
  Look now;
  std::vector<Link> links;
  std::optional<bool> crc_instruction;  // none: cannot be told
  std::optional<PeerFacts> peer;
};

// `route` is a channel of NETLINK_ROUTE, or null.
Look TakeLook(const Host& host, const top::Channel& rdma,
              const top::Channel& diag, NetlinkChannel* route, int64_t time);

// Has the CPU an instruction for CRC32c?
std::optional<bool> CrcInstruction(const Host& host);

// Which interface leads to an address: RTM_GETROUTE of rtnetlink(7). Empty if
// none does, or if the address is of this host itself.
std::string NetdevTowards(const sockaddr* to, NetlinkChannel* route);

// Connects to the port, if there is one, for at most 3 seconds. `route` is a
// channel of NETLINK_ROUTE, or null: then the interface that has our address is
// taken for the one that leads there.
PeerFacts TryPeer(const std::string& peer, NetlinkChannel* route);

}  // namespace siw::net

#endif  // SIW_TOOLS_SIW_NET_NET_FACTS_H_
