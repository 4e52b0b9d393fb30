// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What can be seen of siw on this host without any right.
#ifndef SIW_TOOLS_SIW_STATUS_FACTS_H_
#define SIW_TOOLS_SIW_STATUS_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/host.h"
#include "tools/common/rdma_netlink.h"
#include "tools/siw/status/advisories.h"
#include "tools/siw/status/packager.h"

namespace siw {

struct ModuleFacts {
  bool loaded = false;
  bool out_of_tree = false;  // as the kernel marks the loaded one
  std::string version;       // of the loaded one, if it tells
  std::string available;     // file of modules.dep, empty if there is none
  bool rdma_core = false;    // this kernel has ib_core
  bool headers = false;      // to build it for the running kernel
  bool dkms = false;         // DKMS knows siw, or has its source to be built
  bool dkms_built = false;   // ... and has built it for the running kernel
  std::string dkms_version;
  std::string dkms_log;  // of the last build that failed
};

struct TrustFacts {
  bool secure_boot = false;
  std::string lockdown;  // "none", "integrity", "confidentiality", or empty
  bool signatures_enforced = false;
};

struct Link {
  std::string name;
  std::string netdev;
  std::string state;       // as sysfs has it: "ACTIVE", "DOWN"
  bool netdev_up = false;  // and running
  bool ours = false;       // this project's driver
  bool crc = false;        // its streams have a CRC, whatever the peer wants
  std::vector<std::string> uverbs;
  std::map<std::string, uint64_t> counters;
  std::optional<size_t> qps;   // none: could not be looked at
  std::vector<RdmaQp> queues;  // of them, with what the driver tells
  std::vector<RdmaCmId> connections;
  std::vector<RdmaCq> overflowed;  // that are still there
};

struct ConfiguredLink {
  std::string name;
  std::string netdev;
};

struct Facts {
  std::string kernel;
  std::string command;                          // the version of this program
  std::map<std::string, std::string> packages;  // name to version
  const Packager* packager = &kApt;
  ModuleFacts module;
  TrustFacts trust;
  bool namespaces_exclusive = false;  // devices of others are not seen
  std::vector<Link> links;
  std::vector<ConfiguredLink> configured;
  std::vector<std::string> bad_lines;  // of links.conf, "3: text"
  std::string provider;                // its library, empty if there is none
  bool provider_enabled = false;       // libibverbs is told of it
  bool rdma_cm_node = false;
  bool rdma_cm_usable = false;
  std::vector<std::string> unusable_nodes;
  std::optional<uint64_t> memlock;  // octets; none: without limit
  // Interfaces with an address; none: not known
  std::optional<std::set<std::string>> addressed;
  AdvisoryFacts advisories;
  std::vector<std::string> log;  // of the kernel
  std::string log_unread;        // why it could not be read
  std::string netlink_unread;    // why netlink did not answer
};

// `channel` may be null: then links come from sysfs alone.
Facts Gather(const Host& host, NetlinkChannel* channel);

constexpr const char* kDpkgStatus = "/var/lib/dpkg/status";
constexpr const char* kRpm = "/usr/bin/rpm";

// Versions of what is installed of the packages siw, siw-* and `more`, as dpkg
// knows them, and rpm where dpkg knows none.
std::map<std::string, std::string> ReadPackages(
    const Host& host, std::span<const std::string_view> more = {});

// The module and the links alone, with their connections and counters.
Facts GatherLinks(const Host& host, NetlinkChannel* channel);

// What Gather() takes of the process itself, not of files.
std::optional<uint64_t> MemlockLimit();

// Interfaces of this network namespace that have an address. One of IPv6 that
// is link-local comes by itself, and does not count.
std::optional<std::set<std::string>> AddressedNetdevs();

// A record of /dev/kmsg, "level,sequence,microseconds,flags;text" and lines of
// details, as dmesg(1) shows it; empty if it is none.
std::string KernelLine(std::string_view record);

// The kernel's log as it is kept in memory, or why it cannot be read.
Result<std::vector<std::string>> ReadKernelLog();

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_FACTS_H_
