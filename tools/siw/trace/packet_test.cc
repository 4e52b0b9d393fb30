// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/packet.h"

#include <gtest/gtest.h>

#include "tools/siw/trace/fixture.h"
#include "tools/siw/trace/reassembly.h"

namespace siw::trace {
namespace {

using wire::Be;
using wire::Bytes;
using wire::Tcp;
using wire::operator+;

TEST(Packet, OfEveryLinkTypeIsTheSame) {
  for (const int link : {0, 1, 12, 101, 108, 113, 228, 276}) {
    const Bytes frame = wire::Frame(link, {true, 7, 9, wire::kAck, {1, 2, 3}});
    TcpSegment segment;
    ASSERT_EQ(PacketKind::kTcp, ParsePacket(link, frame, 0, &segment)) << link;
    EXPECT_TRUE(IsKnownLinkType(link));
    EXPECT_EQ("192.0.2.1:40000", EndpointText(segment.source));
    EXPECT_EQ("192.0.2.2:4420", EndpointText(segment.destination));
    EXPECT_EQ(7u, segment.sequence);
    EXPECT_EQ(9u, segment.acknowledged);
    EXPECT_EQ(3u, segment.length);
    EXPECT_EQ(Bytes({1, 2, 3}),
              Bytes(segment.payload.begin(), segment.payload.end()));
  }
  EXPECT_FALSE(IsKnownLinkType(105));
}

TEST(Packet, OfIpv6AndVlan) {
  Tcp tcp{false, 1, 2, wire::kAck, {5}};
  tcp.ipv6 = true;
  const Bytes frame = Bytes(12) + Be(0x81000005, 4) + Be(0x86dd, 2) + Ip(tcp);
  TcpSegment segment;
  ASSERT_EQ(PacketKind::kTcp, ParsePacket(1, frame, 0, &segment));
  EXPECT_EQ("[2001:db8::2]:4420", EndpointText(segment.source));
  EXPECT_EQ(1u, segment.length);
}

TEST(Packet, PaddingIsNoPayload) {
  const Bytes frame = wire::Frame(1, {true, 0, 0, wire::kAck, {}}) + Bytes(6);
  TcpSegment segment;
  ASSERT_EQ(PacketKind::kTcp, ParsePacket(1, frame, 60, &segment));
  EXPECT_EQ(0u, segment.length);
}

TEST(Packet, EveryCutIsSurvivedAndKnown) {
  for (const bool ipv6 : {false, true}) {
    Tcp tcp{true, 0, 0, wire::kAck, Bytes(9)};
    tcp.ipv6 = ipv6;
    const Bytes whole = wire::Frame(kLinkEthernet, tcp);
    const auto wire = static_cast<uint32_t>(whole.size());
    for (size_t n = 0; n < whole.size(); ++n) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n));
      TcpSegment segment;
      const PacketKind kind = ParsePacket(kLinkEthernet, cut, wire, &segment);
      const bool headers = n >= whole.size() - 9;
      EXPECT_EQ(headers ? PacketKind::kTcp : PacketKind::kCut, kind) << n;
      if (headers) {
        EXPECT_EQ(9u, segment.length);
      }
    }
  }
}

TEST(Packet, FragmentsAreTold) {
  Bytes ip = wire::Ip({true, 0, 0, wire::kAck, {1}});
  ip[6] = 0x20;
  TcpSegment segment;
  EXPECT_EQ(PacketKind::kFragment, ParsePacket(kLinkRaw, ip, 0, &segment));
}

TEST(Reassembly, PutsInOrderWhatComesTwiceAndLate) {
  Reassembly tcp;
  const auto add = [&](uint32_t at, const Bytes& octets) {
    tcp.Add(at, static_cast<uint32_t>(octets.size()), octets, {});
  };
  tcp.Begin(0xfffffffe);
  add(2, {4, 5});
  add(0, {2, 3, 4});
  EXPECT_FALSE(tcp.Take(false));
  add(0xfffffffe, {0, 1, 2});
  Bytes all;
  while (const auto piece = tcp.Take(false)) all = all + piece->octets;
  EXPECT_EQ(Bytes({0, 1, 2, 3, 4, 5}), all);
  add(0, {2, 3});  // again
  EXPECT_FALSE(tcp.Take(true));
  EXPECT_EQ(0u, tcp.held());
}

TEST(Reassembly, GivesUpWhatDoesNotCome) {
  Reassembly tcp;
  tcp.Begin(0);
  tcp.Add(10, 2, Bytes({7, 8}), {});
  EXPECT_FALSE(tcp.Take(false));
  auto piece = tcp.Take(true);
  ASSERT_TRUE(piece);
  EXPECT_EQ(10u, piece->missing);
  EXPECT_FALSE(piece->cut);
  piece = tcp.Take(false);
  ASSERT_TRUE(piece);
  EXPECT_EQ(Bytes({7, 8}), piece->octets);
}

TEST(Reassembly, HoldsNoMoreThanItMay) {
  Reassembly tcp;
  tcp.Begin(0);
  for (uint32_t at = 1; at < 4 * Reassembly::kMostOctets; at += 2000) {
    tcp.Add(at, 1000, Bytes(1000), {});
    while (tcp.Take(false)) continue;
    EXPECT_LE(tcp.held(), Reassembly::kMostOctets + 1000);
  }
}

}  // namespace
}  // namespace siw::trace
