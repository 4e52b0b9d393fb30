// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/peer.h"

#include <fmt/format.h>

#include <cstdlib>
#include <future>
#include <thread>

namespace siw {

std::pair<std::string, std::string> SplitPeer(const std::string& peer) {
  if (!peer.empty() && peer[0] == '[') {
    const size_t end = peer.find(']');
    if (end == std::string::npos) return {peer, ""};
    const std::string port = end + 1 < peer.size() && peer[end + 1] == ':'
                                 ? peer.substr(end + 2)
                                 : "";
    return {peer.substr(1, end - 1), port};
  }
  const size_t colon = peer.find(':');
  // More than one: an address of IPv6 and no port.
  if (colon == std::string::npos || peer.rfind(':') != colon) return {peer, ""};
  return {peer.substr(0, colon), peer.substr(colon + 1)};
}

bool IsPeer(const std::string& peer) {
  const auto [host, port] = SplitPeer(peer);
  // A service of services(5) has a letter in it.
  if (port.find_first_not_of("0123456789") != std::string::npos)
    return !host.empty();
  const auto number = std::strtoul(port.c_str(), nullptr, 10);
  return !host.empty() && (port.empty() || (number > 0 && number <= 65535));
}

Result<Addresses> Resolve(const std::string& host, const std::string& port,
                          std::chrono::milliseconds wait,
                          decltype(&getaddrinfo) lookup) {
  struct Answer {
    int why = 0;
    Addresses list{nullptr, freeaddrinfo};
  };
  std::packaged_task<Answer()> task([host, port, lookup] {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    Answer answer;
    answer.why = lookup(host.c_str(), port.c_str(), &hints, &list);
    if (answer.why == 0) answer.list.reset(list);
    return answer;
  });
  std::future<Answer> coming = task.get_future();
  // It cannot be cancelled: who does not wait for it leaves it.
  std::thread(std::move(task)).detach();
  if (coming.wait_for(wait) != std::future_status::ready)
    return Error{fmt::format("could not be resolved in {:g} s",
                             std::chrono::duration<double>(wait).count())};
  Answer answer = coming.get();
  if (answer.why != 0) return Error{gai_strerror(answer.why)};
  return std::move(answer.list);
}

}  // namespace siw
