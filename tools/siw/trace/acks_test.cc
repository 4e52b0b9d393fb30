// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// When the peer's TCP has acknowledged a request: tcp:tcp_probe has what was
// acknowledged before the segment that it tells of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/siw/status/fixture.h"
#include "tools/siw/trace/live.h"
#include "tools/siw/trace/stream.h"

namespace siw::trace {
namespace {

std::string Hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), "%#x", value);
  return text;
}

std::string Probe(uint32_t acknowledged, const std::string& cookie = "1f") {
  return "tcp_probe: src=192.0.2.1:1 dest=192.0.2.2:2 mark=0x0 data_len=0 "
         "snd_nxt=0x0 snd_una=" +
         Hex(acknowledged) + " srtt=42 rcv_wnd=64256 sock_cookie=" + cookie;
}

std::string Built(const std::string& message, uint32_t sequence) {
  return "siw_tx_fpdu: dev=0 qpn=7 op=" + message +
         " last=1 len=1 cookie=0x1f una=" + Hex(sequence);
}

// A Write that takes three microseconds, and the number behind it.
void Write(Stream* stream, int64_t time, uint32_t sequence) {
  stream->At(time, "siw_start: dev=0 qpn=7 id=0x1 op=WRITE flags=0x3 len=1")
      .At(time + 1, Built("Write", sequence))
      .At(time + 2, "siw_train: dev=0 qpn=7 fpdus=1 taken=20 len=20")
      .At(time + 3,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=WRITE status=SUCCESS "
          "len=1");
}

std::vector<int64_t> Acked(Stream* stream) {
  std::vector<int64_t> out;
  for (const Request& request : stream->Finish())
    out.push_back(request.steps[kAcked].value_or(0));
  return out;
}

using Acks = std::vector<int64_t>;

TEST(Acks, ComeWithTheSegmentBeforeTheOneThatShowsThem) {
  Stream stream;
  Write(&stream, 10, 1100);
  stream.At(200, Probe(1000)).At(900, Probe(1100));
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  Steps steps = Times({0, 10, 12, 0, 0, 13});
  steps[kAcked] = 200;
  EXPECT_EQ(steps, told[0].steps);
  // It did not take longer for that.
  EXPECT_EQ(13, told[0].end());
  const Summary summary = stream.requests().Summaries().at("WRITE");
  EXPECT_EQ(3, summary.total.middle);
  EXPECT_EQ(188, summary.steps[kAcked].middle);
  EXPECT_EQ(1, summary.steps[kCompleted].middle);
  EXPECT_EQ("", stream.requests().NoAcks());
}

TEST(Acks, AreOfAllThatTheyCover) {
  Stream stream;
  // One call into TCP takes two of them.
  for (const char* id : {"0x1", "0x2"})
    stream.At(10, std::string("siw_start: dev=0 qpn=7 id=") + id +
                      " op=SEND flags=0x3 len=1");
  stream.At(11, Built("Send", 1100))
      .At(11, Built("Send", 1200))
      .At(12, "siw_train: dev=0 qpn=7 fpdus=2 taken=40 len=40");
  for (const char* id : {"0x1", "0x2"})
    stream.At(13, std::string("siw_complete: dev=0 cqn=3 qpn=7 id=") + id +
                      " op=SEND status=SUCCESS len=1");
  Write(&stream, 20, 1300);
  Write(&stream, 30, 1400);
  stream.At(100, Probe(1000))
      .At(200, Probe(1100))
      .At(300, Probe(1300))
      .At(400, Probe(1400));
  EXPECT_EQ((Acks{100, 200, 200, 300}), Acked(&stream));
}

TEST(Acks, OfAPartAreNone) {
  Stream stream;
  Write(&stream, 10, 1100);
  stream.At(100, Probe(1000)).At(200, Probe(1099)).At(300, Probe(1100));
  EXPECT_EQ(Acks{200}, Acked(&stream));
}

TEST(Acks, GoRound) {
  Stream stream;
  Write(&stream, 10, 0xfffffff0);
  Write(&stream, 20, 0x10);
  Write(&stream, 30, 0x20);
  stream.At(100, Probe(0xffffff00))
      .At(200, Probe(0xfffffff0))
      .At(300, Probe(0x18))
      .At(400, Probe(0x20));
  EXPECT_EQ((Acks{100, 200, 300}), Acked(&stream));
}

// It came with their segment; and it came before the call that sent it was
// over.
TEST(Acks, AreSeenWithDataOfThePeer) {
  Stream stream;
  stream.At(10, "siw_start: dev=0 qpn=7 id=0x1 op=READ flags=0x3 len=4")
      .At(11, Built("ReadRequest", 1100))
      .At(20, Probe(1000))
      .At(22,
          "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=4 cookie=0x1f "
          "una=0x44c")
      .At(24, "siw_train: dev=0 qpn=7 fpdus=1 taken=52 len=52")
      .At(25,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=READ status=SUCCESS "
          "len=4");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  Steps steps = Times({0, 10, 20, 22, 0, 25});
  steps[kAcked] = 20;
  EXPECT_EQ(steps, told[0].steps);
}

// tcp_probe tells of no segment that comes after our FIN.
TEST(Acks, OfAStreamThatClosesAreNotSeenWithData) {
  Stream stream;
  stream.At(1, "siw_qp_state: dev=0 qpn=7 from=IDLE to=RTS event=start");
  Write(&stream, 10, 1100);
  stream.At(20, Probe(1000))
      .At(21, "siw_qp_state: dev=0 qpn=7 from=RTS to=CLOSING event=close")
      .At(30,
          "siw_rx_fpdu: dev=0 qpn=7 op=Send last=1 len=4 cookie=0x1f "
          "una=0x44c");
  EXPECT_EQ(Acks{0}, Acked(&stream));
}

TEST(Acks, OfAnotherSocketAreNone) {
  Stream stream;
  Write(&stream, 10, 1100);
  stream.At(100, Probe(1000, "20")).At(200, Probe(1100, "20"));
  stream.At(300, Probe(1000)).At(400, Probe(1000)).At(500, Probe(1100));
  EXPECT_EQ(Acks{400}, Acked(&stream));
}

TEST(Acks, OfWhichNobodyKnowsWhenAreLeftOut) {
  Stream late;  // to look
  Write(&late, 10, 1100);
  late.At(100, Probe(1100)).At(200, Probe(1100));
  EXPECT_EQ(Acks{0}, Acked(&late));

  Stream last;  // segment that came
  Write(&last, 10, 1100);
  last.At(100, Probe(1000));
  EXPECT_EQ(Acks{0}, Acked(&last));

  Stream lost;
  Write(&lost, 10, 1100);
  lost.At(100, Probe(1000));
  lost.requests().Lost();
  lost.At(300, Probe(1100));
  Write(&lost, 400, 1200);
  lost.At(500, Probe(1100)).At(600, Probe(1200));
  EXPECT_EQ((Acks{0, 500}), Acked(&lost));
}

TEST(Acks, AreWaitedForButNotForEver) {
  Stream stream;
  Write(&stream, 10, 1100);
  Write(&stream, 20, 1200);
  stream.At(500000, Probe(1000)).At(600000, Probe(1100));
  stream.requests().Flush(600000);
  ASSERT_EQ(1u, stream.told.size());
  EXPECT_EQ(500000, stream.told[0].steps[kAcked]);
  stream.requests().Flush(1000023);
  EXPECT_EQ(1u, stream.told.size());
  stream.requests().Flush(1000024);
  EXPECT_EQ(2u, stream.told.size());
  EXPECT_EQ((Acks{500000, 0}), Acked(&stream));
}

TEST(Acks, ThatCannotBeAreNotWaitedFor) {
  Stream stream;
  stream.requests().ExpectNoAcks("no such event");
  Write(&stream, 10, 1100);
  stream.requests().Flush(1013);
  EXPECT_EQ(0u, stream.told.size());
  stream.requests().Flush(1014);
  EXPECT_EQ(1u, stream.told.size());
  EXPECT_EQ("no such event", stream.requests().NoAcks());
}

TEST(Acks, AreMissingForAReason) {
  Stream stream;
  EXPECT_EQ("", stream.requests().NoAcks());
  Write(&stream, 10, 1100);
  EXPECT_EQ("there was no tcp:tcp_probe", stream.requests().NoAcks());
  stream.At(20, Probe(1000));
  EXPECT_EQ("", stream.requests().NoAcks());
  stream.At(30, "siw_tx_fpdu: dev=0 qpn=7 op=Write last=1 len=1");
  EXPECT_EQ("siw_tx_fpdu has no una: the driver is older than this command",
            stream.requests().NoAcks());
}

TEST(Acks, AreAskedForOfThePeersPortsThatAreKnown) {
  const std::vector<KnownStream> streams = {{0, 7, "192.0.2.2:4420"},
                                            {0, 8, "[2001:db8::2]:4421"},
                                            {1, 8, "192.0.2.2:4422"},
                                            {1, 9, ""}};
  EXPECT_EQ("", ProbeFilter({}, streams));
  EXPECT_EQ("dport==4420", ProbeFilter({"", 7, "", {}}, streams));
  EXPECT_EQ("dport==4421 || dport==4422",
            ProbeFilter({"", 8, "", {}}, streams));
  EXPECT_EQ("", ProbeFilter({"", 9, "", {}}, streams));
  EXPECT_EQ("", ProbeFilter({"192.0.2.2", {}, "", {}}, streams));
  EXPECT_EQ("dport==7174", ProbeFilter({"192.0.2.2:7174", 9, "", {}}, streams));
}

// What `siw trace` says of one Write whose acknowledgment came after it was
// completed, and of one whose did not come.
class AckOutputTest : public testing::Test {
 protected:
  AckOutputTest() {
    options_.events = root_ / "lines";
    options_.perfetto = root_ / "trace.json";
    const std::vector<std::string> events = {
        "siw_start: dev=2 qpn=7 id=0x1 op=WRITE flags=0x3 len=1",
        "siw_tx_fpdu: dev=2 qpn=7 op=Write last=1 len=1 cookie=0x1f una=0x44c",
        "siw_train: dev=2 qpn=7 fpdus=1 taken=20 len=20",
        "siw_complete: dev=2 cqn=3 qpn=7 id=0x1 op=WRITE status=SUCCESS len=1",
        Probe(1000),
        Probe(1100),
        "siw_start: dev=2 qpn=7 id=0x2 op=WRITE flags=0x3 len=1",
        "siw_tx_fpdu: dev=2 qpn=7 op=Write last=1 len=1 cookie=0x1f una=0x4b0",
        "siw_train: dev=2 qpn=7 fpdus=1 taken=20 len=20",
        "siw_complete: dev=2 cqn=3 qpn=7 id=0x2 op=WRITE status=SUCCESS len=1"};
    std::ofstream file(options_.events);
    for (size_t i = 0; i < events.size(); ++i)
      file << " x-1 [000] ..... 1.0000" << 10 + 7 * i << ": " << events[i]
           << "\n";
  }

  std::string Run() {
    std::string printed;
    const auto result =
        TraceLive(options_, {}, {{2, "siwa"}},
                  [&](const std::string& text) { printed += text; });
    EXPECT_TRUE(result);
    return printed;
  }

  Root root_;
  LiveOptions options_;
};

TEST_F(AckOutputTest, IsText) {
  const std::string text = Run();
  EXPECT_NE(std::string::npos,
            text.find(" id 0x1 SUCCESS 21 us: started, sent +14, completed +7; "
                      "acked +14 after sent\n"))
      << text;
  EXPECT_NE(
      std::string::npos,
      text.find(" id 0x2 SUCCESS 21 us: started, sent +14, completed +7\n"))
      << text;
  EXPECT_NE(std::string::npos,
            text.find("completed +7 (7); acked +14 (14) after sent\n"))
      << text;
  EXPECT_EQ(std::string::npos, text.find("not among the steps")) << text;
}

TEST_F(AckOutputTest, IsJson) {
  options_.json = true;
  const auto json = nlohmann::json::parse(Run());
  const auto& steps = json["events"][0]["steps_us"];
  EXPECT_EQ(14, steps["sent"]);
  EXPECT_EQ(28, steps["acked"]);
  EXPECT_EQ(21, steps["completed"]);
  EXPECT_EQ(21, json["events"][0]["total_us"]);
  EXPECT_FALSE(json["events"][1]["steps_us"].contains("acked"));
  EXPECT_EQ(1, json["summary"]["WRITE"]["steps"]["acked"]["count"]);
  EXPECT_EQ(14, json["summary"]["WRITE"]["steps"]["acked"]["median_us"]);
  EXPECT_TRUE(json["no_acked"].is_null());
}

TEST_F(AckOutputTest, SaysWhyThereAreNone) {
  std::ofstream(options_.events)
      << " x-1 [000] ..... 1.000010: siw_tx_fpdu: dev=2 qpn=7 op=Write last=1 "
         "len=1 cookie=0x1f una=0x44c\n";
  EXPECT_NE(std::string::npos,
            Run().find("acked is not among the steps: there was no "
                       "tcp:tcp_probe\n"));
  options_.json = true;
  EXPECT_EQ("there was no tcp:tcp_probe",
            nlohmann::json::parse(Run())["no_acked"]);
}

// A slice that ends after the one around it is none of Perfetto's.
TEST_F(AckOutputTest, IsASliceOfItsOwn) {
  Run();
  std::ifstream file(options_.perfetto);
  const auto json = nlohmann::json::parse(file);
  std::map<std::string, std::vector<int>> ids;
  std::vector<int64_t> times;
  for (const auto& event : json["traceEvents"]) {
    if (event["ph"] == "M") continue;
    ids[event["name"]].push_back(event["id"]);
    if (event["name"] == "acked") times.push_back(event["ts"]);
  }
  EXPECT_EQ((std::vector<int64_t>{1000024, 1000038}), times);
  ASSERT_EQ(2u, ids["acked"].size());
  EXPECT_EQ(ids["acked"][0], ids["acked"][1]);
  for (const auto& [name, of] : ids) {
    if (name != "acked") {
      EXPECT_EQ(0, std::count(of.begin(), of.end(), ids["acked"][0])) << name;
    }
  }
}

}  // namespace
}  // namespace siw::trace
