// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Work requests as they go by: each put together from the events of its steps.
#ifndef SIW_TOOLS_SIW_TRACE_REQUESTS_H_
#define SIW_TOOLS_SIW_TRACE_REQUESTS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/siw/trace/live_line.h"

namespace siw::trace {

// In the order in which they come, but for kAcked, which comes when it comes;
// which of them there are depends on the operation, siw-trace(8) says how.
enum Step {
  kPosted,     // by a kernel user; of a program, when it told the kernel
  kStarted,    // taken from the ring; of a receive, its first octet is here
  kSent,       // TCP has taken all of it
  kAcked,      // the peer's TCP has acknowledged all of it
  kReceived,   // the last FPDU of what comes for it is here
  kPlaced,     // and all of it where it belongs
  kCompleted,  // its completion is in the queue
  kWoken,      // who waits for an event of that queue was told
  kSteps
};
extern const std::array<const char*, kSteps> kStepNames;

struct Request {
  uint32_t device = 0;  // its index
  uint32_t qp = 0;
  uint32_t cq = 0;
  uint64_t id = 0;
  std::string peer;       // "192.0.2.2:4420", empty if not known
  std::string operation;  // "WRITE", "RECEIVE"
  std::string status;     // "SUCCESS"
  uint64_t length = 0;
  uint32_t fpdus = 0;
  uint32_t stag = 0;       // that its FPDUs name, 0: none
  bool built = false;      // its last FPDU is
  bool signalled = false;  // as its flags say
  uint64_t cookie = 0;     // of the socket that took it
  // TCP's number behind its last octet, until it is known when that was
  // acknowledged.
  std::optional<uint32_t> sequence;
  std::array<std::optional<int64_t>, kSteps> steps;  // microseconds

  // From the first step that is known to the last one, other than kAcked.
  int64_t begin() const;
  int64_t end() const;
  // What a step is counted from: the one before it that is known. kAcked is
  // counted from kSent, and none from kAcked.
  std::optional<int64_t> Before(size_t step) const;
};

struct Peer {
  std::array<uint8_t, 16> address = {};  // one of IPv4 is mapped
  std::string port;                      // empty: any
};

// Of "192.0.2.2", "192.0.2.2:4420", "2001:db8::2" or "[2001:db8::2]:4420",
// however it is written.
std::optional<Peer> ParsePeer(const std::string& text);

struct RequestFilter {
  std::string peer;  // as ParsePeer() takes it; empty: any
  std::optional<uint32_t> qp;
  std::string operation;         // empty: any
  std::optional<uint32_t> stag;  // that FPDUs of the request name
};

// Microseconds of many requests.
struct Spread {
  uint64_t count = 0;
  int64_t middle = 0;
  int64_t slow = 0;  // 99 of 100 took no longer
};

struct Summary {
  std::array<Spread, kSteps> steps;  // each since Request::Before()
  Spread total;
};

class Requests {
 public:
  // Takes requests in the order in which they ended, and what else happened to
  // a stream, in words.
  using OnRequest = std::function<void(const Request&)>;
  using OnNote = std::function<void(int64_t time, uint32_t device,
                                    const std::string& text)>;

  Requests(RequestFilter filter, OnRequest on_request, OnNote on_note)
      : filter_(std::move(filter)),
        on_request_(std::move(on_request)),
        on_note_(std::move(on_note)) {}

  // What is known before the first event.
  void SetPeer(uint32_t device, uint32_t qp, const std::string& peer);
  void Add(const LiveEvent& event);
  // Events are missing.
  void Lost();
  // There is no tcp_probe to wait for.
  void ExpectNoAcks(std::string why) { no_acks_ = std::move(why); }
  // It is that late: those of which no step is to come any more are told of.
  void Flush(int64_t now);
  // Nothing more comes: those that wait to be told of go out.
  void Finish();

  // Why no request can have kAcked; empty: they can.
  std::string NoAcks() const;
  uint64_t count() const { return count_; }
  uint64_t faults() const { return faults_; }  // failed and not flushed
  // By operation.
  std::map<std::string, Summary> Summaries() const;

 private:
  using Key = std::pair<uint32_t, uint32_t>;  // device, and QP or CQ
  struct Qp {
    std::string peer;
    std::deque<Request> posted;   // by a kernel user, not started
    std::deque<Request> started;  // not completed
    // An id may be that of many: the one that a completion is of.
    std::deque<Request>::iterator Find(const Request& completed, bool good);
    std::optional<Request> receiving;
    std::optional<Request> received;  // the last one, not completed
    std::optional<int64_t> doorbell;
    bool told_since_start = false;
    uint64_t cookie = 0;   // of its socket
    bool closing = false;  // tcp_probe may tell no more of it
  };
  // What is known of a socket. tcp_probe comes with each segment, before TCP
  // looks at it, and has what was acknowledged by then. So what the next look
  // finds acknowledged besides is the work of the segment before that look.
  struct Tcp {
    bool looked = false;
    std::optional<int64_t> segment;  // when the last one came
    std::deque<uint32_t> waiting;    // ends of requests, not acknowledged
    // Those that are, and when, if that is known.
    std::deque<std::pair<uint32_t, std::optional<int64_t>>> acked;
  };

  void OfQp(const LiveEvent& event, Qp* qp);
  void Built(const LiveEvent& event, Qp* qp);
  void Probed(const LiveEvent& event);
  static void Look(Tcp* tcp, uint32_t acknowledged);
  bool IsAckOver(Request* request);
  void Placed(const LiveEvent& event, Qp* qp);
  void Woken(const LiveEvent& event, uint32_t device);
  void Completed(const LiveEvent& event, Key key, Qp* qp);
  void Note(const LiveEvent& event, Key key, const std::string& peer);
  void End(Request request, const Qp& qp);
  void Tell(const Request& request);
  bool Wanted(uint32_t qp, const std::string& peer) const;

  RequestFilter filter_;
  OnRequest on_request_;
  OnNote on_note_;
  std::map<Key, Qp> qps_;
  std::map<uint64_t, Tcp> tcps_;  // by cookie
  std::string no_acks_;
  bool numbered_ = false;  // FPDUs have TCP's numbers
  bool unnumbered_ = false;
  bool probed_ = false;
  // That may still wake somebody, or be acknowledged.
  std::deque<Request> done_;
  uint64_t count_ = 0;
  uint64_t faults_ = 0;
  // Of each step, and of all of it.
  using Took = std::array<std::vector<int64_t>, kSteps + 1>;
  std::map<std::string, Took> took_;
};

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_REQUESTS_H_
