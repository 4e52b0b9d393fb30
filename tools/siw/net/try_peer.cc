// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
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
int FindSource(const addrinfo& to, PeerFacts* facts) {
  const Socket socket(to.ai_family, SOCK_DGRAM);
  sockaddr_storage source = {};
  socklen_t length = sizeof(source);
  auto* name = reinterpret_cast<sockaddr*>(&source);
  if (socket.fd() < 0 || connect(socket.fd(), to.ai_addr, to.ai_addrlen) < 0 ||
      getsockname(socket.fd(), name, &length) < 0)
    return errno;
  facts->source = AddressText(name);
  facts->netdev = NetdevOf(facts->source);
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

PeerFacts TryPeer(const std::string& peer) {
  PeerFacts facts;
  facts.asked = peer;
  const auto [host, port] = SplitPeer(peer);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int why = getaddrinfo(
      host.c_str(), port.empty() ? kAnyPort : port.c_str(), &hints, &list);
  if (why != 0) {
    facts.unknown = gai_strerror(why);
    return facts;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list,
                                                             freeaddrinfo);
  facts.address =
      AddressText(list->ai_addr) + (port.empty() ? "" : " port ") + port;
  const int no_route = FindSource(*list, &facts);
  if (no_route != 0)
    facts.error = no_route;
  else if (!port.empty())
    facts.error = TryPort(*list);
  return facts;
}

}  // namespace siw::net
