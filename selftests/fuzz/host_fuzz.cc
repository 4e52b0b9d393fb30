// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Texts of the host that the tools take apart themselves: files of /etc, /proc
// and /sys, advisories that somebody else wrote, records of the kernel's log,
// versions that a package manager tells. Nothing is lost or made up, and no
// address gets through into a report.
//
// Input: an octet, which text it is; the text.
#include <arpa/inet.h>

#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz.h"
#include "one_link.h"
#include "tools/advisory/version.h"
#include "tools/siw/load/load_facts.h"
#include "tools/siw/net/net_facts.h"
#include "tools/siw/report/redact.h"
#include "tools/siw/status/facts.h"

namespace siw {
namespace {

bool IsIn(std::string_view part, std::string_view text) {
  return text.find(part) != text.npos;
}

// Each line is a link, a bad one, a comment or blank.
void Links(const Host& host, const std::string& text) {
  const Facts facts = Gather(host, nullptr);
  size_t told = 0;
  for (std::string line : Lines(text)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t first = line.find_first_not_of(" \t");
    if (first != std::string::npos && line[first] != '#') ++told;
  }
  FUZZ_CHECK(facts.configured.size() + facts.bad_lines.size() == told);
  for (const ConfiguredLink& link : facts.configured) {
    FUZZ_CHECK(std::isalpha(static_cast<unsigned char>(link.name[0])));
    FUZZ_CHECK(!IsIn("/", link.name) && !IsIn("/", link.netdev));
    FUZZ_CHECK(!link.netdev.empty() && link.netdev != "..");
  }
}

// Either it was read and says whom it affects, or it is told that it was not.
void Advisory(const Host& host, const std::string&) {
  const AdvisoryFacts facts = ReadAdvisories(host);
  FUZZ_CHECK(facts.known.size() + facts.unread.size() == 1);
  for (const KnownAdvisory& known : facts.known) {
    FUZZ_CHECK(!known.id.empty());
    FUZZ_CHECK(known.withdrawn.empty() != known.affected.empty());
    for (const AffectedRange& range : known.affected)
      FUZZ_CHECK(Affects(
          known, {range.component, advisory::ToString(range.introduced), ""}));
  }
}

void Packages(const Host& host, const std::string& text) {
  for (const auto& [name, version] : ReadPackages(host)) {
    FUZZ_CHECK(name == "siw" || name.rfind("siw-", 0) == 0);
    FUZZ_CHECK(IsIn("Package: " + name, text));
    FUZZ_CHECK(IsIn("Version: " + version, text));
  }
}

void OsRelease(const Host& host, const std::string&) {
  FUZZ_CHECK(!FindPackager(host).tool.empty());
}

void Module(const Host& host, const std::string& text) {
  const std::string file = Gather(host, nullptr).module.available;
  FUZZ_CHECK(IsIn(file, text) && !IsIn(":", file));
}

void Lockdown(const Host& host, const std::string& text) {
  const std::string mode = Gather(host, nullptr).trust.lockdown;
  FUZZ_CHECK(mode.empty() || IsIn("[" + mode + "]", text));
}

void Counter(const Host& host, const std::string& text) {
  const std::vector<Link> links = GatherLinks(host, nullptr).links;
  FUZZ_CHECK(links.size() == (text.empty() ? 0 : 1));
}

void Cpus(const Host& host, const std::string& text) {
  const net::Look look = net::TakeLook(host, {}, {}, nullptr, 0);
  FUZZ_CHECK(look.cpus.size() <= Lines(text).size());
}

void Numbers(const Host& host, const std::string&) {
  const net::Look look = net::TakeLook(host, {}, {}, nullptr, 0);
  FUZZ_CHECK(look.netdevs.size() == 1);
}

void CpuInfo(const Host& host, const std::string& text) {
  if (net::CrcInstruction(host).value_or(false))
    FUZZ_CHECK(IsIn("sse4_2", text) || IsIn("crc32", text));
}

void Crypto(const Host& host, const std::string& text) {
  FUZZ_CHECK(IsIn(load::CrcDriver(host), text));
}

void SendBuffer(const Host& host, const std::string&) {
  load::MostSendBuffer(host);
}

void KernelLog(const Host&, const std::string& text) {
  const std::string line = KernelLine(text);
  FUZZ_CHECK(line.empty() || line[0] == '[');
  FUZZ_CHECK(!IsIn("\n", line));
}

void Version(const Host&, const std::string& text) {
  if (const auto version = advisory::ParseVersion(text))
    FUZZ_CHECK(advisory::ToString(*version) == text);
  if (const auto installed = advisory::ParseInstalled(text))
    FUZZ_CHECK(IsIn(advisory::ToString(installed->version), text));
}

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)); }

// Is there an address of IPv4 that stands by itself, and is of another host?
// What follows a '-' is the number of a name, "ip-1".
bool HasAddress(const std::string& text) {
  constexpr const char* kOf = "0123456789.";
  size_t end = 0;
  for (size_t at = text.find_first_of(kOf); at != text.npos;
       at = text.find_first_of(kOf, end)) {
    end = std::min(text.find_first_not_of(kOf, at), text.size());
    const std::string run = text.substr(at, end - at);
    in_addr address;
    if ((at == 0 || (!IsAlnum(text[at - 1]) && text[at - 1] != '-')) &&
        (end == text.size() || !IsAlnum(text[end])) && run != "127.0.0.1" &&
        run != "0.0.0.0" && inet_pton(AF_INET, run.c_str(), &address) == 1)
      return true;
  }
  return false;
}

void Report(const Host&, const std::string& text) {
  for (const auto source :
       {report::Redactor::kOwn, report::Redactor::kOthers}) {
    report::Redactor redactor(false);
    FUZZ_CHECK(!HasAddress(redactor.Text(text, source)));
    report::Redactor(true).Text(text, source);
  }
}

struct Kind {
  const char* path;  // null: no file
  void (*look)(const Host& host, const std::string& text);
};

// An input's first octet is its place here: what is new comes last.
constexpr Kind kKinds[] = {
    {"/etc/siw/links.conf", Links},
    {"/etc/siw/advisories/a.json", Advisory},
    {"/var/lib/dpkg/status", Packages},
    {"/etc/os-release", OsRelease},
    {"/lib/modules/6.1.0/modules.dep", Module},
    {"/sys/kernel/security/lockdown", Lockdown},
    {"/sys/class/infiniband/siw0/ports/1/hw_counters/rx_straddle", Counter},
    {"/proc/stat", Cpus},
    {"/proc/schedstat", Numbers},
    {"/proc/net/softnet_stat", Numbers},
    {"/sys/class/net/eth0/speed", Numbers},
    {"/sys/class/net/eth0/uevent", Numbers},
    {"/proc/cpuinfo", CpuInfo},
    {"/proc/crypto", Crypto},
    {"/proc/sys/net/ipv4/tcp_wmem", SendBuffer},
    {nullptr, KernelLog},
    {nullptr, Version},
    {nullptr, Report},
};

// What has to be there for another text to be looked at.
constexpr std::pair<const char*, const char*> kUsual[] = {
    {"/sys/class/infiniband/siw0/ports/1/hw_counters/rx_straddle", "1"},
    {"/proc/stat", "cpu0 1 2 3 4 5 6 7 8"},
    {"/proc/sys/kernel/osrelease", "6.1.0"},
};

void Look(Source source) {
  const Kind& kind = kKinds[source.U8() % std::size(kKinds)];
  const ByteSpan rest = source.Rest();
  const std::string text(rest.begin(), rest.end());
  if (!kind.path) {
    static const Host kNone;
    kind.look(kNone, text);
    return;
  }
  static const OneLink one_link;
  for (const auto& [path, usual] : kUsual) one_link.Put(path, usual);
  one_link.Put(kind.path, text);
  const Host host = one_link.host();
  kind.look(host, host.ReadOrEmpty(kind.path));
  one_link.Remove(kind.path);
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  siw::Look({data, size});
  return 0;
}
