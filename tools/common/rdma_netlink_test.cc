// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/rdma_netlink.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <rdma/rdma_netlink.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace siw {
namespace {

// Answers as the kernel gives them, put together attribute by attribute.
class Answer {
 public:
  Answer& Message(uint16_t type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV,
                                                   RDMA_NLDEV_CMD_GET)) {
    Flush();
    room_.assign(4096, 0);
    header_ = mnl_nlmsg_put_header(room_.data());
    header_->nlmsg_type = type;
    header_->nlmsg_flags = NLM_F_MULTI;
    return *this;
  }
  Answer& U32(uint16_t type, uint32_t value) {
    mnl_attr_put_u32(header_, type, value);
    return *this;
  }
  Answer& U64(uint16_t type, uint64_t value) {
    mnl_attr_put_u64(header_, type, value);
    return *this;
  }
  Answer& U8(uint16_t type, uint8_t value) {
    mnl_attr_put_u8(header_, type, value);
    return *this;
  }
  Answer& Text(uint16_t type, const char* value) {
    mnl_attr_put_strz(header_, type, value);
    return *this;
  }
  Answer& Blob(uint16_t type, const void* data, size_t size) {
    mnl_attr_put(header_, type, size, data);
    return *this;
  }
  Answer& Open(uint16_t type) {
    nests_.push_back(mnl_attr_nest_start(header_, type));
    return *this;
  }
  Answer& Close() {
    mnl_attr_nest_end(header_, nests_.back());
    nests_.pop_back();
    return *this;
  }
  Answer& Failure(int error) {
    Message(NLMSG_ERROR);
    auto* body = static_cast<nlmsgerr*>(
        mnl_nlmsg_put_extra_header(header_, sizeof(nlmsgerr)));
    body->error = -error;
    return *this;
  }
  Octets Finish() {
    Message(NLMSG_DONE);
    Flush();
    return octets_;
  }

 private:
  void Flush() {
    if (header_)
      octets_.insert(octets_.end(), room_.begin(),
                     room_.begin() + header_->nlmsg_len);
    header_ = nullptr;
  }

  Octets octets_;
  Octets room_;
  nlmsghdr* header_ = nullptr;
  std::vector<nlattr*> nests_;
};

class Recorded : public NetlinkChannel {
 public:
  explicit Recorded(Octets answer) : answer_(std::move(answer)) {}
  Result<Octets> Ask(std::span<const uint8_t> request) override {
    asked_.assign(request.begin(), request.end());
    return answer_;
  }
  const nlmsghdr* asked() const {
    return reinterpret_cast<const nlmsghdr*>(asked_.data());
  }

 private:
  Octets answer_;
  Octets asked_;
};

sockaddr_storage Ipv4(uint32_t address, uint16_t port) {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address);
  sockaddr_storage storage = {};
  std::memcpy(&storage, &in, sizeof(in));
  return storage;
}

sockaddr_storage Ipv6Loopback(uint16_t port) {
  sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_addr = in6addr_loopback;
  sockaddr_storage storage = {};
  std::memcpy(&storage, &in6, sizeof(in6));
  return storage;
}

Octets TwoConnections() {
  const sockaddr_storage from = Ipv4(0xc0000202, 39218);
  const sockaddr_storage to = Ipv4(0xc0000201, 4420);
  const sockaddr_storage listening = Ipv6Loopback(20049);
  return Answer()
      .Message()
      .Open(RDMA_NLDEV_ATTR_RES_CM_ID)
      .Open(RDMA_NLDEV_ATTR_RES_CM_ID_ENTRY)
      .U32(RDMA_NLDEV_ATTR_RES_LQPN, 7)
      .U8(RDMA_NLDEV_ATTR_RES_STATE, 5)
      .U32(RDMA_NLDEV_ATTR_RES_PID, 1234)
      .Blob(RDMA_NLDEV_ATTR_RES_SRC_ADDR, &from, sizeof(from))
      .Blob(RDMA_NLDEV_ATTR_RES_DST_ADDR, &to, sizeof(to))
      .Close()
      .Open(RDMA_NLDEV_ATTR_RES_CM_ID_ENTRY)
      .U8(RDMA_NLDEV_ATTR_RES_STATE, 8)
      .Text(RDMA_NLDEV_ATTR_RES_KERN_NAME, "svcrdma")
      .Blob(RDMA_NLDEV_ATTR_RES_SRC_ADDR, &listening, sizeof(listening))
      .Close()
      .Close()
      .Finish();
}

TEST(RdmaNetlink, ListsDevices) {
  Recorded channel(Answer()
                       .Message()
                       .U32(RDMA_NLDEV_ATTR_DEV_INDEX, 0)
                       .Text(RDMA_NLDEV_ATTR_DEV_NAME, "siw0")
                       .Text(RDMA_NLDEV_ATTR_DEV_PROTOCOL, "iw")
                       .Message()
                       .U32(RDMA_NLDEV_ATTR_DEV_INDEX, 3)
                       .Text(RDMA_NLDEV_ATTR_DEV_NAME, "mlx5_0")
                       .Finish());
  const auto devices = RdmaNetlink(&channel).Devices();
  ASSERT_TRUE(devices) << devices.error().message;
  ASSERT_EQ(2u, devices->size());
  EXPECT_EQ("siw0", (*devices)[0].name);
  EXPECT_EQ("iw", (*devices)[0].protocol);
  EXPECT_EQ(3u, (*devices)[1].index);
  EXPECT_EQ(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET),
            channel.asked()->nlmsg_type);
  EXPECT_TRUE(channel.asked()->nlmsg_flags & NLM_F_DUMP);
}

TEST(RdmaNetlink, ListsPortsAndQueuePairs) {
  Recorded ports(Answer()
                     .Message()
                     .U32(RDMA_NLDEV_ATTR_DEV_INDEX, 2)
                     .U32(RDMA_NLDEV_ATTR_PORT_INDEX, 1)
                     .U8(RDMA_NLDEV_ATTR_PORT_STATE, 4)
                     .Text(RDMA_NLDEV_ATTR_NDEV_NAME, "eth0")
                     .Finish());
  const auto found = RdmaNetlink(&ports).Ports(2);
  ASSERT_TRUE(found);
  ASSERT_EQ(1u, found->size());
  EXPECT_EQ("eth0", (*found)[0].netdev);
  EXPECT_EQ(4, (*found)[0].state);

  Recorded qps(Answer()
                   .Message()
                   .Open(RDMA_NLDEV_ATTR_RES_QP)
                   .Open(RDMA_NLDEV_ATTR_RES_QP_ENTRY)
                   .U32(RDMA_NLDEV_ATTR_RES_LQPN, 9)
                   .U8(RDMA_NLDEV_ATTR_RES_STATE, 6)
                   .U32(RDMA_NLDEV_ATTR_RES_PID, 77)
                   .Close()
                   .Close()
                   .Finish());
  const auto list = RdmaNetlink(&qps).Qps(2);
  ASSERT_TRUE(list);
  ASSERT_EQ(1u, list->size());
  EXPECT_EQ(9u, (*list)[0].number);
  EXPECT_EQ("ERR", (*list)[0].state);
  EXPECT_EQ(77u, *(*list)[0].pid);
}

TEST(RdmaNetlink, ListsWhatTheDriverAddsToAQueuePair) {
  Recorded channel(Answer()
                       .Message()
                       .Open(RDMA_NLDEV_ATTR_RES_QP)
                       .Open(RDMA_NLDEV_ATTR_RES_QP_ENTRY)
                       .U32(RDMA_NLDEV_ATTR_RES_LQPN, 9)
                       .Open(RDMA_NLDEV_ATTR_DRIVER)
                       .Text(RDMA_NLDEV_ATTR_DRIVER_STRING, "stream")
                       .Text(RDMA_NLDEV_ATTR_DRIVER_STRING, "RTS")
                       .Text(RDMA_NLDEV_ATTR_DRIVER_STRING, "sq_size")
                       .U8(RDMA_NLDEV_ATTR_DRIVER_PRINT_TYPE, 1)
                       .U32(RDMA_NLDEV_ATTR_DRIVER_U32, 64)
                       .Text(RDMA_NLDEV_ATTR_DRIVER_STRING, "octets")
                       .U64(RDMA_NLDEV_ATTR_DRIVER_U64, 1ULL << 40)
                       .Close()
                       .Close()
                       .Close()
                       .Finish());
  const auto list = RdmaNetlink(&channel).Qps(2);
  ASSERT_TRUE(list);
  ASSERT_EQ(1u, list->size());
  const std::vector<std::pair<std::string, std::string>> want = {
      {"stream", "RTS"}, {"sq_size", "64"}, {"octets", "1099511627776"}};
  EXPECT_EQ(want, (*list)[0].details);
}

TEST(RdmaNetlink, ListsCompletionQueues) {
  Recorded channel(Answer()
                       .Message()
                       .Open(RDMA_NLDEV_ATTR_RES_CQ)
                       .Open(RDMA_NLDEV_ATTR_RES_CQ_ENTRY)
                       .U32(RDMA_NLDEV_ATTR_RES_CQN, 5)
                       .U32(RDMA_NLDEV_ATTR_RES_PID, 77)
                       .Open(RDMA_NLDEV_ATTR_DRIVER)
                       .Text(RDMA_NLDEV_ATTR_DRIVER_STRING, "overflowed")
                       .U32(RDMA_NLDEV_ATTR_DRIVER_U32, 1)
                       .Close()
                       .Close()
                       .Open(RDMA_NLDEV_ATTR_RES_CQ_ENTRY)
                       .U32(RDMA_NLDEV_ATTR_RES_CQN, 6)
                       .Text(RDMA_NLDEV_ATTR_RES_KERN_NAME, "nvme_rdma")
                       .Close()
                       .Close()
                       .Finish());
  const auto cqs = RdmaNetlink(&channel).Cqs(2);
  EXPECT_EQ(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_RES_CQ_GET),
            channel.asked()->nlmsg_type);
  ASSERT_TRUE(cqs);
  ASSERT_EQ(2u, cqs->size());
  EXPECT_EQ(5u, (*cqs)[0].number);
  EXPECT_EQ(77u, (*cqs)[0].pid);
  const std::vector<std::pair<std::string, std::string>> want = {
      {"overflowed", "1"}};
  EXPECT_EQ(want, (*cqs)[0].details);
  EXPECT_EQ("nvme_rdma", (*cqs)[1].owner);
  EXPECT_FALSE((*cqs)[1].pid);
}

TEST(RdmaNetlink, ReadsCounters) {
  Recorded channel(Answer()
                       .Message()
                       .U32(RDMA_NLDEV_ATTR_DEV_INDEX, 2)
                       .Open(RDMA_NLDEV_ATTR_STAT_HWCOUNTERS)
                       .Open(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY)
                       .Text(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_NAME, "rx")
                       .U64(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_VALUE, 5)
                       .Close()
                       .Close()
                       .Finish());
  const auto counters = RdmaNetlink(&channel).Counters(2, 1);
  ASSERT_TRUE(counters);
  EXPECT_EQ((std::map<std::string, uint64_t>{{"rx", 5}}), *counters);
}

TEST(RdmaNetlink, CountsTheObjectsOfOneDevice) {
  Answer answer;
  for (const uint32_t device : {1, 2}) {
    answer.Message()
        .U32(RDMA_NLDEV_ATTR_DEV_INDEX, device)
        .Open(RDMA_NLDEV_ATTR_RES_SUMMARY)
        .Open(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY)
        .Text(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_NAME, "mr")
        .U64(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_CURR, 10 * device)
        .Close()
        .Close();
  }
  Recorded channel(answer.Finish());
  const auto objects = RdmaNetlink(&channel).Objects(2);
  ASSERT_TRUE(objects);
  EXPECT_EQ((std::map<std::string, uint64_t>{{"mr", 20}}), *objects);
}

TEST(RdmaNetlink, ListsConnectionsWithTheirAddresses) {
  Recorded channel(TwoConnections());
  const auto ids = RdmaNetlink(&channel).CmIds(0);
  ASSERT_TRUE(ids) << ids.error().message;
  ASSERT_EQ(2u, ids->size());
  EXPECT_EQ("CONNECT", (*ids)[0].state);
  EXPECT_EQ(7u, *(*ids)[0].qp);
  EXPECT_EQ("192.0.2.2:39218", (*ids)[0].source);
  EXPECT_EQ("192.0.2.1:4420", (*ids)[0].destination);
  EXPECT_EQ("LISTEN", (*ids)[1].state);
  EXPECT_EQ("svcrdma", (*ids)[1].owner);
  EXPECT_EQ("[::1]:20049", (*ids)[1].source);
  EXPECT_FALSE((*ids)[1].pid);
}

TEST(RdmaNetlink, TellsTheDriver) {
  Recorded channel(
      Answer().Message().U32(RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID, 17).Finish());
  const auto driver = RdmaNetlink(&channel).DriverId(0);
  ASSERT_TRUE(driver);
  EXPECT_EQ(17u, *driver);
}

TEST(RdmaNetlink, TellsWhetherNamespacesAreExclusive) {
  for (const uint8_t mode : {0, 1}) {
    Recorded channel(
        Answer().Message().U8(RDMA_NLDEV_SYS_ATTR_NETNS_MODE, mode).Finish());
    const auto exclusive = RdmaNetlink(&channel).NamespacesAreExclusive();
    ASSERT_TRUE(exclusive);
    EXPECT_EQ(mode == 0, *exclusive);
  }
  // What is no octet is not known, and nobody is told that links are hidden.
  Recorded wide(
      Answer().Message().U32(RDMA_NLDEV_SYS_ATTR_NETNS_MODE, 0).Finish());
  const auto exclusive = RdmaNetlink(&wide).NamespacesAreExclusive();
  ASSERT_TRUE(exclusive);
  EXPECT_FALSE(*exclusive);
}

TEST(RdmaNetlink, AStateThatIsNotToldIsNotTheFirstOne) {
  Recorded channel(Answer()
                       .Message()
                       .Open(RDMA_NLDEV_ATTR_RES_QP)
                       .Open(RDMA_NLDEV_ATTR_RES_QP_ENTRY)
                       .U32(RDMA_NLDEV_ATTR_RES_LQPN, 9)
                       .Close()
                       .Close()
                       .Finish());
  const auto list = RdmaNetlink(&channel).Qps(2);
  ASSERT_TRUE(list);
  ASSERT_EQ(1u, list->size());
  EXPECT_EQ("unknown", (*list)[0].state);
}

TEST(RdmaNetlink, PassesOnWhatTheKernelRefuses) {
  Recorded channel(Answer().Failure(EPERM).Finish());
  const auto devices = RdmaNetlink(&channel).Devices();
  ASSERT_FALSE(devices);
  EXPECT_EQ("RDMA netlink: Operation not permitted", devices.error().message);
}

TEST(RdmaNetlink, TheEndOfADumpMayTellAnError) {
  std::array<char, 64> room = {};
  nlmsghdr* end = mnl_nlmsg_put_header(room.data());
  end->nlmsg_type = NLMSG_DONE;
  EXPECT_TRUE(EndsAnswer(end));
  EXPECT_EQ(0, ErrorAtEnd(end));
  auto* error = static_cast<int*>(mnl_nlmsg_put_extra_header(end, sizeof(int)));
  EXPECT_EQ(0, ErrorAtEnd(end));
  *error = -ENOENT;
  EXPECT_EQ(ENOENT, ErrorAtEnd(end));
  *error = INT_MIN;
  EXPECT_EQ(INT_MAX, ErrorAtEnd(end));
}

// The kernel itself answers, on the routing family: the same channel.
Octets AskForLinks(uint16_t flags, uint32_t sequence, int index) {
  Octets room(256, 0);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = RTM_GETLINK;
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = sequence;
  auto* body = static_cast<ifinfomsg*>(
      mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
  body->ifi_index = index;
  room.resize(header->nlmsg_len);
  return room;
}

std::vector<uint16_t> TypesOf(const Octets& answer) {
  std::vector<uint16_t> types;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  auto left = static_cast<int>(answer.size());
  for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
    types.push_back(header->nlmsg_type);
  return types;
}

TEST(MnlChannel, TakesWhatAnswersItsRequestAndNoMore) {
  auto channel = MnlChannel::Open(NETLINK_ROUTE);
  ASSERT_TRUE(channel) << channel.error().message;
  for (uint32_t sequence = 1; sequence < 7; sequence += 3) {
    const auto dump = (*channel)->Ask(AskForLinks(NLM_F_DUMP, sequence, 0));
    ASSERT_TRUE(dump) << dump.error().message;
    ASSERT_GE(TypesOf(*dump).size(), 2u);
    EXPECT_EQ(NLMSG_DONE, TypesOf(*dump).back());

    // The acknowledgment that follows is nobody's answer.
    const auto one = (*channel)->Ask(AskForLinks(NLM_F_ACK, sequence + 1, 1));
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(std::vector<uint16_t>({RTM_NEWLINK}), TypesOf(*one));

    const auto none = (*channel)->Ask(AskForLinks(0, sequence + 2, 1 << 30));
    ASSERT_TRUE(none);
    EXPECT_EQ(std::vector<uint16_t>({NLMSG_ERROR}), TypesOf(*none));
  }
}

TEST(RdmaNetlink, SurvivesEveryTruncation) {
  const Octets whole = TwoConnections();
  for (size_t n = 0; n < whole.size(); ++n) {
    // Its own allocation, so that a sanitizer sees what is read behind it.
    Recorded channel(
        Octets(whole.begin(), whole.begin() + static_cast<long>(n)));
    (void)RdmaNetlink(&channel).CmIds(0).ok();
  }
}

TEST(RdmaNetlink, SurvivesEveryFlip) {
  const Octets whole = TwoConnections();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Octets octets = whole;
      octets[at] = static_cast<uint8_t>(octets[at] ^ (1 << bit));
      Recorded channel(octets);
      (void)RdmaNetlink(&channel).CmIds(0).ok();
    }
  }
}

// What libmnl takes for a negative length goes nowhere, or backwards.
TEST(RdmaNetlink, SurvivesALengthAboveTwoGigabytes) {
  for (const uint32_t length : {0xffffffffu, 0xfffffff0u, 0x80000000u}) {
    Octets octets = TwoConnections();
    std::memcpy(octets.data(), &length, sizeof(length));
    Recorded channel(octets);
    const auto ids = RdmaNetlink(&channel).CmIds(0);
    ASSERT_FALSE(ids);
    EXPECT_EQ("RDMA netlink: an answer that is cut short", ids.error().message);
  }
}

}  // namespace
}  // namespace siw
