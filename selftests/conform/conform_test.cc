// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The suite itself: over loopback, against a counterpart that this file plays.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <sstream>
#include <thread>

#include "selftests/conform/pcap.h"
#include "selftests/conform/report.h"
#include "selftests/conform/rules.h"

namespace siw::conform {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

// Two ends of a connection.
struct Ends {
  Socket here;
  Socket there;
};
Ends Connected() {
  auto listener = Listener::Open(kLoopback);
  EXPECT_TRUE(listener);
  auto here = Socket::Dial({kLoopback, listener->port()});
  EXPECT_TRUE(here);
  auto there = listener->Accept(1000);
  EXPECT_TRUE(there);
  return {std::move(*here), std::move(*there)};
}

TEST(Socket, BringsTheSameOctetsHoweverTheyAreCut) {
  const Bytes octets = Pattern(3000, 1);
  for (const Cut cut : kCuts) {
    Ends ends = Connected();
    std::thread writer([&] { EXPECT_TRUE(ends.here.Write(octets, cut)); });
    EXPECT_EQ(octets, ends.there.Read(octets.size(), 5000)) << CutName(cut);
    writer.join();
  }
}

TEST(Socket, TellsFinFromRst) {
  Ends ends = Connected();
  EXPECT_EQ(End::kOpen, ends.there.AwaitEnd(10));
  ends.here.Close();
  EXPECT_EQ(End::kFin, ends.there.AwaitEnd(1000));
  ends = Connected();
  ends.here.Reset();
  EXPECT_EQ(End::kReset, ends.there.AwaitEnd(1000));
}

TEST(Socket, GivesWhatCameBeforeTheEnd) {
  Ends ends = Connected();
  ends.here.Write(Text("last words"));
  ends.here.Close();
  EXPECT_EQ(Text("last words"), ends.there.Read(100, 1000));
  EXPECT_EQ(End::kFin, ends.there.AwaitEnd(0));
}

TEST(Endpoint, WantsAnAddressAndAPort) {
  EXPECT_TRUE(ParseEndpoint("10.83.0.2:7471"));
  for (const char* bad : {"", "10.83.0.2", "host:1", "10.83.0.2:0", ":7471"})
    EXPECT_FALSE(ParseEndpoint(bad)) << bad;
}

TEST(Pcap, HoldsHandshakeOctetsAndEnd) {
  Ends ends = Connected();
  ends.here.Write(Pattern(2000, 1));
  ends.here.Close();
  const Bytes file = PcapOf({ends.here.trace()});
  EXPECT_EQ("d4c3b2a1", ToHex(ByteSpan(file).first(4)));
  std::vector<size_t> lengths;
  for (size_t at = 24; at < file.size();) {
    const size_t length = file[at + 8] | file[at + 9] << 8;
    lengths.push_back(length);
    at += 16 + length;
  }
  // SYN, SYN ACK, ACK, two segments, FIN.
  EXPECT_EQ((std::vector<size_t>{54, 54, 54, 1514, 594, 54}), lengths);
  // The suite is the Ethernet address that ends with 1, the device the other.
  const ByteSpan syn = ByteSpan(file).subspan(24 + 16);
  EXPECT_EQ("020000000002020000000001", ToHex(syn.first(12)));
  EXPECT_EQ("020000000001020000000002", ToHex(syn.subspan(54 + 16).first(12)));
}

TEST(Socket, KeepsNoMoreOfAConnectionThanItMay) {
  Ends ends = Connected();
  std::thread writer([&] {
    const Bytes octets = Pattern(1 << 20, 1);
    for (size_t n = 0; n < 2 * kTraceMost; n += octets.size())
      EXPECT_TRUE(ends.there.Write(octets));
  });
  for (size_t n = 0; n < 2 * kTraceMost; n += 1 << 20)
    EXPECT_EQ(size_t{1} << 20, ends.here.Read(1 << 20, 10000).size());
  writer.join();
  ends.here.Close();
  size_t kept = 0;
  for (const Exchange& exchange : ends.here.trace().exchanges) {
    kept += exchange.octets.size();
    EXPECT_EQ(Exchange::Kind::kOctets, exchange.kind) << "behind the gap";
  }
  EXPECT_LT(kTraceMost / 4, kept);
  EXPECT_LE(kept, kTraceMost);
}

TEST(Answer, IsTakenApart) {
  const auto answer = Answer::Parse("ok port=7471 pdata=0aff name=-");
  ASSERT_TRUE(answer);
  EXPECT_EQ(7471u, answer->Number("port"));
  EXPECT_EQ((Bytes{0x0a, 0xff}), answer->Octets("pdata"));
  EXPECT_EQ(Bytes{}, answer->Octets("name"));
  EXPECT_EQ("", answer->Text("nothing"));
  EXPECT_EQ("why", Answer::Parse("err why").error().message);
  EXPECT_FALSE(Answer::Parse("nonsense"));
}

TEST(Frames, MadeByHandAndBySiwProtoAgree) {
  EXPECT_EQ(StartupFrame(PlainRequest(), Text("ab")),
            RawFrame(false, SIW_MPA_F_CRC, 1, Text("ab")));
  EXPECT_EQ(StartupFrame(EnhancedRequest(16, 8, true, SIW_RTR_WRITE)),
            RawFrame(false, SIW_MPA_F_CRC | SIW_MPA_F_ENHANCED, 2,
                     FromHex("80108008")));
  EXPECT_EQ(SendUlpdu(3, Text("x")), Untagged({.msn = 3}, Text("x")));
  EXPECT_EQ(WriteUlpdu(7, 9, Text("x")),
            Tagged({.stag = 7, .to = 9}, Text("x")));
  EXPECT_EQ(ReadUlpdu(2, {1, 2, 3, 4, 5}), ReadRequest({.msn = 2,
                                                        .sink_stag = 1,
                                                        .sink_to = 2,
                                                        .len = 3,
                                                        .src_stag = 4,
                                                        .src_to = 5}));
}

// A device with its application, or what a test needs of them: a responder that
// accepts, takes Sends into its receives, and sends what it is told to.
class Device {
 public:
  // Ways to be wrong.
  enum class Fault { kNone, kReservedBits, kWrongCrc };

  explicit Device(Fault fault = Fault::kNone) : fault_(fault) {
    auto listener = Listener::Open(kLoopback);
    control_port_ = listener->port();
    thread_ = std::thread([this, l = std::move(*listener)]() mutable {
      auto control = l.Accept(5000);
      if (control) Serve(&*control);
    });
  }
  ~Device() { thread_.join(); }
  Endpoint control() const { return {kLoopback, control_port_}; }

 private:
  void Serve(Socket* control) {
    std::string line;
    for (Bytes octet; !(octet = control->Read(1, 10000)).empty();) {
      if (octet[0] != '\n') {
        line += static_cast<char>(octet[0]);
        continue;
      }
      const std::string answer = Obey(line) + "\n";
      control->Write(Bytes(answer.begin(), answer.end()));
      line.clear();
    }
  }

  std::string Obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "listen") {
      stream_ = Socket();
      auto listener = Listener::Open(kLoopback);
      listener_ = std::move(*listener);
      taken_ = 0;
      sent_ = 0;
      return "ok port=" + std::to_string(listener_.port());
    }
    if (verb == "event") return Event();
    if (verb == "setup") return "ok addr=4096 main=256 other=512 ro=768 wo=9";
    if (verb == "accept") return Accept(line);
    if (verb == "post") return Post();
    if (verb == "wc") return Completion();
    if (verb == "get") return "ok data=" + ToHex(message_);
    if (verb == "reset") stream_ = Socket();
    return "ok";
  }

  std::string Event() {
    if (!stream_.valid()) {
      auto stream = listener_.Accept(300);
      if (!stream) return "ok event=none";
      const Bytes frame = stream->Read(20, 300);
      siw_mpa_setup request;
      size_t need;
      const bool good =
          frame.size() == 20 &&
          siw_mpa_setup_decode(&request, SIW_MPA_REQUEST, frame.data(), 20,
                               &need) == SIW_MPA_GOOD;
      if (!good) return Event();
      stream_ = std::move(*stream);
      return "ok event=CONNECT_REQUEST pdata=-";
    }
    // The empty Write.
    return stream_.Read(20, 1000).size() == 20 ? "ok event=ESTABLISHED"
                                               : "ok event=none";
  }

  std::string Accept(const std::string& line) {
    const std::string pdata = line.substr(line.rfind(' ') + 1);
    uint8_t flags = SIW_MPA_F_CRC;
    if (fault_ == Fault::kReservedBits) flags |= 0x04;
    stream_.Write(
        RawFrame(true, flags, 1, pdata == "-" ? Bytes{} : FromHex(pdata)));
    return "ok";
  }

  std::string Post() {
    Bytes fpdu = Fpdu(SendUlpdu(++sent_, Text("hello")));
    if (fault_ == Fault::kWrongCrc) fpdu.back() ^= 1;
    stream_.Write(fpdu);
    return "ok";
  }

  std::string Completion() {
    const Bytes length = stream_.Read(2, 300);
    if (length.size() < 2) return "ok id=none";
    const auto len = static_cast<uint32_t>(GetBe(length, 0, 2));
    const Bytes rest = stream_.Read(siw_mpa_fpdu_len(len) - 2, 300);
    message_.assign(rest.begin() + SIW_DDP_UNTAGGED_LEN, rest.begin() + len);
    return "ok id=" + std::to_string(taken_++) +
           " status=SUCCESS len=" + std::to_string(message_.size());
  }

  Fault fault_;
  uint16_t control_port_ = 0;
  std::thread thread_;
  Listener listener_;
  Socket stream_;
  Bytes message_;
  uint32_t sent_ = 0;
  uint64_t taken_ = 0;
};

// Plays one test against a device and returns what did not hold.
std::vector<std::string> Play(const std::string& id, Device::Fault fault) {
  Device device(fault);
  auto counterpart = Counterpart::Connect(device.control());
  EXPECT_TRUE(counterpart);
  Tests tests;
  AddStartupRules(&tests);
  for (const conform::Test& test : tests) {
    if (test.id != id) continue;
    Stage stage(&*counterpart, false);
    test.run(stage);
    return stage.failures();
  }
  ADD_FAILURE() << "no test " << id;
  return {};
}

TEST(Stage, HasNothingToSayAboutADeviceThatKeepsTheRules) {
  EXPECT_EQ(std::vector<std::string>{},
            Play("5044-7.1.1-reply-form", Device::Fault::kNone));
}

TEST(Stage, SeesReservedBitsInAReply) {
  EXPECT_EQ(std::vector<std::string>{"reserved bits are set"},
            Play("5044-7.1.1-reply-form", Device::Fault::kReservedBits));
}

TEST(Stage, TalksBothWaysAndSeesABadCrc) {
  for (const bool good : {true, false}) {
    Device device(good ? Device::Fault::kNone : Device::Fault::kWrongCrc);
    auto counterpart = Counterpart::Connect(device.control());
    ASSERT_TRUE(counterpart);
    Stage stage(&*counterpart, false);
    ASSERT_TRUE(stage.RespondFull());
    EXPECT_TRUE(stage.ExpectAlive(1, 0));
    EXPECT_TRUE(stage.Command("post send 1 0 5"));
    const auto got = stage.Receive(SIW_RDMAP_SEND);
    EXPECT_EQ(good, got.has_value());
    EXPECT_EQ(good, !stage.failed());
    stage.Finish();
    EXPECT_EQ(1u, stage.traces().size());
  }
}

TEST(Stage, KeepsTheStreamOfTheFirstFailure) {
  Device device(Device::Fault::kNone);
  auto counterpart = Counterpart::Connect(device.control());
  ASSERT_TRUE(counterpart);
  Stage stage(&*counterpart, false);
  ASSERT_TRUE(stage.RespondFull());
  const uint16_t port = stage.socket().trace().here.port;
  stage.Fail("what has to be seen");
  for (int i = 0; i < 50; ++i) {
    stage.Scene("another");
    ASSERT_TRUE(stage.RespondFull());
  }
  stage.Finish();
  ASSERT_FALSE(stage.traces().empty());
  EXPECT_EQ(port, stage.traces().front().here.port);
}

TEST(Stage, KeepsEveryStreamIfAsked) {
  Device device(Device::Fault::kNone);
  auto counterpart = Counterpart::Connect(device.control());
  ASSERT_TRUE(counterpart);
  Stage stage(&*counterpart, false, SIZE_MAX);
  for (size_t i = 0; i <= Stage::kTracesKept; ++i) {
    stage.Scene("another");
    ASSERT_TRUE(stage.RespondFull());
  }
  stage.Finish();
  EXPECT_EQ(Stage::kTracesKept + 1, stage.traces().size());
}

TEST(Rules, HaveUniqueIds) {
  const auto tests = AllTests(SIW_VECTORS_JSON);
  ASSERT_TRUE(tests);
  std::set<std::string> ids;
  for (const conform::Test& test : *tests)
    EXPECT_TRUE(ids.insert(test.id).second) << test.id;
}

// The table

constexpr const char* kTable = R"(
[[row]]
clause = "5044 7.1.1"
level = "MUST"
binds = "mpa"
rule = "a rule"
tests = ["one", "unit/Pcap.HoldsNothing", "kunit/siw_mr.peer_invalidates",
         "kunit/siw_mr.nobody", "kunit/siw_cq.peer_invalidates"]
verdict = "pass"
[[row]]
clause = "5044 8"
level = "MUST"
binds = "mpa"
rule = "another"
verdict = "not met"
)";

TEST(Table, OfTheRfcsIsInOrder) {
  const auto rows = LoadTable(SIW_CONFORMANCE_TOML);
  ASSERT_TRUE(rows) << rows.error().message;
  const auto tests = AllTests(SIW_VECTORS_JSON);
  ASSERT_TRUE(tests);
  std::vector<std::string> ids;
  for (const conform::Test& test : *tests) ids.push_back(test.id);
  EXPECT_EQ(std::vector<std::string>{}, CheckTable(*rows, ids, SIW_SELFTESTS));
}

TEST(Table, WithoutATestOrAReasonIsRefused) {
  const auto rows = ParseTable(kTable, "table");
  ASSERT_TRUE(rows);
  ASSERT_EQ(2u, rows->size());
  const auto wrong = CheckTable(*rows, {"one", "two"}, SIW_SELFTESTS);
  EXPECT_EQ(
      (std::vector<std::string>{
          "5044 7.1.1 (a rule): no such test: unit/Pcap.HoldsNothing",
          "5044 7.1.1 (a rule): no such test: kunit/siw_mr.nobody",
          "5044 7.1.1 (a rule): no such test: kunit/siw_cq.peer_invalidates",
          "5044 8 (another): does not pass, and no remark says why",
          "no row names the test two"}),
      wrong);
  EXPECT_FALSE(ParseTable("[[row]", "table"));
  EXPECT_FALSE(LoadTable("/nonexistent"));
}

TEST(Report, JoinsRowsAndOutcomes) {
  conform::Run run;
  run.rows = *ParseTable(kTable, "table");
  EXPECT_EQ("not run", RowResult(run.rows[0], run.outcomes));
  run.outcomes.emplace_back();
  run.outcomes[0].id = "one";
  run.outcomes[0].title = "a < b";
  EXPECT_EQ("pass", RowResult(run.rows[0], run.outcomes));
  EXPECT_EQ(std::vector<std::string>{}, Contradictions(run));
  run.outcomes[0].verdict = Verdict::kFail;
  run.outcomes[0].failures = {"why"};
  EXPECT_EQ("fail", RowResult(run.rows[0], run.outcomes));
  EXPECT_EQ(1u, Contradictions(run).size());
  EXPECT_EQ("# why\nnot ok 1 one\n", KtapLines(1, run.outcomes[0]));
  EXPECT_NE(std::string::npos, Html(run).find("a &lt; b"));
  EXPECT_NE(std::string::npos, JUnit(run).find("<failure>why</failure>"));
  EXPECT_NE(std::string::npos, Json(run).find("\"failed\": 1"));
}

}  // namespace
}  // namespace siw::conform
