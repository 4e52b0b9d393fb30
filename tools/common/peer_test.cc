// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/peer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

namespace siw {
namespace {

TEST(Peer, SplitsAddressAndPort) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(Pair("192.0.2.2", ""), SplitPeer("192.0.2.2"));
  EXPECT_EQ(Pair("host", "4420"), SplitPeer("host:4420"));
  EXPECT_EQ(Pair("2001:db8::2", ""), SplitPeer("2001:db8::2"));
  EXPECT_EQ(Pair("2001:db8::2", "1"), SplitPeer("[2001:db8::2]:1"));
  EXPECT_EQ(Pair("2001:db8::2", ""), SplitPeer("[2001:db8::2]"));
  EXPECT_EQ(Pair("[x", ""), SplitPeer("[x"));
}

TEST(Peer, HasAHostAndAPortThatThereIs) {
  for (const char* peer :
       {"192.0.2.2", "host:1", "[2001:db8::2]:65535", "h:nfs"})
    EXPECT_TRUE(IsPeer(peer)) << peer;
  for (const char* peer : {"", ":", ":4420", "[]:1", "host:0", "host:65536",
                           "host:99999999999999999999"})
    EXPECT_FALSE(IsPeer(peer)) << peer;
}

TEST(Peer, HasAddressesOrSaysWhyNot) {
  const auto here = Resolve("127.0.0.1", "7174");
  ASSERT_TRUE(here.ok());
  ASSERT_NE(nullptr, here->get());
  EXPECT_EQ(AF_INET, (*here)->ai_family);
  EXPECT_EQ(SOCK_STREAM, (*here)->ai_socktype);
  EXPECT_FALSE(Resolve("127.0.0.1", "no-port").ok());
}

TEST(Peer, WaitsForNoNameServerForever) {
  const auto never = [](const char*, const char*, const addrinfo*,
                        addrinfo**) -> int {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return EAI_AGAIN;
  };
  const auto list =
      Resolve("host", "7174", std::chrono::milliseconds(10), never);
  ASSERT_FALSE(list.ok());
  EXPECT_EQ("could not be resolved in 0.01 s", list.error().message);
}

}  // namespace
}  // namespace siw
