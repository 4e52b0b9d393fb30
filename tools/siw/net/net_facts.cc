// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/net/net_facts.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace siw::net {
namespace {

uint64_t Number(const Host& host, const std::string& path) {
  // The speed of an interface that has none is -1.
  const long long value =
      std::strtoll(host.ReadOrEmpty(path).c_str(), nullptr, 10);
  return value < 0 ? 0 : static_cast<uint64_t>(value);
}

Netdev ReadNetdev(const Host& host, const std::string& name) {
  constexpr uint64_t kLoopback = 772;  // ARPHRD_LOOPBACK
  const std::string base = "/sys/class/net/" + name;
  Netdev netdev;
  netdev.name = name;
  netdev.mtu = static_cast<uint32_t>(Number(host, base + "/mtu"));
  netdev.speed = static_cast<uint32_t>(Number(host, base + "/speed"));
  netdev.loopback = Number(host, base + "/type") == kLoopback;
  for (const std::string& line : Lines(host.ReadOrEmpty(base + "/uevent"))) {
    if (line.rfind("DEVTYPE=", 0) == 0) netdev.type = line.substr(8);
  }
  netdev.packets = Number(host, base + "/statistics/rx_packets") +
                   Number(host, base + "/statistics/tx_packets");
  netdev.dropped = Number(host, base + "/statistics/rx_dropped") +
                   Number(host, base + "/statistics/tx_dropped");
  return netdev;
}

// Without the padding at its end, which the kernel may leave out.
constexpr size_t kBasicSize =
    offsetof(gnet_stats_basic, packets) + sizeof(gnet_stats_basic::packets);

struct Qdisc {
  std::string kind;
  uint64_t packets = 0;
  uint64_t drops = 0;
};

int TakeStats(const nlattr* attr, void* data) {
  if (mnl_attr_get_type(attr) == TCA_STATS_QUEUE &&
      mnl_attr_get_payload_len(attr) >= sizeof(gnet_stats_queue)) {
    gnet_stats_queue queue;
    std::memcpy(&queue, mnl_attr_get_payload(attr), sizeof(queue));
    static_cast<Qdisc*>(data)->drops = queue.drops;
  }
  if (mnl_attr_get_type(attr) == TCA_STATS_BASIC &&
      mnl_attr_get_payload_len(attr) >= kBasicSize) {
    gnet_stats_basic basic = {};
    std::memcpy(&basic, mnl_attr_get_payload(attr), kBasicSize);
    static_cast<Qdisc*>(data)->packets = basic.packets;
  }
  return MNL_CB_OK;
}

int TakeQdisc(const nlattr* attr, void* data) {
  auto* qdisc = static_cast<Qdisc*>(data);
  if (mnl_attr_get_type(attr) == TCA_KIND &&
      mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
    qdisc->kind = mnl_attr_get_str(attr);
  if (mnl_attr_get_type(attr) == TCA_STATS2)
    mnl_attr_parse_nested(attr, TakeStats, data);
  return MNL_CB_OK;
}

// Queueing disciplines by the index of their interface.
void ReadQdiscs(const Host& host, NetlinkChannel* route,
                std::map<std::string, Netdev>* netdevs) {
  if (!route) return;
  Octets request(MNL_NLMSG_HDRLEN + 64);
  nlmsghdr* asked = mnl_nlmsg_put_header(request.data());
  asked->nlmsg_type = RTM_GETQDISC;
  asked->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  asked->nlmsg_seq = 1;
  mnl_nlmsg_put_extra_header(asked, sizeof(tcmsg));
  request.resize(asked->nlmsg_len);
  const Result<Octets> answer = route->Ask(request);
  if (!answer) return;

  std::map<uint64_t, Netdev*> by_index;
  for (auto& [name, netdev] : *netdevs)
    by_index[Number(host, "/sys/class/net/" + name + "/ifindex")] = &netdev;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer->data());
  auto left = static_cast<int>(answer->size());
  for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
    if (header->nlmsg_type != RTM_NEWQDISC ||
        mnl_nlmsg_get_payload_len(header) < sizeof(tcmsg))
      continue;
    tcmsg message;
    std::memcpy(&message, mnl_nlmsg_get_payload(header), sizeof(message));
    const auto found =
        by_index.find(static_cast<uint64_t>(message.tcm_ifindex));
    if (found == by_index.end()) continue;
    Qdisc qdisc;
    mnl_attr_parse(header, sizeof(tcmsg), TakeQdisc, &qdisc);
    // What a parent dropped has its children's in it.
    if (message.tcm_parent == TC_H_ROOT) {
      found->second->qdisc = qdisc.kind;
      found->second->qdisc_packets = qdisc.packets;
      found->second->qdisc_drops = qdisc.drops;
    }
  }
}

// Of each CPU by its name, how long tasks that could run had to wait: the
// eighth number.
std::map<std::string, uint64_t> ReadWaits(const Host& host) {
  std::map<std::string, uint64_t> waits;
  for (const std::string& line : Lines(host.ReadOrEmpty("/proc/schedstat"))) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name.rfind("cpu", 0) != 0) continue;
    uint64_t value = 0;
    int field = 0;
    while (field < 8 && words >> value) ++field;
    if (field == 8) waits[name] = value;
  }
  return waits;
}

// Those that are offline have no line: they are not counted by it.
std::map<unsigned, Look::Cpu> ReadCpus(const Host& host) {
  std::map<std::string, uint64_t> waits = ReadWaits(host);
  std::map<unsigned, Look::Cpu> cpus;
  for (const std::string& line : Lines(host.ReadOrEmpty("/proc/stat"))) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    unsigned number = 0;
    if (std::sscanf(name.c_str(), "cpu%u", &number) != 1) continue;
    // user nice system idle iowait irq softirq steal
    Look::Cpu cpu;
    uint64_t value = 0;
    for (int field = 0; field < 8 && words >> value; ++field) {
      cpu.all += value;
      if (field != 3 && field != 4) cpu.busy += value;
      if (field == 0 || field == 1) cpu.user += value;
      if (field == 6) cpu.softirq = value;
    }
    cpu.waited = waits[name];
    cpus[number] = cpu;
  }
  return cpus;
}

// The first two columns of each CPU, in hexadecimal.
void ReadBacklog(const Host& host, Look* look) {
  for (const std::string& line :
       Lines(host.ReadOrEmpty("/proc/net/softnet_stat"))) {
    std::istringstream words(line);
    uint64_t packets = 0;
    uint64_t dropped = 0;
    if (words >> std::hex >> packets >> dropped) {
      look->backlog_packets += packets;
      look->backlog_drops += dropped;
    }
  }
}

}  // namespace

Look TakeLook(const Host& host, const top::Channel& rdma,
              const top::Channel& diag, NetlinkChannel* route, int64_t time) {
  Look look;
  look.sample = top::Take(host, rdma, diag, time);
  for (const top::Device& device : look.sample.devices) {
    if (!device.netdev.empty())
      look.netdevs[device.netdev] = ReadNetdev(host, device.netdev);
  }
  ReadQdiscs(host, route, &look.netdevs);
  look.cpus = ReadCpus(host);
  ReadBacklog(host, &look);
  return look;
}

std::optional<bool> CrcInstruction(const Host& host) {
  for (const std::string& line : Lines(host.ReadOrEmpty("/proc/cpuinfo"))) {
    const bool x86 = line.rfind("flags", 0) == 0;
    const bool arm = line.rfind("Features", 0) == 0;
    if (!x86 && !arm) continue;
    const std::string words = line + " ";
    return words.find(x86 ? " sse4_2 " : " crc32 ") != std::string::npos;
  }
  return {};
}

}  // namespace siw::net
