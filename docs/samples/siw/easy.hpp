// SPDX-License-Identifier: MIT-0
//
// siw/easy.hpp: RDMA in thirty lines. C++20, libibverbs, librdmacm.
//
// Messages with flow control, memory that can be lent, Write and Read, over any
// RDMA device. What goes wrong is an exception of the class siw::Error, also
// when the peer is gone. A connection belongs to one thread at a time.
//
//   Connection c = Connection::To("192.0.2.1", "7490");
//   c.Send("hello");
//   std::optional<std::string> answer = c.Receive();   // nothing: it said bye
//   c.Close();
//
// What it sees to: receives are posted before the peer may send; the end that
// connects sends first, as RFC 5044 section 7.1 asks; whoever waits hears that
// the connection has ended; memory outlives nothing it belongs to.
#ifndef SIW_EASY_HPP_
#define SIW_EASY_HPP_

#include <arpa/inet.h>
#include <endian.h>
#include <poll.h>
#include <rdma/rdma_cma.h>
#include <rdma/rdma_verbs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace siw {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace easy_detail {

// 12 messages may be under way. Of those without credit there are at most a
// hello, a goodbye and two that give credits back: each gives 6.
constexpr uint32_t kCredits = 12;
constexpr uint32_t kSlots = 16;
constexpr size_t kText = 4088;

enum Kind : uint32_t { kHello, kData, kCredit, kGoodbye };

struct Frame {
  uint32_t kind;
  uint32_t credits;  // given back
  std::array<char, kText> text;
};

constexpr size_t kHead = sizeof(Frame) - kText;

inline void Check(bool ok, const std::string& what) {
  if (!ok) throw Error(what + ": " + std::strerror(errno));
}

using Id = std::shared_ptr<rdma_cm_id>;
using Region = std::unique_ptr<ibv_mr, decltype(&rdma_dereg_mr)>;

inline Id Endpoint(const std::string& host, const std::string& port,
                   int flags) {
  rdma_addrinfo hints{};
  hints.ai_flags = flags;
  hints.ai_port_space = RDMA_PS_TCP;
  rdma_addrinfo* info = nullptr;
  Check(rdma_getaddrinfo(host.c_str(), port.c_str(), &hints, &info) == 0,
        host + ": not an address");
  ibv_qp_init_attr attr{};
  attr.cap = {kSlots, kSlots, 1, 1, 0};
  attr.qp_type = IBV_QPT_RC;
  attr.sq_sig_all = 1;
  rdma_cm_id* id = nullptr;
  const int failed = rdma_create_ep(&id, info, nullptr, &attr);
  rdma_freeaddrinfo(info);
  Check(failed == 0, host + ": no RDMA device leads there");
  return {id, rdma_destroy_ep};
}

// The word of a connection's end may take a moment.
[[noreturn]] inline void Ended(rdma_cm_id* id) {
  pollfd ready{id->channel->fd, POLLIN, 0};
  rdma_cm_event* event = nullptr;
  if (poll(&ready, 1, 2000) != 1 || rdma_get_cm_event(id->channel, &event) != 0)
    throw Error("the connection has failed");
  const rdma_cm_event_type type = event->event;
  rdma_ack_cm_event(event);
  if (type == RDMA_CM_EVENT_DISCONNECTED)
    throw Error("the peer has closed the connection");
  if (type == RDMA_CM_EVENT_DEVICE_REMOVAL)
    throw Error("the RDMA device is gone");
  throw Error(rdma_event_str(type));
}

inline ibv_wc Await(rdma_cm_id* id, ibv_cq* cq, ibv_comp_channel* channel) {
  std::array<pollfd, 2> ready{pollfd{channel->fd, POLLIN, 0},
                              pollfd{id->channel->fd, POLLIN, 0}};
  ibv_wc wc;
  void* context = nullptr;
  int n = 0;
  while ((n = ibv_poll_cq(cq, 1, &wc)) == 0) {
    Check(poll(ready.data(), ready.size(), -1) > 0, "poll");
    if (ready[0].revents == 0) Ended(id);
    Check(ibv_get_cq_event(channel, &cq, &context) == 0, "ibv_get_cq_event");
    ibv_ack_cq_events(cq, 1);
    // Armed before the next look, so nothing is missed.
    Check(ibv_req_notify_cq(cq, 0) == 0, "ibv_req_notify_cq");
  }
  Check(n > 0, "ibv_poll_cq");
  if (wc.status == IBV_WC_WR_FLUSH_ERR) Ended(id);
  if (wc.status != IBV_WC_SUCCESS) throw Error(ibv_wc_status_str(wc.status));
  return wc;
}

}  // namespace easy_detail

// What a peer needs to know of memory that it may use. Travels as text.
struct Loan {
  uint64_t address;
  uint32_t key;
  uint32_t length;

  std::string Pack() const {
    const Loan wire{htobe64(address), htonl(key), htonl(length)};
    return {reinterpret_cast<const char*>(&wire), sizeof(wire)};
  }
  static Loan Unpack(std::string_view text) {
    Loan wire;
    if (text.size() != sizeof(wire)) throw Error("this is no loan");
    std::memcpy(&wire, text.data(), sizeof(wire));
    return {be64toh(wire.address), ntohl(wire.key), ntohl(wire.length)};
  }
};

// Memory of a connection, for Write and Read. Gone, the peer's key is
// worthless.
class Memory {
 public:
  std::span<char> bytes() { return *bytes_; }
  Loan Lend() const {
    return {reinterpret_cast<uintptr_t>(bytes_->data()), mr_->rkey,
            static_cast<uint32_t>(bytes_->size())};
  }

 private:
  friend class Connection;
  Memory(easy_detail::Id id, size_t size, int access)
      : id_(std::move(id)), bytes_(std::make_unique<std::vector<char>>(size)) {
    mr_.reset(ibv_reg_mr(id_->pd, bytes_->data(), size, access));
    easy_detail::Check(mr_ != nullptr, "ibv_reg_mr");
  }
  easy_detail::Id id_;
  std::unique_ptr<std::vector<char>> bytes_;
  easy_detail::Region mr_{nullptr, rdma_dereg_mr};
};

class Connection {
 public:
  static constexpr size_t kLongestMessage = easy_detail::kText;

  static Connection To(const std::string& host, const std::string& port) {
    Connection c(easy_detail::Endpoint(host, port, 0));
    rdma_conn_param param{};
    param.responder_resources = param.initiator_depth = 1;
    param.retry_count = param.rnr_retry_count = 7;
    easy_detail::Check(rdma_connect(c.id_.get(), &param) == 0, host);
    c.credits_ = c.owed_ = easy_detail::kCredits;
    c.Transmit(easy_detail::kHello, {});  // gives the other end its credits
    return c;
  }

  void Send(std::string_view text) {
    if (text.size() > kLongestMessage) throw Error("too long a message");
    while (credits_ == 0) Process();
    --credits_;
    Transmit(easy_detail::kData, text);
  }

  // The next message; nothing if the peer has said goodbye.
  std::optional<std::string> Receive() {
    while (inbox_.empty() && !goodbye_) Process();
    if (inbox_.empty()) return std::nullopt;
    std::string text = std::move(inbox_.front());
    inbox_.pop_front();
    if (++owed_ == easy_detail::kCredits / 2 && !goodbye_)
      Transmit(easy_detail::kCredit, {});
    return text;
  }

  // Memory the peer cannot reach, or may write to, or may read.
  Memory Allocate(size_t size) { return {id_, size, kOwn}; }
  Memory AllocateWritable(size_t size) {
    return {id_, size, kOwn | IBV_ACCESS_REMOTE_WRITE};
  }
  Memory AllocateReadable(size_t size) {
    return {id_, size, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ};
  }

  // All of `from` to the start of what the peer lent. A Send after it arrives
  // after it.
  void Write(Memory& from, const Loan& to) {
    const std::span<char> bytes = from.bytes();
    if (bytes.size() > to.length) throw Error("the loan is smaller");
    easy_detail::Check(
        rdma_post_write(id_.get(), nullptr, bytes.data(), bytes.size(),
                        from.mr_.get(), 0, to.address, to.key) == 0,
        "rdma_post_write");
    AwaitSent();
  }

  // Fills `into`, which the peer's device writes to: AllocateWritable().
  void Read(Memory& into, const Loan& from) {
    const std::span<char> bytes = into.bytes();
    if (bytes.size() > from.length) throw Error("the loan is smaller");
    easy_detail::Check(
        rdma_post_read(id_.get(), nullptr, bytes.data(), bytes.size(),
                       into.mr_.get(), 0, from.address, from.key) == 0,
        "rdma_post_read");
    AwaitSent();
  }

  // Says goodbye and waits until the peer has closed, or does so as well.
  void Close() {
    Transmit(easy_detail::kGoodbye, {});
    while (!goodbye_) Process();
    rdma_disconnect(id_.get());
  }

 private:
  friend class Listener;
  static constexpr int kOwn = IBV_ACCESS_LOCAL_WRITE;
  using Frames = std::array<easy_detail::Frame, easy_detail::kSlots + 1>;

  explicit Connection(easy_detail::Id id)
      : id_(std::move(id)), frames_(std::make_unique<Frames>()) {
    mr_.reset(rdma_reg_msgs(id_.get(), frames_.get(), sizeof(Frames)));
    easy_detail::Check(mr_ && ibv_req_notify_cq(id_->send_cq, 0) == 0 &&
                           ibv_req_notify_cq(id_->recv_cq, 0) == 0,
                       "rdma_reg_msgs");
    for (uint32_t i = 0; i < easy_detail::kSlots; ++i) PostReceive(i);
  }

  void PostReceive(uintptr_t slot) {
    easy_detail::Check(
        rdma_post_recv(id_.get(), reinterpret_cast<void*>(slot),
                       &(*frames_)[slot], sizeof(easy_detail::Frame),
                       mr_.get()) == 0,
        "rdma_post_recv");
  }

  void Transmit(easy_detail::Kind kind, std::string_view text) {
    easy_detail::Frame& frame = frames_->back();
    frame.kind = htonl(kind);
    frame.credits = htonl(owed_);
    owed_ = 0;
    std::copy(text.begin(), text.end(), frame.text.begin());
    easy_detail::Check(
        rdma_post_send(id_.get(), nullptr, &frame,
                       easy_detail::kHead + text.size(), mr_.get(), 0) == 0,
        "rdma_post_send");
    AwaitSent();
  }

  void AwaitSent() {
    easy_detail::Await(id_.get(), id_->send_cq, id_->send_cq_channel);
  }

  // Waits for a message and does what it asks.
  void Process() {
    const ibv_wc wc =
        easy_detail::Await(id_.get(), id_->recv_cq, id_->recv_cq_channel);
    const easy_detail::Frame& frame = (*frames_)[wc.wr_id];
    if (wc.byte_len < easy_detail::kHead) throw Error("too short a message");
    const uint32_t kind = ntohl(frame.kind);
    credits_ += ntohl(frame.credits);
    if (credits_ > easy_detail::kCredits || kind > easy_detail::kGoodbye ||
        inbox_.size() > easy_detail::kCredits)
      throw Error("the peer does not keep to the protocol");
    if (kind == easy_detail::kData)
      inbox_.emplace_back(frame.text.data(), wc.byte_len - easy_detail::kHead);
    goodbye_ = kind == easy_detail::kGoodbye;
    PostReceive(wc.wr_id);
  }

  easy_detail::Id id_;
  std::unique_ptr<Frames> frames_;
  easy_detail::Region mr_{nullptr, rdma_dereg_mr};
  std::deque<std::string> inbox_;
  uint32_t credits_ = 0;
  uint32_t owed_ = 0;
  bool goodbye_ = false;
};

class Listener {
 public:
  Listener(const std::string& host, const std::string& port)
      : id_(easy_detail::Endpoint(host, port, RAI_PASSIVE)) {
    easy_detail::Check(rdma_listen(id_.get(), 16) == 0, "rdma_listen");
  }

  Connection Accept() {
    rdma_cm_id* id = nullptr;
    easy_detail::Check(rdma_get_request(id_.get(), &id) == 0,
                       "rdma_get_request");
    Connection c(easy_detail::Id(id, rdma_destroy_ep));
    rdma_conn_param param{};
    param.responder_resources = param.initiator_depth = 1;
    param.rnr_retry_count = 7;
    easy_detail::Check(rdma_accept(id, &param) == 0, "rdma_accept");
    return c;
  }

 private:
  easy_detail::Id id_;
};

}  // namespace siw

#endif  // SIW_EASY_HPP_
