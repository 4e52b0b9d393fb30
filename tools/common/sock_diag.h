// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What the kernel tells of its TCP connections (sock_diag, TCP_INFO), those of
// the kernel itself included; thin over libmnl.
#ifndef SIW_TOOLS_COMMON_SOCK_DIAG_H_
#define SIW_TOOLS_COMMON_SOCK_DIAG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/common/rdma_netlink.h"
#include "tools/common/result.h"

namespace siw {

constexpr int kFamilySockDiag = 4;  // NETLINK_SOCK_DIAG

// tcp(7); what an older kernel does not have is 0.
struct TcpSocket {
  std::string local;  // "192.0.2.1:4791", "[2001:db8::1]:4791"
  std::string remote;
  std::string state;  // "ESTABLISHED"
  std::string congestion;
  uint32_t receive_queue = 0;  // octets not read
  uint32_t send_queue = 0;     // octets not acknowledged
  uint32_t not_sent = 0;
  uint32_t send_buffer = 0;  // octets of memory it may take
  uint32_t receive_buffer = 0;
  uint32_t drops = 0;
  uint32_t mss = 0;
  uint32_t path_mtu = 0;
  uint32_t window = 0;       // cwnd, segments
  uint32_t send_window = 0;  // what the peer takes, octets
  uint32_t rtt = 0;          // microseconds
  uint32_t rtt_variance = 0;
  uint32_t min_rtt = 0;
  uint32_t reordering = 0;  // times it was seen
  uint32_t ecn_marks = 0;   // segments delivered with CE
  bool ecn = false;         // negotiated
  bool application_limited = false;
  uint64_t sent = 0;  // octets, with what was sent again
  uint64_t sent_again = 0;
  uint64_t acknowledged = 0;
  uint64_t received = 0;
  uint32_t segments_again = 0;
  uint32_t unanswered = 0;      // of them in a row, each after a time-out
  uint64_t delivery_rate = 0;   // octets a second
  uint64_t busy = 0;            // microseconds with something to send
  uint64_t window_limited = 0;  // ... and the peer's window full
  uint64_t buffer_limited = 0;  // ... and the send buffer too small
};

class SockDiag {
 public:
  explicit SockDiag(NetlinkChannel* channel) : channel_(channel) {}

  // Of this network namespace, IPv4 and IPv6, without those that listen.
  Result<std::vector<TcpSocket>> Tcp();

 private:
  NetlinkChannel* channel_;
  uint32_t sequence_ = 0;
};

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_SOCK_DIAG_H_
