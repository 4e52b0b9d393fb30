// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A pcap file of what went over connections, in Ethernet, IPv4 and TCP frames
// made up around the octets: what each side wrote at once is a segment. The
// suite has the Ethernet address 02:00:00:00:00:01, the device under test
// 02:...:02.
#ifndef SIW_SELFTESTS_CONFORM_PCAP_H_
#define SIW_SELFTESTS_CONFORM_PCAP_H_

#include <string>
#include <vector>

#include "selftests/conform/socket.h"

namespace siw::conform {

Bytes PcapOf(const std::vector<Trace>& traces);
Status WritePcap(const std::string& path, const std::vector<Trace>& traces);

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_PCAP_H_
