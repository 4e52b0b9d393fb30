// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "tools/siw/load/load_facts.h"
#include "tools/siw/load/load_findings.h"

namespace siw::load {
namespace {

namespace fs = std::filesystem;

constexpr double kGigabit = 1e9 / 8;

// A host that fills its 10 Gbit/s.
LoadFacts Fast() {
  LoadFacts facts;
  facts.crc = 80 * kGigabit;
  facts.crc_by = "crc32c-intel";
  facts.copy = 60 * kGigabit;
  facts.tcp = 30 * kGigabit;
  facts.wake = RoundTrips{20, 45};
  facts.idle_driver = "intel_idle";
  facts.speeds = {{"eth1", 1000, {}}, {"eth0", 10000, 49}};
  facts.send_buffer = 4 << 20;
  facts.peer = "192.0.2.2:4420";
  facts.peer_round_trips = std::vector<double>{100, 90, 120};
  return facts;
}

std::vector<Finding> Findings(const LoadFacts& facts) {
  return Judge(ExamineLoad(facts, Catalogue()));
}

std::string Ids(const LoadFacts& facts) {
  std::string ids;
  for (const Finding& finding : Findings(facts))
    ids += (ids.empty() ? "" : " ") + std::string(finding.entry->id);
  return ids;
}

TEST(Load, FindsNothingOnAFastHost) { EXPECT_EQ("", Ids(Fast())); }

TEST(Load, EachConditionHasItsVerdictAndNoOther) {
  const std::pair<const char*, std::function<void(LoadFacts*)>> conditions[] = {
      {"SIW-LOAD-CRC", [](LoadFacts* f) { f->crc = 9.9 * kGigabit; }},
      {"SIW-LOAD-COPY", [](LoadFacts* f) { f->copy = 9.9 * kGigabit; }},
      {"SIW-LOAD-TCP", [](LoadFacts* f) { f->tcp = 9.9 * kGigabit; }},
      {"SIW-LOAD-IDLE",
       [](LoadFacts* f) {
         f->wake = RoundTrips{20, 61};
       }},
      {"SIW-LOAD-UNSTEADY",
       [](LoadFacts* f) {
         f->peer_round_trips = std::vector<double>{100, 1500};
       }},
      {"SIW-LOAD-COALESCE", [](LoadFacts* f) { f->speeds[1].held_back = 50; }},
      // 10 Gbit/s for 4 ms are 5 MB.
      {"SIW-LOAD-BUFFER",
       [](LoadFacts* f) { f->peer_round_trips = std::vector<double>{4000}; }},
  };
  for (const auto& [id, cause] : conditions) {
    LoadFacts facts = Fast();
    cause(&facts);
    EXPECT_EQ(id, Ids(facts));
  }
}

TEST(Load, IsJudgedByTheFastestInterfaceAndNotWithoutOne) {
  LoadFacts facts = Fast();
  facts.tcp = 2 * kGigabit;
  ASSERT_EQ("SIW-LOAD-TCP", Ids(facts));
  EXPECT_EQ("eth0", Findings(facts)[0].object);
  EXPECT_EQ("2.0 Gbit/s, one connection; eth0 has 10.0 Gbit/s",
            Findings(facts)[0].evidence);
  facts.speeds = {{"eth1", 1000, {}}};
  EXPECT_EQ("", Ids(facts));
  facts.tcp = 0.1 * kGigabit;
  facts.speeds = {};
  EXPECT_EQ("", Ids(facts));
}

TEST(Load, NamesACommandThatCanBeRun) {
  LoadFacts facts = Fast();
  facts.peer_round_trips = std::vector<double>{100, 1500};
  for (const auto& [peer, host] : {std::pair("192.0.2.2:4420", "192.0.2.2"),
                                   {"[2001:db8::2]:4420", "2001:db8::2"}}) {
    facts.peer = peer;
    ASSERT_EQ("SIW-LOAD-UNSTEADY", Ids(facts));
    EXPECT_EQ(std::string("ping -i 0.2 -c 50 ") + host,
              Findings(facts)[0].next);
  }
}

TEST(Load, SaysWhatWasNotMeasured) {
  const std::vector<Check> checks = ExamineLoad(LoadFacts(), Catalogue());
  ASSERT_EQ(5u, checks.size());
  for (const Check& check : checks) {
    EXPECT_EQ(
        &check == &checks.back() ? "not known" : "not measured: not measured",
        check.seen);
    EXPECT_TRUE(check.findings.empty());
  }
}

TEST(Load, AnInterfaceThatIsNotThereHoldsNothingBack) {
  EXPECT_FALSE(HeldBack("no-such-netdev"));
}

// What is measured depends on the machine; that it is possible does not.
TEST(Load, MeasuresThisHost) {
  const Rate copy = MeasureCopy(Milliseconds(20));
  ASSERT_TRUE(copy);
  EXPECT_GT(*copy, 1e6);
  EXPECT_LT(*copy, 1e13);
  const Rate tcp = MeasureTcp(Milliseconds(50));
  ASSERT_TRUE(tcp) << tcp.error().message;
  EXPECT_GT(*tcp, 1e5);
  EXPECT_LT(*tcp, 1e13);
  const Result<RoundTrips> wake = MeasureWake(5, Milliseconds(1));
  ASSERT_TRUE(wake) << wake.error().message;
  EXPECT_GT(wake->at_once, 0);
  EXPECT_GT(wake->after_idle, 0);
  const Rate crc = MeasureCrc(Milliseconds(20));
  if (!crc)
    EXPECT_NE(std::string::npos, crc.error().message.find("AF_ALG"));
  else
    EXPECT_GT(*crc, 1e5);
}

TEST(Load, MeasuresTheWayToAPeer) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&in);
  socklen_t length = sizeof(in);
  ASSERT_EQ(0, bind(listener, address, length));
  ASSERT_EQ(0, listen(listener, 8));
  ASSERT_EQ(0, getsockname(listener, address, &length));
  const std::string port = std::to_string(ntohs(in.sin_port));
  const auto took = MeasurePeer("127.0.0.1", port, 3);
  ASSERT_TRUE(took) << took.error().message;
  EXPECT_EQ(3u, took->size());
  close(listener);
  const auto refused = MeasurePeer("127.0.0.1", port, 3);
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().message.find("refused"));
  EXPECT_FALSE(MeasurePeer("127.0.0.1", "no-port", 1));
}

TEST(Load, ReadsWhatTheKernelUses) {
  char name[] = "/tmp/siw-load-XXXXXX";
  const std::string path = mkdtemp(name);
  const auto put = [&](const std::string& file, const std::string& text) {
    fs::create_directories(fs::path(path + file).parent_path());
    std::ofstream(path + file) << text << "\n";
  };
  EXPECT_EQ("", CrcDriver(Host(path)));
  EXPECT_EQ(0u, MostSendBuffer(Host(path)));
  put("/proc/crypto",
      "name         : crc32c\ndriver       : crc32c-intel\n"
      "priority     : 200\n\n"
      "name         : crc32c\ndriver       : crc32c-generic\n"
      "priority     : 100\n\n"
      "name         : sha1\ndriver       : sha1-ni\npriority     : 300\n");
  put("/proc/sys/net/ipv4/tcp_wmem", "4096\t16384\t4194304");
  EXPECT_EQ("crc32c-intel", CrcDriver(Host(path)));
  EXPECT_EQ(4194304u, MostSendBuffer(Host(path)));
  fs::remove_all(path);
}

}  // namespace
}  // namespace siw::load
