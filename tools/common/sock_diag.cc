// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/sock_diag.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace siw {
namespace {

// enum of include/net/tcp_states.h, which user space has no header for.
constexpr std::array<const char*, 13> kStates = {
    "",           "ESTABLISHED", "SYN-SENT",    "SYN-RECV",   "FIN-WAIT-1",
    "FIN-WAIT-2", "TIME-WAIT",   "CLOSE",       "CLOSE-WAIT", "LAST-ACK",
    "LISTEN",     "CLOSING",     "NEW-SYN-RECV"};
constexpr uint32_t kAllStates = (1 << kStates.size()) - 1;
constexpr uint32_t kNotWanted = 1 << 3 | 1 << 6 | 1 << 10 | 1 << 12;

std::string AddressText(uint8_t family, const __be32* address, __be16 port) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, text, sizeof(text));
  return family == AF_INET6 ? fmt::format("[{}]:{}", text, ntohs(port))
                            : fmt::format("{}:{}", text, ntohs(port));
}

// What an attribute has of a structure; a longer or shorter one is of another
// kernel.
template <typename T>
T Structure(const nlattr* attr) {
  T out = {};
  std::memcpy(&out, mnl_attr_get_payload(attr),
              std::min<size_t>(sizeof(out), mnl_attr_get_payload_len(attr)));
  return out;
}

void TakeInfo(const tcp_info& info, TcpSocket* socket) {
  socket->not_sent = info.tcpi_notsent_bytes;
  socket->mss = info.tcpi_snd_mss;
  socket->path_mtu = info.tcpi_pmtu;
  socket->window = info.tcpi_snd_cwnd;
  socket->send_window = info.tcpi_snd_wnd;
  socket->rtt = info.tcpi_rtt;
  socket->rtt_variance = info.tcpi_rttvar;
  socket->min_rtt = info.tcpi_min_rtt;
  socket->reordering = info.tcpi_reord_seen;
  socket->ecn_marks = info.tcpi_delivered_ce;
  socket->ecn = info.tcpi_options & TCPI_OPT_ECN;
  socket->application_limited = info.tcpi_delivery_rate_app_limited;
  socket->sent = info.tcpi_bytes_sent;
  socket->sent_again = info.tcpi_bytes_retrans;
  socket->acknowledged = info.tcpi_bytes_acked;
  socket->received = info.tcpi_bytes_received;
  socket->segments_again = info.tcpi_total_retrans;
  socket->unanswered = info.tcpi_retransmits;
  socket->delivery_rate = info.tcpi_delivery_rate;
  socket->busy = info.tcpi_busy_time;
  socket->window_limited = info.tcpi_rwnd_limited;
  socket->buffer_limited = info.tcpi_sndbuf_limited;
}

int TakeAttribute(const nlattr* attr, void* data) {
  auto* socket = static_cast<TcpSocket*>(data);
  switch (mnl_attr_get_type(attr)) {
    case INET_DIAG_INFO:
      TakeInfo(Structure<tcp_info>(attr), socket);
      break;
    case INET_DIAG_SKMEMINFO: {
      const auto memory =
          Structure<std::array<uint32_t, SK_MEMINFO_VARS>>(attr);
      socket->send_buffer = memory[SK_MEMINFO_SNDBUF];
      socket->receive_buffer = memory[SK_MEMINFO_RCVBUF];
      socket->drops = memory[SK_MEMINFO_DROPS];
      break;
    }
    case INET_DIAG_CONG:
      if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
        socket->congestion = mnl_attr_get_str(attr);
      break;
    default:
      break;
  }
  return MNL_CB_OK;
}

Octets RequestFor(uint8_t family, uint32_t sequence) {
  Octets room(MNL_NLMSG_HDRLEN + 256);
  nlmsghdr* header = mnl_nlmsg_put_header(room.data());
  header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = sequence;
  auto* request = static_cast<inet_diag_req_v2*>(
      mnl_nlmsg_put_extra_header(header, sizeof(inet_diag_req_v2)));
  request->sdiag_family = family;
  request->sdiag_protocol = IPPROTO_TCP;
  request->idiag_ext = 1 << (INET_DIAG_INFO - 1) |
                       1 << (INET_DIAG_SKMEMINFO - 1) |
                       1 << (INET_DIAG_CONG - 1);
  request->idiag_states = kAllStates & ~kNotWanted;
  room.resize(header->nlmsg_len);
  return room;
}

Status TakeAnswer(const Octets& answer, std::vector<TcpSocket>* sockets) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  auto left = static_cast<int>(answer.size());
  for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
    if (EndsAnswer(header)) {
      const std::optional<int> error = ErrorAtEnd(header);
      if (!error) break;
      if (*error == 0) return Done{};
      return Error{fmt::format("sock_diag: {}", std::strerror(*error))};
    }
    const void* payload = mnl_nlmsg_get_payload(header);
    const size_t length = mnl_nlmsg_get_payload_len(header);
    if (length < sizeof(inet_diag_msg)) break;
    inet_diag_msg message;
    std::memcpy(&message, payload, sizeof(message));
    TcpSocket socket;
    const inet_diag_sockid& id = message.id;
    socket.local =
        AddressText(message.idiag_family, id.idiag_src, id.idiag_sport);
    socket.remote =
        AddressText(message.idiag_family, id.idiag_dst, id.idiag_dport);
    if (message.idiag_state < kStates.size())
      socket.state = kStates[message.idiag_state];
    socket.receive_queue = message.idiag_rqueue;
    socket.send_queue = message.idiag_wqueue;
    mnl_attr_parse(header, sizeof(inet_diag_msg), TakeAttribute, &socket);
    sockets->push_back(std::move(socket));
  }
  if (left != 0) return Error{"sock_diag: an answer that is cut short"};
  return Done{};
}

}  // namespace

Result<std::vector<TcpSocket>> SockDiag::Tcp() {
  std::vector<TcpSocket> sockets;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    const Result<Octets> answer =
        channel_->Ask(RequestFor(family, ++sequence_));
    if (!answer) return answer.error();
    const Status status = TakeAnswer(*answer, &sockets);
    if (!status) return status.error();
  }
  return sockets;
}

}  // namespace siw
