// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What the kernel's RDMA netlink (RDMA_NL_NLDEV) tells about devices and
// connections; thin over libmnl.
#ifndef SIW_TOOLS_COMMON_RDMA_NETLINK_H_
#define SIW_TOOLS_COMMON_RDMA_NETLINK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/common/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace siw {

using Octets = std::vector<uint8_t>;

constexpr int kFamilyRdma = 20;  // NETLINK_RDMA

// Takes one request and returns all messages that answer it (that have its
// sequence number), one after the other as they came, each filled up to a
// multiple of four octets: libmnl looks at what fills them up. Tests put
// recorded answers in its place.
class NetlinkChannel {
 public:
  virtual ~NetlinkChannel() = default;
  virtual Result<Octets> Ask(std::span<const uint8_t> request) = 0;
};

// mnl_nlmsg_ok(), which takes a length above 2 GiB for a negative one.
bool IsWhole(const nlmsghdr* header, int left);

// Is this the message that ends an answer: NLMSG_DONE or NLMSG_ERROR?
bool EndsAnswer(const nlmsghdr* header);

// The errno it tells, 0 for success, none if it is cut short. A dump that
// failed says so in its NLMSG_DONE.
std::optional<int> ErrorAtEnd(const nlmsghdr* header);

// A socket of NETLINK_RDMA or of another family. No right is needed for what is
// asked here.
class MnlChannel : public NetlinkChannel {
 public:
  // `name` begins what is said of errors.
  static Result<std::unique_ptr<NetlinkChannel>> Open(
      int family = kFamilyRdma, const char* name = "RDMA netlink");
  Result<Octets> Ask(std::span<const uint8_t> request) override;

 private:
  struct Closer {
    void operator()(mnl_socket* socket) const;
  };
  using Socket = std::unique_ptr<mnl_socket, Closer>;
  MnlChannel(Socket socket, const char* name)
      : socket_(std::move(socket)), name_(name) {}

  Socket socket_;
  const char* name_;
};

struct RdmaDevice {
  uint32_t index = 0;
  std::string name;
  std::string protocol;  // "iw", "roce", "ib"; empty if the kernel is too old
};

struct RdmaPort {
  uint32_t device = 0;
  uint32_t port = 0;
  std::string netdev;
  uint8_t state = 0;  // enum ib_port_state: 1 is down, 4 is active
};

struct RdmaQp {
  uint32_t number = 0;
  std::string state;
  std::optional<uint32_t> pid;  // none for a queue pair of the kernel's
  std::string owner;            // what the kernel's user is called
  // What the driver adds to it, as "rdma -dd resource show qp" does.
  std::vector<std::pair<std::string, std::string>> details;
};

struct RdmaCq {
  uint32_t number = 0;
  std::optional<uint32_t> pid;  // none for a completion queue of the kernel's
  std::string owner;            // what the kernel's user is called
  // What the driver adds to it, as "rdma -dd resource show cq" does.
  std::vector<std::pair<std::string, std::string>> details;
};

struct RdmaCmId {
  std::optional<uint32_t> qp;
  std::string state;
  std::optional<uint32_t> pid;
  std::string owner;
  std::string source;  // "192.0.2.1:4791", "[2001:db8::1]:4791"
  std::string destination;
};

class RdmaNetlink {
 public:
  explicit RdmaNetlink(NetlinkChannel* channel) : channel_(channel) {}

  Result<std::vector<RdmaDevice>> Devices();
  Result<std::vector<RdmaPort>> Ports(uint32_t device);
  Result<std::vector<RdmaQp>> Qps(uint32_t device);
  Result<std::vector<RdmaCq>> Cqs(uint32_t device);
  Result<std::vector<RdmaCmId>> CmIds(uint32_t device);
  // "rdma statistic show link": also of a device that sysfs does not show here.
  Result<std::map<std::string, uint64_t>> Counters(uint32_t device,
                                                   uint32_t port);
  // How many objects of each kind ("qp", "mr") there are.
  Result<std::map<std::string, uint64_t>> Objects(uint32_t device);
  // RDMA_DRIVER_*, as its character device for verbs says.
  Result<uint32_t> DriverId(uint32_t device);
  // Is a device seen in its own network namespace alone?
  Result<bool> NamespacesAreExclusive();

 private:
  Result<Octets> AskAbout(int command, uint32_t device);

  NetlinkChannel* channel_;
  uint32_t sequence_ = 0;
};

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_RDMA_NETLINK_H_
