// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "tools/common/log_line.h"
#include "tools/siw/output.h"
#include "tools/siw/report/redact.h"
#include "tools/siw/status/status.h"

namespace siw::report {
namespace {

using Json = nlohmann::ordered_json;

// A fault report of the kernel is shorter.
constexpr size_t kLongestFault = 120;

constexpr std::array<std::string_view, 6> kModules = {
    "siw", "ib_core", "ib_uverbs", "iw_cm", "rdma_cm", "rdma_ucm"};

constexpr std::array<std::string_view, 16> kPackages = {
    "dkms",       "ibverbs-providers", "iproute2",     "libibverbs1",
    "rdma-core",  "libibverbs",        "librdmacm1",   "librdmacm1t64",
    "nfs-common", "nvme-cli",          "rdmacm-utils", "iw-cm",
    "iproute",    "librdmacm",         "nfs-utils",    "librdmacm-utils"};

constexpr std::array<std::string_view, 16> kSettings = {
    "kernel/dmesg_restrict",
    "kernel/tainted",
    "net/core/default_qdisc",
    "net/core/netdev_max_backlog",
    "net/core/rmem_max",
    "net/core/wmem_max",
    "net/ipv4/tcp_congestion_control",
    "net/ipv4/tcp_ecn",
    "net/ipv4/tcp_mem",
    "net/ipv4/tcp_moderate_rcvbuf",
    "net/ipv4/tcp_mtu_probing",
    "net/ipv4/tcp_rmem",
    "net/ipv4/tcp_sack",
    "net/ipv4/tcp_timestamps",
    "net/ipv4/tcp_window_scaling",
    "net/ipv4/tcp_wmem"};

constexpr std::array<std::string_view, 17> kConfig = {
    "CONFIG_INFINIBAND",
    "CONFIG_RDMA",
    "CONFIG_LIBCRC32C",
    "CONFIG_CRC32",
    "CONFIG_CRYPTO_CRC32",
    "CONFIG_MODULE_SIG",
    "CONFIG_PREEMPT",
    "CONFIG_HZ",
    "CONFIG_NO_HZ",
    "CONFIG_KASAN",
    "CONFIG_PROVE_LOCKING",
    "CONFIG_SECURITY_LOCKDOWN",
    "CONFIG_NVME_RDMA",
    "CONFIG_NVME_TARGET_RDMA",
    "CONFIG_SUNRPC_XPRT_RDMA",
    "CONFIG_TCP_CONG",
    "CONFIG_DEFAULT_TCP_CONG"};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// The message of "[   12.345678] message".
std::string_view Message(std::string_view line) {
  const size_t end = line.find("] ");
  return StartsWith(line, "[") && end != std::string_view::npos
             ? line.substr(end + 2)
             : line;
}

bool BeginsFault(std::string_view line) {
  return Contains(line, "[ cut here ]") || Contains(line, "BUG: ") ||
         Contains(line, "Oops: ") || Contains(line, "WARNING: ") ||
         Contains(line, "INFO: task ") || Contains(line, "INFO: rcu");
}

bool EndsFault(std::string_view line) { return Contains(line, "[ end trace"); }

// "siw_rx_fpdu+0x12/0x340 [siw]"
bool IsFrame(std::string_view line) {
  const size_t plus = line.find("+0x");
  return plus != std::string_view::npos &&
         line.find("/0x", plus) != std::string_view::npos;
}

// Registers, stack, code and memory may hold keys and data.
bool IsSafeOfFault(std::string_view line) {
  return BeginsFault(line) || EndsFault(line) || IsFrame(line) ||
         Contains(line, "Call Trace:") || Contains(line, "Comm: ") ||
         Contains(line, "Modules linked in: ") ||
         Contains(line, "Hardware name: ") || Contains(line, "Tainted: ") ||
         StartsWith(Message(line), "kernel BUG at ");
}

bool NamesUs(std::string_view line) {
  for (size_t at = line.find("siw"); at != std::string_view::npos;
       at = line.find("siw", at + 1)) {
    if (at == 0 || !std::isalnum(static_cast<unsigned char>(line[at - 1])))
      return true;
  }
  return false;
}

// A finding in the kernel log has a line of it as evidence.
Json Redacted(const Json& json, Redactor* redactor,
              Redactor::Source source = Redactor::kOwn) {
  if (json.is_string())
    return redactor->Text(json.get_ref<const std::string&>(), source);
  // A counter may have that name, too: value() throws if it is no string.
  const auto object = json.find("object");
  if (object != json.end() && *object == "kernel log")
    source = Redactor::kOthers;
  Json out = json;
  if (json.is_structured()) {
    for (auto& [key, value] : out.items())
      value = Redacted(value, redactor, source);
  }
  return out;
}

class Collection {
 public:
  Collection(const Host& host, const Inputs& inputs, CatalogueView catalogue,
             bool keep_addresses)
      : host_(host),
        inputs_(inputs),
        catalogue_(catalogue),
        keep_addresses_(keep_addresses),
        redactor_(keep_addresses) {}

  Report Run() {
    Item readme{"README", ""};
    report_.items.push_back(readme);
    Put("status.json",
        Json::parse(StatusJson(inputs_.facts, Judge(inputs_.status))));
    Put("doctor.json", Json::parse(DoctorJson("net", inputs_.doctor)));
    for (const std::string& why : inputs_.unseen) Missed("streams", why);
    Put("rdma.json", Rdma());
    Put("host.json", HostFacts());
    Log();
    Ids();
    report_.addresses = redactor_.addresses();
    report_.items.front().text = Readme();
    return std::move(report_);
  }

 private:
  void Put(const char* name, const Json& json) {
    report_.items.push_back({name, Dump(Redacted(json, &redactor_))});
  }

  void Missed(const std::string& what, const std::string& why) {
    const auto same = [&](const Unread& unread) { return unread.what == what; };
    if (!std::any_of(report_.unread.begin(), report_.unread.end(), same))
      report_.unread.push_back(
          {what, redactor_.Text(StartsWith(why, what + ": ")
                                    ? why.substr(what.size() + 2)
                                    : why)});
  }

  // A file, or nothing and a reason.
  std::optional<std::string> Read(const std::string& path) {
    const Result<std::string> text = host_.Read(path);
    if (text) return *text;
    Missed(path, text.error().message);
    return {};
  }

  Json Rdma() {
    if (!inputs_.rdma.channel) {
      Missed("RDMA netlink", inputs_.rdma.why);
      return {{"schema", kJsonSchema}, {"devices", Json::array()}};
    }
    RdmaNetlink netlink(inputs_.rdma.channel);
    const Result<std::vector<RdmaDevice>> all = netlink.Devices();
    if (!all) Missed("RDMA netlink", all.error().message);
    Json devices = Json::array();
    for (const Link& link : inputs_.facts.links) {
      Json device = {{"name", link.name},
                     {"netdev", link.netdev},
                     {"state", link.state},
                     {"counters", link.counters},
                     {"settings", Settings(link.name)}};
      for (const RdmaDevice& known : all ? *all : std::vector<RdmaDevice>{}) {
        if (known.name == link.name) Resources(&netlink, known.index, &device);
      }
      devices.push_back(std::move(device));
    }
    return {{"schema", kJsonSchema}, {"devices", devices}};
  }

  // "rdma resource show" of one device. Regions are counted and no more: what
  // else there is to tell of them are their keys.
  void Resources(RdmaNetlink* netlink, uint32_t index, Json* device) {
    const std::string name = (*device)["name"];
    if (const auto objects = netlink->Objects(index))
      (*device)["objects"] = *objects;
    else
      Missed(name + " objects", objects.error().message);
    Json qps = Json::array();
    const Result<std::vector<RdmaQp>> found = netlink->Qps(index);
    if (!found) Missed(name + " queue pairs", found.error().message);
    for (const RdmaQp& qp : found ? *found : std::vector<RdmaQp>{}) {
      Json details = Json::object();
      for (const auto& [key, value] : qp.details) details[key] = value;
      qps.push_back({{"qp", qp.number},
                     {"state", qp.state},
                     {"pid", qp.pid ? Json(*qp.pid) : Json(nullptr)},
                     {"kernel", qp.owner},
                     {"details", details}});
    }
    (*device)["queue_pairs"] = qps;
  }

  Json Settings(const std::string& device) const {
    Json settings = Json::object();
    const std::string dir = "/sys/class/infiniband/" + device + "/mpa";
    for (const std::string& name : host_.List(dir))
      settings[name] = host_.ReadOrEmpty(dir + "/" + name);
    return settings;
  }

  Json HostFacts() {
    return {{"schema", kJsonSchema},
            {"command", inputs_.command_version},
            {"kernel", KernelVersion()},
            {"distribution", Distribution()},
            {"cpu", Cpu()},
            {"cpus", host_.ReadOrEmpty("/sys/devices/system/cpu/online")},
            {"memory", Memory()},
            {"packages", Packages()},
            {"module_parameters", Parameters()},
            {"kernel_config", KernelConfig()},
            {"sysctl", Sysctl()}};
  }

  // Without who built it, and where: "(root@host.example)".
  std::string KernelVersion() {
    std::string version = Read("/proc/version").value_or("");
    const size_t open = version.find(" (");
    const size_t close = version.find(')', open);
    if (close != version.npos && version.find('@', open) < close)
      version.erase(open, close + 1 - open);
    return version;
  }

  std::string LineOf(const std::string& path, std::string_view start) {
    for (const std::string& line : Lines(Read(path).value_or(""))) {
      if (StartsWith(line, start)) return line;
    }
    return "";
  }
  std::string Distribution() {
    return LineOf("/etc/os-release", "PRETTY_NAME=");
  }
  std::string Cpu() { return LineOf("/proc/cpuinfo", "model name"); }
  std::string Memory() { return LineOf("/proc/meminfo", "MemTotal:"); }

  Json Packages() {
    if (!host_.Exists(kDpkgStatus) && !host_.Exists(kRpm))
      Missed("packages", fmt::format("no {}, no {}", kDpkgStatus, kRpm));
    return ReadPackages(host_, kPackages);
  }

  Json Parameters() const {
    Json modules = Json::object();
    for (const std::string_view module : kModules) {
      const std::string dir = fmt::format("/sys/module/{}", module);
      if (!host_.Exists(dir)) continue;
      Json parameters = Json::object();
      for (const std::string& name : host_.List(dir + "/parameters"))
        parameters[name] = host_.ReadOrEmpty(dir + "/parameters/" + name);
      modules[std::string(module)] = parameters;
    }
    return modules;
  }

  Json KernelConfig() {
    const std::string& release = inputs_.facts.kernel;
    Json config = Json::array();
    Result<std::string> text = host_.Read("/boot/config-" + release);
    if (!text) text = host_.Read("/lib/modules/" + release + "/config");
    if (!text) {
      Missed("kernel config",
             fmt::format("no /boot/config-{0}, no /lib/modules/{0}/config",
                         release));
      return config;
    }
    for (const std::string& line : Lines(*text)) {
      const std::string_view name = StartsWith(line, "# ")
                                        ? std::string_view(line).substr(2)
                                        : std::string_view(line);
      if (std::any_of(kConfig.begin(), kConfig.end(),
                      [&](auto start) { return StartsWith(name, start); }))
        config.push_back(line);
    }
    return config;
  }

  Json Sysctl() const {
    Json settings = Json::object();
    for (const std::string_view name : kSettings) {
      const Result<std::string> value =
          host_.Read(fmt::format("/proc/sys/{}", name));
      settings[std::string(name)] = value ? Json(*value) : Json(nullptr);
    }
    return settings;
  }

  void Log() {
    if (!inputs_.facts.log_unread.empty())
      Missed("kernel log", inputs_.facts.log_unread);
    std::string text;
    for (const std::string& line : OurLines(inputs_.facts.log, catalogue_))
      text += Printable(redactor_.Text(line, Redactor::kOthers)) + "\n";
    report_.items.push_back({"kernel.log", text});
  }

  // What the log and the checks come to, by id.
  void Ids() {
    std::map<std::string_view, std::pair<const CatalogueEntry*, size_t>> seen;
    const auto count = [&](const CatalogueEntry* entry) {
      seen[entry->id].first = entry;
      ++seen[entry->id].second;
    };
    const LineMatcher matcher(catalogue_);
    for (const std::string& line : inputs_.facts.log) {
      if (const auto match = matcher.Match(line)) count(match->entry);
    }
    for (const Check& check : inputs_.doctor) {
      for (const Finding& finding : check.findings) {
        // What it found in the log is counted.
        if (check.what != "kernel log" || finding.object != "kernel log")
          count(finding.entry);
      }
    }
    std::string text;
    for (const auto& [id, entry] : seen)
      text +=
          fmt::format("{:>5} {} {}\n", entry.second, id, entry.first->title);
    report_.items.push_back({"ids.txt", text});
  }

  std::string Readme() const {
    std::string out = fmt::format(
        "Made by siw report {}, for a report about software iWARP.\n\n"
        "status.json  siw status --json\n"
        "doctor.json  siw doctor --level net --json\n"
        "rdma.json    devices: counters, settings, objects, queue pairs with "
        "the driver's details\n"
        "host.json    kernel, packages, module parameters, configuration\n"
        "kernel.log   lines of the kernel log about siw\n"
        "ids.txt      ids of siw-errors(7) that were seen, and how often\n\n"
        "[key] was an STag or a key, [hex] a hexadecimal number that may be "
        "one, or a pointer.\n"
        "Of faults the kernel reports, registers and memory are left out.\n",
        inputs_.command_version);
    out += keep_addresses_
               ? "Addresses are as they were.\n"
               : fmt::format(
                     "{} addresses have names: ip-1 is everywhere the "
                     "same. Ports are as they were.\n",
                     report_.addresses);
    out += report_.unread.empty() ? "\nEverything could be read.\n"
                                  : "\nNot read:\n";
    for (const Unread& unread : report_.unread)
      out += fmt::format("  {}: {}\n", unread.what, unread.why);
    return out;
  }

  const Host& host_;
  const Inputs& inputs_;
  CatalogueView catalogue_;
  bool keep_addresses_;
  Redactor redactor_;
  Report report_;
};

}  // namespace

std::vector<std::string> OurLines(const std::vector<std::string>& log,
                                  CatalogueView catalogue) {
  const LineMatcher matcher(catalogue);
  std::vector<std::string> ours;
  for (size_t at = 0; at < log.size();) {
    if (!BeginsFault(log[at])) {
      const std::string& line = log[at++];
      if (NamesUs(line) || matcher.Match(line)) ours.push_back(line);
      continue;
    }
    size_t end = at;
    bool us = false;
    while (end < log.size() && end - at < kLongestFault) {
      us = us || NamesUs(log[end]);
      if (EndsFault(log[end++])) break;
    }
    // Reports of tasks that hang have no end: messages of ours may be in it.
    for (; at < end; ++at) {
      if ((us && IsSafeOfFault(log[at])) || matcher.Match(log[at]))
        ours.push_back(log[at]);
    }
  }
  return ours;
}

Report Collect(const Host& host, const Inputs& inputs, CatalogueView catalogue,
               bool keep_addresses) {
  return Collection(host, inputs, catalogue, keep_addresses).Run();
}

std::string ReportText(const std::string& path, const Report& report) {
  std::string out = fmt::format("{}: {} files\n", path, report.items.size());
  for (const Unread& unread : report.unread)
    out +=
        fmt::format("not read: {}: {}\n", unread.what, Printable(unread.why));
  return out +
         fmt::format("look at it before you send it: tar -xzOf {}\n", path);
}

std::string ReportJson(const std::string& path, const Report& report) {
  Json files = Json::array();
  for (const Item& item : report.items)
    files.push_back({{"name", item.name}, {"octets", item.text.size()}});
  Json unread = Json::array();
  for (const Unread& one : report.unread)
    unread.push_back({{"what", one.what}, {"why", one.why}});
  return Dump({{"schema", kJsonSchema},
               {"file", path},
               {"addresses_named", report.addresses},
               {"files", files},
               {"unread", unread}});
}

}  // namespace siw::report
