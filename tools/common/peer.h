// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A peer as a user names it: "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT",
// "NAME:PORT".
#ifndef SIW_TOOLS_COMMON_PEER_H_
#define SIW_TOOLS_COMMON_PEER_H_

#include <string>
#include <utility>

namespace siw {

// Has it a host, and a port only if there is such a one? getaddrinfo() takes
// 65537 for 1.
bool IsPeer(const std::string& peer);

// Host and port; the port may be empty.
std::pair<std::string, std::string> SplitPeer(const std::string& peer);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_PEER_H_
