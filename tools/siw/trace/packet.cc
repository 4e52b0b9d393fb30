// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/packet.h"

#include <arpa/inet.h>

#include <algorithm>

namespace siw::trace {
namespace {

constexpr uint16_t kEtherIpv4 = 0x0800;
constexpr uint16_t kEtherIpv6 = 0x86dd;
constexpr int kMostVlanTags = 4;
constexpr int kMostExtensions = 8;
constexpr uint8_t kProtocolTcp = 6;
constexpr uint8_t kProtocolFragment = 44;

// What is left of a packet: octets that were captured, and how many there
// were on the wire.
class Rest {
 public:
  Rest(OctetSpan octets, uint32_t wire) : octets_(octets), wire_(wire) {}

  bool Has(size_t n) const { return octets_.size() >= n; }
  uint8_t U8(size_t at) const { return octets_[at]; }
  uint16_t Be16(size_t at) const {
    return static_cast<uint16_t>(octets_[at] << 8 | octets_[at + 1]);
  }
  uint32_t Be32(size_t at) const {
    return uint32_t{Be16(at)} << 16 | Be16(at + 2);
  }
  void CopyTo(size_t at, size_t n, Endpoint* endpoint) const {
    std::copy_n(octets_.begin() + static_cast<ptrdiff_t>(at), n,
                endpoint->address.begin());
  }
  void Skip(size_t n) {
    octets_ = octets_.subspan(n);
    wire_ -= std::min(wire_, static_cast<uint32_t>(n));
  }
  // What is behind the packet proper is padding of the link.
  void Limit(size_t n) {
    wire_ = std::min(wire_, static_cast<uint32_t>(n));
    octets_ = octets_.first(std::min(octets_.size(), n));
  }
  OctetSpan octets() const { return octets_; }
  uint32_t wire() const { return wire_; }

 private:
  OctetSpan octets_;
  uint32_t wire_;
};

PacketKind ParseTcp(Rest rest, TcpSegment* segment) {
  constexpr size_t kHeader = 20;
  if (!rest.Has(kHeader)) return PacketKind::kCut;
  const size_t header = size_t{rest.U8(12)} / 16 * 4;
  if (header < kHeader || rest.wire() < header) return PacketKind::kOther;
  if (!rest.Has(header)) return PacketKind::kCut;
  segment->source.port = rest.Be16(0);
  segment->destination.port = rest.Be16(2);
  segment->sequence = rest.Be32(4);
  segment->acknowledged = rest.Be32(8);
  const uint8_t flags = rest.U8(13);
  segment->fin = flags & 0x01;
  segment->syn = flags & 0x02;
  segment->rst = flags & 0x04;
  segment->ack = flags & 0x10;
  rest.Skip(header);
  segment->length = rest.wire();
  segment->payload = rest.octets();
  return PacketKind::kTcp;
}

PacketKind ParseIpv4(Rest rest, TcpSegment* segment) {
  constexpr size_t kHeader = 20;
  if (!rest.Has(kHeader)) return PacketKind::kCut;
  const size_t header = size_t{rest.U8(0)} % 16 * 4;
  const size_t total = rest.Be16(2);
  if (rest.U8(0) / 16 != 4 || header < kHeader) return PacketKind::kOther;
  // 0: left to the interface to fill in (segmentation offload)
  if (total != 0) {
    if (total < header) return PacketKind::kOther;
    rest.Limit(total);
  }
  if (rest.U8(9) != kProtocolTcp) return PacketKind::kOther;
  if (rest.Be16(6) & 0x3fff) return PacketKind::kFragment;
  if (!rest.Has(header)) return PacketKind::kCut;
  rest.CopyTo(12, 4, &segment->source);
  rest.CopyTo(16, 4, &segment->destination);
  rest.Skip(header);
  return ParseTcp(rest, segment);
}

bool IsExtension(uint8_t protocol) {
  return protocol == 0 || protocol == 43 || protocol == 60 ||
         protocol == kProtocolFragment;
}

PacketKind ParseIpv6(Rest rest, TcpSegment* segment) {
  constexpr size_t kHeader = 40;
  if (!rest.Has(kHeader)) return PacketKind::kCut;
  if (rest.U8(0) / 16 != 6) return PacketKind::kOther;
  const size_t payload = rest.Be16(4);
  if (payload != 0) rest.Limit(kHeader + payload);
  uint8_t next = rest.U8(6);
  segment->source.ipv6 = segment->destination.ipv6 = true;
  rest.CopyTo(8, 16, &segment->source);
  rest.CopyTo(24, 16, &segment->destination);
  rest.Skip(kHeader);
  for (int i = 0; i < kMostExtensions && IsExtension(next); ++i) {
    if (!rest.Has(8)) return PacketKind::kCut;
    if (next == kProtocolFragment && rest.Be16(2) & 0xfff9)
      return PacketKind::kFragment;
    const size_t length =
        next == kProtocolFragment ? 8 : 8 * (size_t{rest.U8(1)} + 1);
    next = rest.U8(0);
    if (!rest.Has(length)) return PacketKind::kCut;
    rest.Skip(length);
  }
  if (next != kProtocolTcp) return PacketKind::kOther;
  return ParseTcp(rest, segment);
}

PacketKind ParseIp(Rest rest, TcpSegment* segment) {
  if (!rest.Has(1)) return PacketKind::kCut;
  return rest.U8(0) / 16 == 6 ? ParseIpv6(rest, segment)
                              : ParseIpv4(rest, segment);
}

// `at` is where the type of what follows stands; behind it, the packet.
PacketKind ParseTyped(Rest rest, size_t at, size_t header,
                      TcpSegment* segment) {
  if (!rest.Has(header)) return PacketKind::kCut;
  uint16_t type = rest.Be16(at);
  rest.Skip(header);
  for (int i = 0; i < kMostVlanTags && (type == 0x8100 || type == 0x88a8);
       ++i) {
    if (!rest.Has(4)) return PacketKind::kCut;
    type = rest.Be16(2);
    rest.Skip(4);
  }
  if (type == kEtherIpv4) return ParseIpv4(rest, segment);
  if (type == kEtherIpv6) return ParseIpv6(rest, segment);
  return PacketKind::kOther;
}

}  // namespace

bool IsKnownLinkType(int link_type) {
  switch (link_type) {
    case kLinkNull:
    case kLinkEthernet:
    case kLinkRaw:
    case kLinkRawOther:
    case kLinkLoop:
    case kLinkCooked:
    case kLinkIpv4:
    case kLinkIpv6:
    case kLinkCooked2:
      return true;
    default:
      return false;
  }
}

std::string EndpointText(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(endpoint.ipv6 ? AF_INET6 : AF_INET, endpoint.address.data(), text,
            sizeof(text));
  const std::string port = ":" + std::to_string(endpoint.port);
  return endpoint.ipv6 ? "[" + std::string(text) + "]" + port : text + port;
}

PacketKind ParsePacket(int link_type, OctetSpan octets, uint32_t wire_length,
                       TcpSegment* segment) {
  *segment = {};
  Rest rest(octets,
            std::max(wire_length, static_cast<uint32_t>(octets.size())));
  switch (link_type) {
    case kLinkEthernet:
      return ParseTyped(rest, 12, 14, segment);
    case kLinkCooked:
      return ParseTyped(rest, 14, 16, segment);
    case kLinkCooked2:
      return ParseTyped(rest, 0, 20, segment);
    case kLinkNull:
    case kLinkLoop:
      if (!rest.Has(4)) return PacketKind::kCut;
      rest.Skip(4);
      return ParseIp(rest, segment);
    default:
      return ParseIp(rest, segment);
  }
}

}  // namespace siw::trace
