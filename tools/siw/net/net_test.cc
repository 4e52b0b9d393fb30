// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "tools/siw/net/net_facts.h"
#include "tools/siw/net/net_findings.h"

namespace siw::net {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1000000;

// A stream that is busy and limited by nothing but the network, both times.
NetFacts Healthy() {
  NetFacts facts;
  RdmaCmId id;
  id.qp = 7;
  id.state = "CONNECT";
  id.source = "192.0.2.1:40000";
  id.destination = "192.0.2.2:4420";
  TcpSocket tcp;
  tcp.path_mtu = 9000;
  for (Look* look : {&facts.before, &facts.now}) {
    look->sample.devices = {{"siw0", "eth0", {}}};
    look->sample.streams = {{"siw0", id, tcp}};
    Netdev netdev;
    netdev.name = "eth0";
    netdev.mtu = 9000;
    netdev.type = "wireguard";
    look->netdevs["eth0"] = netdev;
    look->cpus = {{0, {100, 50, 10, 0, 0}}, {1, {100, 50, 10, 0, 0}}};
  }
  facts.now.sample.time = kSecond;
  facts.now.cpus = {{0, {200, 100, 20, 30, 0}}, {1, {200, 100, 20, 30, 0}}};
  TcpSocket& now = *facts.now.sample.streams[0].tcp;
  now.busy = kSecond;
  now.sent = now.acknowledged = 1000000;
  Link link;
  link.name = "siw0";
  link.netdev = "eth0";
  RdmaCmId listener;
  listener.state = "LISTEN";
  listener.source = "192.0.2.1:4420";
  link.connections = {id, listener};
  facts.links = {link};
  facts.crc_instruction = true;
  return facts;
}

std::string Ids(const NetFacts& facts) {
  std::string ids;
  for (const Finding& finding : Judge(ExamineNet(facts, Catalogue())))
    ids += (ids.empty() ? "" : " ") + std::string(finding.entry->id);
  return ids;
}

TcpSocket& Tcp(NetFacts* facts) { return *facts->now.sample.streams[0].tcp; }

TEST(Net, FindsNothingOnAHealthyStream) { EXPECT_EQ("", Ids(Healthy())); }

TEST(Net, EachConditionHasItsVerdictAndNoOther) {
  const std::pair<const char*, std::function<void(NetFacts*)>> conditions[] = {
      {"SIW-NET-WINDOW",
       [](NetFacts* f) { Tcp(f).window_limited = kSecond / 2; }},
      {"SIW-NET-SNDBUF",
       [](NetFacts* f) { Tcp(f).buffer_limited = kSecond / 2; }},
      {"SIW-NET-LOSS",
       [](NetFacts* f) {
         Tcp(f).sent_again = 20000;
         Tcp(f).segments_again = 14;
       }},
      {"SIW-NET-QUEUED",
       [](NetFacts* f) {
         Tcp(f).min_rtt = 1000;
         Tcp(f).rtt = 300000;
       }},
      {"SIW-NET-ORD",
       [](NetFacts* f) {
         f->before.sample.devices[0].counters["tx_read_stall"] = 7;
         f->now.sample.devices[0].counters["tx_read_stall"] = 13;
       }},
      {"SIW-NET-FPDU",
       [](NetFacts* f) {
         for (const char* name : {"tx_fpdu", "tx_bytes", "rx_fpdu", "rx_bytes"})
           f->before.sample.devices[0].counters[name] = 5;
         f->now.sample.devices[0].counters = {{"tx_fpdu", 605},
                                              {"tx_bytes", 53005},
                                              {"rx_fpdu", 5},
                                              {"rx_bytes", 5}};
       }},
      {"SIW-NET-APP", [](NetFacts* f) { Tcp(f).application_limited = true; }},
      {"SIW-NET-MTU", [](NetFacts* f) { f->now.netdevs["eth0"].mtu = 1400; }},
      {"SIW-NET-PATH-MTU", [](NetFacts* f) { Tcp(f).path_mtu = 1500; }},
      {"SIW-NET-CRC-SLOW",
       [](NetFacts* f) {
         f->crc_instruction = false;
         f->links[0].crc = true;
       }},
      {"SIW-NET-CPU",
       [](NetFacts* f) {
         f->now.cpus[1] = {200, 149, 90, 0, 0};
       }},
      {"SIW-NET-CPU",
       [](NetFacts* f) {
         f->now.cpus[1] = {200, 149, 10, 90, kSecond * 1000 / 2};
       }},
      {"SIW-NET-QDISC",
       [](NetFacts* f) { f->now.netdevs["eth0"].qdisc_drops = 5; }},
      {"SIW-NET-DROPS",
       [](NetFacts* f) { f->now.netdevs["eth0"].dropped = 5; }},
      {"SIW-NET-DROPS", [](NetFacts* f) { f->now.backlog_drops = 5; }},
      {"SIW-NET-ECN", [](NetFacts* f) { Tcp(f).ecn_marks = 1; }},
      {"SIW-NET-REORDER", [](NetFacts* f) { Tcp(f).reordering = 1; }},
      {"SIW-NET-WILDCARD",
       [](NetFacts* f) { f->links[0].connections[1].source = "[::]:4420"; }},
      {"SIW-NET-CLEAR",
       [](NetFacts* f) { f->now.netdevs["eth0"].type = "vlan"; }},
      {"SIW-TOOL-SOCKDIAG",
       [](NetFacts* f) { f->now.sample.unseen = {"sock_diag: no"}; }},
  };
  for (const auto& [id, cause] : conditions) {
    NetFacts facts = Healthy();
    cause(&facts);
    EXPECT_EQ(id, Ids(facts));
  }
}

TEST(Net, WhatIsNotKnownIsNoFault) {
  NetFacts facts = Healthy();
  for (Look* look : {&facts.before, &facts.now}) {
    const std::string type = look->netdevs["eth0"].type;
    look->netdevs["eth0"] = Netdev();
    look->netdevs["eth0"].type = type;
  }
  EXPECT_EQ("", Ids(facts));
}

TEST(Net, ThePeerThatIsNotReachedSaysWhy) {
  const auto with = [](int error) {
    NetFacts facts = Healthy();
    facts.peer = PeerFacts{"host:4420", "",     "192.0.2.2 port 4420",
                           "192.0.2.1", "eth0", error};
    return facts;
  };
  EXPECT_EQ("", Ids(with(0)));
  // Any listener is good enough.
  EXPECT_NE(std::string::npos, ExamineNet(with(0), Catalogue())[0].seen.find(
                                   "whether iWARP does is not tried"));
  EXPECT_EQ("SIW-CONN-REFUSED", Ids(with(ECONNREFUSED)));
  EXPECT_EQ("SIW-CONN-TCP-TIMEOUT", Ids(with(ETIMEDOUT)));
  EXPECT_EQ("SIW-CONN-UNREACHABLE", Ids(with(ENETUNREACH)));
  NetFacts facts = with(0);
  facts.peer->netdev = "eth1";
  EXPECT_EQ("SIW-NET-NO-LINK", Ids(facts));
  facts.peer->unknown = "Name or service not known";
  EXPECT_EQ("SIW-NET-NAME", Ids(facts));
}

// TCP tells who sends what held it back, not who receives.
TEST(Net, SaysWhoSeesWhatLimitsWhatComesIn) {
  const auto seen = [](uint64_t received) {
    NetFacts facts = Healthy();
    Tcp(&facts).received = received;
    for (const Check& check : ExamineNet(facts, Catalogue())) {
      if (check.what == "bandwidth") return check.seen;
    }
    return std::string();
  };
  EXPECT_EQ("1 streams for 1.0 s", seen(1000000));
  EXPECT_EQ(
      "1 streams for 1.0 s, most of it comes in: what limits that, the peer "
      "sees",
      seen(2000001));
}

TEST(Net, OneFindingForManyStreams) {
  NetFacts facts = Healthy();
  Tcp(&facts).window_limited = kSecond;
  Tcp(&facts).rtt = 20000;
  for (Look* look : {&facts.before, &facts.now}) {
    for (uint32_t qp = 8; qp < 10; ++qp) {
      look->sample.streams.push_back(look->sample.streams[0]);
      look->sample.streams.back().id.qp = qp;
    }
  }
  const auto findings = Judge(ExamineNet(facts, Catalogue()));
  ASSERT_EQ(1u, findings.size());
  EXPECT_NE(std::string::npos, findings[0].evidence.find("2 more streams"));
  EXPECT_NE(std::string::npos, findings[0].evidence.find("100 %"));
  EXPECT_NE(std::string::npos, findings[0].evidence.find("trip 20000 us"));
}

TEST(Net, NamesACommandThatCanBeRun) {
  NetFacts facts = Healthy();
  Tcp(&facts).reordering = 1;
  EXPECT_EQ("ethtool -x eth0", Judge(ExamineNet(facts, Catalogue()))[0].next);
  facts = Healthy();
  Tcp(&facts).path_mtu = 1500;
  EXPECT_EQ("tracepath 192.0.2.2",
            Judge(ExamineNet(facts, Catalogue()))[0].next);
}

// The kernel takes such names.
TEST(Net, ANameIsOneWordOfACommand) {
  NetFacts facts = Healthy();
  const std::string odd = "a;reboot'";
  for (Look* look : {&facts.before, &facts.now}) {
    look->sample.devices[0].netdev = odd;
    look->netdevs = {{odd, look->netdevs["eth0"]}};
    look->netdevs[odd].name = odd;
  }
  facts.now.netdevs[odd].dropped = 5;
  Tcp(&facts).reordering = 1;
  const auto findings = Judge(ExamineNet(facts, Catalogue()));
  ASSERT_EQ(2u, findings.size());
  EXPECT_EQ("ip -s -s link show 'a;reboot'\\'''", findings[0].next);
  EXPECT_EQ("ethtool -x 'a;reboot'\\'''", findings[1].next);
}

TEST(Net, AFullCpuMattersToActiveStreamsAlone) {
  NetFacts facts = Healthy();
  facts.now.cpus[0] = {200, 150, 90, 0, 0};
  Tcp(&facts).acknowledged = 0;
  EXPECT_EQ("", Ids(facts));
  // One that stands still is active.
  Tcp(&facts).send_queue = 1;
  EXPECT_EQ("SIW-NET-CPU", Ids(facts));
}

// CPU 0 goes offline between the looks, CPU 3 comes online, 1 never was.
TEST(Net, ACpuIsHeldAgainstItself) {
  NetFacts facts = Healthy();
  facts.before.cpus = {{0, {100, 50, 10, 0, 0}}, {2, {900, 50, 10, 0, 0}}};
  facts.now.cpus = {{2, {1000, 149, 90, 0, 0}}, {3, {900, 900, 0, 0, 0}}};
  const auto findings = Judge(ExamineNet(facts, Catalogue()));
  ASSERT_EQ(1u, findings.size());
  EXPECT_EQ("SIW-NET-CPU", findings[0].entry->id);
  EXPECT_EQ("CPU 2", findings[0].object);
  // One that was away meanwhile may count from less on.
  facts.now.cpus[2] = {1000, 40, 0, 0, 0};
  EXPECT_EQ("", Ids(facts));
}

TEST(Net, AProgramMayPollOnACpuOfItsOwn) {
  NetFacts facts = Healthy();
  facts.now.cpus[0] = {200, 150, 10, 95, 100000000};
  EXPECT_EQ("", Ids(facts));
  facts.now.cpus[0].waited = 400000000;
  EXPECT_EQ("SIW-NET-CPU", Ids(facts));
}

TEST(Net, ALongWayIsNoQueue) {
  NetFacts facts = Healthy();
  Tcp(&facts).min_rtt = 100000;
  Tcp(&facts).rtt = 900000;
  EXPECT_EQ("", Ids(facts));
  Tcp(&facts).min_rtt = 90000;
  EXPECT_EQ("SIW-NET-QUEUED", Ids(facts));
  // Not measured since
  Tcp(&facts).acknowledged = 0;
  EXPECT_EQ("", Ids(facts));
  // Ten times as long, and short all the same
  Tcp(&facts).acknowledged = 1000000;
  Tcp(&facts).min_rtt = 100;
  Tcp(&facts).rtt = 250000;
  EXPECT_EQ("", Ids(facts));
}

TEST(Net, LargeOrFewFpdusAreNoFault) {
  NetFacts facts = Healthy();
  auto& then = facts.before.sample.devices[0].counters;
  auto& now = facts.now.sample.devices[0].counters;
  for (const char* name : {"tx_fpdu", "tx_bytes", "rx_fpdu", "rx_bytes"})
    then[name] = now[name] = 0;
  EXPECT_EQ("", Ids(facts));
  // RDMA Reads: small requests, large answers
  now["tx_fpdu"] = 1000;
  now["tx_bytes"] = 52000;
  now["rx_fpdu"] = 12000;
  now["rx_bytes"] = 16000000;
  EXPECT_EQ("", Ids(facts));
  now["rx_fpdu"] = now["rx_bytes"] = 0;
  EXPECT_EQ("SIW-NET-FPDU", Ids(facts));
  now["tx_fpdu"] = 499;
  EXPECT_EQ("", Ids(facts));
  now["tx_read_stall"] = 6;
  EXPECT_EQ("", Ids(facts)) << "it was not counted before";
  then["tx_read_stall"] = 1;
  EXPECT_EQ("", Ids(facts)) << "a few";
}

TEST(Net, AReadWaitsForOthersOnlyIfAllAreUnderWay) {
  NetFacts facts = Healthy();
  facts.before.sample.devices[0].counters["tx_read_stall"] = 7;
  facts.now.sample.devices[0].counters["tx_read_stall"] = 13;
  EXPECT_EQ("SIW-NET-ORD", Ids(facts)) << "no details";
  RdmaQp qp;
  qp.number = 7;
  qp.details = {{"ord", "16"}, {"ord_high", "1"}};
  facts.links[0].queues = {qp};
  EXPECT_EQ("", Ids(facts));
  qp.details = {{"ord", "16"}, {"ord_high", "16"}};
  facts.links[0].queues.push_back(qp);
  EXPECT_EQ("SIW-NET-ORD", Ids(facts));
}

TEST(Net, ASlowCrcMattersToWhoComputesOne) {
  NetFacts facts = Healthy();
  facts.crc_instruction = false;
  RdmaQp qp;
  qp.number = 7;
  qp.details = {{"stream", "RTS"}, {"crc", "0"}};
  facts.links[0].queues = {qp};
  EXPECT_EQ("", Ids(facts));
  // The peer wanted it.
  facts.links[0].queues[0].details[1].second = "1";
  EXPECT_EQ("SIW-NET-CRC-SLOW", Ids(facts));
}

TEST(Net, TellsHowFarAQueueWasFilled) {
  NetFacts facts = Healthy();
  const auto seen = [&] {
    for (const Check& check : ExamineNet(facts, Catalogue())) {
      if (check.what == "queue depth") return check.seen;
    }
    return std::string();
  };
  EXPECT_EQ("no stream is seen", seen());
  RdmaQp qp;
  qp.number = 7;
  qp.details = {
      {"sq_size", "128"}, {"sq_high", "1"}, {"ord", "16"}, {"ord_high", "0"}};
  facts.links[0].queues = {qp};
  Tcp(&facts).application_limited = true;
  const std::string use = "at most 1 of 128 in its send queue, 0 of 16 Reads";
  EXPECT_NE(std::string::npos,
            Judge(ExamineNet(facts, Catalogue()))[0].evidence.find(use));
  EXPECT_EQ("siw0 QP 7: " + use, seen());
  // No message has come, and then some have.
  RdmaQp& told = facts.links[0].queues[0];
  told.details.insert(told.details.end(),
                      {{"rq_size", "64"}, {"rq_low", "64"}});
  EXPECT_EQ("siw0 QP 7: " + use, seen());
  told.details.back().second = "3";
  EXPECT_EQ("siw0 QP 7: " + use + ", at least 3 of 64 receives left", seen());
  // Of two the one that was fuller
  for (Look* look : {&facts.before, &facts.now}) {
    look->sample.streams.push_back(look->sample.streams[0]);
    look->sample.streams.back().id.qp = 8;
  }
  qp.number = 8;
  qp.details[1].second = "128";
  facts.links[0].queues.push_back(qp);
  EXPECT_EQ(0u, seen().find("siw0 QP 8: at most 128 of 128 in"));
}

TEST(Net, AFewPacketsAreLostByChance) {
  NetFacts facts = Healthy();
  facts.now.backlog_drops = 4;
  Netdev& now = facts.now.netdevs["eth0"];
  now.dropped = now.qdisc_drops = 4;
  Tcp(&facts).sent_again = 50000;
  Tcp(&facts).segments_again = 4;
  EXPECT_EQ("", Ids(facts));
  facts.now.backlog_drops = now.dropped = now.qdisc_drops = 10;
  facts.now.backlog_packets = now.packets = now.qdisc_packets = 20000;
  EXPECT_EQ("", Ids(facts));
  now.qdisc_packets = 10000;
  EXPECT_EQ("SIW-NET-QDISC", Ids(facts));
  // Began anew
  facts.before.netdevs["eth0"].qdisc_drops = 11;
  EXPECT_EQ("", Ids(facts));
}

// Whatever it was limited by before
TEST(Net, AStreamWithoutAnAnswerStandsStill) {
  NetFacts facts = Healthy();
  Tcp(&facts).acknowledged = 0;
  Tcp(&facts).send_queue = 5000;
  Tcp(&facts).buffer_limited = kSecond;
  EXPECT_EQ("SIW-NET-SNDBUF", Ids(facts));
  Tcp(&facts).unanswered = 3;
  const auto findings = Judge(ExamineNet(facts, Catalogue()));
  ASSERT_EQ(1u, findings.size());
  EXPECT_EQ("SIW-NET-LOSS", findings[0].entry->id);
  EXPECT_NE(std::string::npos,
            findings[0].evidence.find(
                "no answer to 5000 octets, sent again 3 times in a row"));
}

// What leads to something else is in front of it, and what slows a stream down
// in front of what may well be so.
TEST(Net, ACauseIsInFrontOfWhatItLeadsTo) {
  NetFacts facts = Healthy();
  facts.now.netdevs["eth0"].qdisc_drops = 50;
  facts.now.netdevs["eth0"].dropped = 50;
  facts.now.netdevs["eth0"].type = "vlan";
  facts.now.netdevs["eth0"].mtu = 1400;
  facts.links[0].connections[1].source = "[::]:4420";
  facts.now.cpus[1] = {200, 149, 90, 0, 0};
  Tcp(&facts).sent_again = 50000;
  Tcp(&facts).segments_again = 40;
  Tcp(&facts).reordering = 3;
  EXPECT_EQ(
      "SIW-NET-DROPS SIW-NET-QDISC SIW-NET-REORDER SIW-NET-LOSS SIW-NET-CPU "
      "SIW-NET-MTU SIW-NET-CLEAR SIW-NET-WILDCARD",
      Ids(facts));
}

class Recorded : public NetlinkChannel {
 public:
  explicit Recorded(Octets answer) : answer_(std::move(answer)) {}
  Result<Octets> Ask(std::span<const uint8_t>) override { return answer_; }

 private:
  Octets answer_;
};

TEST(Net, TriesAPeerOnThisHost) {
  const auto route = MnlChannel::Open(0, "rtnetlink");
  ASSERT_TRUE(route.ok());
  const PeerFacts refused = TryPeer("127.0.0.1:1", route->get());
  EXPECT_EQ("127.0.0.1", refused.source);
  EXPECT_EQ("lo", refused.netdev);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(ECONNREFUSED, *refused.error);
  EXPECT_FALSE(TryPeer("127.0.0.1", route->get()).error);
  EXPECT_NE("", TryPeer("127.0.0.1:no-port", nullptr).unknown);
}

Octets Route(uint8_t type, uint32_t ifindex) {
  Octets room(128);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = RTM_NEWROUTE;
  auto* message =
      static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  message->rtm_type = type;
  mnl_attr_put_u32(header, RTA_OIF, ifindex);
  room.resize(header->nlmsg_len);
  return room;
}

// The interface that has our address need not be the one that leads there.
TEST(Net, TheRouteSaysWhichInterfaceLeadsThere) {
  const uint32_t loopback = if_nametoindex("lo");
  const auto towards = [](Octets answer, sa_family_t family = AF_INET) {
    Recorded route(std::move(answer));
    sockaddr_storage to = {};
    to.ss_family = family;
    return NetdevTowards(reinterpret_cast<sockaddr*>(&to), &route);
  };
  EXPECT_EQ("lo", towards(Route(RTN_UNICAST, loopback)));
  EXPECT_EQ("lo", towards(Route(RTN_UNICAST, loopback), AF_INET6));
  EXPECT_EQ("", towards(Route(RTN_LOCAL, loopback)));
  EXPECT_EQ("", towards(Route(RTN_UNREACHABLE, loopback)));
  EXPECT_EQ("", towards(Route(RTN_UNICAST, 999999)));
  const Octets whole = Route(RTN_UNICAST, loopback);
  for (size_t n = 0; n < whole.size(); ++n)
    EXPECT_EQ("", towards(Octets(whole.data(), whole.data() + n))) << n;
}

// What a look reads, from files that stand for those of the kernel.
class LookTest : public testing::Test {
 protected:
  LookTest() {
    char name[] = "/tmp/siw-net-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~LookTest() override { fs::remove_all(path_); }

  void Put(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path_ + path).parent_path());
    std::ofstream(path_ + path) << text << "\n";
  }
  Host host() const { return Host(path_); }

  std::string path_;
};

Octets Qdisc(int ifindex, uint32_t parent, const char* kind, uint32_t drops) {
  Octets room(512);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = RTM_NEWQDISC;
  auto* message =
      static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(tcmsg)));
  message->tcm_ifindex = ifindex;
  message->tcm_parent = parent;
  mnl_attr_put_strz(header, TCA_KIND, kind);
  nlattr* nest = mnl_attr_nest_start(header, TCA_STATS2);
  gnet_stats_queue queue = {};
  queue.drops = drops;
  gnet_stats_basic basic = {};
  basic.packets = drops * 10;
  mnl_attr_put(header, TCA_STATS_BASIC, sizeof(basic), &basic);
  mnl_attr_put(header, TCA_STATS_QUEUE, sizeof(queue), &queue);
  mnl_attr_nest_end(header, nest);
  room.resize(header->nlmsg_len);
  return room;
}

TEST_F(LookTest, ReadsInterfacesCpusAndQueues) {
  Put("/sys/module/siw/taint", "O");
  const std::string device = "/sys/class/infiniband/siw0";
  Put(device + "/node_type", "4: RNIC");
  Put(device + "/ports/1/state", "4: ACTIVE");
  Put(device + "/ports/1/gid_attrs/ndevs/0", "eth0");
  Put(device + "/ports/1/hw_counters/rx_straddle", "5");
  Put("/sys/class/net/eth0/mtu", "1500");
  Put("/sys/class/net/eth0/speed", "-1");
  Put("/sys/class/net/eth0/type", "1");
  Put("/sys/class/net/eth0/ifindex", "3");
  Put("/sys/class/net/eth0/uevent", "DEVTYPE=vlan\nINTERFACE=eth0");
  Put("/sys/class/net/eth0/statistics/rx_packets", "20");
  Put("/sys/class/net/eth0/statistics/tx_packets", "22");
  Put("/sys/class/net/eth0/statistics/rx_dropped", "2");
  Put("/sys/class/net/eth0/statistics/tx_dropped", "3");
  Put("/proc/stat",
      "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 5");
  Put("/proc/schedstat",
      "version 15\ntimestamp 1\ncpu0 1 0 3 4 5 6 7 88 9\ndomain0 3 4");
  Put("/proc/net/softnet_stat", "000000ff 0000000a 0\n00000001 00000001 0");
  Octets answer = Qdisc(3, TC_H_ROOT, "tbf", 42);
  const Octets child = Qdisc(3, 0x10000, "fq", 41);
  answer.insert(answer.end(), child.begin(), child.end());
  Recorded route(answer);
  const Look look =
      TakeLook(host(), {nullptr, "no"}, {nullptr, "no"}, &route, 0);
  ASSERT_EQ(1u, look.netdevs.count("eth0"));
  const Netdev& netdev = look.netdevs.at("eth0");
  EXPECT_EQ(1500u, netdev.mtu);
  EXPECT_EQ(0u, netdev.speed);
  EXPECT_FALSE(netdev.loopback);
  EXPECT_EQ("vlan", netdev.type);
  EXPECT_EQ(42u, netdev.packets);
  EXPECT_EQ(5u, netdev.dropped);
  EXPECT_EQ("tbf", netdev.qdisc);
  EXPECT_EQ(420u, netdev.qdisc_packets);
  EXPECT_EQ(42u, netdev.qdisc_drops);
  ASSERT_EQ(1u, look.cpus.size());
  EXPECT_EQ(36u, look.cpus.at(0).all);
  EXPECT_EQ(27u, look.cpus.at(0).busy);
  EXPECT_EQ(7u, look.cpus.at(0).softirq);
  EXPECT_EQ(3u, look.cpus.at(0).user);
  EXPECT_EQ(88u, look.cpus.at(0).waited);
  EXPECT_EQ(256u, look.backlog_packets);
  EXPECT_EQ(11u, look.backlog_drops);
}

TEST_F(LookTest, CpusThatAreOfflineHaveNoLine) {
  Put("/proc/stat",
      "cpu  2 0 0 9 0 0 0 0\ncpu0 1 0 0 4 0 0 0 0\ncpu10 1 0 0 5 0 0 0 0\n"
      "cpux 1 1 1 1\nctxt 1");
  Put("/proc/schedstat",
      "version 15\ncpu0 0 0 0 0 0 0 0 88 9\ncpu10 0 0 0 0 0 0 0 99 9");
  const Look look =
      TakeLook(host(), {nullptr, "no"}, {nullptr, "no"}, nullptr, 0);
  ASSERT_EQ(2u, look.cpus.size());
  EXPECT_EQ(5u, look.cpus.at(0).all);
  EXPECT_EQ(88u, look.cpus.at(0).waited);
  EXPECT_EQ(6u, look.cpus.at(10).all);
  EXPECT_EQ(99u, look.cpus.at(10).waited);
}

TEST_F(LookTest, KnowsTheCrcInstruction) {
  EXPECT_FALSE(CrcInstruction(host()));
  Put("/proc/cpuinfo", "flags\t\t: fpu sse4_1 sse4_2\n");
  EXPECT_TRUE(CrcInstruction(host()).value());
  Put("/proc/cpuinfo", "flags\t\t: fpu sse4_1\n");
  EXPECT_FALSE(CrcInstruction(host()).value());
  Put("/proc/cpuinfo", "Features\t: fp asimd crc32 atomics\n");
  EXPECT_TRUE(CrcInstruction(host()).value());
}

}  // namespace
}  // namespace siw::net
