// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/rdma_netlink.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <utility>

namespace siw {
namespace {

constexpr size_t kBufferSize = 32768;
constexpr int kWaitSeconds = 2;

// enum ib_qp_state and enum rdma_cm_state, in the words of rdma(8).
constexpr std::array<const char*, 7> kQpStates = {"RESET", "INIT", "RTR", "RTS",
                                                  "SQD",   "SQE",  "ERR"};
constexpr std::array<const char*, 12> kCmStates = {
    "IDLE",           "ADDR_QUERY",     "ADDR_RESOLVED", "ROUTE_QUERY",
    "ROUTE_RESOLVED", "CONNECT",        "DISCONNECT",    "ADDR_BOUND",
    "LISTEN",         "DEVICE_REMOVAL", "DESTROYING",    "ADDRINFO_QUERY"};

template <size_t kCount>
std::string NameOf(const std::array<const char*, kCount>& names,
                   std::optional<uint8_t> n) {
  if (!n) return "unknown";
  return *n < kCount ? names[*n] : fmt::format("state {}", *n);
}

class Request {
 public:
  Request(int command, uint16_t flags, uint32_t sequence)
      : room_(MNL_NLMSG_HDRLEN + 64) {
    header_ = mnl_nlmsg_put_header(room_.data());
    header_->nlmsg_type =
        static_cast<uint16_t>(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command));
    header_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    header_->nlmsg_seq = sequence;
  }

  void Put(uint16_t type, uint32_t value) {
    mnl_attr_put_u32(header_, type, value);
  }
  void Put(uint16_t type, const char* value) {
    mnl_attr_put_strz(header_, type, value);
  }
  std::span<const uint8_t> octets() const {
    return {room_.data(), header_->nlmsg_len};
  }

 private:
  Octets room_;
  nlmsghdr* header_;
};

// libmnl's own loops over attributes are macros that only C takes.
template <typename Use>
void ForEachAttribute(const void* payload, size_t length, Use use) {
  const auto* begin = static_cast<const uint8_t*>(payload);
  const auto* attr = static_cast<const nlattr*>(payload);
  while (true) {
    const auto used = reinterpret_cast<const uint8_t*>(attr) - begin;
    if (!mnl_attr_ok(attr, static_cast<int>(length) - static_cast<int>(used)))
      return;
    use(attr);
    attr = mnl_attr_next(attr);
  }
}

template <typename Use>
void ForEachNested(const nlattr* nest, Use use) {
  ForEachAttribute(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest),
                   use);
}

// Attributes by type; libmnl sees to it that none goes past its message.
class Attributes {
 public:
  explicit Attributes(const nlmsghdr* header) {
    ForEachAttribute(mnl_nlmsg_get_payload(header),
                     mnl_nlmsg_get_payload_len(header),
                     [this](const nlattr* attr) { Add(attr); });
  }
  explicit Attributes(const nlattr* nest) {
    ForEachNested(nest, [this](const nlattr* attr) { Add(attr); });
  }

  const nlattr* Get(uint16_t type) const {
    return type < RDMA_NLDEV_ATTR_MAX ? found_[type] : nullptr;
  }
  std::optional<uint32_t> U32(uint16_t type) const {
    const nlattr* attr = Get(type);
    if (!attr || mnl_attr_validate(attr, MNL_TYPE_U32) < 0) return {};
    return mnl_attr_get_u32(attr);
  }
  std::optional<uint8_t> U8(uint16_t type) const {
    const nlattr* attr = Get(type);
    if (!attr || mnl_attr_validate(attr, MNL_TYPE_U8) < 0) return {};
    return mnl_attr_get_u8(attr);
  }
  std::optional<uint64_t> U64(uint16_t type) const {
    const nlattr* attr = Get(type);
    if (!attr || mnl_attr_validate(attr, MNL_TYPE_U64) < 0) return {};
    return mnl_attr_get_u64(attr);
  }
  std::string Text(uint16_t type) const {
    const nlattr* attr = Get(type);
    if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0) return {};
    return mnl_attr_get_str(attr);
  }
  // A __kernel_sockaddr_storage as ADDRESS:PORT.
  std::string Address(uint16_t type) const {
    const nlattr* attr = Get(type);
    if (!attr) return {};
    sockaddr_storage storage = {};
    std::memcpy(
        &storage, mnl_attr_get_payload(attr),
        std::min<size_t>(sizeof(storage), mnl_attr_get_payload_len(attr)));
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
      sockaddr_in in;
      std::memcpy(&in, &storage, sizeof(in));
      inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
      return fmt::format("{}:{}", text, ntohs(in.sin_port));
    }
    if (storage.ss_family != AF_INET6) return {};
    sockaddr_in6 in6;
    std::memcpy(&in6, &storage, sizeof(in6));
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
    return fmt::format("[{}]:{}", text, ntohs(in6.sin6_port));
  }

 private:
  void Add(const nlattr* attr) {
    const uint16_t type = mnl_attr_get_type(attr);
    if (type < RDMA_NLDEV_ATTR_MAX) found_[type] = attr;
  }

  std::array<const nlattr*, RDMA_NLDEV_ATTR_MAX> found_ = {};
};

// Calls `use` for the attributes of each message of an answer.
template <typename Use>
Status ForEach(const Octets& answer, Use use) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  auto left = static_cast<int>(answer.size());

  for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
    if (EndsAnswer(header)) {
      const std::optional<int> error = ErrorAtEnd(header);
      if (!error) return Error{"RDMA netlink: an answer that is cut short"};
      if (*error == 0) return Done{};
      return Error{fmt::format("RDMA netlink: {}", std::strerror(*error))};
    }
    use(Attributes(header));
  }
  if (left != 0) return Error{"RDMA netlink: an answer that is cut short"};
  return Done{};
}

// A table of `entry` inside `table` of each message.
template <typename Use>
Status ForEachEntry(const Octets& answer, uint16_t table, Use use) {
  return ForEach(answer, [table, &use](const Attributes& attributes) {
    if (const nlattr* nest = attributes.Get(table)) {
      ForEachNested(nest,
                    [&use](const nlattr* entry) { use(Attributes(entry)); });
    }
  });
}

// Names and values in turn, a kind of print between them or not.
std::vector<std::pair<std::string, std::string>> DriverDetails(
    const nlattr* table) {
  std::vector<std::pair<std::string, std::string>> details;
  if (!table) return details;
  std::optional<std::string> name;
  const auto value = [&](std::string text) {
    if (name) details.emplace_back(std::move(*name), std::move(text));
    name.reset();
  };
  ForEachNested(table, [&](const nlattr* attr) {
    const uint16_t type = mnl_attr_get_type(attr);
    const size_t length = mnl_attr_get_payload_len(attr);
    if (type == RDMA_NLDEV_ATTR_DRIVER_STRING) {
      if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0) return;
      if (name)
        value(mnl_attr_get_str(attr));
      else
        name = mnl_attr_get_str(attr);
    } else if (type == RDMA_NLDEV_ATTR_DRIVER_U32 && length == 4) {
      value(std::to_string(mnl_attr_get_u32(attr)));
    } else if (type == RDMA_NLDEV_ATTR_DRIVER_S32 && length == 4) {
      value(std::to_string(static_cast<int32_t>(mnl_attr_get_u32(attr))));
    } else if (type == RDMA_NLDEV_ATTR_DRIVER_U64 && length == 8) {
      value(std::to_string(mnl_attr_get_u64(attr)));
    } else if (type == RDMA_NLDEV_ATTR_DRIVER_S64 && length == 8) {
      value(std::to_string(static_cast<int64_t>(mnl_attr_get_u64(attr))));
    }
  });
  return details;
}

// Is this the last message of an answer?
bool IsLast(const nlmsghdr* header) {
  return EndsAnswer(header) || !(header->nlmsg_flags & NLM_F_MULTI);
}

}  // namespace

bool IsWhole(const nlmsghdr* header, int left) {
  return mnl_nlmsg_ok(header, left) && header->nlmsg_len <= INT32_MAX;
}

bool EndsAnswer(const nlmsghdr* header) {
  return header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR;
}

std::optional<int> ErrorAtEnd(const nlmsghdr* header) {
  int error = 0;
  if (mnl_nlmsg_get_payload_len(header) < sizeof(error)) {
    if (header->nlmsg_type == NLMSG_DONE) return 0;
    return std::nullopt;
  }
  // struct nlmsgerr begins with it too.
  std::memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
  // INT_MIN has no positive counterpart.
  return error < 0 ? -std::max(error, -INT_MAX) : 0;
}

void MnlChannel::Closer::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

Result<std::unique_ptr<NetlinkChannel>> MnlChannel::Open(int family,
                                                         const char* name) {
  static_assert(kFamilyRdma == NETLINK_RDMA);
  Socket socket(mnl_socket_open(family));
  if (!socket) return ErrnoError(name);
  const timeval wait = {kWaitSeconds, 0};
  if (setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO,
                 &wait, sizeof(wait)) < 0 ||
      mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return ErrnoError(name);
  return std::unique_ptr<NetlinkChannel>(
      new MnlChannel(std::move(socket), name));
}

Result<Octets> MnlChannel::Ask(std::span<const uint8_t> request) {
  nlmsghdr asked;
  if (request.size() < sizeof(asked))
    return Error{std::string(name_) + ": a request that is cut short"};
  std::memcpy(&asked, request.data(), sizeof(asked));
  if (mnl_socket_sendto(socket_.get(), request.data(), request.size()) < 0)
    return ErrnoError(name_);

  Octets answer;
  Octets buffer(kBufferSize);
  for (;;) {
    const ssize_t n =
        mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    if (n < 0) return ErrnoError(name_);
    auto left = static_cast<int>(n);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
    for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
      // What is left of an earlier answer does not count.
      if (header->nlmsg_seq != asked.nlmsg_seq) continue;
      const auto* octets = reinterpret_cast<const uint8_t*>(header);
      answer.insert(answer.end(), octets, octets + header->nlmsg_len);
      answer.resize(MNL_ALIGN(answer.size()));
      if (IsLast(header)) return answer;
    }
  }
}

Result<Octets> RdmaNetlink::AskAbout(int command, uint32_t device) {
  Request request(command, NLM_F_DUMP, ++sequence_);
  request.Put(RDMA_NLDEV_ATTR_DEV_INDEX, device);
  return channel_->Ask(request.octets());
}

Result<std::vector<RdmaDevice>> RdmaNetlink::Devices() {
  const Request request(RDMA_NLDEV_CMD_GET, NLM_F_DUMP, ++sequence_);
  const Result<Octets> answer = channel_->Ask(request.octets());
  if (!answer) return answer.error();
  std::vector<RdmaDevice> devices;
  const Status status = ForEach(*answer, [&devices](const Attributes& attrs) {
    const auto index = attrs.U32(RDMA_NLDEV_ATTR_DEV_INDEX);
    if (!index) return;
    devices.push_back({*index, attrs.Text(RDMA_NLDEV_ATTR_DEV_NAME),
                       attrs.Text(RDMA_NLDEV_ATTR_DEV_PROTOCOL)});
  });
  if (!status) return status.error();
  return devices;
}

Result<std::vector<RdmaPort>> RdmaNetlink::Ports(uint32_t device) {
  const Result<Octets> answer = AskAbout(RDMA_NLDEV_CMD_PORT_GET, device);
  if (!answer) return answer.error();
  std::vector<RdmaPort> ports;
  const Status status = ForEach(*answer, [&ports](const Attributes& attrs) {
    const auto index = attrs.U32(RDMA_NLDEV_ATTR_DEV_INDEX);
    const auto port = attrs.U32(RDMA_NLDEV_ATTR_PORT_INDEX);
    if (!index || !port) return;
    ports.push_back({*index, *port, attrs.Text(RDMA_NLDEV_ATTR_NDEV_NAME),
                     attrs.U8(RDMA_NLDEV_ATTR_PORT_STATE).value_or(0)});
  });
  if (!status) return status.error();
  return ports;
}

Result<std::vector<RdmaQp>> RdmaNetlink::Qps(uint32_t device) {
  const Result<Octets> answer = AskAbout(RDMA_NLDEV_CMD_RES_QP_GET, device);
  if (!answer) return answer.error();
  std::vector<RdmaQp> qps;
  const Status status = ForEachEntry(
      *answer, RDMA_NLDEV_ATTR_RES_QP, [&qps](const Attributes& attrs) {
        const auto number = attrs.U32(RDMA_NLDEV_ATTR_RES_LQPN);
        if (!number) return;
        qps.push_back({*number,
                       NameOf(kQpStates, attrs.U8(RDMA_NLDEV_ATTR_RES_STATE)),
                       attrs.U32(RDMA_NLDEV_ATTR_RES_PID),
                       attrs.Text(RDMA_NLDEV_ATTR_RES_KERN_NAME),
                       DriverDetails(attrs.Get(RDMA_NLDEV_ATTR_DRIVER))});
      });
  if (!status) return status.error();
  return qps;
}

Result<std::vector<RdmaCq>> RdmaNetlink::Cqs(uint32_t device) {
  const Result<Octets> answer = AskAbout(RDMA_NLDEV_CMD_RES_CQ_GET, device);
  if (!answer) return answer.error();
  std::vector<RdmaCq> cqs;
  const Status status = ForEachEntry(
      *answer, RDMA_NLDEV_ATTR_RES_CQ, [&cqs](const Attributes& attrs) {
        const auto number = attrs.U32(RDMA_NLDEV_ATTR_RES_CQN);
        if (!number) return;
        cqs.push_back({*number, attrs.U32(RDMA_NLDEV_ATTR_RES_PID),
                       attrs.Text(RDMA_NLDEV_ATTR_RES_KERN_NAME),
                       DriverDetails(attrs.Get(RDMA_NLDEV_ATTR_DRIVER))});
      });
  if (!status) return status.error();
  return cqs;
}

Result<std::vector<RdmaCmId>> RdmaNetlink::CmIds(uint32_t device) {
  const Result<Octets> answer = AskAbout(RDMA_NLDEV_CMD_RES_CM_ID_GET, device);
  if (!answer) return answer.error();
  std::vector<RdmaCmId> ids;
  const Status status = ForEachEntry(
      *answer, RDMA_NLDEV_ATTR_RES_CM_ID, [&ids](const Attributes& attrs) {
        ids.push_back({attrs.U32(RDMA_NLDEV_ATTR_RES_LQPN),
                       NameOf(kCmStates, attrs.U8(RDMA_NLDEV_ATTR_RES_STATE)),
                       attrs.U32(RDMA_NLDEV_ATTR_RES_PID),
                       attrs.Text(RDMA_NLDEV_ATTR_RES_KERN_NAME),
                       attrs.Address(RDMA_NLDEV_ATTR_RES_SRC_ADDR),
                       attrs.Address(RDMA_NLDEV_ATTR_RES_DST_ADDR)});
      });
  if (!status) return status.error();
  return ids;
}

Result<std::map<std::string, uint64_t>> RdmaNetlink::Objects(uint32_t device) {
  const Result<Octets> answer = AskAbout(RDMA_NLDEV_CMD_RES_GET, device);
  if (!answer) return answer.error();
  std::map<std::string, uint64_t> objects;
  const Status status = ForEach(*answer, [&](const Attributes& attrs) {
    const nlattr* table = attrs.Get(RDMA_NLDEV_ATTR_RES_SUMMARY);
    if (attrs.U32(RDMA_NLDEV_ATTR_DEV_INDEX) != device || !table) return;
    ForEachNested(table, [&](const nlattr* nest) {
      const Attributes entry(nest);
      const auto count = entry.U64(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_CURR);
      if (count)
        objects[entry.Text(RDMA_NLDEV_ATTR_RES_SUMMARY_ENTRY_NAME)] = *count;
    });
  });
  if (!status) return status.error();
  return objects;
}

Result<std::map<std::string, uint64_t>> RdmaNetlink::Counters(uint32_t device,
                                                              uint32_t port) {
  Request request(RDMA_NLDEV_CMD_STAT_GET, 0, ++sequence_);
  request.Put(RDMA_NLDEV_ATTR_DEV_INDEX, device);
  request.Put(RDMA_NLDEV_ATTR_PORT_INDEX, port);
  const Result<Octets> answer = channel_->Ask(request.octets());
  if (!answer) return answer.error();
  std::map<std::string, uint64_t> counters;
  const Status status = ForEachEntry(
      *answer, RDMA_NLDEV_ATTR_STAT_HWCOUNTERS, [&](const Attributes& entry) {
        const auto value =
            entry.U64(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_VALUE);
        if (value)
          counters[entry.Text(RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_NAME)] =
              *value;
      });
  if (!status) return status.error();
  return counters;
}

Result<uint32_t> RdmaNetlink::DriverId(uint32_t device) {
  Request request(RDMA_NLDEV_CMD_GET_CHARDEV, 0, ++sequence_);
  request.Put(RDMA_NLDEV_ATTR_DEV_INDEX, device);
  request.Put(RDMA_NLDEV_ATTR_CHARDEV_TYPE, "uverbs");
  const Result<Octets> answer = channel_->Ask(request.octets());
  if (!answer) return answer.error();
  std::optional<uint32_t> id;
  const Status status = ForEach(*answer, [&id](const Attributes& attrs) {
    id = attrs.U32(RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID);
    if (const auto wide = attrs.U64(RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID))
      id = static_cast<uint32_t>(*wide);
  });
  if (!status) return status.error();
  if (!id) return Error{"RDMA netlink: a character device without a driver"};
  return *id;
}

Result<bool> RdmaNetlink::NamespacesAreExclusive() {
  const Request request(RDMA_NLDEV_CMD_SYS_GET, 0, ++sequence_);
  const Result<Octets> answer = channel_->Ask(request.octets());
  if (!answer) return answer.error();
  bool exclusive = false;
  const Status status = ForEach(*answer, [&exclusive](const Attributes& attrs) {
    exclusive = attrs.U8(RDMA_NLDEV_SYS_ATTR_NETNS_MODE) == 0;
  });
  if (!status) return status.error();
  return exclusive;
}

}  // namespace siw
