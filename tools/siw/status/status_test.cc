// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/status.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tools/siw/status/fixture.h"

namespace siw {
namespace {

std::string Ids(const std::vector<Finding>& findings) {
  std::string ids;
  for (const Finding& finding : findings)
    ids += (ids.empty() ? "" : " ") + std::string(finding.entry->id);
  return ids;
}

class StatusTest : public testing::Test {
 protected:
  std::string Judged() const {
    return Ids(Judge(Examine(Gather(root_.host(), nullptr), Catalogue())));
  }

  Root root_;
};

TEST_F(StatusTest, FindsNothingOnAGoodHost) {
  FillGood(&root_);
  EXPECT_EQ("", Judged());
  const Facts facts = Gather(root_.host(), nullptr);
  EXPECT_EQ(kKernel, facts.kernel);
  EXPECT_EQ("updates/dkms/siw.ko.xz", facts.module.available);
  EXPECT_TRUE(facts.module.dkms_built);
  EXPECT_EQ(2u, facts.packages.size());
  ASSERT_EQ(1u, facts.links.size());
  EXPECT_EQ("eth0", facts.links[0].netdev);
  EXPECT_TRUE(facts.links[0].ours);
  EXPECT_FALSE(facts.links[0].crc);
  root_.Put("/sys/class/infiniband/siw0/mpa/crc", "1");
  EXPECT_TRUE(Gather(root_.host(), nullptr).links[0].crc);
}

TEST_F(StatusTest, AsksRpmWhereDpkgKnowsNoPackage) {
  root_.Put("/usr/bin/rpm",
            "#!/bin/sh\nprintf %s \"$*\" >\"${0%/*}/asked\"\n"
            "echo 'siw 0.1.0-1.fc41'\necho 'siw-dkms 0.1.1~rc1-1.fc41'");
  fs::permissions(root_ / "/usr/bin/rpm", fs::perms::owner_all);
  const Facts facts = Gather(root_.host(), nullptr);
  EXPECT_EQ("-qa --qf %{NAME} %{VERSION}-%{RELEASE}\\n siw siw-*",
            root_.host().ReadOrEmpty("/usr/bin/asked"));
  EXPECT_NE(std::string::npos,
            StatusText(facts, {}).find("packages  siw 0.1.0-1.fc41, "
                                       "siw-dkms 0.1.1~rc1-1.fc41\n"));
  root_.Put("/var/lib/dpkg/status",
            "Package: siw\nStatus: install ok installed\nVersion: 0.1.0\n");
  EXPECT_EQ("0.1.0", Gather(root_.host(), nullptr).packages.at("siw"));
  EXPECT_EQ(1u, Gather(root_.host(), nullptr).packages.size());
}

TEST_F(StatusTest, SaysWhyThereIsNoModule) {
  root_.Put("/proc/sys/kernel/osrelease", kKernel);
  root_.Put("/usr/lib/x86_64-linux-gnu/libibverbs/libsiw-rdmav34.so");
  root_.Put("/etc/libibverbs.d/siw.driver");
  EXPECT_EQ("SIW-MOD-NO-RDMA", Judged());
  root_.Put(Modules("/modules.dep"), "kernel/ib_core.ko:");
  EXPECT_EQ("SIW-MOD-ABSENT", Judged());
  root_.Put("/usr/src/siw-0.1.0/Makefile");
  EXPECT_EQ("SIW-MOD-ABSENT", Judged());
  root_.Put("/usr/src/siw-0.1.0/dkms.conf");
  EXPECT_EQ("SIW-MOD-HEADERS", Judged());
  EXPECT_EQ("0.1.0", Gather(root_.host(), nullptr).module.dkms_version);
  root_.Put("/var/lib/dkms/siw/0.1.0/source");
  EXPECT_EQ("SIW-MOD-HEADERS", Judged());
  root_.Put(Modules("/build/Makefile"));
  EXPECT_EQ("SIW-MOD-NOT-BUILT", Judged());
  root_.Put("/var/lib/dkms/siw/0.1.0/build/make.log");
  EXPECT_EQ("SIW-MOD-BUILD", Judged());
  root_.Put(Modules("/modules.dep"), "kernel/ib_core.ko:\nupdates/siw.ko:");
  EXPECT_EQ("SIW-MOD-IDLE", Judged());
}

// What would load is another driver.
TEST_F(StatusTest, TheKernelsOwnModuleIsNoneOfOurs) {
  root_.Put("/proc/sys/kernel/osrelease", kKernel);
  root_.Put("/usr/lib/x86_64-linux-gnu/libibverbs/libsiw-rdmav34.so");
  root_.Put("/etc/libibverbs.d/siw.driver");
  root_.Put(Modules("/modules.dep"),
            "kernel/ib_core.ko:\nkernel/drivers/siw.ko.xz:");
  EXPECT_EQ("SIW-MOD-IDLE", Judged());
  root_.Put("/var/lib/dkms/siw/0.1.0/source");
  EXPECT_EQ("SIW-MOD-HEADERS", Judged());
  root_.Put(Modules("/build/Makefile"));
  EXPECT_EQ("SIW-MOD-NOT-BUILT", Judged());
  EXPECT_EQ(
      "/lib/modules/6.12.118+deb13-amd64/modules.dep has no siw.ko but "
      "the kernel's own; dkms has not built it",
      Examine(Gather(root_.host(), nullptr), Catalogue())[0]
          .findings[0]
          .evidence);
  root_.Put("/sys/module/siw/taint");
  EXPECT_EQ("SIW-MOD-NOT-BUILT SIW-MOD-INBOX SIW-LINK-NONE", Judged());
  // Built and loaded by hand
  root_.Put("/sys/module/siw/taint", "OE");
  EXPECT_EQ("SIW-LINK-NONE", Judged());
}

TEST_F(StatusTest, TellsTheInBoxModuleAndAnOldOne) {
  FillGood(&root_);
  root_.Put("/sys/module/siw/taint", "");
  EXPECT_EQ("SIW-MOD-INBOX", Judged());
  root_.Put("/sys/module/siw/taint", "O");
  root_.Put("/sys/module/siw/version", "0.0.9");
  EXPECT_EQ("SIW-MOD-STALE", Judged());
  Facts facts = Gather(root_.host(), nullptr);
  facts.module.version = "0.1.1";
  for (const auto& [package, ids] : {std::pair("0.1.1", ""),
                                     {"0.1.1-1~deb12u1", ""},
                                     {"0.1.10-1", "SIW-MOD-STALE"},
                                     {"0.1.1.1", "SIW-MOD-STALE"}}) {
    facts.packages["siw-dkms"] = package;
    EXPECT_EQ(ids, Ids(Judge(Examine(facts, Catalogue())))) << package;
  }
  // Without a package
  facts.packages.clear();
  EXPECT_EQ("SIW-MOD-STALE", Ids(Judge(Examine(facts, Catalogue()))));
  facts.module.version = facts.module.dkms_version;
  EXPECT_EQ("", Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, SeesThatModulesHaveToBeSigned) {
  root_.Put("/proc/sys/kernel/osrelease", kKernel);
  root_.Put(Modules("/modules.dep"), "kernel/ib_core.ko:\nupdates/siw.ko:");
  root_.Put("/usr/lib/x86_64-linux-gnu/libibverbs/libsiw-rdmav34.so");
  root_.Put("/etc/libibverbs.d/siw.driver");
  root_.Put("/sys/kernel/security/lockdown",
            "none [integrity] confidentiality");
  EXPECT_EQ("SIW-MOD-SIGNED-ONLY SIW-MOD-IDLE", Judged());
  root_.Put("/sys/kernel/security/lockdown",
            "[none] integrity confidentiality");
  EXPECT_EQ("SIW-MOD-IDLE", Judged());
  root_.Put(
      "/sys/firmware/efi/efivars/"
      "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
      std::string("\6\0\0\0\1", 5));
  EXPECT_EQ("SIW-MOD-SIGNED-ONLY SIW-MOD-IDLE", Judged());
}

TEST_F(StatusTest, SeesAMissingProvider) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.provider.clear();
  EXPECT_EQ("SIW-PROVIDER-ABSENT", Ids(Judge(Examine(facts, Catalogue()))));
  facts.provider = "/x";
  facts.provider_enabled = false;
  EXPECT_EQ("SIW-PROVIDER-OFF", Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, SeesDeviceNodes) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.rdma_cm_usable = false;
  facts.unusable_nodes = {"/dev/infiniband/uverbs0"};
  EXPECT_EQ("SIW-NODE-DENIED SIW-NODE-DENIED",
            Ids(Judge(Examine(facts, Catalogue()))));
  facts.unusable_nodes.clear();
  facts.rdma_cm_node = false;
  facts.links[0].uverbs.clear();
  EXPECT_EQ("SIW-NODE-ABSENT SIW-NODE-ABSENT",
            Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, ComparesConfigurationAndLinks) {
  FillGood(&root_);
  root_.Put("/etc/siw/links.conf", "siw0 eth0\nsiw1 eth1\nsiw2\nsiw3 a b\n");
  EXPECT_EQ("SIW-CONF-LINE SIW-CONF-LINE SIW-LINK-MISSING", Judged());
  Facts facts = Gather(root_.host(), nullptr);
  facts.links.clear();
  facts.configured.clear();
  facts.bad_lines.clear();
  EXPECT_EQ("SIW-LINK-NONE", Ids(Judge(Examine(facts, Catalogue()))));
  facts.module.loaded = false;
  facts.configured = {{"siw0", "eth0"}};
  EXPECT_EQ("SIW-MOD-NOT-LOADED", Ids(Judge(Examine(facts, Catalogue()))));
}

// siw-link(8) goes by the line that comes first.
TEST_F(StatusTest, LinesOfTheConfigurationMayContradictOneAnother) {
  FillGood(&root_);
  for (const auto& [lines, ids] : {std::pair("siw0 eth0\nsiw0 eth0", ""),
                                   {"siw0 eth0\nsiw1 eth0", "SIW-LINK-EXISTS"},
                                   {"siw0 eth0\nsiw0 eth1", "SIW-LINK-NAME"},
                                   {"siw0 eth1", "SIW-LINK-MISSING"},
                                   {"siw1 eth0", ""}}) {
    root_.Put("/etc/siw/links.conf", lines);
    EXPECT_EQ(ids, Judged()) << lines;
  }
  root_.Put("/etc/siw/links.conf", "siw0 eth1");
  Facts facts = Gather(root_.host(), nullptr);
  EXPECT_EQ("/etc/siw/links.conf wants it on eth1, it is on eth0",
            Judge(Examine(facts, Catalogue()))[0].evidence);
  facts.links[0].netdev.clear();
  EXPECT_EQ("", Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, ReadsLinksConfAsSiwLinkDoes) {
  FillGood(&root_);
  for (const char* line :
       {"siw0 eth0 crc=off", "siw0 eth0 crc=on # comment", "\tsiw0\teth0 #",
        "siw0 eth0 # a comment of words", "siw_0.a-b eth0",
        "siw0 eth0\r\n\r\n#\r\n", "siw0 eth0 crc=off\r"}) {
    root_.Put("/etc/siw/links.conf", line);
    EXPECT_EQ("", Judged()) << line;
    EXPECT_EQ(1u, Gather(root_.host(), nullptr).configured.size()) << line;
  }
  for (const char* line :
       {"siw0", "siw0 # eth0", "siw0 eth0 crc=no", "siw0 eth0 crc=off more",
        "siw0 #eth0", "0siw eth0", "siw/0 eth0", "siw0 ../eth0", "siw0 -d",
        "siw0 .."}) {
    root_.Put("/etc/siw/links.conf", line);
    EXPECT_EQ("SIW-CONF-LINE", Judged()) << line;
  }
  root_.Put("/etc/siw/links.conf", "siw0 eth\r0\nsiw0 eth\v0\nsiw0\r");
  const Facts facts = Gather(root_.host(), nullptr);
  EXPECT_EQ(2u, facts.configured.size());
  EXPECT_EQ(std::vector<std::string>{"3: siw0"}, facts.bad_lines);
}

TEST_F(StatusTest, AProviderThatIsDivertedIsNone) {
  const std::string dir = "/usr/lib/x86_64-linux-gnu/libibverbs";
  root_.Put(dir + "/libsiw-rdmav34.so.distrib", "");
  EXPECT_EQ("", Gather(root_.host(), nullptr).provider);
  root_.Put(dir + "/libsiw-rdmav34.so", "");
  EXPECT_EQ(dir + "/libsiw-rdmav34.so", Gather(root_.host(), nullptr).provider);
}

TEST_F(StatusTest, SeesPortsCountersAndLimits) {
  FillGood(&root_);
  const std::string port = "/sys/class/infiniband/siw0/ports/1";
  root_.Put(port + "/state", "1: DOWN");
  root_.Put("/sys/class/net/eth0/carrier", "0");
  root_.Put(port + "/hw_counters/rx_crc_error", "2");
  root_.Put(port + "/hw_counters/cq_overflow", "1");
  EXPECT_EQ("SIW-LINK-DOWN SIW-EVENT-CQ-OVERFLOW SIW-COUNT-CRC", Judged());

  Facts facts = Gather(root_.host(), nullptr);
  facts.links[0].state = "ACTIVE";
  facts.links[0].counters.clear();
  facts.memlock = 65536;
  EXPECT_EQ("SIW-LIMIT-MEMLOCK", Ids(Judge(Examine(facts, Catalogue()))));
  facts.memlock.reset();
  // Its interface is in another network namespace.
  facts.links[0].netdev.clear();
  for (const char* state : {"ACTIVE", "DOWN"}) {
    facts.links[0].state = state;
    EXPECT_EQ("", Ids(Judge(Examine(facts, Catalogue())))) << state;
  }
}

TEST_F(StatusTest, SeesThatAnInterfaceHasNoAddress) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  const auto ids = [&facts] { return Ids(Judge(Examine(facts, Catalogue()))); };
  EXPECT_EQ("", ids());
  facts.addressed.emplace();
  EXPECT_EQ("SIW-LINK-NO-ADDRESS", ids());
  facts.links[0].state = "DOWN";
  EXPECT_EQ("SIW-LINK-DOWN", ids());
  facts.links[0].state = "ACTIVE";
  facts.addressed->insert("eth0");
  EXPECT_EQ("", ids());
  const auto here = AddressedNetdevs();
  ASSERT_TRUE(here);
  EXPECT_TRUE(here->contains("lo"));
}

TEST_F(StatusTest, EachCounterHasItsVerdict) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  for (const auto& [name, id] : {std::pair("rx_crc_error", "SIW-COUNT-CRC"),
                                 {"rx_fault", "SIW-COUNT-FAULT"},
                                 {"rx_terminate", "SIW-COUNT-TERM-RCVD"},
                                 {"tx_terminate", "SIW-COUNT-TERM-SENT"},
                                 {"local_error", "SIW-COUNT-LOCAL"},
                                 {"cq_overflow", "SIW-EVENT-CQ-OVERFLOW"},
                                 {"conn_refused", "SIW-COUNT-REFUSED"},
                                 {"conn_timeout", "SIW-COUNT-TIMEOUT"}}) {
    facts.links[0].counters = {{name, 1}};
    const auto findings = Judge(Examine(facts, Catalogue()));
    EXPECT_EQ(id, Ids(findings));
    EXPECT_FALSE(HasError(findings)) << name;
  }
}

// A device with completion queues 4 and on, of which the driver tells this
class Queues : public OneDevice {
 public:
  explicit Queues(std::vector<uint32_t> overflowed)
      : overflowed_(std::move(overflowed)) {}

 private:
  void Put(int command, nlmsghdr* header) const override {
    if (command == RDMA_NLDEV_CMD_RES_CQ_GET) PutCqs(header);
  }
  void PutCqs(nlmsghdr* header) const {
    uint32_t number = 4;
    nlattr* table = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_CQ);
    for (const uint32_t overflowed : overflowed_) {
      nlattr* entry = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_CQ_ENTRY);
      mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_CQN, number++);
      mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_PID, 77);
      nlattr* details = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_DRIVER);
      for (const auto& [name, value] :
           {std::pair("pending", 1u), {"overflowed", overflowed}}) {
        mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DRIVER_STRING, name);
        mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DRIVER_U32, value);
      }
      mnl_attr_nest_end(header, details);
      mnl_attr_nest_end(header, entry);
    }
    mnl_attr_nest_end(header, table);
  }

  std::vector<uint32_t> overflowed_;
};

TEST_F(StatusTest, ACqOverflowIsAnErrorWhileItsQueueIsThere) {
  FillGood(&root_);
  const auto judged = [this](Queues queues) {
    return Judge(Examine(Gather(root_.host(), &queues), Catalogue()));
  };
  EXPECT_EQ("", Ids(judged(Queues({0, 0}))));
  root_.Put("/sys/class/infiniband/siw0/ports/1/hw_counters/cq_overflow", "9");
  auto findings = judged(Queues({0, 1}));
  ASSERT_EQ("SIW-EVENT-CQ-OVERFLOW", Ids(findings));
  EXPECT_EQ(Severity::kError, findings[0].severity);
  EXPECT_EQ("CQ 5 of pid 77 has lost a completion", findings[0].evidence);
  EXPECT_EQ("CQ 4 of pid 77 has lost a completion, and 2 more",
            judged(Queues({1, 1, 1}))[0].evidence);
  for (const auto& left : {std::vector<uint32_t>{}, {0, 0}}) {
    findings = judged(Queues(left));
    ASSERT_EQ("SIW-EVENT-CQ-OVERFLOW", Ids(findings));
    EXPECT_EQ(Severity::kWarning, findings[0].severity);
    EXPECT_EQ("cq_overflow 9", findings[0].evidence);
  }
}

TEST_F(StatusTest, TellsTheLastErrorsOfTheKernelLog) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  const std::string fault =
      "siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended by us: "
      "CRC error (2/0/02), "
      "STag 0x0";
  facts.log = {"siw: loading out-of-tree module taints kernel.", fault, fault};
  auto findings = Judge(Examine(facts, Catalogue()));
  EXPECT_EQ("SIW-TERM-2002-SENT", Ids(findings));
  EXPECT_EQ(fault, findings[0].evidence);
  EXPECT_FALSE(HasError(findings));
  facts.log.clear();
  facts.log_unread = "/dev/kmsg: Operation not permitted";
  facts.netlink_unread = "RDMA netlink: Protocol not supported";
  EXPECT_EQ("SIW-TOOL-NETLINK SIW-TOOL-LOG",
            Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, TellsAnAdvisoryThatAffectsWhatIsInstalled) {
  FillGood(&root_);
  root_.Put("/etc/siw/advisories/x_SIW-2027-0001.json", Osv(kTwoLines));
  root_.Put("/etc/siw/advisories/x_SIW-2027-0001.json.asc", "a signature");
  EXPECT_EQ("SIW-SEC-AFFECTED", Judged());
  root_.Put("/etc/siw/advisories/x_SIW-2027-0001.json",
            Osv(kTwoLines, R"("withdrawn": "2027-01-05T00:00:00Z", )"));
  EXPECT_EQ("", Judged());
  root_.Put("/etc/siw/advisories/x_SIW-2027-0001.json",
            Osv(R"({"introduced": "0.0.1"}, {"fixed": "0.1.0"})"));
  EXPECT_EQ("", Judged());
  root_.Put("/etc/siw/advisories/x_SIW-2027-0001.json",
            Osv(R"({"introduced": "0.1.0"})"));
  EXPECT_EQ("SIW-SEC-AFFECTED", Judged());
}

TEST_F(StatusTest, TellsThatTheLoadedModuleIsStillAffected) {
  FillGood(&root_);
  root_.Put("/etc/siw/advisories/a.json", Osv(kTwoLines));
  root_.Put("/sys/module/siw/version", "0.0.1");
  EXPECT_EQ("SIW-SEC-AFFECTED SIW-SEC-AFFECTED SIW-MOD-STALE", Judged());
  root_.Put("/sys/module/siw/version", "0.0.2~rc1");
  EXPECT_EQ("SIW-SEC-AFFECTED SIW-SEC-AFFECTED SIW-MOD-STALE", Judged());
  root_.Put("/sys/module/siw/version", "0.0.2");
  EXPECT_EQ("SIW-SEC-AFFECTED SIW-MOD-STALE", Judged());
}

TEST_F(StatusTest, TellsAnAdvisoryThatCannotBeRead) {
  FillGood(&root_);
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{}"),
        std::string(R"({"id": "x_", "withdrawn": "2027-01-05T00:00:00Z"})"),
        std::string(R"({"id": "x_SIW-2027-0001", "affected": 7})"), Osv(""),
        Osv(R"({"introduced": "1"})"), Osv(R"({"fixed": "0.1.1"})"),
        Osv(R"({"introduced": 7})"),
        Osv(R"({"introduced": "0.1.1"}, {"fixed": "0.0.2"})"),
        Osv(R"({"introduced": "0.1.0"}, {"fixed": "0.1.0"})")}) {
    root_.Put("/etc/siw/advisories/a.json", text);
    EXPECT_EQ("SIW-SEC-UNREAD", Judged()) << text;
  }
}

TEST_F(StatusTest, AnAdvisoryMayBeAsDeepAsItIsLong) {
  FillGood(&root_);
  constexpr size_t kDeep = 500000;
  for (const char* key : {"affected", "database_specific"}) {
    root_.Put("/etc/siw/advisories/a.json",
              R"({"id": "x", ")" + std::string(key) + "\": " +
                  std::string(kDeep, '[') + std::string(kDeep, ']') + "}");
    EXPECT_EQ("SIW-SEC-UNREAD", Judged()) << key;
  }
}

// The commands of the findings, "; " between them
std::string Commands(const Facts& facts) {
  std::string commands;
  for (const Finding& finding : Judge(Examine(facts, Catalogue())))
    commands += (commands.empty() ? "" : "; ") + finding.next;
  return commands;
}

TEST_F(StatusTest, NamesTheCommandOfTheHostsPackageManager) {
  struct Row {
    const char* os_release;
    const char* kernel;
    const char* absent;
    const char* headers;
    const char* off;
    const char* affected;
  };
  for (const Row& row :
       {Row{"ID=debian", kKernel,
            "apt install siw-dkms; apt install ibverbs-providers",
            "apt install linux-headers-6.12.118+deb13-amd64",
            "apt install --reinstall ibverbs-providers",
            "apt install siw siw-dkms"},
        Row{"ID=fedora", "6.11.4-301.fc41.x86_64",
            "dnf install siw-dkms; dnf install libibverbs",
            "dnf install kernel-devel-6.11.4-301.fc41.x86_64",
            "dnf reinstall libibverbs", "dnf upgrade siw"},
        Row{"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
            "5.14.0-503.el9.aarch64+64k",
            "dnf install siw-dkms; dnf install libibverbs",
            "dnf install kernel-64k-devel-5.14.0-503.el9.aarch64",
            "dnf reinstall libibverbs", "dnf upgrade siw"},
        Row{"ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"",
            "6.4.0-150600.21-default",
            "zypper install siw-dkms; zypper install libibverbs",
            "zypper install kernel-default-devel",
            "zypper install --force libibverbs", "zypper update siw"}}) {
    Root root;
    root.Put("/etc/os-release", row.os_release);
    root.Put("/proc/sys/kernel/osrelease", row.kernel);
    Facts facts = Gather(root.host(), nullptr);
    facts.module.rdma_core = true;
    EXPECT_EQ(row.absent, Commands(facts));
    facts.module.dkms = true;
    facts.provider = "/x";
    facts.provider_enabled = true;
    EXPECT_EQ(row.headers, Commands(facts));
    facts.module.available = "siw.ko";
    facts.module.loaded = facts.module.out_of_tree = true;
    facts.links.resize(1);
    facts.links[0].state = "ACTIVE";
    facts.links[0].uverbs = {"uverbs0"};
    facts.rdma_cm_node = facts.rdma_cm_usable = true;
    facts.provider_enabled = false;
    EXPECT_EQ(row.off, Commands(facts));
    facts.provider_enabled = true;
    facts.module.dkms_version = "0.1.0";
    root.Put("/etc/siw/advisories/a.json", Osv(kTwoLines));
    facts.advisories = ReadAdvisories(root.host());
    EXPECT_EQ(row.affected, Commands(facts));
  }
}

// A tool of another family may be installed as well: os-release comes first.
TEST_F(StatusTest, FindsThePackageManagerByNameAndThenByTool) {
  EXPECT_EQ("apt", FindPackager(root_.host()).tool);
  root_.Put("/usr/bin/zypper");
  EXPECT_EQ("zypper", FindPackager(root_.host()).tool);
  root_.Put("/usr/lib/os-release", "NAME=x\nID_LIKE='fedora'\nVERSION_ID=1");
  EXPECT_EQ("dnf", FindPackager(root_.host()).tool);
  root_.Put("/etc/os-release", "ID=mint\nID_LIKE=\"ubuntu fedora\"");
  EXPECT_EQ("apt", FindPackager(root_.host()).tool);
  root_.Put("/etc/os-release", "ID=fedoras\nID_LIKE=");
  EXPECT_EQ("zypper", FindPackager(root_.host()).tool);
}

TEST(KernelLine, IsAsDmesgShowsIt) {
  EXPECT_EQ("[  123.000456] siw0: gone",
            KernelLine("5,1234,123000456,-;siw0: gone\n SUBSYSTEM=x\n"));
  EXPECT_EQ("[    0.000001] ", KernelLine("5,1,1,-;"));
  for (const char* record : {"", "5,1", "5,x,y;text", ";"})
    EXPECT_EQ("", KernelLine(record)) << record;
}

TEST_F(StatusTest, SaysNothingOfAnEmptyDirectory) {
  EXPECT_EQ("SIW-MOD-NO-RDMA SIW-PROVIDER-ABSENT", Judged());
}

TEST_F(StatusTest, SeesThatDevicesMayBeHidden) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.links.clear();
  facts.configured.clear();
  facts.namespaces_exclusive = true;
  EXPECT_EQ("SIW-LINK-NETNS", Ids(Judge(Examine(facts, Catalogue()))));
}

TEST_F(StatusTest, DoctorShowsEveryCheck) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.memlock = 65536;
  const auto checks = Examine(facts, Catalogue());
  const std::string text = DoctorText(checks);
  EXPECT_NE(std::string::npos, text.find("ok        module"));
  EXPECT_EQ(std::string::npos, text.find("ok        locked memory"));
  EXPECT_NE(std::string::npos, text.find("SIW-LIMIT-MEMLOCK"));
  const auto json =
      nlohmann::json::parse(DoctorJson("quick", checks), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(10u, json["checks"].size());
  EXPECT_EQ("ok", json["checks"][0]["verdict"]);
  ASSERT_EQ(1u, json["findings"].size());
  EXPECT_EQ("SIW-LIMIT-MEMLOCK", json["findings"][0]["id"]);
}

TEST_F(StatusTest, WhatMayBeOverIsBehindWhatIsSo) {
  FillGood(&root_);
  root_.Put("/sys/class/infiniband/siw0/ports/1/hw_counters/rx_crc_error", "2");
  Facts facts = Gather(root_.host(), nullptr);
  facts.memlock = 65536;
  facts.log = {
      "siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended "
      "by us: CRC error (2/0/02), STag 0x0"};
  EXPECT_EQ("SIW-LIMIT-MEMLOCK SIW-COUNT-CRC SIW-TERM-2002-SENT",
            Ids(Judge(Examine(facts, Catalogue()))));
}

// What limits a stream now is a hint, and not behind an error of yesterday.
TEST_F(StatusTest, AHintOfNowIsBeforeAWarningOfThePast) {
  FillGood(&root_);
  root_.Put("/sys/class/infiniband/siw0/ports/1/hw_counters/local_error", "1");
  const CatalogueEntry* entry = FindId(Catalogue(), "SIW-NET-APP");
  ASSERT_NE(nullptr, entry);
  auto checks = Examine(Gather(root_.host(), nullptr), Catalogue());
  const auto add = [&](bool past, Severity severity) {
    checks.push_back({"x", "", past, {{entry, severity, "", "", ""}}});
  };
  add(false, Severity::kInfo);
  EXPECT_EQ("SIW-NET-APP SIW-COUNT-LOCAL", Ids(Judge(checks)));
  // An error is in front of all, whenever it was.
  add(false, Severity::kWarning);
  add(true, Severity::kError);
  const auto findings = Judge(checks);
  ASSERT_EQ(4u, findings.size());
  EXPECT_EQ(Severity::kError, findings[0].severity);
  EXPECT_EQ(Severity::kWarning, findings[1].severity);
  EXPECT_EQ(Severity::kInfo, findings[2].severity);
  EXPECT_EQ("SIW-COUNT-LOCAL", findings[3].entry->id);
}

// Who may make a link in a container names it.
TEST_F(StatusTest, TextHidesWhatATerminalWouldObey) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.links[0].name = facts.links[0].netdev = "\x1b]0;x\x07";
  facts.links[0].state = "DOWN";
  const auto checks = Examine(facts, Catalogue());
  for (const std::string& text :
       {StatusText(facts, Judge(checks)), DoctorText(checks)}) {
    EXPECT_NE(std::string::npos, text.find("SIW-LINK-DOWN"));
    EXPECT_EQ(std::string::npos, text.find_first_of("\x1b\x07")) << text;
  }
}

TEST_F(StatusTest, JsonHasFindingsAndLinks) {
  FillGood(&root_);
  Facts facts = Gather(root_.host(), nullptr);
  facts.links[0].connections = {
      {7, "CONNECT", 12, "", "192.0.2.2:1", "192.0.2.1:2"}};
  facts.links[0].state = "DOWN";
  const auto findings = Judge(Examine(facts, Catalogue()));
  const auto json =
      nlohmann::json::parse(StatusJson(facts, findings), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ("SIW-LINK-DOWN", json["findings"][0]["id"]);
  EXPECT_EQ("siw0", json["links"][0]["name"]);
  EXPECT_EQ(7, json["links"][0]["connections"][0]["qp"]);
  EXPECT_EQ(nullptr, json["links"][0]["queue_pairs"]);
  EXPECT_EQ(nullptr, json["memlock"]);
  EXPECT_NE(std::string::npos,
            StatusText(facts, findings).find("192.0.2.2:1 -> 192.0.2.1:2"));
  EXPECT_TRUE(HasError(findings));
}

}  // namespace
}  // namespace siw
