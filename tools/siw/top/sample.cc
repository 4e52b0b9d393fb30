// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/top/sample.h"

#include <utility>

namespace siw::top {
namespace {

using Ends = std::pair<std::string, std::string>;

std::map<Ends, TcpSocket> Sockets(const Channel& diag, Sample* sample) {
  std::map<Ends, TcpSocket> out;
  if (!diag.channel) {
    sample->unseen.push_back(diag.why);
    return out;
  }
  Result<std::vector<TcpSocket>> sockets = SockDiag(diag.channel).Tcp();
  if (!sockets) {
    sample->unseen.push_back(sockets.error().message);
    return out;
  }
  for (TcpSocket& socket : *sockets) {
    Ends ends(socket.local, socket.remote);
    out.emplace(std::move(ends), std::move(socket));
  }
  return out;
}

}  // namespace

Sample Take(const Host& host, const Channel& rdma, const Channel& diag,
            int64_t time) {
  Sample sample;
  sample.time = time;
  const Facts facts = GatherLinks(host, rdma.channel);
  if (!rdma.channel) sample.unseen.push_back(rdma.why);
  if (!facts.netlink_unread.empty())
    sample.unseen.push_back(facts.netlink_unread);
  if (facts.links.empty()) {
    sample.unseen.push_back(facts.module.loaded
                                ? "no siw link is seen here: siw doctor"
                                : "the module siw is not loaded: siw doctor");
    return sample;
  }
  const std::map<Ends, TcpSocket> sockets = Sockets(diag, &sample);
  for (const Link& link : facts.links) {
    sample.devices.push_back({link.name, link.netdev, link.counters});
    for (const RdmaCmId& id : link.connections) {
      // Listeners and ids without a queue pair carry nothing.
      if (id.state == "LISTEN" || !id.qp) continue;
      Stream stream{link.name, id, {}};
      const auto found = sockets.find({id.source, id.destination});
      if (found != sockets.end()) stream.tcp = found->second;
      sample.streams.push_back(std::move(stream));
    }
  }
  return sample;
}

}  // namespace siw::top
