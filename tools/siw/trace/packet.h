// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// From an octet string of a capture to the TCP segment in it.
#ifndef SIW_TOOLS_SIW_TRACE_PACKET_H_
#define SIW_TOOLS_SIW_TRACE_PACKET_H_

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>

namespace siw::trace {

using OctetSpan = std::span<const uint8_t>;

// What a capture is of, by the numbers of libpcap (pcap/dlt.h).
enum LinkType {
  kLinkNull = 0,
  kLinkEthernet = 1,
  kLinkRaw = 12,
  kLinkRawOther = 101,  // the same in a file
  kLinkLoop = 108,
  kLinkCooked = 113,  // tcpdump -i any
  kLinkIpv4 = 228,
  kLinkIpv6 = 229,
  kLinkCooked2 = 276,
};
bool IsKnownLinkType(int link_type);

struct Endpoint {
  bool ipv6 = false;
  std::array<uint8_t, 16> address = {};  // IPv4 in the first four
  uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
};

// "192.0.2.1:4791", "[2001:db8::1]:4791"
std::string EndpointText(const Endpoint& endpoint);

struct TcpSegment {
  Endpoint source;
  Endpoint destination;
  uint32_t sequence = 0;
  uint32_t acknowledged = 0;
  bool syn = false;
  bool ack = false;
  bool fin = false;
  bool rst = false;
  uint32_t length = 0;  // octets of payload on the wire
  OctetSpan payload;    // those of them that were captured
};

enum class PacketKind {
  kTcp,
  kOther,     // not TCP over IP
  kFragment,  // of an IP packet; they are not put together
  kCut,       // the capture has too little of it to tell
};

// `wire_length` is what the packet had; `octets` may be fewer. `segment` is
// set for kTcp alone and points into `octets`.
PacketKind ParsePacket(int link_type, OctetSpan octets, uint32_t wire_length,
                       TcpSegment* segment);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_PACKET_H_
