// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What the tools ask of netlink (devices, connections, queues, counters, TCP's
// state, queueing disciplines, routes), answered by a kernel of another version
// or driver: nothing is read beside an answer, there is no more in it than
// there is room for, and what is refused is an error.
//
// Input: the answer to every question, in the order of octets of this host.
#include <net/if.h>
#include <netinet/in.h>

#include <cctype>
#include <cstring>
#include <string>

#include "fuzz.h"
#include "one_link.h"
#include "tools/common/rdma_netlink.h"
#include "tools/common/sock_diag.h"
#include "tools/siw/net/net_facts.h"

namespace siw {
namespace {

constexpr size_t kHeader = 16, kAttribute = 4;
constexpr size_t kNumber = kAttribute + 4;  // an attribute of 32 bits
constexpr size_t kTcpSocket = kHeader + 72;

class Fed : public NetlinkChannel {
 public:
  explicit Fed(ByteSpan answer) : answer_(answer.begin(), answer.end()) {
    answer_.resize((answer_.size() + 3) / 4 * 4);
  }
  Result<Octets> Ask(std::span<const uint8_t> request) override {
    uint32_t length = 0;
    FUZZ_CHECK(request.size() >= kHeader);
    std::memcpy(&length, request.data(), sizeof(length));
    FUZZ_CHECK(length == request.size());
    return Octets(answer_.begin(), answer_.end());
  }
  size_t size() const { return answer_.size(); }

  // Does it begin with an NLMSG_ERROR and an errno?
  bool Refuses() const {
    uint32_t length = 0;
    uint16_t type = 0;
    int32_t error = 0;
    if (answer_.size() < kHeader + sizeof(error)) return false;
    std::memcpy(&length, answer_.data(), sizeof(length));
    std::memcpy(&type, answer_.data() + 4, sizeof(type));
    std::memcpy(&error, answer_.data() + kHeader, sizeof(error));
    return type == 2 && length >= kHeader + sizeof(error) &&
           length <= answer_.size() && error < 0;
  }

 private:
  Octets answer_;
};

// Each takes so many octets of the answer, at least.
template <typename List>
void CheckList(const Result<List>& list, size_t each, const Fed& fed) {
  FUZZ_CHECK(!list || !fed.Refuses());
  FUZZ_CHECK(!list || list->size() * each <= fed.size());
}

// "192.0.2.1:4791", "[2001:db8::1]:4791", or nothing
void CheckAddress(const std::string& text) {
  if (text.empty()) return;
  const size_t colon = text.rfind(':');
  FUZZ_CHECK(colon != std::string::npos && colon > 0);
  FUZZ_CHECK((text[0] == '[') == (text[colon - 1] == ']'));
  const std::string port = text.substr(colon + 1);
  FUZZ_CHECK(!port.empty() && port.size() <= 5 &&
             std::all_of(port.begin(), port.end(),
                         [](unsigned char c) { return std::isdigit(c); }));
}

void Rdma(Fed* fed) {
  RdmaNetlink netlink(fed);
  constexpr uint32_t kDevice = 0;
  CheckList(netlink.Devices(), kHeader + kNumber, *fed);
  CheckList(netlink.Ports(kDevice), kHeader + 2 * kNumber, *fed);
  const auto qps = netlink.Qps(kDevice);
  CheckList(qps, kAttribute + kNumber, *fed);
  for (const RdmaQp& qp : qps ? *qps : std::vector<RdmaQp>()) {
    FUZZ_CHECK(!qp.state.empty());
    FUZZ_CHECK(qp.details.size() * 2 * kNumber <= fed->size());
  }
  CheckList(netlink.Cqs(kDevice), kAttribute + kNumber, *fed);
  const auto ids = netlink.CmIds(kDevice);
  CheckList(ids, kAttribute, *fed);
  for (const RdmaCmId& id : ids ? *ids : std::vector<RdmaCmId>()) {
    FUZZ_CHECK(!id.state.empty());
    CheckAddress(id.source);
    CheckAddress(id.destination);
  }
  // An entry, and a number of 64 bits in it
  constexpr size_t kCount = kAttribute + kAttribute + 8;
  CheckList(netlink.Counters(kDevice, 1), kCount, *fed);
  CheckList(netlink.Objects(kDevice), kCount, *fed);
  FUZZ_CHECK(!netlink.DriverId(kDevice) || !fed->Refuses());
  FUZZ_CHECK(!netlink.NamespacesAreExclusive() || !fed->Refuses());
}

void Tcp(Fed* fed) {
  const auto sockets = SockDiag(fed).Tcp();
  // It is asked for IPv4, and once more for IPv6.
  CheckList(sockets, kTcpSocket / 2, *fed);
}

void Route(Fed* fed) {
  static const OneLink one_link;
  const net::Look look = net::TakeLook(one_link.host(), {}, {}, fed, 0);
  FUZZ_CHECK(look.netdevs.size() == 1);
  FUZZ_CHECK(look.netdevs.at("eth0").qdisc.size() <= fed->size());
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  FUZZ_CHECK(
      net::NetdevTowards(reinterpret_cast<const sockaddr*>(&to), fed).size() <
      IF_NAMESIZE);
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  siw::Fed fed({data, size});
  siw::Rdma(&fed);
  siw::Tcp(&fed);
  siw::Route(&fed);
  return 0;
}
