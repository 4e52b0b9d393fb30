// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/log_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace siw {
namespace {

constexpr std::string_view kLine =
    "siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:39218: stream ended by us: "
    "tagged: invalid "
    "STag (1/1/00), STag 0x5a1b2c00";

std::string FieldOf(const Fields& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return field.value;
  }
  return "";
}

class LineTest : public testing::Test {
 protected:
  std::string Id(std::string_view line) const {
    const auto match = matcher_.Match(line);
    return match ? std::string(match->entry->id) : "";
  }

  LineMatcher matcher_{Catalogue()};
};

TEST_F(LineTest, SkipsWhatLogsPutInFront) {
  for (const char* front :
       {"", "[  123.456789] ", "<5>[    1.000000] ", "[T1234] ",
        "Nov 26 10:00:00 host kernel: ",
        "2026-11-26T10:00:00+0000 host kernel: ",
        "2026-11-26T10:00:00.123456+00:00 host kernel: [  123.456789] ",
        "5,1234,123456789,-;",
        "Nov 26 10:00:00 host kernel: siw 0000:00:03.0 "}) {
    const auto match = matcher_.Match(std::string(front) + std::string(kLine));
    ASSERT_TRUE(match) << front;
    EXPECT_EQ("SIW-TERM-1100-SENT", match->entry->id) << front;
    EXPECT_EQ("siw0", FieldOf(match->fields, "device")) << front;
    EXPECT_EQ("7", FieldOf(match->fields, "qp")) << front;
    EXPECT_EQ("192.0.2.2:39218", FieldOf(match->fields, "peer")) << front;
    EXPECT_EQ("0x5a1b2c00", FieldOf(match->fields, "stag")) << front;
  }
}

TEST_F(LineTest, IgnoresBlanksAtTheEnd) {
  EXPECT_EQ("SIW-TERM-1100-SENT", Id(std::string(kLine) + " \r\n"));
}

TEST_F(LineTest, PrefersTheEntryThatSaysMore) {
  const std::string head =
      "siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended by peer: "
      "unspecified RDMAP "
      "error ";
  EXPECT_EQ("SIW-TERM-02FF-RCVD", Id(head + "(0/2/ff), STag 0x0"));
  EXPECT_EQ("SIW-TERM-01FF-RCVD", Id(head + "(0/1/ff), STag 0x0"));
  EXPECT_EQ("SIW-TERM-1300-RCVD", Id(head + "(1/3/42), STag 0x0"));
  EXPECT_EQ("SIW-TERM-OTHER-RCVD", Id(head + "(0/1/05), STag 0x0"));
}

TEST_F(LineTest, KnowsTheCodesOfOldAdapters) {
  EXPECT_EQ("SIW-TERM-2002-RCVD",
            Id("siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended "
               "by peer: CRC error "
               "(2/3/02), STag 0x0"));
}

// Of the rest of the kernel, of modprobe and of libraries, with what they name.
TEST_F(LineTest, KnowsLinesOfOthers) {
  struct Row {
    const char* id;
    const char* line;
    const char* name;
    const char* value;
  };
  const Row rows[] = {
      {"SIW-MOD-TAINT", "siw: loading out-of-tree module taints kernel.", "",
       ""},
      {"SIW-MOD-UNSIGNED",
       "siw: module verification failed: signature and/or required key "
       "missing - tainting kernel",
       "", ""},
      {"SIW-MOD-INBOX-LOADED", "SoftiWARP attached", "", ""},
      {"SIW-MOD-INBOX-LOADED", "SoftiWARP detached", "", ""},
      {"SIW-MOD-REJECTED",
       "modprobe: ERROR: could not insert 'siw': Key was rejected by "
       "service",
       "", ""},
      {"SIW-MOD-REJECTED",
       "modprobe: ERROR: could not insert 'siw': Required key not "
       "available",
       "", ""},
      {"SIW-MOD-REJECTED", "Loading of unsigned module is rejected", "", ""},
      {"SIW-MOD-REJECTED", "Loading of module with unavailable key is rejected",
       "", ""},
      {"SIW-MOD-REJECTED",
       "Lockdown: modprobe: unsigned module loading is restricted; see "
       "man kernel_lockdown.7",
       "program", "modprobe"},
      {"SIW-MOD-SYMBOL",
       "siw: disagrees about version of symbol ib_register_device", "symbol",
       "ib_register_device"},
      {"SIW-MOD-SYMBOL", "siw: Unknown symbol ib_umem_get (err -22)", "errno",
       "22"},
      {"SIW-MOD-SYMBOL",
       "modprobe: ERROR: could not insert 'siw': Unknown symbol in "
       "module, or unknown parameter (see dmesg)",
       "", ""},
      {"SIW-MOD-VERMAGIC",
       "siw: version magic '6.12.107 SMP' should be '6.12.118 SMP'", "wanted",
       "6.12.118 SMP"},
      {"SIW-MOD-VERMAGIC",
       "modprobe: ERROR: could not insert 'siw': Exec format error", "", ""},
      {"SIW-MOD-ABSENT",
       "modprobe: FATAL: Module siw not found in directory "
       "/lib/modules/6.12.118",
       "directory", "/lib/modules/6.12.118"},
      {"SIW-MOD-IN-USE", "modprobe: FATAL: Module siw is in use.", "", ""},
      {"SIW-MOD-IN-USE", "rmmod: ERROR: Module siw is in use", "", ""},
      {"SIW-MOD-DENIED",
       "modprobe: ERROR: could not insert 'siw': Operation not permitted", "",
       ""},
      {"SIW-MOD-DENIED",
       "rmmod: ERROR: could not remove module siw: Operation not permitted", "",
       ""},
      {"SIW-MOD-DENIED",
       "insmod: ERROR: could not insert module /tmp/siw/siw.ko: Operation not "
       "permitted",
       "file", "/tmp/siw/siw.ko"},
      {"SIW-MOD-REJECTED",
       "insmod: ERROR: could not insert module ./siw.ko: Key was rejected by "
       "service",
       "file", "./siw.ko"},
      {"SIW-MOD-REJECTED",
       "insmod: ERROR: could not insert module ./siw.ko: Required key not "
       "available",
       "file", "./siw.ko"},
      {"SIW-MOD-SYMBOL",
       "insmod: ERROR: could not insert module siw.ko: Unknown symbol in "
       "module",
       "", ""},
      {"SIW-MOD-SYMBOL",
       "siw: not built for kernel 6.12.1-amd64: its RDMA core is that of an "
       "OFED",
       "kernel", "6.12.1-amd64"},
      {"SIW-MOD-VERMAGIC",
       "insmod: ERROR: could not insert module siw.ko: Invalid module format",
       "", ""},
      {"SIW-MOD-LOADED",
       "insmod: ERROR: could not insert module /tmp/siw/siw.ko: File exists",
       "file", "/tmp/siw/siw.ko"},
      {"SIW-MOD-NOT-BUILT",
       "siw: not built for kernel 7.4.0-1-amd64: siw 0.1.0 was built for no "
       "kernel of that version",
       "kernel", "7.4.0-1-amd64"},
      {"SIW-MOD-NO-RDMA",
       "siw: not built for kernel 6.12.1-cloud: it has no CONFIG_INFINIBAND",
       "option", "INFINIBAND"},
      {"SIW-MOD-BUILD",
       "siw-dkms: no module for kernel 7.3.1 7.4.0: the lines above say why",
       "kernels", "7.3.1 7.4.0"},
      {"SIW-MOD-BUILD",
       "siw-dkms: no module for kernel 7.4.0: the lines below say why; when "
       "that is mended: dkms install -m siw -v 0.1.0 -k 7.4.0",
       "kernels", "7.4.0"},
      {"SIW-MOD-HEADERS",
       "siw-dkms: no module for 6.1.0-1-amd64, which runs: apt install "
       "linux-headers-6.1.0-1-amd64",
       "kernel", "6.1.0-1-amd64"},
      {"SIW-MOD-HEADERS",
       "siw-dkms: no module for 6.18.3-200.fc43.x86_64, which runs: dnf "
       "install kernel-devel-6.18.3-200.fc43.x86_64 (on SUSE zypper install "
       "kernel-default-devel)",
       "kernel", "6.18.3-200.fc43.x86_64"},
      {"SIW-IWPMD", "iwpm_register_pid: Unable to send a nlmsg (client = 2)",
       "client", "2"},
      {"SIW-LINK-QUERY", "infiniband siwb: ib_query_port failed (-19)", "errno",
       "19"},
      {"SIW-LINK-SPEED", "eth0 speed is unknown, defaulting to 1000", "netdev",
       "eth0"},
      {"SIW-LINK-BUSY",
       "unregister_netdevice: waiting for eth0 to become free. Usage "
       "count = 2",
       "netdev", "eth0"},
      {"SIW-NVME-CONNECT",
       "nvme nvme0: rdma connection establishment failed (-104)", "errno",
       "104"},
      {"SIW-NVME-CONNECT", "nvme nvme0: rdma_resolve_addr failed (-22).",
       "errno", "22"},
      {"SIW-NVME-CONNECT", "nvme nvme0: rdma_resolve_addr wait failed (-111).",
       "controller", "nvme0"},
      {"SIW-NODE-NONE", "librdmacm: Fatal: no RDMA devices found", "", ""},
      {"SIW-NODE-NONE", "No IB devices found", "", ""},
      {"SIW-NODE-NONE", "rdma_create_event_channel: No such device", "", ""},
      {"SIW-NODE-ABSENT",
       "Failed to get IB devices list: Function not implemented", "", ""},
      {"SIW-PROVIDER-ABSENT",
       "libibverbs: Warning: no userspace device-specific driver found "
       "for /sys/class/infiniband_verbs/uverbs0",
       "device", "/sys/class/infiniband_verbs/uverbs0"},
      {"SIW-PROVIDER-ABSENT",
       "libibverbs: Warning: couldn't load driver 'libsiw-rdmav34.so': "
       "no such file",
       "version", "34"},
  };
  for (const Row& row : rows) {
    const auto match = matcher_.Match(row.line);
    ASSERT_TRUE(match) << row.line;
    EXPECT_EQ(row.id, match->entry->id) << row.line;
    EXPECT_EQ(row.value, FieldOf(match->fields, row.name)) << row.line;
  }
  for (const CatalogueEntry& entry : Catalogue()) {
    if (entry.origin == "driver" || entry.origin == "siw-link") continue;
    for (const std::string_view text : entry.texts) {
      const auto pattern = Pattern::Parse(text);
      ASSERT_TRUE(pattern) << text;
      EXPECT_TRUE(
          std::any_of(std::begin(rows), std::end(rows),
                      [&](const Row& row) { return pattern->Match(row.line); }))
          << "no line for: " << text;
    }
  }
}

// Where they were seen is said at the texts.
TEST_F(LineTest, KnowsLinesOfTheInBoxDriver) {
  struct Row {
    const char* id;
    const char* line;
  };
  for (const Row& row : {
           Row{"SIW-TERM-1100-RCVD",
               "[  110.312998] siw: got TERMINATE. layer 1, type 1, code 0"},
           Row{"SIW-TERM-1202-RCVD",
               "Nov 26 10:00:00 host kernel: siw: got TERMINATE. layer 1, "
               "type 2, code 2"},
           Row{"SIW-TERM-02FF-RCVD",
               "siw: got TERMINATE. layer 0, type 2, code 255"},
           Row{"SIW-TERM-1300-RCVD",
               "siw: got TERMINATE. layer 1, type 3, code 7"},
           Row{"SIW-TERM-2002-RCVD",
               "siw: got TERMINATE. layer 2, type 3, code 2"},
           Row{"SIW-TERM-OTHER-RCVD",
               "siw: got TERMINATE. layer 2, type 1, code 2"},
           Row{"SIW-LINK-NAME",
               "[   26.464377][ T3504] siw: device registration error -23"},
           Row{"SIW-TERM-2002-SENT",
               "[   43.045410] siw: crc error. in: ab7205a3, own 8705d46a, op "
               "3"},
           Row{"SIW-TERM-0206-SENT",
               "[  105.674545] siw: received unknown packet type 11"},
           Row{"SIW-TERM-1206-SENT",
               "[  128.960068] siw: received ddp version unsupported 0"},
           Row{"SIW-TERM-1000-SENT",
               "[  580.861100] siw: short mpa_len 13 for opcode 3 (hdr_len "
               "20)"},
           Row{"SIW-TERM-1201-SENT",
               "[  882.928765] siw: [QP 1]: invalid ddp qn -2147483648 for "
               "send"},
           Row{"SIW-TERM-1203-SENT",
               "[  106.175795] siw: [QP 1]: send msn: 268435457 != 1"},
           Row{"SIW-TERM-1204-SENT",
               "[  106.344125] siw: [QP 1], send mo: 16777216 != 0"},
       }) {
    const auto match = matcher_.Match(row.line);
    ASSERT_TRUE(match) << row.line;
    EXPECT_EQ(row.id, match->entry->id) << row.line;
    EXPECT_TRUE(match->inbox) << row.line;
    EXPECT_EQ("", FieldOf(match->fields, "device")) << row.line;
  }
  const auto ours = matcher_.Match(kLine);
  ASSERT_TRUE(ours);
  EXPECT_FALSE(ours->inbox);
}

TEST_F(LineTest, DoesNotKnowOtherLines) {
  for (const char* line :
       {"", " ", "usb 1-1: new device", "siw0: something new",
        "siw0: QP x, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended by us: "
        "CRC error "
        "(2/0/02), STag 0x0"})
    EXPECT_EQ("", Id(line)) << line;
}

TEST_F(LineTest, SurvivesEveryTruncationAndFlip) {
  std::string line(kLine);
  for (size_t n = 0; n < line.size(); ++n) Id(line.substr(0, n));
  for (size_t at = 0; at < line.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = line;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      Id(flipped);
      ReadForeignLine(flipped);
    }
  }
}

TEST(ForeignLine, SaysWhatItCan) {
  const auto found = ReadForeignLine(
      "siw: dev-eth0: QP [12]: peer reports layer 0x1, type 1, code 0x2, "
      "rv -104");
  ASSERT_TRUE(found);
  EXPECT_EQ("1/1/02", found->term);
  EXPECT_EQ("12", FieldOf(found->fields, "qp"));
  EXPECT_EQ("104", FieldOf(found->fields, "errno"));
}

TEST(ForeignLine, TakesAnErrorInBrackets) {
  const auto found = ReadForeignLine("siw: something failed (-22)");
  ASSERT_TRUE(found);
  EXPECT_EQ("22", FieldOf(found->fields, "errno"));
  EXPECT_EQ("", found->term);
}

TEST(ForeignLine, TakesAnErrorAtTheEnd) {
  for (const char* line : {"siw: something failed: -98", "siw: failed with -98",
                           "siw: socket 7 -98\n"}) {
    const auto found = ReadForeignLine(line);
    ASSERT_TRUE(found) << line;
    EXPECT_EQ("98", FieldOf(found->fields, "errno")) << line;
  }
  for (const char* line : {"siw: a -98 b", "siw: a -", "siw: -98x"}) {
    const auto found = ReadForeignLine(line);
    ASSERT_TRUE(found) << line;
    EXPECT_EQ("", FieldOf(found->fields, "errno")) << line;
  }
}

TEST(ForeignLine, IsOfSomeSiw) {
  EXPECT_FALSE(ReadForeignLine("mlx5_core: layer 1 type 1 code 2"));
  EXPECT_FALSE(ReadForeignLine("infiniband mlx5_0: something"));
}

TEST(ForeignLine, SaysWhoBeginsSo) {
  for (const char* front :
       {"", "[  123.456789] ", "<5>[    1.000000] ", "[T1234] ",
        "Nov 26 10:00:00 host kernel: ", "5,1234,123456789,-;"}) {
    const auto inbox = ReadForeignLine(front + std::string("siw: some news"));
    ASSERT_TRUE(inbox) << front;
    EXPECT_TRUE(inbox->inbox) << front;
    EXPECT_FALSE(inbox->core) << front;
    EXPECT_TRUE(inbox->fields.empty()) << front;
    for (const char* device : {"siw0", "eth0_siw", "iwp0s3"}) {
      const auto core = ReadForeignLine(front + std::string("infiniband ") +
                                        device + ": some news");
      ASSERT_TRUE(core) << front;
      EXPECT_TRUE(core->core) << front;
      EXPECT_FALSE(core->inbox) << front;
      EXPECT_EQ(device, FieldOf(core->fields, "device")) << front;
    }
  }
  const auto device = ReadForeignLine("[    1.0] siw0: some news");
  ASSERT_TRUE(device);
  EXPECT_FALSE(device->inbox || device->core);
  EXPECT_EQ("siw0", FieldOf(device->fields, "device"));
  for (const char* line :
       {"what is siw: a driver", "infiniband siw: some news",
        "modprobe: ERROR: could not insert 'siw': some news"}) {
    const auto other = ReadForeignLine(line);
    ASSERT_TRUE(other) << line;
    EXPECT_FALSE(other->inbox) << line;
  }
}

}  // namespace
}  // namespace siw
