// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <pty.h>
#include <rdma/rdma_netlink.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/siw/status/fixture.h"
#include "tools/siw/top/sample.h"
#include "tools/siw/top/screen.h"
#include "tools/siw/top/view.h"

namespace siw::top {
namespace {

constexpr int64_t kSecond = 1000000;

TcpSocket Tcp(uint64_t acknowledged) {
  TcpSocket tcp;
  tcp.acknowledged = tcp.sent = acknowledged;
  tcp.busy = acknowledged ? kSecond : 0;
  return tcp;
}

Stream StreamOf(uint32_t qp, const std::string& peer, const TcpSocket& tcp) {
  RdmaCmId id;
  id.qp = qp;
  id.state = "CONNECT";
  id.pid = 100 + qp;
  id.source = "192.0.2.1:" + std::to_string(40000 + qp);
  id.destination = peer;
  return {"siw0", id, tcp};
}

Sample SampleOf(int64_t time, std::vector<Stream> streams,
                std::map<std::string, uint64_t> counters = {}) {
  Sample sample;
  sample.time = time;
  sample.devices = {{"siw0", "eth0", std::move(counters)}};
  sample.streams = std::move(streams);
  return sample;
}

std::string Qps(const View& view) {
  std::string out;
  for (const Row& row : view.rows) out += std::to_string(*row.stream.id.qp);
  return out;
}

TEST(Top, RatesAreDifferencesByTime) {
  TcpSocket then = Tcp(1000);
  TcpSocket now = Tcp(5001000);
  now.received = 200;
  now.sent_again = 40;
  const View view =
      Compare(SampleOf(0, {StreamOf(1, "192.0.2.2:1", then)},
                       {{"tx_fpdu", 10}, {"rx_fpdu", 50}}),
              SampleOf(2 * kSecond, {StreamOf(1, "192.0.2.2:1", now)},
                       {{"tx_fpdu", 110}, {"rx_fpdu", 20}, {"new", 1}}));
  EXPECT_DOUBLE_EQ(2, view.seconds);
  ASSERT_EQ(1u, view.rows.size());
  EXPECT_FALSE(view.rows[0].is_new);
  EXPECT_DOUBLE_EQ(2500000, view.rows[0].sent);
  EXPECT_DOUBLE_EQ(100, view.rows[0].received);
  EXPECT_DOUBLE_EQ(20, view.rows[0].sent_again);
  EXPECT_DOUBLE_EQ(50, view.devices[0].rates.at("tx_fpdu"));
  // It began anew, or was not there before.
  EXPECT_DOUBLE_EQ(0, view.devices[0].rates.at("rx_fpdu"));
  EXPECT_EQ(0u, view.devices[0].rates.count("new"));
}

TEST(Top, AStreamThatIsNewHasNoRates) {
  const View view =
      Compare(SampleOf(0, {StreamOf(1, "192.0.2.2:1", Tcp(0))}),
              SampleOf(kSecond, {StreamOf(2, "192.0.2.2:1", Tcp(9))}));
  ASSERT_EQ(1u, view.rows.size());
  EXPECT_TRUE(view.rows[0].is_new);
  EXPECT_DOUBLE_EQ(0, view.rows[0].sent);
}

TEST(Top, OperationsAreCountedModulo32Bits) {
  Stream then = StreamOf(1, "192.0.2.2:1", Tcp(8));
  Stream now = then;
  then.requests_done = 0xfffffff0;
  now.requests_done = 0x10;
  now.receives_done = 5;
  Row row =
      Compare(SampleOf(0, {then}), SampleOf(2 * kSecond, {now})).rows.at(0);
  EXPECT_EQ(16.0, row.requests);
  EXPECT_FALSE(row.receives);
  then.receives_done = 4;
  row = Compare(SampleOf(0, {then}), SampleOf(2 * kSecond, {now})).rows.at(0);
  EXPECT_EQ(0.5, row.receives);
  row = Compare(SampleOf(0, {}), SampleOf(kSecond, {now})).rows.at(0);
  EXPECT_FALSE(row.requests);
}

TEST(Top, OperationsThatAreNotToldAreADash) {
  Stream then = StreamOf(1, "192.0.2.2:1", Tcp(8));
  Stream now = then;
  View view = Compare(SampleOf(0, {then}), SampleOf(kSecond, {now}));
  EXPECT_NE(std::string::npos, ViewText(view, 1).find(" -        - idle "));
  then.requests_done = then.receives_done = 0;
  now.requests_done = 1200;
  now.receives_done = 7;
  view = Compare(SampleOf(0, {then}), SampleOf(kSecond, {now}));
  EXPECT_NE(std::string::npos, ViewText(view, 1).find(" 1.2K        7 idle "));
}

TEST(Top, SaysWhatLimitsAStream) {
  const TcpSocket then;
  TcpSocket now;
  EXPECT_EQ("idle", LimitedBy(then, now, 1));
  now.busy = kSecond;
  now.sent = 100000;
  EXPECT_EQ("network", LimitedBy(then, now, 1));
  now.application_limited = true;
  EXPECT_EQ("application", LimitedBy(then, now, 1));
  now.sent_again = 200;
  EXPECT_EQ("loss", LimitedBy(then, now, 1));
  now.sent_again = 199;
  EXPECT_EQ("application", LimitedBy(then, now, 1));
  now.buffer_limited = 400000;
  EXPECT_EQ("send buffer", LimitedBy(then, now, 1));
  now.window_limited = 500000;
  now.buffer_limited = 500000;
  EXPECT_EQ("peer window", LimitedBy(then, now, 1));
  now.unanswered = 2;
  EXPECT_EQ("loss", LimitedBy(then, now, 1));
  now.acknowledged = 1;
  EXPECT_EQ("peer window", LimitedBy(then, now, 1));
  now.acknowledged = 0;
  now.unanswered = 1;
  EXPECT_EQ("peer window", LimitedBy(then, now, 1));
  // It had nothing to send for a third of the time.
  now = TcpSocket();
  now.sent = 100000;
  now.busy = 660000;
  EXPECT_EQ("application", LimitedBy(then, now, 1));
  now.busy = 710000;
  EXPECT_EQ("network", LimitedBy(then, now, 1));
  now.window_limited = 500000;
  // Shares are of the time that has gone by.
  EXPECT_EQ("application", LimitedBy(then, now, 2));
}

View Three() {
  TcpSocket a = Tcp(100);
  a.rtt = 5;
  a.segments_again = 1;
  a.send_queue = 7;
  TcpSocket b = Tcp(300);
  b.rtt = 9;
  b.receive_queue = 3;
  TcpSocket c = Tcp(200);
  c.rtt = 7;
  c.segments_again = 9;
  Sample then = SampleOf(0, {StreamOf(1, "192.0.2.9:1", Tcp(0)),
                             StreamOf(2, "192.0.2.8:1", Tcp(0)),
                             StreamOf(3, "192.0.2.7:1", Tcp(0))});
  Sample now = SampleOf(
      kSecond, {StreamOf(1, "192.0.2.9:1", a), StreamOf(2, "192.0.2.8:1", b),
                StreamOf(3, "192.0.2.7:1", c)});
  for (Stream& stream : then.streams)
    stream.requests_done = stream.receives_done = 0;
  now.streams[0].requests_done = now.streams[0].receives_done = 3;
  now.streams[1].requests_done = 4;
  now.streams[2].receives_done = 5;
  return Compare(then, now);
}

TEST(Top, SortsByEachKey) {
  const std::map<std::string, std::string> want = {
      {"rate", "231"},  {"ops", "132"},  {"retransmits", "312"}, {"rtt", "231"},
      {"queue", "123"}, {"peer", "321"}, {"qp", "123"}};
  ASSERT_EQ(want.size(), SortKeys().size());
  for (const auto& [name, key] : SortKeys()) {
    View view = Three();
    Sort(key, false, &view);
    EXPECT_EQ(want.at(name), Qps(view)) << name;
    Sort(key, true, &view);
    EXPECT_EQ(std::string(want.at(name).rbegin(), want.at(name).rend()),
              Qps(view))
        << name;
  }
}

TEST(Top, FiltersByWhatIsShown) {
  View view = Three();
  Filter("192.0.2.8", &view);
  EXPECT_EQ("2", Qps(view));
  view = Three();
  Filter("103", &view);  // pid of QP 3
  EXPECT_EQ("3", Qps(view));
}

TEST(Top, ShowsNoMoreRowsThanThereIsRoomFor) {
  const std::string text = ViewText(Three(), 2);
  EXPECT_NE(std::string::npos, text.find("and 1 more"));
  EXPECT_EQ(std::string::npos, text.find("192.0.2.7:1"));
}

TEST(Top, TextHidesWhatATerminalWouldObey) {
  Sample sample = SampleOf(0, {StreamOf(1, "192.0.2.2:1", Tcp(8))});
  sample.streams[0].device = sample.devices[0].name = "\x1b[2J";
  sample.devices[0].netdev = "\x1b[2J";
  const std::string text = ViewText(Compare(sample, sample), 1);
  EXPECT_NE(std::string::npos, text.find("?[2J on ?[2J"));
  EXPECT_EQ(std::string::npos, text.find('\x1b'));
}

TEST(Top, JsonHasWhatTheScreenHas) {
  Sample now = SampleOf(kSecond, {StreamOf(1, "192.0.2.2:1", Tcp(8))});
  now.streams.push_back(StreamOf(2, "192.0.2.3:1", Tcp(8)));
  now.streams[1].tcp.reset();
  now.streams[0].requests_done = 9;
  now.unseen = {"sock_diag: no"};
  Sample then = SampleOf(0, {StreamOf(1, "192.0.2.2:1", Tcp(0))});
  then.streams[0].requests_done = 2;
  const auto json = nlohmann::json::parse(ViewJson(Compare(then, now)));
  EXPECT_EQ(1, json.at("schema"));
  EXPECT_EQ("sock_diag: no", json.at("unseen")[0]);
  ASSERT_EQ(2u, json.at("streams").size());
  EXPECT_EQ(8.0, json["streams"][0].at("sent_per_second"));
  EXPECT_EQ("network", json["streams"][0].at("limited_by"));
  EXPECT_EQ(7.0, json["streams"][0].at("requests_per_second"));
  EXPECT_FALSE(json["streams"][0].contains("receives_per_second"));
  EXPECT_TRUE(json["streams"][1].at("tcp").is_null());
}

// A device with a stream on queue pair 7, of which the driver tells these.
class OneStream : public OneDevice {
 public:
  using Details = std::vector<std::pair<const char*, uint32_t>>;
  explicit OneStream(Details details) : details_(std::move(details)) {}

 private:
  void Put(int command, nlmsghdr* header) const override {
    if (command == RDMA_NLDEV_CMD_RES_QP_GET) PutQp(header);
    if (command == RDMA_NLDEV_CMD_RES_CM_ID_GET) PutId(header);
  }
  void PutQp(nlmsghdr* header) const {
    nlattr* table = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_QP);
    nlattr* entry = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_QP_ENTRY);
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_LQPN, 7);
    nlattr* details = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_DRIVER);
    for (const auto& [name, value] : details_) {
      mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DRIVER_STRING, name);
      mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DRIVER_U32, value);
    }
    mnl_attr_nest_end(header, details);
    mnl_attr_nest_end(header, entry);
    mnl_attr_nest_end(header, table);
  }
  static void PutId(nlmsghdr* header) {
    nlattr* table = mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_CM_ID);
    nlattr* entry =
        mnl_attr_nest_start(header, RDMA_NLDEV_ATTR_RES_CM_ID_ENTRY);
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_RES_LQPN, 7);
    mnl_attr_put_u8(header, RDMA_NLDEV_ATTR_RES_STATE, 5);
    mnl_attr_nest_end(header, entry);
    mnl_attr_nest_end(header, table);
  }

  Details details_;
};

TEST(Top, AStreamHasTheCountsOfItsQueuePair) {
  Root root;
  FillGood(&root);
  OneStream told({{"sq_high", 3}, {"sq_done", 4}, {"rq_done", 0xffffffff}});
  Sample sample = Take(root.host(), {&told, ""}, {nullptr, "no"}, 0);
  ASSERT_EQ(1u, sample.streams.size());
  EXPECT_EQ(4u, sample.streams[0].requests_done);
  EXPECT_EQ(0xffffffff, sample.streams[0].receives_done);
  OneStream older({{"sq_size", 64}, {"sq_high", 3}});
  sample = Take(root.host(), {&older, ""}, {nullptr, "no"}, 0);
  ASSERT_EQ(1u, sample.streams.size());
  EXPECT_FALSE(sample.streams[0].requests_done);
  EXPECT_FALSE(sample.streams[0].receives_done);
}

TEST(Top, SaysWhatItCannotSee) {
  const Sample sample =
      Take(Host("/does/not/exist"), {nullptr, "RDMA netlink: not supported"},
           {nullptr, "sock_diag: not supported"}, 0);
  ASSERT_EQ(2u, sample.unseen.size());
  EXPECT_EQ("RDMA netlink: not supported", sample.unseen[0]);
  EXPECT_EQ("the module siw is not loaded: siw doctor", sample.unseen[1]);
}

TEST(Top, KeysSortFilterPauseAndLeave) {
  Settings settings;
  EXPECT_TRUE(TakeKey('l', &settings));
  EXPECT_EQ(SortKey::kRtt, settings.key);
  TakeKey('o', &settings);
  EXPECT_EQ(SortKey::kOps, settings.key);
  TakeKey('R', &settings);
  EXPECT_TRUE(settings.reverse);
  TakeKey(' ', &settings);
  EXPECT_TRUE(settings.paused);
  TakeKey('/', &settings);
  for (const char key : std::string("qx")) EXPECT_TRUE(TakeKey(key, &settings));
  TakeKey(127, &settings);
  TakeKey('\n', &settings);
  EXPECT_EQ("q", settings.filter);
  EXPECT_FALSE(settings.typing);
  EXPECT_FALSE(TakeKey('q', &settings));
}

// A program that was told not to mind the hang-up has to notice it by itself.
TEST(Top, EndsWhenItsTerminalIsGone) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGHUP, SIG_IGN);
    setenv("TERM", "vt100", 1);
    alarm(60);
    const Status status = top::Run([] { return Three(); }, 3600000, Settings());
    _exit(status ? 1 : 0);
  }
  char octet = 0;
  EXPECT_EQ(1, read(terminal, &octet, 1));
  close(terminal);
  int how = 0;
  ASSERT_EQ(child, waitpid(child, &how, 0));
  EXPECT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 0) << how;
}

}  // namespace
}  // namespace siw::top
