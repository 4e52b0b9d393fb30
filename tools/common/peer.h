// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A peer as a user names it: "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT",
// "NAME:PORT".
#ifndef SIW_TOOLS_COMMON_PEER_H_
#define SIW_TOOLS_COMMON_PEER_H_

#include <netdb.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "tools/common/result.h"

namespace siw {

// Has it a host, and a port only if there is such a one? getaddrinfo() takes
// 65537 for 1.
bool IsPeer(const std::string& peer);

// Host and port; the port may be empty.
std::pair<std::string, std::string> SplitPeer(const std::string& peer);

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

// For TCP, at least one, or why there is none: name servers that do not answer
// are waited for no longer.
Result<Addresses> Resolve(
    const std::string& host, const std::string& port,
    std::chrono::milliseconds wait = std::chrono::seconds(3),
    decltype(&getaddrinfo) lookup = getaddrinfo);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_PEER_H_
