// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/report/report.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tools/siw/report/redact.h"
#include "tools/siw/status/fixture.h"

namespace siw::report {
namespace {

std::string Redacted(std::string_view text) {
  return Redactor(false).Text(text);
}

TEST(Redact, StagsAndKeysAlwaysGo) {
  for (const bool keep : {false, true}) {
    Redactor redactor(keep);
    for (const char* text :
         {"STag 0x5a1b2c00", "STag 0x100", "stag=0x1b00", "rkey: 1511730176",
          "lkey 5a1b2c00", "STag of 0x100", "Steering Tag 5a1b2c00",
          "\"stag\":\"0x100\"", "r_key [256]", "STag  #256"}) {
      const std::string out = redactor.Text(text);
      EXPECT_NE(std::string::npos, out.find("[key]")) << text << ": " << out;
      EXPECT_EQ(std::string::npos, out.find("100")) << out;
      EXPECT_EQ(std::string::npos, out.find("256")) << out;
      EXPECT_EQ(std::string::npos, out.find("1511730176")) << out;
    }
  }
}

TEST(Redact, LongHexadecimalNumbersGo) {
  EXPECT_EQ("at [hex].", Redacted("at ffff8881deadbeef."));
  EXPECT_EQ("[hex] [hex]", Redacted("0x5a1b2c00 5a1b2c00"));
  EXPECT_EQ("[hex],", Redacted("0xdead00,"));
  EXPECT_EQ("tcp_rmem 33554432", Redacted("tcp_rmem 33554432"));
  EXPECT_EQ("QP 5: [hex] [12345678.123456]",
            Redactor(false).Text("QP 5: 12345600 [12345678.123456]",
                                 Redactor::kOthers));
}

TEST(Redact, WhatIsNeededStays) {
  for (const char* text :
       {"[12345678.123456] siw0: QP 12, qpn=12",
        "siw_rx_fpdu+0x12a/0x3400 [siw]", "code 1/1/00", "(-104)",
        "6.1.0-30-amd64", "0.1.0-1", "12:34:56", "siw::net", "key: value",
        "127.0.0.1:4420", "[::1]:4420", "0.0.0.0:20049", "[::]:20049"})
    EXPECT_EQ(text, Redacted(text));
}

TEST(Redact, AnAddressHasOneNameEverywhere) {
  Redactor redactor(false);
  EXPECT_EQ("local ip-1:4791, peer ip-2:39218: x",
            redactor.Text("local 192.0.2.1:4791, peer 192.0.2.2:39218: x"));
  EXPECT_EQ("[ip-3]:4420 ip-2 ip-3 ip-3%eth0",
            redactor.Text("[2001:db8::1]:4420 192.0.2.2 "
                          "2001:0db8:0:0:0:0:0:1 2001:DB8::1%eth0"));
  EXPECT_EQ("hw-1 hw-2 dev=ip-1 kernel:ip-2 ...ip-1.",
            redactor.Text("02:83:00:00:00:01 0283:00ff:fe00:0001 "
                          "dev=192.0.2.1 kernel:192.0.2.2 ...192.0.2.1."));
  EXPECT_EQ(5u, redactor.addresses());
}

TEST(Redact, AnAddressIsOneWhateverItIsPutTo) {
  Redactor redactor(false);
  EXPECT_EQ("ip-1_x eth0_ip-1_y ip-2_z",
            redactor.Text("192.0.2.1_x eth0_192.0.2.1_y 2001:db8::1_z"));
  EXPECT_EQ("ip-1 [ip-1]:4420 127.0.0.1 ::ffff:127.0.0.1",
            redactor.Text("192.0.2.1 [::ffff:192.0.2.1]:4420 127.0.0.1 "
                          "::ffff:127.0.0.1"));
}

TEST(Redact, NamesOfInterfacesMayHaveAHardwareAddress) {
  Redactor redactor(false);
  EXPECT_EQ("hw-1 enxhw-1 wlxhw-2.42 siw_wwxhw-1: enp0s3 enx0283",
            redactor.Text("02:83:de:ad:be:ef enx0283deadbeef "
                          "wlx028300000001.42 siw_wwx0283DEADBEEF: enp0s3 "
                          "enx0283"));
  EXPECT_EQ(2u, redactor.addresses());
  EXPECT_EQ("enx0283deadbeef", Redactor(true).Text("enx0283deadbeef"));
}

TEST(Redact, AddressesStayWhenTheyShall) {
  const std::string text =
      "peer 192.0.2.2:39218 [2001:db8::1]:1, "
      "02:83:00:00:00:01";
  EXPECT_EQ(text, Redactor(true).Text(text));
}

// What must not be in a report, however it is written.
void ExpectClean(const std::string& where, const std::string& text) {
  static const std::regex kForbidden(
      R"(\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)\d+\.\d+\.\d+\.\d+\b)"
      R"(|[0-9a-f]+::[0-9a-f]+|([0-9a-f]{2}:){5}[0-9a-f]{2})"
      R"(|\b0x[0-9a-f]{5,}|\b(stag|[rl]_?key)s?[ :=#"\[(]+[0-9][0-9a-fx]*)",
      std::regex::icase);
  std::smatch match;
  EXPECT_FALSE(std::regex_search(text, match, kForbidden))
      << where << ": " << match.str();
}

TEST(Redact, NothingOfTheCataloguesExamplesSurvives) {
  size_t with_key = 0;
  size_t with_address = 0;
  Redactor redactor(false);
  for (const CatalogueEntry& entry : Catalogue()) {
    const std::string out = redactor.Text(entry.example);
    ExpectClean(std::string(entry.id), out);
    with_key += out.find("STag [key]") != std::string::npos;
    with_address += out.find("ip-") != std::string::npos;
  }
  EXPECT_GE(with_key, 2u);
  EXPECT_GE(with_address, 50u);
}

const std::vector<std::string> kLog = {
    "[    1.000000] usb 1-1: new device 10.9.9.9",
    "[   12.000001] siw0: QP 7, local 192.0.2.1:4791, peer 192.0.2.2:39218: "
    "stream ended by us: tagged: invalid STag (1/1/00), STag 0x5a1b2c00",
    "[   13.000000] siw1: other siw says key 5a1b2c00, 12345600 and "
    "ffff888100abcdef",
    "[   14.000000] ------------[ cut here ]------------",
    "[   14.000001] WARNING: CPU: 0 PID: 99 at siw/rx.c:1 siw_rx+0x1/0x20",
    "[   14.000002] CPU: 0 PID: 99 Comm: rping Not tainted 6.1.0-30-amd64",
    "[   14.000003] RAX: 000000005a1b2c00 RBX: ffff888100abcdef",
    "[   14.000004] Code: 5a 1b 2c 00 0f 0b",
    "[   14.000005]  siw_rx+0x1/0x20 [siw]",
    "[   14.000006] ---[ end trace 0000000000000000 ]---",
    "[   15.000000] BUG: something in ext4_read+0x1/0x2",
    "[   15.000001] ---[ end trace 0000000000000000 ]---"};

TEST(OurLinesTest, TakesOurLinesAndWhatIsSafeOfOurFaults) {
  const std::vector<std::string> ours = OurLines(kLog, Catalogue());
  ASSERT_EQ(7u, ours.size());
  EXPECT_EQ(kLog[1], ours[0]);
  EXPECT_EQ(kLog[2], ours[1]);
  EXPECT_EQ(kLog[5], ours[4]);
  EXPECT_EQ(kLog[8], ours[5]);
  EXPECT_EQ(kLog[9], ours[6]);
}

TEST(OurLinesTest, AFaultWithoutAnEndEnds) {
  std::vector<std::string> log(500, "[ 1.0] x");
  log[0] = "[ 1.0] BUG: siw";
  log[400] = "[ 2.0] siw0: later";
  EXPECT_EQ(2u, OurLines(log, Catalogue()).size());
}

TEST(OurLinesTest, AMessageOfOursIsNotLostInAFault) {
  const std::vector<std::string> log = {
      "[ 1.0] INFO: task nfsd:123 blocked for more than 120 seconds.",
      "[ 1.0] RSP: 0018:00007ffd00000000 EFLAGS: 00000246",
      "[ 2.0] iwpm_register_pid: Unable to send a nlmsg (client = 2)"};
  const std::vector<std::string> ours = OurLines(log, Catalogue());
  ASSERT_EQ(1u, ours.size());
  EXPECT_EQ(log[2], ours[0]);
  const std::vector<std::string> fault = {
      log[0], log[1],
      "[ 2.0] siw0: local 192.0.2.1:2, peer 192.0.2.2:1: MPA Request refused: "
      "unknown revision"};
  EXPECT_EQ((std::vector<std::string>{fault[0], fault[2]}),
            OurLines(fault, Catalogue()));
}

// A device, with one queue pair whose details have an address, and keys that
// nobody asked for.
class Recorded : public OneDevice {
 private:
  void Put(int command, nlmsghdr* header) const override {
    if (command == RDMA_NLDEV_CMD_RES_QP_GET) PutQp(header);
    if (command == RDMA_NLDEV_CMD_RES_GET) PutObjects(header);
  }
  static void PutQp(nlmsghdr* header) {
    nlattr* table = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_QP);
    nlattr* entry = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_QP_ENTRY);
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_LQPN, 7);
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_RKEY, 0x5a1b2c00);
    nlattr* details = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_DRIVER);
    for (const char* text : {"peer", "192.0.2.2:39218", "stream", "RTS"})
      mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DRIVER_STRING, text);
    mnl_attr_nest_end(header, details);
    mnl_attr_nest_end(header, entry);
    mnl_attr_nest_end(header, table);
  }
  static void PutObjects(nlmsghdr* header) {
    nlattr* table = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_SUMMARY);
    nlattr* entry =
        mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY);
    mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_NAME, "mr");
    mnl_attr_put_u64(header, RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_CURR, 4);
    mnl_attr_nest_end(header, entry);
    mnl_attr_nest_end(header, table);
  }
};

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    char name[] = "/tmp/siw-report-XXXXXX";
    path_ = mkdtemp(name);
    Put("/proc/version",
        "Linux version 6.1.0-30-amd64 (me@host.example) (gcc 12) #1 SMP");
    Put("/proc/cpuinfo", "model name : A CPU");
    Put("/var/lib/dpkg/status",
        "Package: siw\nStatus: install ok installed\nVersion: 0.1.0-1\n\n"
        "Package: bash\nStatus: install ok installed\nVersion: 5\n\n"
        "Package: rdma-core\nStatus: hold ok installed\nVersion: 44.0-2\n\n"
        "Package: dkms\nStatus: deinstall ok config-files\nVersion: 3.0\n");
    Put("/sys/module/siw/parameters/x", "Y");
    Put("/sys/class/infiniband/siw0/mpa/crc", "1");
    Put("/boot/config-6.1.0-30-amd64",
        "CONFIG_INFINIBAND=m\n# CONFIG_RDMA_SIW is not set\nCONFIG_X86=y");
    Put("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456");
    inputs_.command_version = "1.2.3";
    inputs_.facts.kernel = "6.1.0-30-amd64";
    inputs_.facts.log = kLog;
    Link link;
    link.name = "siw0";
    link.netdev = "eth0";
    link.state = "ACTIVE";
    link.ours = true;
    RdmaCmId id;
    id.qp = 7;
    id.state = "CONNECT";
    id.source = "192.0.2.1:4791";
    id.destination = "192.0.2.2:39218";
    link.connections = {id};
    inputs_.facts.links = {link};
    inputs_.status = inputs_.doctor = Examine(inputs_.facts, Catalogue());
    inputs_.rdma.channel = &channel_;
  }
  ~ReportTest() override { fs::remove_all(path_); }

  void Put(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path_ + path).parent_path());
    std::ofstream(path_ + path) << text << "\n";
  }
  Report Collected(bool keep = false) {
    return Collect(Host(path_), inputs_, Catalogue(), keep);
  }

  std::string path_;
  Recorded channel_;
  Inputs inputs_;
};

std::map<std::string, std::string> ByName(const Report& report) {
  std::map<std::string, std::string> out;
  for (const Item& item : report.items) out[item.name] = item.text;
  return out;
}

TEST_F(ReportTest, HoldsWhatItPromisesAndNoKeyOrAddress) {
  const Report report = Collected();
  auto items = ByName(report);
  EXPECT_EQ("README", report.items.front().name);
  ASSERT_EQ(7u, items.size());
  for (const auto& [name, text] : items) {
    ExpectClean(name, text);
    EXPECT_EQ(std::string::npos, text.find("5a1b2c00")) << name;
    EXPECT_EQ(std::string::npos, text.find("abcdef")) << name;
    EXPECT_EQ(std::string::npos, text.find("1511730176")) << name;
    EXPECT_EQ(std::string::npos, text.find("12345600")) << name;
    EXPECT_EQ(std::string::npos, text.find("192.0.2")) << name;
  }
  const auto rdma = nlohmann::json::parse(items["rdma.json"]);
  const auto& device = rdma["devices"][0];
  EXPECT_EQ(4, device["objects"]["mr"]);
  EXPECT_EQ("1", device["settings"]["crc"]);
  EXPECT_EQ(7, device["queue_pairs"][0]["qp"]);
  EXPECT_EQ("RTS", device["queue_pairs"][0]["details"]["stream"]);
  // The same peer by the same name in netlink, in the status and in the log.
  const std::string peer = device["queue_pairs"][0]["details"]["peer"];
  EXPECT_NE(std::string::npos, items["status.json"].find(peer));
  EXPECT_NE(std::string::npos, items["kernel.log"].find("peer " + peer));

  const auto host = nlohmann::json::parse(items["host.json"]);
  EXPECT_EQ("Linux version 6.1.0-30-amd64 (gcc 12) #1 SMP", host["kernel"]);
  EXPECT_EQ("0.1.0-1", host["packages"]["siw"]);
  EXPECT_EQ("44.0-2", host["packages"]["rdma-core"]);
  EXPECT_FALSE(host["packages"].contains("bash"));
  EXPECT_FALSE(host["packages"].contains("dkms"));
  EXPECT_EQ("Y", host["module_parameters"]["siw"]["x"]);
  EXPECT_EQ(2u, host["kernel_config"].size());
  EXPECT_EQ("4096\t131072\t6291456", host["sysctl"]["net/ipv4/tcp_rmem"]);
  EXPECT_NE(std::string::npos,
            items["ids.txt"].find("    1 SIW-TERM-1100-SENT "));
}

// What a driver counts may be called as a key of ours is.
TEST_F(ReportTest, TakesACounterOfAnyName) {
  inputs_.facts.links[0].counters["object"] = 5;
  const auto items = ByName(Collected());
  const auto rdma = nlohmann::json::parse(items.at("rdma.json"));
  EXPECT_EQ(5, rdma["devices"][0]["counters"]["object"]);
}

TEST_F(ReportTest, AddressesAreKeptOnDemandAndKeysAreNot) {
  const auto items = ByName(Collected(true));
  EXPECT_NE(std::string::npos,
            items.at("kernel.log").find("peer 192.0.2.2:39218"));
  for (const auto& [name, text] : items) {
    EXPECT_EQ(std::string::npos, text.find("5a1b2c00")) << name;
    EXPECT_EQ(std::string::npos, text.find("abcdef")) << name;
  }
}

TEST_F(ReportTest, SaysWhatItCouldNotReadAndWhy) {
  inputs_.facts.log_unread = "/dev/kmsg: Operation not permitted";
  inputs_.rdma = {nullptr, "RDMA netlink: Protocol not supported"};
  inputs_.unseen = {"sock_diag: no, 192.0.2.9"};
  fs::remove(path_ + "/boot/config-6.1.0-30-amd64");
  fs::remove(path_ + "/proc/version");
  fs::remove(path_ + "/var/lib/dpkg/status");
  const Report report = Collected();
  std::map<std::string, std::string> why;
  for (const Unread& unread : report.unread) why[unread.what] = unread.why;
  EXPECT_EQ("/dev/kmsg: Operation not permitted", why["kernel log"]);
  EXPECT_EQ("Protocol not supported", why["RDMA netlink"]);
  EXPECT_EQ("No such file or directory", why["/proc/version"]);
  EXPECT_EQ(1u, why.count("kernel config"));
  EXPECT_EQ("no /var/lib/dpkg/status, no /usr/bin/rpm", why["packages"]);
  const std::string readme = report.items.front().text;
  for (const auto& [what, reason] : why)
    EXPECT_NE(std::string::npos, readme.find(what + ": " + reason)) << what;
  ExpectClean("README", readme);
}

std::map<std::string, std::string> ReadArchive(const std::string& path) {
  std::map<std::string, std::string> out;
  archive* in = archive_read_new();
  archive_read_support_filter_gzip(in);
  archive_read_support_format_tar(in);
  EXPECT_EQ(ARCHIVE_OK, archive_read_open_filename(in, path.c_str(), 4096));
  archive_entry* entry = nullptr;
  while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
    std::string text(static_cast<size_t>(archive_entry_size(entry)), ' ');
    EXPECT_EQ(static_cast<la_ssize_t>(text.size()),
              archive_read_data(in, text.data(), text.size()));
    EXPECT_EQ(0600u, archive_entry_perm(entry));
    out[archive_entry_pathname(entry)] = text;
  }
  archive_read_free(in);
  return out;
}

TEST_F(ReportTest, TheArchiveIsForItsOwnerAndWritesOverNothing) {
  const std::string path = path_ + "/r.tar.gz";
  const std::vector<Item> items = {{"a", "one"}, {"b", ""}};
  const Status written = WriteArchive(path, "dir", 1000000000, items);
  ASSERT_TRUE(written) << written.error().message;
  struct stat info = {};
  ASSERT_EQ(0, stat(path.c_str(), &info));
  EXPECT_EQ(0600u, info.st_mode & 07777);
  const std::map<std::string, std::string> want = {{"dir/a", "one"},
                                                   {"dir/b", ""}};
  EXPECT_EQ(want, ReadArchive(path));
  EXPECT_FALSE(WriteArchive(path, "dir", 0, items));
  EXPECT_EQ(want, ReadArchive(path));
  EXPECT_FALSE(WriteArchive(path_ + "/no/r.tar.gz", "dir", 0, items));
}

TEST_F(ReportTest, JsonListsTheFiles) {
  const Report report = Collected();
  const auto json = nlohmann::json::parse(ReportJson("x.tar.gz", report));
  EXPECT_EQ(1, json["schema"]);
  EXPECT_EQ("x.tar.gz", json["file"]);
  EXPECT_EQ(7u, json["files"].size());
  EXPECT_EQ(2, json["addresses_named"]);
}

}  // namespace
}  // namespace siw::report
