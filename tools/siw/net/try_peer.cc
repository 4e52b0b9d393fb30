// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "tools/common/peer.h"
#include "tools/siw/net/net_facts.h"

namespace siw::net {
namespace {

constexpr int kWaitMilliseconds = 3000;
constexpr const char* kAnyPort = "9";  // nothing is sent to it

class Socket {
 public:
  Socket(int family, int type)
      : fd_(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string AddressText(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in6;
    std::memcpy(&in6, address, sizeof(in6));
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
  }
  return text;
}

// The interface that has an address.
std::string NetdevOf(const std::string& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return "";
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || AddressText(at->ifa_addr) != address) continue;
    // An address of IPv4 may have a label: "eth0:1"
    const std::string name = at->ifa_name;
    return name.substr(0, name.find(':'));
  }
  return "";
}

// Which address of this host would be used: connecting a datagram socket asks
// the routing table and sends nothing.
int FindSource(const addrinfo& to, NetlinkChannel* route, PeerFacts* facts) {
  const Socket socket(to.ai_family, SOCK_DGRAM);
  sockaddr_storage source = {};
  socklen_t length = sizeof(source);
  auto* name = reinterpret_cast<sockaddr*>(&source);
  if (socket.fd() < 0 || connect(socket.fd(), to.ai_addr, to.ai_addrlen) < 0 ||
      getsockname(socket.fd(), name, &length) < 0)
    return errno;
  facts->source = AddressText(name);
  if (route) facts->netdev = NetdevTowards(to.ai_addr, route);
  if (facts->netdev.empty()) facts->netdev = NetdevOf(facts->source);
  return 0;
}

int TryPort(const addrinfo& to) {
  const Socket socket(to.ai_family, SOCK_STREAM);
  if (socket.fd() < 0) return errno;
  if (connect(socket.fd(), to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait = {socket.fd(), POLLOUT, 0};
  if (poll(&wait, 1, kWaitMilliseconds) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

}  // namespace

std::string NetdevTowards(const sockaddr* to, NetlinkChannel* route) {
  Octets request(MNL_NLMSG_HDRLEN + 128);
  nlmsghdr* asked = mnl_nlmsg_put_header(request.data());
  asked->nlmsg_type = RTM_GETROUTE;
  asked->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  asked->nlmsg_seq = 1;
  auto* about =
      static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(asked, sizeof(rtmsg)));
  about->rtm_family = static_cast<uint8_t>(to->sa_family);
  if (to->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, to, sizeof(in));
    about->rtm_dst_len = 32;
    mnl_attr_put(asked, RTA_DST, sizeof(in.sin_addr), &in.sin_addr);
  } else {
    sockaddr_in6 in6;
    std::memcpy(&in6, to, sizeof(in6));
    about->rtm_dst_len = 128;
    mnl_attr_put(asked, RTA_DST, sizeof(in6.sin6_addr), &in6.sin6_addr);
    if (in6.sin6_scope_id) mnl_attr_put_u32(asked, RTA_OIF, in6.sin6_scope_id);
  }
  request.resize(asked->nlmsg_len);
  const Result<Octets> answer = route->Ask(request);
  if (!answer) return "";

  const auto* header = reinterpret_cast<const nlmsghdr*>(answer->data());
  if (!IsWhole(header, static_cast<int>(answer->size())) ||
      header->nlmsg_type != RTM_NEWROUTE ||
      mnl_nlmsg_get_payload_len(header) < sizeof(rtmsg))
    return "";
  rtmsg found;
  std::memcpy(&found, mnl_nlmsg_get_payload(header), sizeof(found));
  if (found.rtm_type != RTN_UNICAST) return "";
  uint32_t index = 0;
  mnl_attr_parse(
      header, sizeof(rtmsg),
      [](const nlattr* attr, void* data) -> int {
        if (mnl_attr_get_type(attr) == RTA_OIF &&
            mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
          *static_cast<uint32_t*>(data) = mnl_attr_get_u32(attr);
        return MNL_CB_OK;
      },
      &index);
  char name[IF_NAMESIZE] = "";
  return if_indextoname(index, name) ? name : "";
}

PeerFacts TryPeer(const std::string& peer, NetlinkChannel* route) {
  PeerFacts facts;
  facts.asked = peer;
  const auto [host, port] = SplitPeer(peer);
  const Result<Addresses> list = Resolve(host, port.empty() ? kAnyPort : port);
  if (!list) {
    facts.unknown = list.error().message;
    return facts;
  }
  const addrinfo& first = **list;
  facts.address =
      AddressText(first.ai_addr) + (port.empty() ? "" : " port ") + port;
  const int no_route = FindSource(first, route, &facts);
  if (no_route != 0)
    facts.error = no_route;
  else if (!port.empty())
    facts.error = TryPort(first);
  return facts;
}

}  // namespace siw::net
