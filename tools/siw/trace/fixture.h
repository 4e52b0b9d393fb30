// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Packets and captures for tests.
#ifndef SIW_TOOLS_SIW_TRACE_FIXTURE_H_
#define SIW_TOOLS_SIW_TRACE_FIXTURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/siw/trace/packet.h"

namespace siw::trace::wire {

using Bytes = std::vector<uint8_t>;

inline Bytes FromHex(std::string_view hex) {
  Bytes out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<uint8_t>(
        std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes Be(uint64_t value, int octets) {
  Bytes out;
  for (int i = octets - 1; i >= 0; --i)
    out.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return out;
}

enum Flags { kFin = 1, kSyn = 2, kRst = 4, kAck = 16 };

// One TCP segment from a client (192.0.2.1:40000) to a server (192.0.2.2:4420)
// or back.
struct Tcp {
  bool to_server = true;
  uint32_t sequence = 0;
  uint32_t acknowledged = 0;
  int flags = kAck;
  Bytes payload;
  bool ipv6 = false;
  uint16_t client_port = 40000;
};

inline Bytes Ip(const Tcp& tcp) {
  const uint16_t client = tcp.client_port;
  constexpr uint16_t kServer = 4420;
  const Bytes segment = Be(tcp.to_server ? client : kServer, 2) +
                        Be(tcp.to_server ? kServer : client, 2) +
                        Be(tcp.sequence, 4) + Be(tcp.acknowledged, 4) +
                        Be(0x5000u | static_cast<uint32_t>(tcp.flags), 2) +
                        Be(0xffff, 2) + Be(0, 4) + tcp.payload;
  const int from = tcp.to_server ? 1 : 2;
  if (tcp.ipv6) {
    const Bytes net = Be(0x20010db800000000, 8);
    return Be(0x60000000, 4) + Be(segment.size(), 2) + Be(6, 1) + Be(64, 1) +
           net + Be(static_cast<uint64_t>(from), 8) + net +
           Be(static_cast<uint64_t>(3 - from), 8) + segment;
  }
  return Be(0x4500, 2) + Be(20 + segment.size(), 2) + Be(0, 4) + Be(64, 1) +
         Be(6, 1) + Be(0, 2) +
         Be(0xc0000200u + static_cast<uint32_t>(from), 4) +
         Be(0xc0000200u + static_cast<uint32_t>(3 - from), 4) + segment;
}

// The same in a frame of a link type.
inline Bytes Frame(int link_type, const Tcp& tcp) {
  const uint64_t type = tcp.ipv6 ? 0x86dd : 0x0800;
  switch (link_type) {
    case kLinkEthernet:
      return Bytes(12) + Be(type, 2) + Ip(tcp);
    case kLinkCooked:
      return Bytes(14) + Be(type, 2) + Ip(tcp);
    case kLinkCooked2:
      return Be(type, 2) + Bytes(18) + Ip(tcp);
    case kLinkNull:
    case kLinkLoop:
      return Bytes(4) + Ip(tcp);
    default:
      return Ip(tcp);
  }
}

// A file as of tcpdump, one packet a millisecond.
class Pcap {
 public:
  explicit Pcap(int link_type) : link_type_(link_type) {
    octets_ = Be(0xa1b2c3d4, 4) + Be(2, 2) + Be(4, 2) + Be(0, 8) +
              Be(262144, 4) + Be(static_cast<uint64_t>(link_type), 4);
  }
  Pcap& Add(const Tcp& tcp, size_t snap = SIZE_MAX) {
    return AddFrame(Frame(link_type_, tcp), snap);
  }
  Pcap& AddFrame(const Bytes& frame, size_t snap = SIZE_MAX) {
    const size_t n = std::min(snap, frame.size());
    octets_ = octets_ + Be(1700000000, 4) + Be(1000 * count_++, 4) + Be(n, 4) +
              Be(frame.size(), 4);
    octets_.insert(octets_.end(), frame.begin(),
                   frame.begin() + static_cast<ptrdiff_t>(n));
    return *this;
  }
  const Bytes& octets() const { return octets_; }

 private:
  int link_type_;
  uint64_t count_ = 0;
  Bytes octets_;
};

}  // namespace siw::trace::wire

#endif  // SIW_TOOLS_SIW_TRACE_FIXTURE_H_
