// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/sock_diag.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace siw {
namespace {

// Gives each answer once, in order.
class Recorded : public NetlinkChannel {
 public:
  explicit Recorded(std::vector<Octets> answers)
      : answers_(std::move(answers)) {}
  Result<Octets> Ask(std::span<const uint8_t> request) override {
    EXPECT_GE(request.size(), MNL_NLMSG_HDRLEN + sizeof(inet_diag_req_v2));
    inet_diag_req_v2 asked;
    std::memcpy(&asked, request.data() + MNL_NLMSG_HDRLEN, sizeof(asked));
    families_.push_back(asked.sdiag_family);
    EXPECT_EQ(IPPROTO_TCP, asked.sdiag_protocol);
    EXPECT_FALSE(asked.idiag_states & 1u << 10);  // LISTEN
    return answers_.at(families_.size() - 1);
  }
  const std::vector<int>& families() const { return families_; }

 private:
  std::vector<Octets> answers_;
  std::vector<int> families_;
};

Octets Done() {
  Octets room(64);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = NLMSG_DONE;
  room.resize(header->nlmsg_len);
  return room;
}

Octets Join(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// One message as the kernel has it; `info` octets of tcp_info are in it.
Octets Connection(int family, size_t info_size) {
  Octets room(1024);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header->nlmsg_flags = NLM_F_MULTI;
  auto* message = static_cast<inet_diag_msg*>(
      mnl_nlmsg_put_extra_header(header, sizeof(inet_diag_msg)));
  message->idiag_family = static_cast<uint8_t>(family);
  message->idiag_state = 1;
  message->idiag_rqueue = 11;
  message->idiag_wqueue = 12;
  message->id.idiag_sport = htons(40000);
  message->id.idiag_dport = htons(4420);
  const bool v6 = family == AF_INET6;
  inet_pton(family, v6 ? "2001:db8::1" : "192.0.2.1", message->id.idiag_src);
  inet_pton(family, v6 ? "2001:db8::2" : "192.0.2.2", message->id.idiag_dst);
  tcp_info info = {};
  info.tcpi_options = TCPI_OPT_ECN;
  info.tcpi_rtt = 250;
  info.tcpi_snd_mss = 1448;
  info.tcpi_total_retrans = 3;
  info.tcpi_retransmits = 2;
  info.tcpi_bytes_acked = 1000;
  info.tcpi_bytes_sent = 1100;
  info.tcpi_bytes_retrans = 100;
  info.tcpi_busy_time = 5000;
  info.tcpi_rwnd_limited = 4000;
  info.tcpi_sndbuf_limited = 1;
  info.tcpi_delivery_rate_app_limited = 1;
  mnl_attr_put(header, INET_DIAG_INFO, info_size, &info);
  const std::array<uint32_t, SK_MEMINFO_VARS> memory = {1, 2, 3, 4, 5,
                                                        6, 7, 8, 9};
  mnl_attr_put(header, INET_DIAG_SKMEMINFO, sizeof(memory), memory.data());
  mnl_attr_put_strz(header, INET_DIAG_CONG, "cubic");
  room.resize(header->nlmsg_len);
  return room;
}

TEST(SockDiag, TellsTheConnectionsOfBothFamilies) {
  Recorded channel({Join(Connection(AF_INET, sizeof(tcp_info)), Done()),
                    Join(Connection(AF_INET6, sizeof(tcp_info)), Done())});
  const auto sockets = SockDiag(&channel).Tcp();
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_EQ(std::vector<int>({AF_INET, AF_INET6}), channel.families());
  ASSERT_EQ(2u, sockets->size());
  const TcpSocket& one = (*sockets)[0];
  EXPECT_EQ("192.0.2.1:40000", one.local);
  EXPECT_EQ("192.0.2.2:4420", one.remote);
  EXPECT_EQ("ESTABLISHED", one.state);
  EXPECT_EQ("cubic", one.congestion);
  EXPECT_EQ(11u, one.receive_queue);
  EXPECT_EQ(12u, one.send_queue);
  EXPECT_EQ(2u, one.receive_buffer);
  EXPECT_EQ(4u, one.send_buffer);
  EXPECT_EQ(9u, one.drops);
  EXPECT_EQ(250u, one.rtt);
  EXPECT_EQ(1448u, one.mss);
  EXPECT_TRUE(one.ecn);
  EXPECT_TRUE(one.application_limited);
  EXPECT_EQ(1000u, one.acknowledged);
  EXPECT_EQ(100u, one.sent_again);
  EXPECT_EQ(3u, one.segments_again);
  EXPECT_EQ(2u, one.unanswered);
  EXPECT_EQ(4000u, one.window_limited);
  EXPECT_EQ("[2001:db8::1]:40000", (*sockets)[1].local);
}

TEST(SockDiag, AnOlderKernelHasLessOfIt) {
  Recorded channel({Join(Connection(AF_INET, 104), Done()), Done()});
  const auto sockets = SockDiag(&channel).Tcp();
  ASSERT_TRUE(sockets);
  EXPECT_EQ(250u, (*sockets)[0].rtt);
  EXPECT_EQ(0u, (*sockets)[0].acknowledged);
}

TEST(SockDiag, ADumpThatFailedIsAnError) {
  Octets failed(64);
  nlmsghdr* header = mnl_nlmsg_put_header(failed.data());
  header->nlmsg_type = NLMSG_DONE;
  const int error = -ENOENT;
  std::memcpy(mnl_nlmsg_put_extra_header(header, sizeof(error)), &error,
              sizeof(error));
  failed.resize(header->nlmsg_len);
  Recorded channel({failed});
  EXPECT_EQ("sock_diag: No such file or directory",
            SockDiag(&channel).Tcp().error().message);
}

TEST(SockDiag, AnErrorAndACutAnswerAreErrors) {
  Octets refused(64);
  nlmsghdr* header = mnl_nlmsg_put_header(refused.data());
  header->nlmsg_type = NLMSG_ERROR;
  auto* body = static_cast<nlmsgerr*>(
      mnl_nlmsg_put_extra_header(header, sizeof(nlmsgerr)));
  body->error = -ENOENT;
  refused.resize(header->nlmsg_len);
  Recorded channel({refused});
  EXPECT_EQ("sock_diag: No such file or directory",
            SockDiag(&channel).Tcp().error().message);

  const Octets whole = Connection(AF_INET, sizeof(tcp_info));
  for (size_t n = 1; n < whole.size(); ++n) {
    Recorded cut(
        {Octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n)),
         Done()});
    EXPECT_FALSE(SockDiag(&cut).Tcp()) << n;
  }
  Octets endless = whole;
  std::fill_n(endless.begin(), sizeof(uint32_t), uint8_t{0xff});
  Recorded again({endless});
  EXPECT_EQ("sock_diag: an answer that is cut short",
            SockDiag(&again).Tcp().error().message);
}

}  // namespace
}  // namespace siw
