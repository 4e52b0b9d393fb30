// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tools/siw/trace/decode.h"
#include "tools/siw/trace/fixture.h"
#include "tools/siw/trace/header.h"
#include "tools/siw/trace/words.h"

namespace siw::trace {
namespace {

using nlohmann::json;
using wire::Be;
using wire::Bytes;
using wire::FromHex;
using wire::Tcp;
using wire::operator+;

constexpr uint32_t kClientStart = 0xffffff00;  // wraps soon
constexpr uint32_t kServerStart = 5000;

const json& Vectors() {
  static const json file =
      json::parse(std::ifstream(SIW_TREE "/selftests/vectors/vectors.json"));
  return file.at("vectors");
}

std::vector<json> VectorsOf(const std::string& kind) {
  std::vector<json> out;
  for (const json& vector : Vectors())
    if (vector.at("kind") == kind) out.push_back(vector);
  return out;
}

json VectorNamed(const std::string& id) {
  for (const json& vector : Vectors())
    if (vector.at("id") == id) return vector;
  ADD_FAILURE() << id;
  return {};
}

Bytes OctetsOf(const json& vector) {
  return FromHex(vector.at("octets").get<std::string>());
}

// Where it is not told, there is one.
size_t FpduCount(const json& vector) {
  return vector.contains("fpdu_offsets") ? vector["fpdu_offsets"].size() : 1;
}

bool InContext(const json& vector, const char* key, bool otherwise) {
  return vector.contains("context") ? vector["context"].value(key, otherwise)
                                    : otherwise;
}

// A connection as a capture has it, and what is decoded of it.
class Talk {
 public:
  Talk() : decoder_([this](const Event& event) { events_.push_back(event); }) {}

  Talk& Packet(const Tcp& tcp, int link_type = kLinkRaw) {
    const Bytes frame = wire::Frame(link_type, tcp);
    TcpSegment segment;
    EXPECT_EQ(PacketKind::kTcp,
              ParsePacket(link_type, frame, static_cast<uint32_t>(frame.size()),
                          &segment));
    decoder_.Add(segment, {++packets_, static_cast<int64_t>(packets_)});
    return *this;
  }
  Talk& Open() {
    Packet({true, kClientStart - 1, 0, wire::kSyn, {}});
    return Packet(
        {false, kServerStart - 1, kClientStart, wire::kSyn | wire::kAck, {}});
  }
  Talk& Client(const Bytes& octets) {
    Packet({true, client_, server_, wire::kAck, octets});
    client_ += static_cast<uint32_t>(octets.size());
    return *this;
  }
  Talk& Server(const Bytes& octets) {
    Packet({false, server_, client_, wire::kAck, octets});
    server_ += static_cast<uint32_t>(octets.size());
    return *this;
  }
  Talk& LoseOfClient(size_t n) {
    client_ += static_cast<uint32_t>(n);
    return *this;
  }
  Talk& Startup(bool crc = true, bool markers = false) {
    Bytes reply = StartupOctets(true, false);
    if (markers) reply[16] |= 0x80;
    return Open().Client(StartupOctets(false, crc)).Server(reply);
  }
  // For the same octets in pieces of some size.
  Talk& ClientInPieces(const Bytes& octets, size_t n) {
    for (size_t at = 0; at < octets.size(); at += n)
      Client(Bytes(octets.begin() + static_cast<ptrdiff_t>(at),
                   octets.begin() + static_cast<ptrdiff_t>(
                                        std::min(at + n, octets.size()))));
    return *this;
  }
  Talk& Finish() {
    decoder_.Finish();
    return *this;
  }

  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const Event& event : events_)
      texts.push_back((event.forward ? "-> " : "<- ") +
                      EventText(Catalogue(), event));
    return texts;
  }
  std::string Text() const {
    std::string out;
    for (const std::string& text : Texts()) out += text + "\n";
    return out;
  }
  std::vector<FpduEvent> Fpdus() const { return All<FpduEvent>(); }
  template <typename T>
  std::vector<T> All() const {
    std::vector<T> out;
    for (const Event& event : events_)
      if (const T* what = std::get_if<T>(&event.what)) out.push_back(*what);
    return out;
  }
  const std::vector<Event>& events() const { return events_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  std::vector<Event> events_;
  Decoder decoder_;
  uint64_t packets_ = 0;
  uint32_t client_ = kClientStart;
  uint32_t server_ = kServerStart;
};

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The words for a vector's stream behind a start-up of its context.
std::string AllText(const json& vector, size_t piece) {
  Talk talk;
  talk.Startup(InContext(vector, "crc", true),
               InContext(vector, "markers", false));
  talk.ClientInPieces(OctetsOf(vector), piece).Finish();
  return talk.Text();
}

TEST(Decode, EveryStreamOfTheVectorsHasItsFpdus) {
  size_t refused = 0;
  for (const json& vector : VectorsOf("stream")) {
    const std::string id = vector.at("id");
    Talk talk;
    talk.Startup(InContext(vector, "crc", true),
                 InContext(vector, "markers", false));
    talk.ClientInPieces(OctetsOf(vector), 1448).Finish();
    const std::vector<FpduEvent> fpdus = talk.Fpdus();
    const json& expect = vector.at("expect");
    const size_t n = FpduCount(vector);
    if (expect.at("action") == "need_more_octets") {
      EXPECT_TRUE(Has(talk.Text(), "inside an FPDU")) << id;
      continue;
    }
    EXPECT_EQ(n, fpdus.size()) << id << "\n" << talk.Text();
    for (size_t i = 0; i < fpdus.size(); ++i) {
      const bool last = i + 1 == fpdus.size();
      if (!last) {
        EXPECT_FALSE(fpdus[i].refusal) << id;
      }
      const Crc good =
          InContext(vector, "crc", true) ? Crc::kGood : Crc::kNotInUse;
      const bool bad = last && id.substr(0, 7) == "bad-crc";
      EXPECT_EQ(bad ? Crc::kBad : good, fpdus[i].crc) << id;
    }
    if (fpdus.empty() || !fpdus.back().refusal) continue;
    // What is refused here is what the vector says, with the same code.
    ++refused;
    ASSERT_EQ("terminate", expect.at("action")) << id;
    const TermCode code = *fpdus.back().refusal;
    EXPECT_EQ(expect.at("layer"), code.layer) << id;
    EXPECT_EQ(expect.at("etype"), code.etype) << id;
    EXPECT_EQ(expect.at("code"), code.code) << id;
  }
  EXPECT_GE(refused, 20u);
}

TEST(Decode, EveryTerminateOfTheVectorsIsUnderstood) {
  size_t seen = 0;
  for (const json& vector : VectorsOf("stream")) {
    const json& expect = vector.at("expect");
    if (!expect.contains("terminate_fpdu")) continue;
    Talk talk;
    talk.Startup()
        .Server(FromHex(expect["terminate_fpdu"].get<std::string>()))
        .Finish();
    const std::vector<FpduEvent> fpdus = talk.Fpdus();
    ASSERT_EQ(1u, fpdus.size()) << vector.at("id");
    const auto* body = std::get_if<TerminateBody>(&fpdus[0].body);
    ASSERT_TRUE(body) << vector.at("id");
    EXPECT_EQ(expect.at("layer"), body->code.layer);
    EXPECT_EQ(expect.at("etype"), body->code.etype);
    EXPECT_EQ(expect.at("code"), body->code.code);
    EXPECT_FALSE(body->swapped);
    const std::string id =
        fmt::format("SIW-TERM-{:X}{:X}{:02X}-RCVD: ", body->code.layer,
                    body->code.etype, body->code.code);
    EXPECT_TRUE(Has(talk.Text(), id)) << talk.Text();
    EXPECT_EQ(1u, talk.decoder().connections()[0].faults);
    ++seen;
  }
  EXPECT_GE(seen, 50u);
}

TEST(Decode, HowTcpCutsTheStreamDoesNotMatter) {
  for (const json& vector : VectorsOf("stream")) {
    const std::string whole = AllText(vector, 1 << 20);
    for (const size_t piece : {1, 3, 97})
      EXPECT_EQ(whole, AllText(vector, piece)) << vector.at("id");
  }
}

TEST(Decode, StartUpFramesOfTheVectorsAreJudgedAsThere) {
  for (const json& vector : VectorsOf("mpa_startup")) {
    const std::string id = vector.at("id");
    const bool reply = vector.at("frame") == "reply";
    const std::string action = vector.at("expect").at("action");
    Talk talk;
    talk.Open();
    if (reply)
      talk.Client(StartupOctets(false, true)).Server(OctetsOf(vector));
    else
      talk.Client(OctetsOf(vector));
    talk.Finish();
    const auto frames = talk.All<StartupEvent>();
    if (action == "wait" || id == "bad-mpa-key") {
      EXPECT_EQ(reply ? 1u : 0u, frames.size() - (id == "bad-mpa-key" && reply))
          << id;
      continue;
    }
    ASSERT_FALSE(frames.empty()) << id;
    const StartupEvent& frame = frames.back();
    EXPECT_EQ(action == "close", !frame.bad.empty()) << id << talk.Text();
    EXPECT_EQ(action == "reject", frame.reject) << id;
    if (!frame.bad.empty() || !vector.contains("fields")) continue;
    const json& fields = vector.at("fields");
    EXPECT_EQ(fields.at("rev"), frame.revision) << id;
    EXPECT_EQ(fields.at("C") == 1, frame.crc) << id;
    EXPECT_EQ(fields.at("ulp_private_data").get<std::string>().size() / 2,
              frame.private_data)
        << id;
  }
}

TEST(Decode, AReplyThatIsNoneIsNamed) {
  Talk talk;
  talk.Open().Client(StartupOctets(false, true)).Server(Be(0x48545450, 4));
  EXPECT_TRUE(Has(talk.Text(), "<- MPA Reply that is refused: SIW-MPA-KEY"))
      << talk.Text();
}

TEST(Decode, WordsOfAWholeConversation) {
  Talk talk;
  talk.Open();
  talk.Client(OctetsOf(VectorNamed("mpa-req-v2-p2p")));
  talk.Server(OctetsOf(VectorNamed("mpa-rep-v2-p2p")));
  for (const char* id :
       {"write", "send-inv", "read-req", "atomic-cas-hit", "imm"})
    talk.Client(OctetsOf(VectorNamed(id)));
  talk.Packet({true, kClientStart + 5000, 0, wire::kRst, {}});
  const std::string text = talk.Text();
  for (const char* part :
       {"-> MPA Request, revision 2: CRC, no Markers, peer-to-peer, first "
        "message ",
        "<- MPA Reply, revision 2", "RDMA Write, STag 0x00001101, TO 0x",
        "Send with Invalidate, MSN 1, invalidates STag 0x",
        "RDMA Read Request, MSN 1, ", " octets from STag 0x", "CmpSwap 0x",
        "Immediate Data, MSN ", "CRC good", "-> reset (RST)"})
    EXPECT_TRUE(Has(text, part)) << part << " not in\n" << text;
}

TEST(Decode, MidStreamFindsTheBoundaryByLengthAndCrc) {
  size_t found = 0;
  for (const json& vector : VectorsOf("stream")) {
    const size_t n = FpduCount(vector);
    if (InContext(vector, "markers", false) || n < 2 ||
        !InContext(vector, "crc", true) ||
        vector.at("expect").at("action") != "accept")
      continue;
    for (const size_t skip : {1, 2, 3, 9}) {
      const Bytes all = OctetsOf(vector);
      Talk talk;
      talk.ClientInPieces(
              Bytes(all.begin() + static_cast<ptrdiff_t>(skip), all.end()), 50)
          .Finish();
      EXPECT_EQ(n - 1, talk.Fpdus().size()) << vector.at("id") << talk.Text();
      for (const FpduEvent& fpdu : talk.Fpdus())
        EXPECT_EQ(Crc::kGood, fpdu.crc);
      EXPECT_EQ(1u, talk.All<SkippedEvent>().size());
      EXPECT_TRUE(talk.decoder().connections()[0].mid_stream);
      ++found;
    }
  }
  EXPECT_GE(found, 16u);
}

// As the kernel's own siw sends by default.
TEST(Decode, MidStreamWithoutCrcBelievesSeveralHeadersInARow) {
  Bytes write = OctetsOf(VectorNamed("write"));
  for (size_t i = 0; i < 4; ++i) write[write.size() - 1 - i] = 0;
  Bytes stream(5);
  for (int i = 0; i < 6; ++i) stream = stream + write;
  Talk talk;
  talk.ClientInPieces(stream, 100).Finish();
  ASSERT_EQ(6u, talk.Fpdus().size()) << talk.Text();
  EXPECT_EQ(Crc::kUnknown, talk.Fpdus()[0].crc);
  EXPECT_FALSE(talk.decoder().connections()[0].crc);
}

TEST(Decode, GoesOnBehindAnFpduWithABadCrc) {
  Bytes bad = OctetsOf(VectorNamed("write"));
  const Bytes good = bad;
  bad[30] ^= 1;
  Talk talk;
  talk.Startup().Client(good + bad + good).Finish();
  ASSERT_EQ(3u, talk.Fpdus().size());
  EXPECT_EQ(Crc::kBad, talk.Fpdus()[1].crc);
  EXPECT_EQ(Crc::kGood, talk.Fpdus()[2].crc);
  EXPECT_EQ(1u, talk.decoder().connections()[0].forward.bad_crc);
  EXPECT_TRUE(Has(talk.Text(), "CRC BAD, SIW-COUNT-CRC"));
}

TEST(Decode, GoesOnBehindAGapWithMarkersToo) {
  for (const bool markers : {false, true}) {
    const json vector = VectorNamed(markers ? "mark-many-small" : "send-2seg");
    const Bytes octets = OctetsOf(vector);
    const size_t n = FpduCount(vector);
    const auto second =
        static_cast<ptrdiff_t>(vector.at("fpdu_offsets")[1].get<size_t>());
    Talk talk;
    talk.Startup(true, markers);
    talk.Client(Bytes(octets.begin(), octets.begin() + 6));
    talk.LoseOfClient(10);
    talk.Client(Bytes(octets.begin() + 16, octets.begin() + second + 3));
    talk.Client(Bytes(octets.begin() + second + 3, octets.end())).Finish();
    EXPECT_EQ(n - 1, talk.Fpdus().size()) << talk.Text();
    ASSERT_EQ(1u, talk.All<GapEvent>().size());
    EXPECT_TRUE(Has(talk.Text(), "16 octets are not in the capture"));
  }
}

TEST(Decode, ATerminateOfTheKernelsOwnSiwIsUnderstood) {
  // 1/2/05 with M and D as a little-endian host of it sends them
  for (const char* word : {"21050300", "20020000"}) {
    FpduEvent fpdu;
    ParseUlpdu(FromHex("4147"
                       "00000000"
                       "00000002"
                       "00000001"
                       "00000000" +
                       std::string(word) + "0016" +
                       "414300000000000000000000000100000000"),
               &fpdu);
    const auto* body = std::get_if<TerminateBody>(&fpdu.body);
    ASSERT_TRUE(body);
    const bool swapped = word[1] == '1';
    EXPECT_EQ(swapped, body->swapped) << word;
    EXPECT_EQ(swapped ? TermCode({1, 2, 5}) : TermCode({2, 0, 2}), body->code);
    EXPECT_EQ(swapped, body->refused.has_value());
  }
  FpduEvent fpdu;
  ParseUlpdu(FromHex("4147000000000000000200000001000000000202"
                     "0000"),
             &fpdu);
  const auto* body = std::get_if<TerminateBody>(&fpdu.body);
  ASSERT_TRUE(body);
  EXPECT_TRUE(body->swapped);
  EXPECT_EQ(TermCode({2, 0, 2}), body->code);
}

TEST(Decode, AnotherProtocolIsLeftAlone) {
  Talk opened;
  opened.Open().Client(Bytes(5000, 0x41)).Finish();
  EXPECT_TRUE(opened.events().empty());
  Talk running;
  for (int i = 0; i < 2000; ++i) running.Client(Bytes(1448, 0x41));
  running.Finish();
  EXPECT_TRUE(running.events().empty());
  EXPECT_EQ(1u, running.decoder().others());
}

// The first segment of a connection, or its reset
TcpSegment OfConnection(size_t number, bool reset) {
  TcpSegment segment;
  segment.source.address = {192, 0, 2, static_cast<uint8_t>(number >> 16)};
  segment.source.port = static_cast<uint16_t>(number);
  segment.destination.address = {198, 51, 100, 1};
  segment.destination.port = 4420;
  segment.syn = !reset;
  segment.rst = reset;
  return segment;
}

TEST(Decode, AConnectionThatIsOverTakesNoRoom) {
  constexpr size_t kMany = 2 * Decoder::kMostConnections;
  for (const bool reset : {false, true}) {
    Decoder decoder([](const Event&) {});
    for (size_t i = 0; i < kMany; ++i) {
      decoder.Add(OfConnection(i, false), {});
      if (reset) decoder.Add(OfConnection(i, true), {});
    }
    EXPECT_EQ(reset ? 0u : kMany - Decoder::kMostConnections,
              decoder.ignored());
  }
}

// As costly to search as it can be: an FPDU may begin at each header, and be
// of the largest size.
Bytes Costly(size_t n) {
  Bytes out;
  while (out.size() < n) out = out + Be(0xf800c140, 4) + Bytes(12);
  return out;
}

TEST(Decode, GoesOnBehindGapsHoweverMany) {
  const Bytes write = OctetsOf(VectorNamed("write"));
  Talk talk;
  talk.Startup();
  constexpr size_t kGaps = 2;
  for (size_t i = 0; i < kGaps; ++i) {
    // 700 tries of 63496 octets: one search may make 1056.
    talk.LoseOfClient(20);
    talk.ClientInPieces(Costly(63490 + 700 * 16), 1448).Client(write);
  }
  talk.Finish();
  EXPECT_EQ(kGaps, talk.Fpdus().size());
  EXPECT_EQ(kGaps, talk.All<SkippedEvent>().size());
  EXPECT_EQ(0u, talk.decoder().given_up());
}

TEST(Decode, SaysThatASearchWasGivenUp) {
  Talk talk;
  talk.Startup().Client(OctetsOf(VectorNamed("write"))).LoseOfClient(20);
  talk.ClientInPieces(Costly(63490 + 1200 * 16), 1448);
  talk.Client(OctetsOf(VectorNamed("write"))).Finish();
  EXPECT_EQ(1u, talk.Fpdus().size());
  EXPECT_EQ(1u, talk.decoder().given_up());
  EXPECT_TRUE(Has(talk.Text(), "-> given up: no FPDU was found"))
      << talk.Text();
  EXPECT_EQ(1u, talk.All<SkippedEvent>().size());
}

TEST(Decode, SaysThatThereWasNoRoom) {
  std::vector<std::string> texts;
  Decoder decoder(
      [&](const Event& event) {
        texts.push_back(EventText(Catalogue(), event));
      },
      10000);
  const auto add = [&](const Tcp& tcp) {
    const Bytes frame = wire::Frame(kLinkRaw, tcp);
    TcpSegment segment;
    ParsePacket(kLinkRaw, frame, static_cast<uint32_t>(frame.size()), &segment);
    decoder.Add(segment, {});
  };
  const Bytes request = StartupOctets(false, true);
  add({true, 1, 1, wire::kAck, request});
  // Behind a gap that is not filled
  for (uint32_t i = 0; i < 9; ++i)
    add({true, 1000 + 1200 * i, 1, wire::kAck, Bytes(1200)});
  EXPECT_EQ(2u, decoder.given_up());
  EXPECT_LE(decoder.held(), 10000u);
  decoder.Finish();
  ASSERT_EQ(3u, texts.size());
  EXPECT_TRUE(Has(texts[1], "given up: all connections hold more")) << texts[1];
}

TEST(Decode, EachPieceThatIsHeldTakesRoom) {
  const Bytes octet(1);
  for (const size_t octets : {0, 1}) {
    Decoder decoder([](const Event&) {}, 100000);
    TcpSegment segment = OfConnection(1, false);
    decoder.Add(segment, {});
    segment.syn = false;
    segment.length = 1;
    segment.payload = OctetSpan(octet).first(octets);
    for (uint32_t i = 0; i < 1000; ++i) {
      segment.sequence = 2 + 2 * i;
      decoder.Add(segment, {});
      ASSERT_LE(decoder.held(), 100000u);
    }
    EXPECT_EQ(2u, decoder.given_up()) << octets;
  }
}

TEST(Decode, HoldsNoMoreThanItMay) {
  Talk talk;
  talk.Open().Client(StartupOctets(false, true));
  for (int i = 0; i < 4000; ++i) {
    talk.Client(Bytes(1448, 0));
    ASSERT_LE(talk.decoder().held(), Decoder::kMostHeldPerDirection + 200000);
  }
}

// Whole files.

class TraceTest : public testing::Test {
 protected:
  Result<TraceResult> Read(const Bytes& capture, bool json = false,
                           const std::string& write = "") {
    out_.clear();
    FILE* file = tmpfile();
    if (!capture.empty()) fwrite(capture.data(), 1, capture.size(), file);
    rewind(file);
    FILE* to = write.empty() ? nullptr : fopen(write.c_str(), "wb");
    return Trace({file, to}, Catalogue(), "test", json,
                 [this](const std::string& text) { out_ += text; });
  }

  static wire::Pcap Conversation(int link_type, bool startup) {
    wire::Pcap pcap(link_type);
    uint32_t client = 1;
    uint32_t server = 1;
    if (startup) {
      pcap.Add({true, 0, 0, wire::kSyn, {}});
      pcap.Add({true, 1, 1, wire::kAck, StartupOctets(false, true)});
      pcap.Add({false, 1, 21, wire::kAck, StartupOctets(true, true)});
      client = server = 21;
    }
    for (const char* id : {"write", "send-pad1", "read-req"}) {
      const Bytes octets = OctetsOf(VectorNamed(id));
      pcap.Add({true, client, server, wire::kAck, octets});
      client += static_cast<uint32_t>(octets.size());
    }
    const json bad = VectorNamed("bad-write-stag").at("expect");
    pcap.Add({false, server, client, wire::kAck,
              FromHex(bad.at("terminate_fpdu").get<std::string>())});
    return pcap;
  }

  std::string out_;
};

TEST_F(TraceTest, TellsAConversationInWords) {
  const auto result = Read(Conversation(kLinkEthernet, true).octets());
  ASSERT_TRUE(result);
  EXPECT_EQ(1u, result->connections);
  EXPECT_EQ(1u, result->faults);
  EXPECT_EQ("", result->unread);
  EXPECT_EQ(0u, result->given_up);
  EXPECT_TRUE(Has(out_, "connection 1: 192.0.2.1:40000 -> 192.0.2.2:4420"));
  EXPECT_TRUE(Has(out_, "     4     0.002000 1 -> RDMA Write, STag"));
  EXPECT_TRUE(Has(out_,
                  "1 <- Terminate 1/1/00 (tagged: invalid STag), "
                  "SIW-TERM-1100-RCVD: The peer refused"))
      << out_;
  EXPECT_TRUE(Has(out_, "-> 3 FPDUs"));
}

TEST_F(TraceTest, JsonHasTheSame) {
  const auto result = Read(Conversation(kLinkCooked2, true).octets(), true);
  ASSERT_TRUE(result);
  const json out = json::parse(out_);
  EXPECT_EQ(1, out.at("schema"));
  ASSERT_EQ(6u, out.at("events").size());
  const json& write = out["events"][2];
  EXPECT_EQ("fpdu", write.at("type"));
  EXPECT_EQ("good", write.at("crc"));
  EXPECT_EQ("RDMA Write", write.at("segment").at("operation"));
  EXPECT_EQ("0x00001101", write.at("segment").at("stag"));
  EXPECT_EQ("SIW-TERM-1100-RCVD", out["events"][5].at("terminate").at("id"));
  EXPECT_EQ(3, out.at("connections")[0].at("forward").at("fpdus"));
}

TEST_F(TraceTest, WhatItWritesItReadsAgain) {
  const std::string file = testing::TempDir() + "siw-trace-test.pcapng";
  for (const bool startup : {true, false}) {
    ASSERT_TRUE(Read(Conversation(kLinkCooked, startup).octets(), false, file));
    std::ifstream in(file, std::ios::binary);
    const Bytes written((std::istreambuf_iterator<char>(in)), {});
    ASSERT_TRUE(Read(written, true)) << startup;
    const json again = json::parse(out_);
    // A start-up was put before what had none.
    ASSERT_EQ(6u, again.at("events").size()) << out_;
    EXPECT_EQ("mpa_request", again["events"][0].at("type"));
    EXPECT_EQ(false, again.at("connections")[0].at("mid_stream"));
    EXPECT_EQ("SIW-TERM-1100-RCVD",
              again["events"][5].at("terminate").at("id"));
  }
  remove(file.c_str());
}

TEST_F(TraceTest, SaysWhatACaptureLacks) {
  Bytes capture = Conversation(kLinkEthernet, true).octets();
  capture.resize(capture.size() - 5);
  auto result = Read(capture);
  ASSERT_TRUE(result);
  EXPECT_TRUE(Has(result->unread, "truncated")) << result->unread;
  EXPECT_TRUE(Has(out_, "the rest of the capture cannot be read"));
  EXPECT_TRUE(Has(out_, "RDMA Read Request"));

  wire::Pcap snapped(kLinkEthernet);
  snapped.Add({true, 1, 1, wire::kAck, OctetsOf(VectorNamed("write"))}, 30);
  ASSERT_TRUE(Read(snapped.octets()));
  EXPECT_TRUE(Has(out_, "no iWARP was found"));
  EXPECT_TRUE(Has(out_, "1 packets are cut off in their headers"));

  EXPECT_FALSE(Read(Bytes(100, 0x20)));
  EXPECT_FALSE(Read(Bytes()));
  result = Read(wire::Pcap(105).octets());
  ASSERT_FALSE(result);
  EXPECT_TRUE(Has(result.error().message, "IEEE802_11"));
}

// As that of a tcpdump whose traffic has ended.
TEST_F(TraceTest, ASignalEndsTheReadingAndNotTheWords) {
  int ends[2];
  ASSERT_EQ(0, pipe(ends));
  const Bytes capture = Conversation(kLinkEthernet, true).octets();
  ASSERT_EQ(static_cast<ssize_t>(capture.size()),
            write(ends[1], capture.data(), capture.size()));
  const StopOnSignal late;  // one that comes behind the end
  std::atomic<bool> begun = false;
  std::atomic<bool> done = false;
  const pthread_t reader = pthread_self();
  std::thread other([&] {
    while (!begun) usleep(1000);
    // It waits in read(), or will soon.
    for (; !done; usleep(10000)) pthread_kill(reader, SIGTERM);
  });
  const auto result = Trace({fdopen(ends[0], "rb"), nullptr}, Catalogue(),
                            "test", false, [&](const std::string& text) {
                              out_ += text;
                              if (Has(text, "Terminate")) begun = true;
                              if (Has(text, "packets")) done = true;
                            });
  done = true;
  other.join();
  close(ends[1]);
  ASSERT_TRUE(result);
  EXPECT_EQ("", result->unread);
  EXPECT_TRUE(Has(out_, "-> 3 FPDUs")) << out_;
}

// A block of pcapng; `body` is of whole words.
Bytes Block(uint32_t type, const Bytes& body) {
  const Bytes length = Be(body.size() + 12, 4);
  return Be(type, 4) + length + body + length;
}

TEST_F(TraceTest, SurvivesATimeThatNoClockHad) {
  const Bytes packet =
      wire::Ip({true, 1, 1, wire::kAck, StartupOctets(false, true)});
  const Bytes length = Be(packet.size(), 4);
  // Its interface counts seconds.
  const Bytes begin =
      Block(0x0a0d0d0a,
            Be(0x1a2b3c4d, 4) + Be(0x10000, 4) + Be(UINT64_MAX, 8)) +
      Block(1, Be(101, 2) + Be(0, 6) + Be(9, 2) + Be(1, 2) + Be(0, 8));
  for (const uint64_t time : {uint64_t{9300000000}, uint64_t{INT64_MAX},
                              uint64_t{1} << 63, UINT64_MAX}) {
    const auto result = Read(
        begin + Block(6, Be(0, 4) + Be(time, 8) + length + length + packet),
        true);
    ASSERT_TRUE(result) << result.error().message;
    const json out = json::parse(out_);
    ASSERT_EQ(1u, out.at("events").size()) << out_;
    EXPECT_EQ("mpa_request", out["events"][0].at("type"));
    const std::string when = out["events"][0].at("time");
    EXPECT_TRUE(when == "0.000000000" || when == "9223372035.000000000")
        << when;
  }
}

}  // namespace
}  // namespace siw::trace
