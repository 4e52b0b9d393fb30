// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Streams and devices at one moment: connections of RDMA netlink, each with its
// queue pair and its TCP connection of sock_diag.
#ifndef SIW_TOOLS_SIW_TOP_SAMPLE_H_
#define SIW_TOOLS_SIW_TOP_SAMPLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/host.h"
#include "tools/common/rdma_netlink.h"
#include "tools/common/sock_diag.h"
#include "tools/siw/status/facts.h"

namespace siw::top {

struct Stream {
  std::string device;
  RdmaCmId id;
  std::optional<TcpSocket> tcp;  // none: not found, or of another namespace
  // So far, modulo 2^32; none: the driver does not tell.
  std::optional<uint32_t> requests_done = {};  // work requests of our own
  std::optional<uint32_t> receives_done = {};
};

struct Device {
  std::string name;
  std::string netdev;
  std::map<std::string, uint64_t> counters;
};

struct Sample {
  int64_t time = 0;  // microseconds, of a clock that only goes forward
  std::vector<Device> devices;
  std::vector<Stream> streams;
  std::vector<std::string> unseen;  // what could not be seen, and why
};

// A channel may be null; `why` says why it is.
struct Channel {
  NetlinkChannel* channel = nullptr;
  std::string why;
};
Sample Take(const Host& host, const Channel& rdma, const Channel& diag,
            int64_t time);

}  // namespace siw::top

#endif  // SIW_TOOLS_SIW_TOP_SAMPLE_H_
