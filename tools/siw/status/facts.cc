// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace siw {
namespace {

constexpr const char* kInfiniband = "/sys/class/infiniband/";

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// A module's file as modprobe(8) would choose it; `object` is "siw.ko".
std::string ModuleFile(const Host& host, const std::string& kernel,
                       const std::string& object) {
  const std::string dir = "/lib/modules/" + kernel;
  for (const std::string& line :
       Lines(host.ReadOrEmpty(dir + "/modules.dep"))) {
    const std::string file = line.substr(0, line.find(':'));
    const std::string name = file.substr(file.rfind('/') + 1);
    if (name == object || StartsWith(name, object + ".")) return file;
  }
  for (const std::string& line :
       Lines(host.ReadOrEmpty(dir + "/modules.builtin"))) {
    if (EndsWith(line, "/" + object)) return "built in";
  }
  return "";
}

void ReadDkms(const Host& host, const std::string& kernel,
              ModuleFacts* module) {
  const std::string dir = "/var/lib/dkms/siw";
  for (const std::string& version : host.List(dir)) {
    // Beside the versions there are links "kernel-RELEASE-ARCH".
    if (StartsWith(version, "kernel-")) continue;
    module->dkms = true;
    module->dkms_version = version;
    module->dkms_built = host.Exists(dir + "/" + version + "/" + kernel);
    const std::string log = dir + "/" + version + "/build/make.log";
    if (!module->dkms_built && host.Exists(log)) module->dkms_log = log;
    if (module->dkms_built) return;
  }
  if (module->dkms) return;
  // The package's source, which DKMS was not told of or has forgotten
  for (const std::string& name : host.List("/usr/src")) {
    if (!StartsWith(name, "siw-") ||
        !host.Exists("/usr/src/" + name + "/dkms.conf"))
      continue;
    module->dkms = true;
    module->dkms_version = name.substr(4);
  }
}

ModuleFacts ReadModule(const Host& host, const std::string& kernel) {
  ModuleFacts module;
  module.loaded = host.Exists("/sys/module/siw");
  module.out_of_tree =
      host.ReadOrEmpty("/sys/module/siw/taint").find('O') != std::string::npos;
  module.version = host.ReadOrEmpty("/sys/module/siw/version");
  module.available = ModuleFile(host, kernel, "siw.ko");
  module.rdma_core = host.Exists("/sys/module/ib_core") ||
                     !ModuleFile(host, kernel, "ib_core.ko").empty();
  module.headers = host.Exists("/lib/modules/" + kernel + "/build");
  ReadDkms(host, kernel, &module);
  return module;
}

TrustFacts ReadTrust(const Host& host) {
  TrustFacts trust;
  // Four octets of attributes, then the value.
  const Result<std::string> secure_boot = host.Read(
      "/sys/firmware/efi/efivars/"
      "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
  trust.secure_boot =
      secure_boot && secure_boot->size() > 4 && (*secure_boot)[4] == 1;
  // "none [integrity] confidentiality"
  const std::string lockdown =
      host.ReadOrEmpty("/sys/kernel/security/lockdown");
  const size_t open = lockdown.find('[');
  const size_t close = lockdown.find(']');
  if (open != std::string::npos && close != std::string::npos && open < close)
    trust.lockdown = lockdown.substr(open + 1, close - open - 1);
  trust.signatures_enforced =
      host.ReadOrEmpty("/sys/module/module/parameters/sig_enforce") == "Y";
  return trust;
}

bool IsLinkName(const std::string& name) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return kLetters.find(name[0]) != std::string_view::npos &&
         name.find_first_not_of(std::string(kLetters) + "0123456789._-") ==
             std::string::npos;
}

bool IsNetdevName(const std::string& name) {
  return !name.empty() && name[0] != '#' && name[0] != '-' && name != "." &&
         name != ".." && name.find('/') == std::string::npos;
}

// What begins a line, blanks aside: a carriage return is none.
std::string TakeWord(std::string* line) {
  constexpr const char* kBlanks = " \t";
  line->erase(0, std::min(line->find_first_not_of(kBlanks), line->size()));
  const std::string word = line->substr(0, line->find_first_of(kBlanks));
  line->erase(0, word.size());
  return word;
}

// The lines of links.conf as siw-link(8) reads them: NAME NETDEV [OPTION].
void ReadConfigured(const Host& host, Facts* facts) {
  const std::vector<std::string> lines =
      Lines(host.ReadOrEmpty("/etc/siw/links.conf"));
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string text = lines[i];
    if (EndsWith(text, "\r")) text.pop_back();
    std::string left = text;
    std::string name, netdev, option, rest;
    for (std::string* word : {&name, &netdev, &option, &rest})
      *word = TakeWord(&left);
    if (name.empty() || name[0] == '#') continue;
    if (option[0] == '#') option = rest = "";
    if (IsLinkName(name) && IsNetdevName(netdev) &&
        (option.empty() || option == "crc=on" || option == "crc=off") &&
        (rest.empty() || rest[0] == '#'))
      facts->configured.push_back({name, netdev});
    else
      facts->bad_lines.push_back(fmt::format("{}: {}", i + 1, text));
  }
}

void ReadProvider(const Host& host, Facts* facts) {
  std::vector<std::string> dirs = {"/usr/lib64/libibverbs",
                                   "/usr/lib/libibverbs"};
  for (const std::string& triplet : host.List("/usr/lib")) {
    if (triplet.find("-linux-gnu") != std::string::npos)
      dirs.push_back("/usr/lib/" + triplet + "/libibverbs");
  }
  for (const std::string& dir : dirs) {
    for (const std::string& name : host.List(dir)) {
      // What dpkg-divert has moved away (.distrib) nobody loads.
      if (StartsWith(name, "libsiw-rdmav") && EndsWith(name, ".so"))
        facts->provider = dir + "/" + name;
    }
  }
  facts->provider_enabled = host.Exists("/etc/libibverbs.d/siw.driver");
}

std::map<std::string, uint64_t> ReadCounters(const Host& host,
                                             const std::string& device) {
  std::map<std::string, uint64_t> counters;
  const std::string base = kInfiniband + device;
  for (const std::string& dir :
       {base + "/ports/1/hw_counters", base + "/hw_counters"}) {
    for (const std::string& name : host.List(dir)) {
      const std::string value = host.ReadOrEmpty(dir + "/" + name);
      if (name != "lifespan" && !value.empty())
        counters[name] = std::strtoull(value.c_str(), nullptr, 10);
    }
    if (!counters.empty()) break;
  }
  return counters;
}

// "4: ACTIVE"
std::string PortState(const Host& host, const std::string& device) {
  const std::string state =
      host.ReadOrEmpty(kInfiniband + device + "/ports/1/state");
  const size_t colon = state.find(": ");
  return colon == std::string::npos ? state : state.substr(colon + 2);
}

// A counter of ours that the in-box driver does not have.
bool AreOurs(const std::map<std::string, uint64_t>& counters) {
  return counters.count("rx_straddle") > 0;
}

Link ReadLink(const Host& host, const std::string& name) {
  Link link;
  const std::string base = kInfiniband + name;
  link.name = name;
  link.state = PortState(host, name);
  link.netdev = host.ReadOrEmpty(base + "/ports/1/gid_attrs/ndevs/0");
  link.counters = ReadCounters(host, name);
  link.ours = AreOurs(link.counters);
  link.crc = host.ReadOrEmpty(base + "/mpa/crc") == "1";
  for (const std::string& uverbs : host.List("/sys/class/infiniband_verbs")) {
    if (host.ReadOrEmpty("/sys/class/infiniband_verbs/" + uverbs + "/ibdev") ==
        name)
      link.uverbs.push_back(uverbs);
  }
  return link;
}

bool IsRnic(const Host& host, const std::string& device) {
  return StartsWith(host.ReadOrEmpty(kInfiniband + device + "/node_type"), "4");
}

bool Counted(const Link& link, const std::string& counter) {
  const auto found = link.counters.find(counter);
  return found != link.counters.end() && found->second > 0;
}

// The driver tells it of a queue as long as there is one.
std::vector<RdmaCq> Overflowed(RdmaNetlink* netlink, uint32_t device) {
  std::vector<RdmaCq> overflowed;
  const Result<std::vector<RdmaCq>> cqs = netlink->Cqs(device);
  for (const RdmaCq& cq : cqs ? *cqs : std::vector<RdmaCq>()) {
    const std::pair<std::string, std::string> mark("overflowed", "1");
    if (std::count(cq.details.begin(), cq.details.end(), mark))
      overflowed.push_back(cq);
  }
  return overflowed;
}

// A device of siw that netlink names; iWARP adapters are left out.
void AddFromNetlink(const Host& host, RdmaNetlink* netlink,
                    const RdmaDevice& device, Facts* facts) {
  const Result<uint32_t> driver = netlink->DriverId(device.index);
  Link link = ReadLink(host, device.name);
  if (driver ? *driver != RDMA_DRIVER_SIW : !link.ours) return;

  if (const auto ports = netlink->Ports(device.index)) {
    for (const RdmaPort& port : *ports) {
      if (port.device != device.index) continue;
      link.netdev = port.netdev;
      if (link.state.empty()) link.state = port.state == 4 ? "ACTIVE" : "DOWN";
    }
  }
  // sysfs shows counters in the first network namespace alone.
  if (link.counters.empty()) {
    if (const auto counters = netlink->Counters(device.index, 1))
      link.counters = *counters;
    link.ours = AreOurs(link.counters);
  }
  if (auto qps = netlink->Qps(device.index)) {
    link.qps = qps->size();
    link.queues = std::move(*qps);
  }
  if (auto ids = netlink->CmIds(device.index))
    link.connections = std::move(*ids);
  if (Counted(link, "cq_overflow"))
    link.overflowed = Overflowed(netlink, device.index);
  facts->links.push_back(std::move(link));
}

void ReadLinks(const Host& host, NetlinkChannel* channel, Facts* facts) {
  if (channel) {
    RdmaNetlink netlink(channel);
    const Result<std::vector<RdmaDevice>> devices = netlink.Devices();
    if (devices) {
      for (const RdmaDevice& device : *devices)
        AddFromNetlink(host, &netlink, device, facts);
      const Result<bool> exclusive = netlink.NamespacesAreExclusive();
      facts->namespaces_exclusive = exclusive && *exclusive;
    } else {
      facts->netlink_unread = devices.error().message;
    }
  }
  if (!channel || !facts->netlink_unread.empty()) {
    for (const std::string& name : host.List("/sys/class/infiniband")) {
      Link link = ReadLink(host, name);
      if (link.ours || (IsRnic(host, name) && facts->module.loaded))
        facts->links.push_back(link);
    }
  }
  for (Link& link : facts->links) {
    const std::string base = "/sys/class/net/" + link.netdev;
    link.netdev_up =
        !link.netdev.empty() && host.ReadOrEmpty(base + "/carrier") == "1";
  }
}

void ReadNodes(const Host& host, Facts* facts) {
  const std::string dir = "/dev/infiniband/";
  facts->rdma_cm_node = host.Exists(dir + "rdma_cm");
  facts->rdma_cm_usable = host.MayReadAndWrite(dir + "rdma_cm");
  for (const Link& link : facts->links) {
    for (const std::string& node : link.uverbs) {
      if (!host.MayReadAndWrite(dir + node))
        facts->unusable_nodes.push_back(dir + node);
    }
  }
}

}  // namespace

std::string KernelLine(std::string_view record) {
  const size_t start = record.find(';');
  if (start == std::string_view::npos) return "";
  const std::string head(record.substr(0, start));
  unsigned long long microseconds = 0;
  if (std::sscanf(head.c_str(), "%*u,%*u,%llu", &microseconds) != 1) return "";
  const std::string_view text =
      record.substr(start + 1, record.find('\n', start) - start - 1);
  return fmt::format("[{:5}.{:06}] {}", microseconds / 1000000,
                     microseconds % 1000000, text);
}

std::map<std::string, std::string> ReadPackages(
    const Host& host, std::span<const std::string_view> more) {
  std::map<std::string, std::string> packages;
  const std::string dpkg = host.ReadOrEmpty(kDpkgStatus);
  if (dpkg.empty()) {
    std::string query =
        "-qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' siw 'siw-*'";
    for (const std::string_view name : more) query += fmt::format(" {}", name);
    for (const std::string& line : Lines(host.Output(kRpm, query))) {
      const size_t blank = line.find(' ');
      if (blank != std::string::npos)
        packages[line.substr(0, blank)] = line.substr(blank + 1);
    }
    return packages;
  }
  std::string name;
  bool installed = false;
  for (const std::string& line : Lines(dpkg)) {
    if (StartsWith(line, "Package: ")) {
      name = line.substr(9);
      installed = false;
    } else if (StartsWith(line, "Status: ")) {
      installed = EndsWith(line, " installed");
    } else if (StartsWith(line, "Version: ") && installed &&
               (name == "siw" || StartsWith(name, "siw-") ||
                std::find(more.begin(), more.end(), name) != more.end())) {
      packages[name] = line.substr(9);
    }
  }
  return packages;
}

Facts Gather(const Host& host, NetlinkChannel* channel) {
  Facts facts;
  facts.kernel = host.ReadOrEmpty("/proc/sys/kernel/osrelease");
  facts.packages = ReadPackages(host);
  facts.packager = &FindPackager(host);
  facts.module = ReadModule(host, facts.kernel);
  facts.trust = ReadTrust(host);
  ReadConfigured(host, &facts);
  ReadProvider(host, &facts);
  ReadLinks(host, channel, &facts);
  ReadNodes(host, &facts);
  facts.advisories = ReadAdvisories(host);
  return facts;
}

Facts GatherLinks(const Host& host, NetlinkChannel* channel) {
  Facts facts;
  facts.module.loaded = host.Exists("/sys/module/siw");
  ReadLinks(host, channel, &facts);
  return facts;
}

std::optional<uint64_t> MemlockLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
    return {};
  return limit.rlim_cur;
}

std::optional<std::set<std::string>> AddressedNetdevs() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::set<std::string> netdevs;
  for (const ifaddrs* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr) continue;
    bool counts = at->ifa_addr->sa_family == AF_INET;
    if (at->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 in6;
      std::memcpy(&in6, at->ifa_addr, sizeof(in6));
      const uint8_t* octets = in6.sin6_addr.s6_addr;
      counts = octets[0] != 0xfe || (octets[1] & 0xc0) != 0x80;
    }
    // An address of IPv4 may have a label: "eth0:1"
    const std::string name = at->ifa_name;
    if (counts) netdevs.insert(name.substr(0, name.find(':')));
  }
  return netdevs;
}

Result<std::vector<std::string>> ReadKernelLog() {
  const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return ErrnoError("/dev/kmsg");
  std::vector<std::string> lines;
  std::array<char, 8192> record;
  for (;;) {
    const ssize_t n = read(fd, record.data(), record.size());
    // EPIPE: the record was overwritten; the next read goes on behind it.
    if (n < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (n <= 0) break;
    const std::string line =
        KernelLine(std::string_view(record.data(), static_cast<size_t>(n)));
    if (!line.empty()) lines.push_back(line);
  }
  const int why = errno;
  close(fd);
  if (lines.empty() && why != EAGAIN) {
    errno = why;
    return ErrnoError("/dev/kmsg");
  }
  return lines;
}

}  // namespace siw
