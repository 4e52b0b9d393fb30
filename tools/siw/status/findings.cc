// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tools/common/log_line.h"
#include "tools/siw/output.h"

namespace siw {
namespace {

// Below this, a program that registers a few buffers already fails.
constexpr uint64_t kLittleMemlock = 1 << 20;
constexpr size_t kMostLogFindings = 5;

// Is "0.1.1-1~deb12u1" a package of "0.1.1"? One of "0.1" it is not.
bool IsPackageOf(const std::string& package, const std::string& version) {
  return package.compare(0, version.size(), version) == 0 &&
         package.find_first_of("0123456789.", version.size()) != version.size();
}

class Examination : Examiner {
 public:
  Examination(const Facts& facts, CatalogueView catalogue)
      : Examiner(catalogue), facts_(facts) {}

  std::vector<Check> Run() {
    Begin("module", ModuleSeen());
    Module();
    Begin("signatures", SignaturesSeen());
    Signatures();
    Begin("provider", facts_.provider);
    Provider();
    Begin("device nodes", NodesSeen());
    Nodes();
    Begin("configuration", fmt::format("{} links in /etc/siw/links.conf",
                                       facts_.configured.size()));
    Configuration();
    Begin("links", LinksSeen());
    Links();
    Begin("counters", "what they counted since their link was added", true);
    for (const Link& link : facts_.links) Counters(link);
    Begin("locked memory", facts_.memlock
                               ? fmt::format("{} KiB", *facts_.memlock / 1024)
                               : "without limit");
    Limits();
    Begin("advisories",
          fmt::format("{} in {}, {} in {}", facts_.advisories.added,
                      kAdvisories, facts_.advisories.shipped, kShipped));
    Advisories();
    Begin("kernel log", fmt::format("{} lines", facts_.log.size()), true);
    Log();
    return std::move(checks_);
  }

 private:
  std::string ModuleSeen() const {
    const std::string& file = facts_.module.available;
    return fmt::format("kernel {}, {}{}", facts_.kernel,
                       facts_.module.loaded ? "loaded, " : "",
                       file.empty() ? "no siw.ko" : file);
  }

  std::string SignaturesSeen() const {
    return fmt::format(
        "Secure Boot {}, lockdown {}, unsigned modules {}",
        facts_.trust.secure_boot ? "on" : "off",
        facts_.trust.lockdown.empty() ? "none" : facts_.trust.lockdown,
        facts_.trust.signatures_enforced ? "refused" : "taken");
  }

  std::string NodesSeen() const {
    if (facts_.links.empty()) return "no link, so none is needed";
    std::string seen = "/dev/infiniband/rdma_cm";
    for (const Link& link : facts_.links) {
      for (const std::string& node : link.uverbs) seen += ", " + node;
    }
    return seen;
  }

  std::string LinksSeen() const {
    std::string seen;
    for (const Link& link : facts_.links)
      seen += fmt::format("{}{} on {} {}", seen.empty() ? "" : ", ", link.name,
                          link.netdev, link.state);
    return seen.empty() ? "none" : seen;
  }

  std::string Install(std::string_view package) const {
    return fmt::format("{} {}", facts_.packager->install, package);
  }

  // Some kernels have a siw of their own: it is what loads as long as DKMS has
  // not built ours.
  bool IsKernelsAlone() const {
    const ModuleFacts& module = facts_.module;
    return module.dkms && !module.dkms_built &&
           module.available.compare(0, 7, "kernel/") == 0 &&
           !(module.loaded && module.out_of_tree);
  }

  // Why there is no module for this kernel, or none of ours.
  void ModuleMissing() {
    const ModuleFacts& module = facts_.module;
    const std::string seen = fmt::format(
        "/lib/modules/{}/modules.dep has no siw.ko{}", facts_.kernel,
        module.available.empty() ? "" : " but the kernel's own");
    if (!module.rdma_core) {
      Add("SIW-MOD-NO-RDMA", "kernel",
          fmt::format("/lib/modules/{} has no ib_core.ko, and none is loaded",
                      facts_.kernel),
          "modinfo ib_core");
    } else if (!module.dkms) {
      Add("SIW-MOD-ABSENT", "module", seen, Install("siw-dkms"));
    } else if (!module.headers) {
      Add("SIW-MOD-HEADERS", "module",
          fmt::format("{}, and no /lib/modules/{}/build", seen, facts_.kernel),
          Install(facts_.packager->headers(facts_.kernel)));
    } else if (!module.dkms_log.empty()) {
      Add("SIW-MOD-BUILD", "module", module.dkms_log + " is of a failed build",
          "less " + module.dkms_log);
    } else {
      Add("SIW-MOD-NOT-BUILT", "module", seen + "; dkms has not built it",
          fmt::format("dkms install siw/{} -k {}", module.dkms_version,
                      facts_.kernel));
    }
  }

  bool SigningMatters() const {
    return facts_.trust.secure_boot || facts_.trust.signatures_enforced ||
           (!facts_.trust.lockdown.empty() && facts_.trust.lockdown != "none");
  }

  void Module() {
    const ModuleFacts& module = facts_.module;
    const bool missing =
        (!module.loaded && module.available.empty()) || IsKernelsAlone();
    if (missing) ModuleMissing();
    if (missing && !module.loaded) return;
    if (module.loaded && !module.out_of_tree) {
      Add("SIW-MOD-INBOX", "module",
          "siw is loaded, and /sys/module/siw/taint has no O",
          "modinfo -n siw");
    }
    // Of a package that is not known there is what DKMS has built.
    const auto package = facts_.packages.find("siw-dkms");
    const std::string installed = package != facts_.packages.end()
                                      ? package->second
                                  : module.dkms_built ? module.dkms_version
                                                      : "";
    if (module.loaded && !module.version.empty() && !installed.empty() &&
        !IsPackageOf(installed, module.version)) {
      Add("SIW-MOD-STALE", "module",
          fmt::format("{} is loaded, siw-dkms {} is installed", module.version,
                      installed),
          "modinfo siw");
    }
    if (!module.loaded && !facts_.configured.empty()) {
      Add("SIW-MOD-NOT-LOADED", "module",
          fmt::format("/etc/siw/links.conf has links, {} is there, and it is "
                      "not loaded",
                      module.available),
          "systemctl status siw");
    } else if (!module.loaded) {
      Add("SIW-MOD-IDLE", "module",
          fmt::format("{} is there and not loaded", module.available),
          "rdma link add siw0 type siw netdev eth0");
    }
  }

  void Signatures() {
    const ModuleFacts& module = facts_.module;
    if (!module.loaded && !module.available.empty() && SigningMatters()) {
      Add("SIW-MOD-SIGNED-ONLY", "module",
          facts_.trust.secure_boot ? "Secure Boot is on"
                                   : "the kernel takes signed modules only",
          "mokutil --list-enrolled");
    }
  }

  void Provider() {
    if (facts_.provider.empty()) {
      Add("SIW-PROVIDER-ABSENT", "provider",
          "no libsiw-rdmav*.so in a libibverbs directory",
          Install(facts_.packager->provider));
    } else if (!facts_.provider_enabled) {
      Add("SIW-PROVIDER-OFF", "provider",
          fmt::format("{} is there, /etc/libibverbs.d/siw.driver is not",
                      facts_.provider),
          fmt::format("{} {}", facts_.packager->reinstall,
                      facts_.packager->provider));
    }
  }

  void Nodes() {
    if (facts_.links.empty()) return;
    const std::string cm = "/dev/infiniband/rdma_cm";
    if (!facts_.rdma_cm_node)
      Add("SIW-NODE-ABSENT", cm, "it does not exist", "modprobe rdma_ucm");
    else if (!facts_.rdma_cm_usable)
      Add("SIW-NODE-DENIED", cm, "this user may not read and write it",
          "ls -l /dev/infiniband");
    for (const std::string& node : facts_.unusable_nodes)
      Add("SIW-NODE-DENIED", node, "this user may not read and write it",
          "ls -l /dev/infiniband");
    for (const Link& link : facts_.links) {
      if (link.uverbs.empty())
        Add("SIW-NODE-ABSENT", link.name, "it has no uverbs device",
            "modprobe ib_uverbs");
    }
  }

  void Configuration() {
    for (const std::string& line : facts_.bad_lines)
      Add("SIW-CONF-LINE", "/etc/siw/links.conf", "line " + line,
          "man siw-links.conf");
    for (size_t at = 0; at < facts_.configured.size(); ++at) {
      if (!Clashes(at) && facts_.module.loaded) Missing(facts_.configured[at]);
    }
  }

  // One interface carries one link, and no two have one name: siw-link(8) goes
  // by the line that comes first.
  bool Clashes(size_t at) {
    const ConfiguredLink& wanted = facts_.configured[at];
    for (size_t i = 0; i < at; ++i) {
      const ConfiguredLink& first = facts_.configured[i];
      const bool same_name = first.name == wanted.name;
      if (same_name == (first.netdev == wanted.netdev)) continue;
      Add(same_name ? "SIW-LINK-NAME" : "SIW-LINK-EXISTS", wanted.name,
          fmt::format("/etc/siw/links.conf wants it on {}, and before that {} "
                      "on {}",
                      wanted.netdev, first.name, first.netdev),
          "man siw-links.conf");
      return true;
    }
    return false;
  }

  void Missing(const ConfiguredLink& wanted) {
    std::string elsewhere;
    for (const Link& link : facts_.links) {
      if (link.netdev == wanted.netdev) return;
      if (link.name != wanted.name) continue;
      // In another network namespace its interface is not seen.
      if (link.netdev.empty()) return;
      elsewhere = fmt::format(", it is on {}", link.netdev);
    }
    Add("SIW-LINK-MISSING", wanted.name,
        fmt::format("/etc/siw/links.conf wants it on {}{}", wanted.netdev,
                    elsewhere),
        elsewhere.empty() ? "siw-link up" : "rdma link show");
  }

  void Links() {
    if (facts_.links.empty() && facts_.module.loaded &&
        facts_.namespaces_exclusive)
      Add("SIW-LINK-NETNS", "links",
          "siw is loaded, no link is seen here, and namespaces are exclusive",
          "rdma system show");
    else if (facts_.links.empty() && facts_.configured.empty() &&
             facts_.module.loaded)
      Add("SIW-LINK-NONE", "links", "siw is loaded and has no link",
          "rdma link add siw0 type siw netdev eth0");
    for (const Link& link : facts_.links) {
      OneLink(link);
      CompletionQueues(link);
    }
    if (!facts_.netlink_unread.empty() && facts_.module.loaded)
      Add("SIW-TOOL-NETLINK", "netlink", facts_.netlink_unread,
          "modprobe ib_core");
  }

  void OneLink(const Link& link) {
    // A link goes with its interface: one whose interface is not seen has it in
    // another network namespace, and whether that is up is not seen either.
    if (link.netdev.empty()) return;
    if (link.state != "ACTIVE") {
      Add("SIW-LINK-DOWN", link.name,
          fmt::format("port {}, {} {}", link.state, link.netdev,
                      link.netdev_up ? "has a carrier" : "has no carrier"),
          fmt::format("ip link show {}", Quoted(link.netdev)));
    } else if (facts_.addressed && !facts_.addressed->contains(link.netdev)) {
      Add("SIW-LINK-NO-ADDRESS", link.name,
          fmt::format("{} has none, but for a link-local one of IPv6 perhaps",
                      link.netdev),
          fmt::format("ip address show dev {}", Quoted(link.netdev)));
    }
  }

  // What its program waits for does not come.
  void CompletionQueues(const Link& link) {
    if (link.overflowed.empty()) return;
    const RdmaCq& first = link.overflowed[0];
    Add("SIW-EVENT-CQ-OVERFLOW", link.name,
        fmt::format(
            "CQ {} of {} has lost a completion{}", first.number,
            first.pid ? fmt::format("pid {}", *first.pid)
                      : "kernel " + first.owner,
            link.overflowed.size() > 1
                ? fmt::format(", and {} more", link.overflowed.size() - 1)
                : ""),
        fmt::format("rdma -dd resource show cq link {}", Quoted(link.name)));
  }

  // They tell of what is past: a warning and no more.
  void Counters(const Link& link) {
    for (const auto& [name, id] : kTelling) {
      // Told as what is so now
      if (name == "cq_overflow" && !link.overflowed.empty()) continue;
      const auto counter = link.counters.find(std::string(name));
      if (counter != link.counters.end() && counter->second > 0)
        Add(id, link.name, fmt::format("{} {}", name, counter->second),
            fmt::format("rdma statistic show link {}/1", Quoted(link.name)));
    }
    for (Finding& finding : checks_.back().findings)
      finding.severity = std::min(finding.severity, Severity::kWarning);
  }

  void Limits() {
    if (facts_.memlock && *facts_.memlock < kLittleMemlock)
      Add("SIW-LIMIT-MEMLOCK", "memlock",
          fmt::format("{} KiB", *facts_.memlock / 1024), "ulimit -l");
  }

  void Advisories() {
    const std::vector<Part> parts = Parts(facts_);
    for (const KnownAdvisory& advisory : facts_.advisories.known) {
      for (const Part& part : parts) {
        if (Affects(advisory, part))
          Add("SIW-SEC-AFFECTED",
              fmt::format("{} {}, {}", part.component, part.version, part.how),
              fmt::format("{}: {}", advisory.id, advisory.title),
              UpgradeCommand(facts_, part));
      }
    }
    for (const UnreadAdvisory& unread : facts_.advisories.unread)
      Add("SIW-SEC-UNREAD", unread.directory, unread.why,
          fmt::format("ls -l {}", unread.directory));
  }

  // The last of what the kernel said of us. It is past, and a peer can cause
  // most of it, so it is a warning and no more.
  void Log() {
    const LineMatcher matcher(catalogue_);
    std::vector<Finding> last;
    for (auto line = facts_.log.rbegin(); line != facts_.log.rend(); ++line) {
      if (last.size() == kMostLogFindings) break;
      const std::optional<LineMatch> match = matcher.Match(*line);
      if (!match || match->entry->severity == Severity::kInfo) continue;
      const bool told =
          std::any_of(last.begin(), last.end(), [&](const Finding& finding) {
            return finding.entry == match->entry;
          });
      if (!told)
        last.push_back({match->entry, Severity::kWarning, "kernel log", *line,
                        fmt::format("siw explain {}", match->entry->id)});
    }
    checks_.back().findings = std::move(last);
    if (!facts_.log_unread.empty())
      Add("SIW-TOOL-LOG", "kernel log", facts_.log_unread,
          "journalctl -k | siw explain -");
  }

  // Counters that only grow when something went wrong.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8>
      kTelling = {{{"cq_overflow", "SIW-EVENT-CQ-OVERFLOW"},
                   {"rx_crc_error", "SIW-COUNT-CRC"},
                   {"rx_fault", "SIW-COUNT-FAULT"},
                   {"rx_terminate", "SIW-COUNT-TERM-RCVD"},
                   {"local_error", "SIW-COUNT-LOCAL"},
                   {"conn_refused", "SIW-COUNT-REFUSED"},
                   {"conn_timeout", "SIW-COUNT-TIMEOUT"},
                   {"tx_terminate", "SIW-COUNT-TERM-SENT"}}};

  const Facts& facts_;
};

}  // namespace

void Examiner::Begin(std::string what, std::string seen, bool past) {
  checks_.push_back({std::move(what), std::move(seen), past, {}});
}

void Examiner::Add(std::string_view id, std::string object,
                   std::string evidence, std::string next) {
  const CatalogueEntry* entry = FindId(catalogue_, id);
  if (!entry) return;
  checks_.back().findings.push_back({entry, entry->severity, std::move(object),
                                     std::move(evidence), std::move(next)});
}

std::vector<Check> Examine(const Facts& facts, CatalogueView catalogue) {
  return Examination(facts, catalogue).Run();
}

std::vector<Finding> Judge(const std::vector<Check>& checks) {
  std::vector<Finding> findings;
  for (const bool past : {false, true}) {
    std::vector<Finding> some;
    for (const Check& check : checks) {
      if (check.past == past)
        some.insert(some.end(), check.findings.begin(), check.findings.end());
    }
    std::stable_sort(some.begin(), some.end(),
                     [](const Finding& a, const Finding& b) {
                       return a.severity > b.severity;
                     });
    findings.insert(findings.end(), some.begin(), some.end());
  }
  std::stable_partition(findings.begin(), findings.end(), [](const Finding& f) {
    return f.severity == Severity::kError;
  });
  return findings;
}

bool HasError(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.severity == Severity::kError;
  });
}

}  // namespace siw
