// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Writes a seed for the fuzz targets from each vector it says something to, and
// those of the targets that read what the host tells:
//   siw_fuzz_seeds DIRECTORY
// makes DIRECTORY/TARGET/VECTOR files.
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <rdma/rdma_netlink.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "builder.h"
#include "bytes.h"
#include "fault.h"
#include "stream_case.h"
#include "vector_file.h"

namespace siw {
namespace {

constexpr size_t kUntaggedHdr = 18;

// Netlink is in the order of octets of this host, in multiples of four.
template <typename T>
Bytes Host(T value) {
  Bytes out(sizeof(value));
  std::memcpy(out.data(), &value, sizeof(value));
  return out;
}

Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes Filled(Bytes octets) {
  octets.resize((octets.size() + 3) / 4 * 4);
  return octets;
}

template <typename... Parts>
Bytes Attribute(int type, const Parts&... parts) {
  const Bytes payload = Join(parts...);
  return Filled(Join(Host(static_cast<uint16_t>(4 + payload.size())),
                     Host(static_cast<uint16_t>(type)), payload));
}

Bytes Named(int type, const char* name) {
  return Attribute(type, Text(name), Bytes(1));
}

template <typename... Parts>
Bytes Message(int type, const Parts&... parts) {
  const Bytes payload = Join(parts...);
  return Filled(Join(Host(static_cast<uint32_t>(16 + payload.size())),
                     Host(static_cast<uint16_t>(type)),
                     Host(uint16_t{NLM_F_MULTI}), Bytes(8), payload));
}

Bytes Address(int family, const Bytes& behind) {
  Bytes out = Join(Host(static_cast<uint16_t>(family)), behind);
  out.resize(128);
  return out;
}

// A list of one.
template <typename... Parts>
Bytes Table(int table, int entry, const Parts&... parts) {
  return Attribute(table, Attribute(entry, parts...));
}

// Each of the questions of RDMA netlink finds something in it.
Bytes RdmaAnswer() {
  const int type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET);
  const Bytes details = Attribute(
      RDMA_NLDEV_ATTR_DRIVER, Named(RDMA_NLDEV_ATTR_DRIVER_STRING, "stream"),
      Named(RDMA_NLDEV_ATTR_DRIVER_STRING, "RTS"),
      Named(RDMA_NLDEV_ATTR_DRIVER_STRING, "sq_size"),
      Attribute(RDMA_NLDEV_ATTR_DRIVER_PRINT_TYPE, Bytes{1}),
      Attribute(RDMA_NLDEV_ATTR_DRIVER_U32, Host(uint32_t{64})),
      Named(RDMA_NLDEV_ATTR_DRIVER_STRING, "octets"),
      Attribute(RDMA_NLDEV_ATTR_DRIVER_S64, Host(int64_t{-1})));
  const Bytes four = Address(AF_INET, {0x11, 0x44, 192, 0, 2, 1});
  const Bytes six = Address(AF_INET6, {0x11, 0x44, 0, 0, 0, 0, 0x20, 1});
  return Join(
      Message(type, Attribute(RDMA_NLDEV_ATTR_DEV_INDEX, Host(uint32_t{0})),
              Named(RDMA_NLDEV_ATTR_DEV_NAME, "siw0"),
              Named(RDMA_NLDEV_ATTR_DEV_PROTOCOL, "iw"),
              Attribute(RDMA_NLDEV_ATTR_PORT_INDEX, Host(uint32_t{1})),
              Named(RDMA_NLDEV_ATTR_NDEV_NAME, "eth0"),
              Attribute(RDMA_NLDEV_ATTR_PORT_STATE, Bytes{4}),
              Attribute(RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID, Host(uint32_t{17})),
              Attribute(RDMA_NLDEV_SYS_ATTR_NETNS_MODE, Bytes{0})),
      Message(type,
              Table(RDMA_NLDEV_ATTR_RES_QP, RDMA_NLDEV_ATTR_RES_QP_ENTRY,
                    Attribute(RDMA_NLDEV_ATTR_RES_LQPN, Host(uint32_t{7})),
                    Attribute(RDMA_NLDEV_ATTR_RES_STATE, Bytes{3}),
                    Attribute(RDMA_NLDEV_ATTR_RES_PID, Host(uint32_t{99})),
                    details),
              Table(RDMA_NLDEV_ATTR_RES_CQ, RDMA_NLDEV_ATTR_RES_CQ_ENTRY,
                    Attribute(RDMA_NLDEV_ATTR_RES_CQN, Host(uint32_t{5})),
                    Named(RDMA_NLDEV_ATTR_RES_KERN_NAME, "nvme"), details)),
      Message(type,
              Table(RDMA_NLDEV_ATTR_RES_CM_ID, RDMA_NLDEV_ATTR_RES_CM_ID_ENTRY,
                    Attribute(RDMA_NLDEV_ATTR_RES_LQPN, Host(uint32_t{7})),
                    Attribute(RDMA_NLDEV_ATTR_RES_STATE, Bytes{5}),
                    Attribute(RDMA_NLDEV_ATTR_RES_SRC_ADDR, four),
                    Attribute(RDMA_NLDEV_ATTR_RES_DST_ADDR, six))),
      Message(
          type, Attribute(RDMA_NLDEV_ATTR_DEV_INDEX, Host(uint32_t{0})),
          Table(RDMA_NLDEV_ATTR_RES_SUMMARY, RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY,
                Named(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_NAME, "mr"),
                Attribute(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_CURR,
                          Host(uint64_t{4}))),
          Table(RDMA_NLDEV_ATTR_STAT_HWCOUNTERS,
                RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY,
                Named(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_NAME, "rx"),
                Attribute(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_VALUE,
                          Host(uint64_t{5})))),
      Message(NLMSG_DONE, Host(int32_t{0})));
}

Bytes TcpAnswer(uint8_t family) {
  inet_diag_msg message = {};
  message.idiag_family = family;
  message.idiag_state = 1;
  message.id.idiag_sport = 0x4411;
  return Join(Message(SOCK_DIAG_BY_FAMILY, Host(message),
                      Attribute(INET_DIAG_INFO, Bytes(232, 1)),
                      Attribute(INET_DIAG_SKMEMINFO, Bytes(36, 1)),
                      Named(INET_DIAG_CONG, "cubic")),
              Message(NLMSG_DONE, Host(int32_t{0})));
}

Bytes QdiscAnswer() {
  tcmsg message = {};
  message.tcm_ifindex = 2;
  message.tcm_parent = 0xffffffff;
  return Message(RTM_NEWQDISC, Host(message), Named(TCA_KIND, "fq_codel"),
                 Attribute(TCA_STATS2, Attribute(1, Bytes(16, 1)),
                           Attribute(3, Bytes(20, 1))));
}

Bytes RouteAnswer() {
  rtmsg message = {};
  message.rtm_type = RTN_UNICAST;
  return Message(RTM_NEWROUTE, Host(message),
                 Attribute(RTA_OIF, Host(uint32_t{1})));
}

// In the order of host_fuzz.cc's kinds.
constexpr std::string_view kHostTexts[] = {
    "# links\nsiw0 eth0  # first\nsiw1 eth1 crc=off\r\n\n7 eth2\n",
    R"({"id": "x_SIW-2027-0001", "summary": "Title", "affected": [{
"database_specific": {"component": "siw-dkms"}, "ranges": [{"type": "SEMVER",
"events": [{"introduced": "0.1.0"}, {"fixed": "0.1.4"}]}]}]})",
    "Package: siw\nStatus: install ok installed\nVersion: 0.1.0-1\n\n"
    "Package: siw-dkms\nStatus: deinstall ok config-files\nVersion: 0.0.1\n",
    "ID=mint\nID_LIKE=\"ubuntu fedora\"\n",
    "kernel/ib_core.ko.xz:\nupdates/dkms/siw.ko.xz: kernel/ib_core.ko.xz\n",
    "none [integrity] confidentiality\n",
    "12345678901234567890\n",
    "cpu  9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 1 2 3 4 5 6 7 8 0 0\n",
    "version 15\ncpu0 0 0 0 0 0 0 1 123456 9\ndomain0 3\n",
    "0000272d 00000001 00000002\n000034d9 00000000 00000001\n",
    "-1\n",
    "DEVTYPE=wireguard\nINTERFACE=eth0\n",
    "flags\t\t: fpu sse4_2 aes\nFeatures\t: fp crc32\n",
    "name         : crc32c\ndriver       : crc32c-x86\npriority     : 200\n",
    "4096\t16384\t4194304\n",
    "5,1234,123000456,-;siw0: gone\n SUBSYSTEM=x\n",
    "1:0.2.0+really0.1.9~bpo12+1-1",
    "siw0: 192.0.2.1:4791, [::ffff:192.0.2.2]:1 STag 0x5a1b2c00 deadbeef "
    "enx028300000001_x 02:83:00:00:00:01 2001:db8::1%eth0"};

class Seeds {
 public:
  explicit Seeds(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  void FromStream(const Vector& vector) {
    const Context context = ContextOf(vector);
    const Bytes stream = FromHex(vector.json.at("octets").get<std::string>());
    const std::string& id = vector.id;
    Write("receive", id, EncodeCase({context, {}, stream}));
    Write("receive", id + "-pieces", EncodeCase({context, {3, 1, 97}, stream}));
    for (const uint8_t flags : {1, 3, 7}) {
      Write("capture", id + "-" + std::to_string(flags),
            Join(Bytes{flags, 6}, stream));
    }
    Write("capture", id + "-packet", Join(Bytes{0, 3}, Packet(stream)));
    int n = 0;
    for (const Bytes& ulpdu : Ulpdus(stream, context.markers)) {
      FromUlpdu(id + "-" + std::to_string(n++), ulpdu);
    }
    const nlohmann::json& expect = vector.json.at("expect");
    if (expect.contains("terminate_ulpdu")) {
      const Bytes ulpdu = FromHex(expect["terminate_ulpdu"].get<std::string>());
      Write("terminate", id, Join(Bytes(3), Behind(ulpdu)));
    }
  }

  void FromStartup(const Vector& vector) {
    const uint8_t kind = vector.json.at("frame") == "reply";
    Write("startup_frame", vector.id,
          Join(Bytes{kind},
               FromHex(vector.json.at("octets").get<std::string>())));
  }

  // Both sides in revision 2, CRC, peer-to-peer or not.
  void FromDepths(const Vector& vector) {
    for (const uint8_t p2p : {0, 16}) {
      Bytes seed;
      for (const char* side : {"request", "responder_limit"}) {
        const nlohmann::json& depths = vector.json.at(side);
        Append(seed, Bytes{static_cast<uint8_t>(4 | 8 | p2p), 6});
        PutBe(seed, depths.at("IRD").get<uint64_t>(), 2);
        PutBe(seed, depths.at("ORD").get<uint64_t>(), 2);
        PutBe(seed, 4, 2);
      }
      Write("startup", vector.id + (p2p ? "-p2p" : ""), seed);
    }
  }

  void FromHost() {
    Write("netlink", "rdma", RdmaAnswer());
    Write("netlink", "tcp4", TcpAnswer(AF_INET));
    Write("netlink", "tcp6", TcpAnswer(AF_INET6));
    Write("netlink", "qdisc", QdiscAnswer());
    Write("netlink", "route", RouteAnswer());
    for (const int32_t error : {-1, INT32_MIN}) {
      Write("netlink", "refused" + std::to_string(error),
            Message(NLMSG_ERROR, Host(error)));
    }
    uint8_t kind = 0;
    for (const std::string_view text : kHostTexts) {
      Write("host", std::to_string(kind), Join(Bytes{kind}, Text(text)));
      ++kind;
    }
  }

  void FromMulpdu(const Vector& vector) {
    const uint64_t emss = vector.json.at("emss");
    for (const uint8_t flags : {0, 1, 3}) {
      Bytes seed = {flags};
      PutBe(seed, emss, 2);
      PutBe(seed, 0, 5);  // position and damage
      for (const uint64_t len : {emss, uint64_t{14}}) PutBe(seed, len, 2);
      Write("frame", vector.id + "-" + std::to_string(flags), seed);
    }
  }

 private:
  static Bytes Behind(const Bytes& ulpdu) {
    const size_t n = std::min(ulpdu.size(), kUntaggedHdr);
    return Bytes(ulpdu.begin() + n, ulpdu.end());
  }

  // An IPv4 packet of one TCP segment, as the target `capture` takes it.
  static Bytes Packet(const Bytes& payload) {
    Bytes ip = {0x45, 0};
    PutBe(ip, 40 + payload.size(), 2);
    PutBe(ip, 0, 4);
    Append(ip, Bytes{64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2});
    Append(ip, Bytes{0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10});
    PutBe(ip, 0, 6);
    Bytes out;
    PutBe(out, 40 + payload.size(), 2);
    PutBe(out, 0, 2);
    return Join(out, ip, payload);
  }

  void FromUlpdu(const std::string& id, const Bytes& ulpdu) {
    Bytes start = ulpdu;
    start.resize(std::min<size_t>(start.size(), 64));
    Write("ddp_header", id, Join(Bytes{1, 0, 0}, start));
    Write("terminate", id, Join(Bytes{SIW_FAULT_RDMAP_STAG - 1, 0, 0}, start));
    if (ulpdu.size() < 2) return;
    const uint8_t op = ulpdu[1] & 0xf;
    if (op == SIW_RDMAP_READ_REQ) {
      Write("read_request", id, Join(Bytes{3}, Behind(ulpdu)));
    }
    if (op == SIW_RDMAP_ATOMIC_REQ || op == SIW_RDMAP_ATOMIC_RSP) {
      Write("atomic", id, Join(Bytes{1, 12}, Bytes(12), Behind(ulpdu)));
    }
    if (op == SIW_RDMAP_WRITE && ulpdu.size() > 14) FromWrite(id, ulpdu);
  }

  void FromWrite(const std::string& id, const Bytes& write) {
    const auto stag = static_cast<uint32_t>(GetBe(write, 2, 4));
    const auto found = StandardStags().find(stag);
    if (found == StandardStags().end()) return;
    Bytes seed = {0, 14, 2};
    PutBe(seed, stag, 4);
    PutBe(seed, found->second.to, 8);
    PutBe(seed, found->second.len, 8);
    PutBe(seed, GetBe(write, 6, 8), 8);
    PutBe(seed, write.size() - 14, 4);
    Write("access", id, seed);
  }

  void Write(const std::string& target, const std::string& name,
             const Bytes& seed) {
    const std::filesystem::path directory = directory_ / target;
    std::filesystem::create_directories(directory);
    std::ofstream file(directory / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }

  std::filesystem::path directory_;
};

}  // namespace
}  // namespace siw

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: siw_fuzz_seeds DIRECTORY\n");
    return 2;
  }
  using namespace siw;
  Seeds seeds(argv[1]);
  for (const Vector& vector : Vectors("stream")) seeds.FromStream(vector);
  for (const Vector& vector : Vectors("mpa_startup")) {
    seeds.FromStartup(vector);
  }
  for (const Vector& vector : Vectors("ird_ord")) seeds.FromDepths(vector);
  for (const Vector& vector : Vectors("mulpdu")) seeds.FromMulpdu(vector);
  seeds.FromHost();
  return 0;
}
