// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/peer.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace siw
