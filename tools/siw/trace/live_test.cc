// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/live.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "tools/siw/trace/stream.h"

namespace siw::trace {
namespace {

// Two rounds of rping with 4096 octets between two devices of one host, as the
// kernel traced them: device 2 has the server, device 3 the client. siw_placed
// was put before siw_complete by hand, where the driver has it by now.
const std::string kRecorded = []() {
  std::ifstream file(std::string(SIW_TREE) +
                     "/tools/siw/trace/testdata/trace_pipe.txt");
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}();

TEST(LiveLine, TakesALineApart) {
  for (const char* flags : {"d..2. ", "d..2", ""}) {
    const std::string line =
        std::string("   kworker/0:1-my [5] task-1234  [001] ") + flags +
        "  1234.567890: siw_complete: dev=0 cqn=2 qpn=17 id=0x5157 op=WRITE "
        "status=SUCCESS len=1000";
    const auto event = ParseLiveLine(line);
    ASSERT_TRUE(event) << line;
    EXPECT_EQ(1234567890, event->time);
    EXPECT_EQ("kworker/0:1-my [5] task-1234", event->task);
    EXPECT_EQ("siw_complete", event->name);
    EXPECT_EQ("WRITE", event->Text("op"));
    EXPECT_EQ(17u, event->Number("qpn"));
    EXPECT_EQ(0x5157u, event->Number("id"));
    EXPECT_FALSE(event->Number("op"));
    EXPECT_EQ("", event->Text("bogus"));
  }
}

TEST(LiveLine, TakesTcpProbeOfEachKernel) {
  for (const char* family : {"", "family=AF_INET "}) {
    const std::string line =
        std::string(" <idle>-0 [001] ..s1. 1.000002: tcp_probe: ") + family +
        "src=192.0.2.1:1 dest=192.0.2.2:2 mark=0x0 data_len=0 "
        "snd_nxt=0x5157 snd_una=0x5156 snd_cwnd=10 ssthresh=2147483647 "
        "snd_wnd=64128 srtt=42 rcv_wnd=64256 sock_cookie=1f";
    const auto event = ParseLiveLine(line);
    ASSERT_TRUE(event);
    EXPECT_EQ("tcp_probe", event->name);
    EXPECT_EQ(0x5156u, event->Number("snd_una"));
    EXPECT_EQ(0x1fu, event->Hex("sock_cookie"));
    EXPECT_FALSE(event->Hex("src"));
    EXPECT_FALSE(event->Hex("bogus"));
  }
}

TEST(LiveLine, RefusesWhatIsNoneOfOurs) {
  for (const char* line :
       {"", "# tracer: nop", " x-1 [000] ..... 1.000001: sched_switch: a=b",
        " x-1 [000] ..... 1.00001: siw_post: dev=0",
        " x-1 [000] ..... 1.000001: tcp_probe_: sock_cookie=1",
        " x-1 [000] ..... 1.000001 siw_post: dev=0",
        " x-1 [abc] ..... 1.000001: siw_post: dev=0",
        " x-1 [000] ..... 99999999999999999999.000001: siw_post: dev=0",
        "CPU:1 [LOST 42 EVENTS]"})
    EXPECT_FALSE(ParseLiveLine(line)) << line;
  EXPECT_EQ(42u, ParseLost("CPU:1 [LOST 42 EVENTS]"));
  EXPECT_FALSE(ParseLost("CPU:1 [LOST EVENTS]"));
  EXPECT_FALSE(ParseLost("x CPU:1 [LOST 42 EVENTS]"));
}

TEST(LiveLine, SurvivesTruncationAndFlips) {
  std::istringstream lines(kRecorded);
  for (std::string line; std::getline(lines, line);) {
    for (size_t n = 0; n < line.size(); ++n) {
      (void)ParseLiveLine(std::string(line, 0, n)).has_value();
      std::string flipped = line;
      flipped[n] = static_cast<char>(flipped[n] ^ (1 << (n % 7)));
      (void)ParseLiveLine(flipped).has_value();
    }
  }
}

TEST(Requests, AWriteOfAProgram) {
  Stream stream;
  stream.At(10, "siw_doorbell: dev=0 qpn=7")
      .At(12, "siw_start: dev=0 qpn=7 id=0x1 op=WRITE flags=0x3 len=2000")
      .At(13,
          "siw_tx_fpdu: dev=0 qpn=7 op=Write last=0 len=1000 stag=0x100 "
          "to=0x0 qn=0 msn=0 mo=0")
      .At(14,
          "siw_tx_fpdu: dev=0 qpn=7 op=Write last=1 len=1000 stag=0x100 "
          "to=0x3e8 qn=0 msn=0 mo=0")
      .At(15, "siw_train: dev=0 qpn=7 fpdus=2 taken=1020 len=2040")
      .At(30, "siw_train: dev=0 qpn=7 fpdus=0 taken=1020 len=1020")
      .At(31,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=WRITE "
          "status=SUCCESS len=2000")
      .At(35, "siw_notify: dev=0 cqn=3");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ("WRITE", told[0].operation);
  EXPECT_EQ(2000u, told[0].length);
  EXPECT_EQ(2u, told[0].fpdus);
  EXPECT_EQ("SUCCESS", told[0].status);
  EXPECT_EQ(Times({10, 12, 30, 0, 0, 31, 35}), told[0].steps);
}

TEST(Requests, AReadIsReceivedAndPlacedBeforeItCompletes) {
  Stream stream;
  stream.At(10, "siw_start: dev=0 qpn=7 id=0x1 op=READ flags=0x3 len=9")
      .At(11, "siw_tx_fpdu: dev=0 qpn=7 op=ReadRequest last=1 len=28")
      .At(12, "siw_train: dev=0 qpn=7 fpdus=1 taken=52 len=52")
      .At(20, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=0 len=5")
      .At(21, "siw_placed: dev=0 qpn=7 op=ReadResponse last=0 len=5")
      .At(23, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      .At(24, "siw_placed: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      .At(25,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=READ status=SUCCESS "
          "len=9");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ(Times({0, 10, 12, 23, 24, 25}), told[0].steps);
}

// The answer overtakes the call that sent its request.
TEST(Requests, AReadThatIsAnsweredWasSent) {
  Stream stream;
  stream.At(10, "siw_start: dev=0 qpn=7 id=0x1 op=READ flags=0x3 len=4")
      .At(11, "siw_tx_fpdu: dev=0 qpn=7 op=ReadRequest last=1 len=28")
      .At(23, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      .At(24, "siw_train: dev=0 qpn=7 fpdus=1 taken=52 len=52")
      .At(25,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=READ status=SUCCESS "
          "len=4");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ(Times({0, 10, 23, 23, 0, 25}), told[0].steps);
}

TEST(Requests, AReceiveBeginsWithItsFirstOctet) {
  Stream stream;
  // The first Send says "ready" and completes nothing.
  stream.At(5, "siw_rx_fpdu: dev=1 qpn=8 op=Send last=1 len=0")
      .At(10, "siw_rx_fpdu: dev=1 qpn=8 op=Send last=0 len=5")
      .At(11, "siw_placed: dev=1 qpn=8 op=Send last=0 len=5")
      .At(13, "siw_rx_fpdu: dev=1 qpn=8 op=SendSE last=1 len=5")
      .At(14, "siw_placed: dev=1 qpn=8 op=SendSE last=1 len=5")
      .At(15,
          "siw_complete: dev=1 cqn=4 qpn=8 id=0x2 op=RECEIVE "
          "status=SUCCESS len=10")
      .At(16, "siw_notify: dev=1 cqn=5")
      .At(17, "siw_notify: dev=0 cqn=4");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ("RECEIVE", told[0].operation);
  EXPECT_EQ(2u, told[0].fpdus);
  // Neither queue was its own.
  EXPECT_EQ(Times({0, 10, 0, 13, 14, 15}), told[0].steps);
}

// That Send completes nothing, and may be as long as the next one.
TEST(Requests, AReceiveIsNotOfTheSendThatSaysReady) {
  Stream stream;
  stream.At(5, "siw_rx_fpdu: dev=1 qpn=8 op=Send last=1 len=0")
      .At(10, "siw_rx_fpdu: dev=1 qpn=8 op=Send last=1 len=0")
      .At(11, "siw_placed: dev=1 qpn=8 op=Send last=1 len=0")
      .At(12,
          "siw_complete: dev=1 cqn=4 qpn=8 id=0x2 op=RECEIVE "
          "status=SUCCESS len=0");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ(Times({0, 10, 0, 10, 11, 12}), told[0].steps);
}

// A program may ask for one completion of many Reads.
TEST(Requests, EachReadIsPlacedWhenItsOwnLastFpduIs) {
  Stream stream;
  for (const char* id : {"0x1", "0x2"})
    stream
        .At(10, std::string("siw_start: dev=0 qpn=7 id=") + id +
                    " op=READ flags=0x1 len=4")
        .At(11, "siw_tx_fpdu: dev=0 qpn=7 op=ReadRequest last=1 len=28");
  stream.At(12, "siw_train: dev=0 qpn=7 fpdus=2 taken=104 len=104")
      .At(20, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      .At(21, "siw_placed: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      // What the peer writes is none of them, and one is in two FPDUs.
      .At(22, "siw_placed: dev=0 qpn=7 op=Write last=1 len=4")
      .At(22, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=0 len=3")
      .At(22, "siw_placed: dev=0 qpn=7 op=ReadResponse last=0 len=3")
      .At(23, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=1")
      .At(24, "siw_placed: dev=0 qpn=7 op=ReadResponse last=1 len=1")
      .At(25,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x2 op=READ status=SUCCESS "
          "len=4");
  const auto& told = stream.Finish();
  ASSERT_EQ(2u, told.size());
  EXPECT_EQ("unsignalled", told[0].status);
  EXPECT_EQ(Times({0, 10, 12, 20, 21}), told[0].steps);
  EXPECT_EQ(Times({0, 10, 12, 23, 24, 25}), told[1].steps);
}

TEST(Requests, WhatCouldNotBePlacedHasNoSuchStep) {
  Stream stream;
  stream.At(10, "siw_start: dev=0 qpn=7 id=0x1 op=READ flags=0x3 len=4")
      .At(11, "siw_tx_fpdu: dev=0 qpn=7 op=ReadRequest last=1 len=28")
      .At(12, "siw_train: dev=0 qpn=7 fpdus=1 taken=52 len=52")
      .At(20, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 len=4")
      .At(21,
          "siw_complete: dev=0 cqn=3 qpn=7 id=0x1 op=READ "
          "status=LOC_PROT_ERR len=0");
  const auto& told = stream.Finish();
  ASSERT_EQ(1u, told.size());
  EXPECT_EQ(Times({0, 10, 12, 20, 0, 21}), told[0].steps);
}

TEST(Requests, PostedIsExactForAKernelUserAndSharedByWhatIsToldTogether) {
  Stream stream;
  stream.At(1, "siw_post: dev=0 qpn=7 id=0x1 op=SEND flags=0x1 len=1")
      .At(2, "siw_post: dev=0 qpn=7 id=0x2 op=SEND flags=0x1 len=1")
      .At(5, "siw_start: dev=0 qpn=7 id=0x1 op=SEND flags=0x1 len=1")
      .At(6, "siw_start: dev=0 qpn=7 id=0x2 op=SEND flags=0x1 len=1")
      .At(10, "siw_doorbell: dev=0 qpn=8")
      .At(11, "siw_start: dev=0 qpn=8 id=0x1 op=SEND flags=0x1 len=1")
      .At(12, "siw_start: dev=0 qpn=8 id=0x2 op=SEND flags=0x1 len=1")
      .At(13, "siw_doorbell: dev=0 qpn=8")
      .At(14, "siw_doorbell: dev=0 qpn=8")
      .At(15, "siw_start: dev=0 qpn=8 id=0x3 op=SEND flags=0x1 len=1");
  for (const int qp : {7, 8}) {
    for (int id = 1; id <= (qp == 7 ? 2 : 3); ++id)
      stream.At(20, "siw_complete: dev=0 cqn=1 qpn=" + std::to_string(qp) +
                        " id=" + std::to_string(id) +
                        " op=SEND status=SUCCESS len=1");
  }
  const auto& told = stream.Finish();
  ASSERT_EQ(5u, told.size());
  const std::array<int64_t, 5> posted = {1, 2, 10, 10, 13};
  for (size_t i = 0; i < posted.size(); ++i)
    EXPECT_EQ(posted[i], told[i].steps[kPosted]) << i;
}

TEST(Requests, WhatWasNotSignalledEndsWithWhatComesAfterIt) {
  Stream stream;
  stream.At(5, "siw_start: dev=0 qpn=7 id=0x1 op=WRITE flags=0x1 len=1")
      .At(6, "siw_start: dev=0 qpn=7 id=0x1 op=SEND flags=0x1 len=1")
      .At(7,
          "siw_complete: dev=0 cqn=1 qpn=7 id=0x1 op=SEND status=SUCCESS "
          "len=1");
  const auto& told = stream.Finish();
  ASSERT_EQ(2u, told.size());
  EXPECT_EQ("unsignalled", told[0].status);
  EXPECT_EQ("WRITE", told[0].operation);
  EXPECT_FALSE(told[0].steps[kCompleted]);
  EXPECT_EQ("SUCCESS", told[1].status);
  EXPECT_EQ(0u, stream.requests().faults());
}

// As perftest does: all have the same id, one in three asks for a completion.
TEST(Requests, ACompletionIsOfTheRequestThatAskedForIt) {
  Stream stream;
  const auto start = [&](int64_t time, const char* flags) {
    stream.At(time, std::string("siw_start: dev=0 qpn=7 id=0x0 op=WRITE "
                                "flags=") +
                        flags + " len=1");
  };
  const auto complete = [&](int64_t time, const char* status) {
    stream.At(time, std::string("siw_complete: dev=0 cqn=1 qpn=7 id=0x0 "
                                "op=WRITE len=1 status=") +
                        status);
  };
  for (const int64_t time : {10, 20}) {
    start(time, "0x1");
    start(time + 1, "0x1");
    start(time + 2, "0x5");
  }
  complete(30, "SUCCESS");
  complete(31, "SUCCESS");
  // What fails is told of, whether it asked or not.
  start(40, "0x1");
  start(41, "0x5");
  complete(50, "REM_ACCESS_ERR");
  complete(51, "WR_FLUSH_ERR");
  std::string told;
  for (const Request& request : stream.Finish())
    told +=
        std::to_string(*request.steps[kStarted]) + " " + request.status + ", ";
  EXPECT_EQ(
      "10 unsignalled, 11 unsignalled, 12 SUCCESS, 20 unsignalled, "
      "21 unsignalled, 22 SUCCESS, 40 REM_ACCESS_ERR, 41 WR_FLUSH_ERR, ",
      told);
}

TEST(Requests, FailedOnesAreFaultsAndFlushedOnesAreNot) {
  Stream stream;
  stream.At(7,
            "siw_complete: dev=0 cqn=1 qpn=7 id=0x1 op=SEND "
            "status=REM_ACCESS_ERR len=0");
  stream.At(7,
            "siw_complete: dev=0 cqn=1 qpn=7 id=0x1 op=RECEIVE "
            "status=WR_FLUSH_ERR len=0");
  ASSERT_EQ(2u, stream.Finish().size());
  EXPECT_EQ(1u, stream.requests().faults());
}

TEST(Requests, FiltersByPeerQueuePairAndOperation) {
  const auto count = [](RequestFilter filter) {
    Stream stream(std::move(filter));
    stream.requests().SetPeer(0, 7, "192.0.2.2:4420");
    stream.requests().SetPeer(0, 8, "[2001:db8::2]:4420");
    for (const char* qp : {"7", "8"}) {
      for (const char* op : {"SEND", "RECEIVE"})
        stream.At(7, std::string("siw_complete: dev=0 cqn=1 qpn=") + qp +
                         " id=0x1 op=" + op + " status=SUCCESS len=0");
    }
    return stream.Finish().size();
  };
  EXPECT_EQ(4u, count({}));
  EXPECT_EQ(2u, count({"192.0.2.2", {}, "", {}}));
  EXPECT_EQ(2u, count({"192.0.2.2:4420", {}, "", {}}));
  EXPECT_EQ(0u, count({"192.0.2.2:4421", {}, "", {}}));
  for (const char* peer : {"2001:db8::2", "[2001:db8::2]", "2001:DB8:0::0:2",
                           "[2001:0db8::2]:4420", "::ffff:192.0.2.2"})
    EXPECT_EQ(2u, count({peer, {}, "", {}})) << peer;
  for (const char* peer : {"2001:db8::2:4420", "192.0.2.20", "[2001:db8::2]:1"})
    EXPECT_EQ(0u, count({peer, {}, "", {}})) << peer;
  EXPECT_EQ(2u, count({"", 8, "", {}}));
  EXPECT_EQ(1u, count({"", 8, "RECEIVE", {}}));
  EXPECT_EQ(0u, count({"", 9, "", {}}));
}

TEST(Requests, APeerIsAnAddressInNumbers) {
  for (const char* peer :
       {"", "host", "host:1", "192.0.2", "192.0.2.2:", "192.0.2.2:0",
        "192.0.2.2:x", "beef", "beef:1", "192.0.2.2:65536", "[2001:db8::2",
        "[2001:db8::2]x", "[192.0.2.2]x:1", "2001:db8::g"})
    EXPECT_FALSE(ParsePeer(peer)) << peer;
}

TEST(Requests, FiltersByTheStagThatFpdusName) {
  const auto told = [](std::optional<uint32_t> stag) {
    Stream stream({"", {}, "", stag});
    const auto complete = [&stream](int64_t time, const std::string& what) {
      stream.At(time, "siw_complete: dev=0 cqn=3 qpn=7 " + what);
    };
    stream.At(10, "siw_start: dev=0 qpn=7 id=0x1 op=WRITE flags=0x3 len=9")
        .At(11, "siw_tx_fpdu: dev=0 qpn=7 op=Write last=1 len=9 stag=0x100")
        .At(12, "siw_start: dev=0 qpn=7 id=0x2 op=READ flags=0x3 len=9")
        .At(13,
            "siw_tx_fpdu: dev=0 qpn=7 op=ReadRequest last=1 len=28 stag=0x0")
        .At(14, "siw_rx_fpdu: dev=0 qpn=7 op=ReadResponse last=1 stag=0x200");
    complete(15, "id=0x1 op=WRITE status=SUCCESS len=9");
    complete(16, "id=0x2 op=READ status=SUCCESS len=9");
    stream
        .At(17,
            "siw_start: dev=0 qpn=7 id=0x3 op=SEND_REMOTE_INV flags=0x3 len=9")
        .At(18,
            "siw_tx_fpdu: dev=0 qpn=7 op=SendSEInvalidate last=1 len=9 "
            "stag=0x300");
    complete(19, "id=0x3 op=SEND_REMOTE_INV status=SUCCESS len=9");
    stream.At(20,
              "siw_rx_fpdu: dev=0 qpn=7 op=SendInvalidate last=1 len=9 "
              "stag=0x400");
    complete(21, "id=0x4 op=RECEIVE status=SUCCESS len=9");
    // One that names none
    stream.At(22, "siw_start: dev=0 qpn=7 id=0x5 op=SEND flags=0x3 len=9")
        .At(23, "siw_tx_fpdu: dev=0 qpn=7 op=Send last=1 len=9 stag=0x0");
    complete(24, "id=0x5 op=SEND status=SUCCESS len=9");
    std::string operations;
    for (const Request& request : stream.Finish())
      operations += request.operation + " ";
    return operations;
  };
  EXPECT_EQ("WRITE READ SEND_REMOTE_INV RECEIVE SEND ", told({}));
  EXPECT_EQ("WRITE ", told(0x100));
  EXPECT_EQ("READ ", told(0x200));
  EXPECT_EQ("SEND_REMOTE_INV ", told(0x300));
  EXPECT_EQ("RECEIVE ", told(0x400));
  EXPECT_EQ("", told(0x500));
}

TEST(Requests, TellsWhatHappensToAStream) {
  Stream stream;
  stream
      .At(1,
          "siw_conn_state: dev=0 qpn=7 local=192.0.2.1:1 "
          "peer=192.0.2.2:4420 from=UP to=UP")
      .At(1,
          "siw_conn_state: dev=0 qpn=7 local=192.0.2.1:1 "
          "peer=192.0.2.2:4420 from=WAIT_REPLY to=UP")
      .At(2, "siw_qp_state: dev=0 qpn=7 from=IDLE to=RTS event=start")
      .At(3, "siw_terminate_sent: dev=0 qpn=7 code=1/1/00")
      .At(4,
          "siw_conn_failed: dev=0 qpn=0 local=192.0.2.1:1 "
          "peer=192.0.2.3:1 cause=refused err=-71");
  const std::vector<std::string> want = {
      "QP 7 to 192.0.2.2:4420: connection from WAIT_REPLY to UP",
      "QP 7 to 192.0.2.2:4420: stream from IDLE to RTS (start)",
      "QP 7 to 192.0.2.2:4420: Terminate 1/1/00 sent",
      "QP 0 to 192.0.2.3:1: no connection: refused (-71)"};
  EXPECT_EQ(want, stream.notes);
}

TEST(Requests, SumsUpStepByStep) {
  Stream stream;
  for (int64_t i = 0; i < 100; ++i) {
    const int64_t begin = i * 10000;
    const std::string id = std::to_string(i);
    stream.At(begin, "siw_doorbell: dev=0 qpn=7")
        .At(begin + 2,
            "siw_start: dev=0 qpn=7 id=" + id + " op=SEND flags=0x1 len=1")
        .At(begin + (i == 99 ? 502 : 7),
            "siw_complete: dev=0 cqn=1 qpn=7 id=" + id +
                " op=SEND status=SUCCESS len=1");
  }
  stream.Finish();
  const Summary summary = stream.requests().Summaries().at("SEND");
  EXPECT_EQ(100u, summary.total.count);
  EXPECT_EQ(7, summary.total.middle);
  EXPECT_EQ(7, summary.total.slow);
  EXPECT_EQ(2, summary.steps[kStarted].middle);
  EXPECT_EQ(5, summary.steps[kCompleted].middle);
  EXPECT_EQ(0u, summary.steps[kSent].count);
}

// What `siw trace --events` makes of the lines of a real run.
class RecordedTest : public testing::Test {
 protected:
  RecordedTest() {
    char name[] = "/tmp/siw-trace-XXXXXX";
    path_ = mkdtemp(name);
    options_.events =
        std::string(SIW_TREE) + "/tools/siw/trace/testdata/trace_pipe.txt";
  }
  ~RecordedTest() override { std::system(("rm -r " + path_).c_str()); }

  LiveResult Run() {
    printed_.clear();
    const auto result =
        TraceLive(options_, {}, {{2, "siwa"}, {3, "siwb"}},
                  [this](const std::string& text) { printed_ += text; });
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : LiveResult();
  }

  std::string path_;
  LiveOptions options_;
  std::string printed_;
};

TEST_F(RecordedTest, JsonAndTextSayTheSame) {
  options_.json = true;
  const LiveResult result = Run();
  EXPECT_GT(result.requests, 0u);
  EXPECT_EQ(0u, result.lost);
  const auto json = nlohmann::json::parse(printed_);
  EXPECT_EQ(1, json["schema"]);
  size_t requests = 0;
  std::map<std::string, int> count;
  for (const auto& event : json["events"]) {
    if (event["type"] != "request") continue;
    ++requests;
    ++count[std::string(event["device"]) + " " +
            std::string(event["operation"]) + " " +
            std::string(event["status"])];
    // Steps go forward, and the first is at 0.
    int64_t last = 0;
    for (const char* step : kStepNames) {
      if (!event["steps_us"].contains(step)) continue;
      const int64_t time = event["steps_us"][step];
      EXPECT_GE(time, last) << event;
      last = time;
    }
    EXPECT_EQ(last, event["total_us"]);
    // All steps there can be: of a Send and a Write all but two.
    const std::string operation = event["operation"];
    const size_t all = operation == "READ" ? 7 : 5;
    if (event["status"] == "SUCCESS") {
      EXPECT_EQ(all, event["steps_us"].size()) << event;
    }
  }
  const std::map<std::string, int> want = {
      {"siwa READ SUCCESS", 2},         {"siwa WRITE SUCCESS", 2},
      {"siwa SEND SUCCESS", 4},         {"siwb SEND SUCCESS", 4},
      {"siwa RECEIVE SUCCESS", 4},      {"siwb RECEIVE SUCCESS", 4},
      {"siwa RECEIVE WR_FLUSH_ERR", 1}, {"siwb RECEIVE WR_FLUSH_ERR", 1}};
  EXPECT_EQ(want, count);
  EXPECT_EQ(0u, result.faults);
  EXPECT_EQ(result.requests, requests);
  options_.json = false;
  EXPECT_EQ(result.requests, Run().requests);
  EXPECT_NE(std::string::npos, printed_.find(", placed +"));
  EXPECT_EQ(std::string::npos, printed_.find("stag"));
}

TEST_F(RecordedTest, OneStagIsOfItsReadsAlone) {
  options_.filter.stag = 0x5cfecc00;
  EXPECT_EQ(2u, Run().requests);
  EXPECT_NE(std::string::npos, printed_.find(" READ 4096 octets "));
  EXPECT_EQ(std::string::npos, printed_.find(" WRITE "));
}

TEST_F(RecordedTest, APerfettoFileHasEverySliceClosed) {
  options_.perfetto = path_ + "/trace.json";
  const mode_t mask = umask(0);
  const LiveResult result = Run();
  umask(mask);
  struct stat stat = {};
  ASSERT_EQ(0, ::stat(options_.perfetto.c_str(), &stat));
  EXPECT_EQ(0600u, stat.st_mode & 0777);
  std::ifstream file(options_.perfetto);
  const auto json = nlohmann::json::parse(file);
  std::map<int, int> open;
  std::map<int, int64_t> time;
  size_t slices = 0, placed = 0;
  for (const auto& event : json["traceEvents"]) {
    if (event["ph"] == "M") continue;
    const int id = event["id"];
    open[id] += event["ph"] == "b" ? 1 : -1;
    EXPECT_GE(open[id], 0);
    EXPECT_GE(event["ts"], time[id]);
    time[id] = event["ts"];
    slices += event["ph"] == "b" && event.contains("args");
    placed += event["ph"] == "b" && event["name"] == "placed";
  }
  EXPECT_EQ(result.requests, slices);
  EXPECT_EQ(10u, placed);
  for (const auto& [id, depth] : open) EXPECT_EQ(0, depth) << id;
}

TEST_F(RecordedTest, OutputHidesWhatATerminalWouldObey) {
  options_.events = path_ + "/events";
  std::ofstream(options_.events)
      << " x-1 [000] ..... 1.000001: siw_complete: dev=2 cqn=2 qpn=17 id=0x1 "
         "op=\x1b]0;x\x07 status=\xc2\x9b[2J len=1\n";
  EXPECT_EQ(1u, Run().requests);
  EXPECT_NE(std::string::npos, printed_.find("?]0;x? 1 octets id 0x1 ??[2J"));
  EXPECT_EQ(std::string::npos, printed_.find_first_of("\x1b\x07\xc2\x9b"));
  options_.json = true;
  EXPECT_EQ(1u, Run().requests);
  EXPECT_NE(std::string::npos, printed_.find("\"\\u009b[2J\""));
  EXPECT_EQ(std::string::npos, printed_.find_first_of("\x1b\x07\xc2\x9b"));
}

constexpr const char* kOneLine =
    " x-1 [000] ..... 1.000001: siw_complete: dev=2 cqn=2 qpn=17 id=0x1 "
    "op=WRITE status=SUCCESS len=1\n";

TEST_F(RecordedTest, TheLastLineNeedsNoNewline) {
  options_.events = path_ + "/lines";
  std::ofstream(options_.events)
      << kOneLine << kOneLine << "CPU:1 [LOST 3 EVENTS]";
  EXPECT_EQ(3u, Run().lost);
  EXPECT_EQ(2u, Run().requests);
}

// A FIFO that a writer keeps open is not at its end.
TEST_F(RecordedTest, APipeIsReadForAsLongAsItShall) {
  options_.events = path_ + "/fifo";
  options_.seconds = 0.2;
  ASSERT_EQ(0, mkfifo(options_.events.c_str(), 0600));
  EXPECT_EQ(0u, Run().requests);  // nobody writes
  std::fstream writer(options_.events);
  writer << kOneLine << std::flush;
  EXPECT_EQ(1u, Run().requests);
}

TEST_F(RecordedTest, TheFirstSignalEndsAPipe) {
  options_.events = path_ + "/fifo";
  options_.json = true;  // says so when it begins
  ASSERT_EQ(0, mkfifo(options_.events.c_str(), 0600));
  std::fstream writer(options_.events);
  std::atomic<bool> begun = false;
  const pthread_t reader = pthread_self();
  std::thread other([&] {
    while (!begun) usleep(1000);
    usleep(200000);  // it is in poll() or read()
    pthread_kill(reader, SIGINT);
  });
  const auto result =
      TraceLive(options_, {}, {}, [&](const std::string&) { begun = true; });
  other.join();
  ASSERT_TRUE(result);
  EXPECT_EQ("", result->unread);
}

TEST_F(RecordedTest, NothingIsWrittenOverForAnError) {
  const std::string file = path_ + "/lines";
  const auto refused = [&](const std::string& events) {
    std::ofstream(file) << kOneLine;
    options_.events = events;
    options_.perfetto = file;
    EXPECT_FALSE(TraceLive(options_, {}, {}, [](const std::string&) {}));
    std::ostringstream left;
    left << std::ifstream(file).rdbuf();
    EXPECT_EQ(kOneLine, left.str());
  };
  refused(file);
  refused(path_ + "/none");
}

TEST_F(RecordedTest, WhatIsNotThereIsAnError) {
  options_.events = path_ + "/none";
  EXPECT_FALSE(TraceLive(options_, {}, {}, [](const std::string&) {}));
  options_.events = path_;  // a directory
  const auto result = TraceLive(options_, {}, {}, [](const std::string&) {});
  ASSERT_TRUE(result);
  EXPECT_EQ("Is a directory", result->unread);
}

}  // namespace
}  // namespace siw::trace
