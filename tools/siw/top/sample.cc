// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/top/sample.h"

#include <cstdlib>
#include <string_view>
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

std::optional<uint32_t> Count(const RdmaQp& qp, std::string_view name) {
  for (const auto& [key, value] : qp.details) {
    if (key == name)
      return static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  }
  return {};
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
    std::map<uint32_t, const RdmaQp*> queues;
    for (const RdmaQp& qp : link.queues) queues[qp.number] = &qp;
    for (const RdmaCmId& id : link.connections) {
      // Listeners and ids without a queue pair carry nothing.
      if (id.state == "LISTEN" || !id.qp) continue;
      Stream stream{link.name, id, {}};
      const auto found = sockets.find({id.source, id.destination});
      if (found != sockets.end()) stream.tcp = found->second;
      if (const auto qp = queues.find(*id.qp); qp != queues.end()) {
        stream.requests_done = Count(*qp->second, "sq_done");
        stream.receives_done = Count(*qp->second, "rq_done");
      }
      sample.streams.push_back(std::move(stream));
    }
  }
  return sample;
}

}  // namespace siw::top
