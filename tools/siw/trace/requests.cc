// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/requests.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <rdma/siw-abi.h>

#include <algorithm>
#include <string_view>

#include "tools/common/peer.h"

namespace siw::trace {
namespace {

// An event of a completion queue comes within this of its completion.
constexpr int64_t kWakeMicroseconds = 1000;
// And an acknowledgment within this: a segment that was lost is sent again, and
// what came is seen with the segment after it.
constexpr int64_t kAckMicroseconds = 1000000;
// Of one queue pair, and of one step: what goes beyond is forgotten.
constexpr size_t kMostOpen = 1 << 16;
constexpr size_t kMostTimes = 1 << 20;

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// Does a message of the wire come of such a request?
bool IsOf(std::string_view message, std::string_view operation) {
  if (message == "Write") return operation == "WRITE";
  if (message == "ReadRequest") return StartsWith(operation, "READ");
  return StartsWith(message, "Send") && StartsWith(operation, "SEND");
}

bool IsLast(const LiveEvent& event) { return event.Text("last") == "1"; }

uint32_t Small(std::optional<uint64_t> number) {
  return static_cast<uint32_t>(number.value_or(0));
}

// Tagged messages name one, and a Send that invalidates it.
void TakeStag(const LiveEvent& event, Request* request) {
  const uint32_t stag = Small(event.Number("stag"));
  if (stag != 0) request->stag = stag;
}

Request Begin(const LiveEvent& event, Step step) {
  Request request;
  request.id = event.Number("id").value_or(0);
  request.operation = event.Text("op");
  request.length = event.Number("len").value_or(0);
  request.signalled = event.Number("flags").value_or(0) & SIW_WQE_SIGNALLED;
  request.steps[step] = event.time;
  return request;
}

template <typename T>
void Push(std::deque<T>* queue, T one) {
  queue->push_back(std::move(one));
  if (queue->size() > kMostOpen) queue->pop_front();
}

// TCP's numbers go round.
bool IsBefore(uint32_t sequence, uint32_t other) {
  return static_cast<int32_t>(sequence - other) < 0;
}

// The request of a kernel user that is started now.
std::optional<int64_t> TakePosted(std::deque<Request>* posted, uint64_t id) {
  while (!posted->empty()) {
    const Request request = posted->front();
    posted->pop_front();
    if (request.id == id) return request.steps[kPosted];
  }
  return {};
}

Spread SpreadOf(std::vector<int64_t> values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end());
  spread.middle = values[values.size() / 2];
  spread.slow = values[(values.size() * 99 - 1) / 100];
  return spread;
}

bool SamePeer(const std::string& wanted, const std::string& text) {
  const std::optional<Peer> one = ParsePeer(wanted);
  const std::optional<Peer> other = ParsePeer(text);
  return one && other && one->address == other->address &&
         (one->port.empty() || one->port == other->port);
}

}  // namespace

std::optional<Peer> ParsePeer(const std::string& text) {
  const auto [host, port] = SplitPeer(text);
  const std::string tail = port.empty() ? "" : ":" + port;
  if (!IsPeer(text) ||
      (text != host + tail && text != "[" + host + "]" + tail) ||
      port.find_first_not_of("0123456789") != std::string::npos)
    return {};
  Peer peer;
  peer.port = port.substr(std::min(port.find_first_not_of('0'), port.size()));
  uint8_t* octets = peer.address.data();
  if (inet_pton(AF_INET6, host.c_str(), octets) == 1) return peer;
  if (inet_pton(AF_INET, host.c_str(), octets + 12) != 1) return {};
  octets[10] = octets[11] = 0xff;
  return peer;
}

const std::array<const char*, kSteps> kStepNames = {
    "posted",   "started", "sent",      "acked",
    "received", "placed",  "completed", "woken"};

int64_t Request::begin() const {
  for (const auto& step : steps) {
    if (step) return *step;
  }
  return 0;
}

int64_t Request::end() const { return Before(kSteps).value_or(0); }

std::optional<int64_t> Request::Before(size_t step) const {
  if (step == kAcked) return steps[kSent];
  while (step-- > 0) {
    if (step != kAcked && steps[step]) return steps[step];
  }
  return {};
}

void Requests::SetPeer(uint32_t device, uint32_t qp, const std::string& peer) {
  qps_[{device, qp}].peer = peer;
}

void Requests::Add(const LiveEvent& event) {
  if (event.name == "tcp_probe") {
    Probed(event);
    return;
  }
  const auto device = event.Number("dev");
  if (!device) return;
  Flush(event.time);
  if (event.name == "siw_notify") {
    Woken(event, Small(device));
    return;
  }
  const auto number = event.Number("qpn");
  if (!number) return;
  const Key key(Small(device), Small(number));
  if (event.name == "siw_conn_failed") {
    Note(event, key, std::string(event.Text("peer")));
    return;
  }
  if (key.second == 0) return;
  if (qps_.size() > kMostOpen) qps_.clear();
  Qp& qp = qps_[key];
  const std::string_view to = event.Text("to");
  if (event.name == "siw_conn_state") {
    if (!event.Text("peer").empty()) qp.peer = event.Text("peer");
    Note(event, key, qp.peer);
  } else if (event.name == "siw_qp_state") {
    Note(event, key, qp.peer);
    // A number may be one that another had.
    if (to == "RTS") {
      const std::string peer = std::move(qp.peer);
      qp = Qp();
      qp.peer = peer;
    }
    if (event.Text("from") == "RTS") qp.closing = true;
  } else if (StartsWith(event.name, "siw_terminate_")) {
    Note(event, key, qp.peer);
  } else if (event.name == "siw_complete") {
    Completed(event, key, &qp);
  } else {
    OfQp(event, &qp);
  }
}

void Requests::OfQp(const LiveEvent& event, Qp* qp) {
  const std::string_view message = event.Text("op");
  if (event.name == "siw_rx_fpdu" && !qp->closing) {
    const auto tcp = tcps_.find(qp->cookie);
    const auto acknowledged = event.Number("una");
    if (tcp != tcps_.end() && acknowledged)
      Look(&tcp->second, Small(acknowledged));
  }
  if (event.name == "siw_post") {
    Push(&qp->posted, Begin(event, kPosted));
  } else if (event.name == "siw_doorbell") {
    // The first one since a request was started tells of the next.
    if (!qp->told_since_start) qp->doorbell = event.time;
    qp->told_since_start = true;
  } else if (event.name == "siw_start") {
    Request request = Begin(event, kStarted);
    request.steps[kPosted] =
        qp->posted.empty() ? qp->doorbell : TakePosted(&qp->posted, request.id);
    qp->told_since_start = false;
    Push(&qp->started, std::move(request));
  } else if (event.name == "siw_tx_fpdu") {
    Built(event, qp);
  } else if (event.name == "siw_train") {
    // All that is built is taken.
    if (event.Text("taken") != event.Text("len")) return;
    for (Request& request : qp->started) {
      if (request.built && !request.steps[kSent])
        request.steps[kSent] = event.time;
    }
  } else if (event.name == "siw_rx_fpdu" && StartsWith(message, "Send")) {
    if (!qp->receiving) {
      qp->receiving.emplace();
      qp->receiving->steps[kStarted] = event.time;
    }
    ++qp->receiving->fpdus;
    TakeStag(event, &*qp->receiving);
    qp->receiving->length += event.Number("len").value_or(0);
    if (!IsLast(event)) return;
    qp->receiving->steps[kReceived] = event.time;
    qp->received = std::move(qp->receiving);
    qp->receiving.reset();
  } else if (event.name == "siw_rx_fpdu" && message == "ReadResponse") {
    if (!IsLast(event)) return;
    // Responses come in the order of their requests.
    for (Request& request : qp->started) {
      if (!StartsWith(request.operation, "READ") || request.steps[kReceived])
        continue;
      // The call that sends it may not have returned yet.
      if (request.built && !request.steps[kSent])
        request.steps[kSent] = event.time;
      request.steps[kReceived] = event.time;
      TakeStag(event, &request);
      break;
    }
  } else if (event.name == "siw_placed" && IsLast(event)) {
    Placed(event, qp);
  }
}

void Requests::Built(const LiveEvent& event, Qp* qp) {
  const auto sequence = event.Number("una");
  const auto cookie = event.Number("cookie");
  const bool numbered = sequence && cookie;
  (numbered ? numbered_ : unnumbered_) = true;
  if (numbered) {
    if (tcps_.size() > kMostOpen) tcps_.clear();
    qp->cookie = *cookie;
    tcps_[*cookie];  // looked at from now on
  }
  for (Request& request : qp->started) {
    if (request.built || !IsOf(event.Text("op"), request.operation)) continue;
    ++request.fpdus;
    TakeStag(event, &request);
    request.built = IsLast(event);
    if (request.built && numbered) {
      request.cookie = *cookie;
      request.sequence = Small(sequence);
      Push(&tcps_[*cookie].waiting, *request.sequence);
    }
    break;
  }
}

void Requests::Probed(const LiveEvent& event) {
  probed_ = true;
  const auto cookie = event.Hex("sock_cookie");
  const auto acknowledged = event.Number("snd_una");
  if (!cookie || !acknowledged) return;
  const auto tcp = tcps_.find(*cookie);
  if (tcp == tcps_.end()) return;
  Look(&tcp->second, Small(acknowledged));
  tcp->second.segment = event.time;
}

void Requests::Look(Tcp* tcp, uint32_t acknowledged) {
  std::optional<int64_t> time;
  if (tcp->looked) time = tcp->segment;
  while (!tcp->waiting.empty() &&
         !IsBefore(acknowledged, tcp->waiting.front())) {
    Push(&tcp->acked, {tcp->waiting.front(), time});
    tcp->waiting.pop_front();
  }
  tcp->looked = true;
}

// What was acknowledged meanwhile may have been so by any of them.
void Requests::Lost() {
  for (auto& [cookie, tcp] : tcps_) {
    tcp.looked = false;
    tcp.segment.reset();
  }
}

// Is it known when it was acknowledged, or that nobody knows? Requests of a
// socket come here in their order.
bool Requests::IsAckOver(Request* request) {
  if (!request->sequence || !no_acks_.empty()) return true;
  const auto tcp = tcps_.find(request->cookie);
  if (tcp == tcps_.end()) return true;
  auto& acked = tcp->second.acked;
  while (!acked.empty() && IsBefore(acked.front().first, *request->sequence))
    acked.pop_front();
  if (acked.empty()) return false;
  const auto [sequence, time] = acked.front();
  auto& sent = request->steps[kSent];
  if (sequence == *request->sequence && time && sent) {
    request->steps[kAcked] = time;
    // The call that sends it may not have returned yet.
    sent = std::min(*sent, *time);
  }
  request->sequence.reset();
  return true;
}

std::string Requests::NoAcks() const {
  if (!no_acks_.empty()) return no_acks_;
  if (unnumbered_)
    return "siw_tx_fpdu has no una: the driver is older than this command";
  if (numbered_ && !probed_) return "there was no tcp:tcp_probe";
  return "";
}

// What came last: it is placed before the driver looks at the next one.
void Requests::Placed(const LiveEvent& event, Qp* qp) {
  const std::string_view message = event.Text("op");
  if (StartsWith(message, "Send") && qp->received) {
    qp->received->steps[kPlaced] = event.time;
  } else if (message == "ReadResponse") {
    const auto read = std::find_if(
        qp->started.rbegin(), qp->started.rend(),
        [](const Request& one) { return one.steps[kReceived].has_value(); });
    if (read != qp->started.rend()) read->steps[kPlaced] = event.time;
  }
}

std::deque<Request>::iterator Requests::Qp::Find(const Request& completed,
                                                 bool good) {
  const auto first = [&](bool signalled) {
    return std::find_if(started.begin(), started.end(),
                        [&](const Request& one) {
                          return one.id == completed.id &&
                                 one.operation == completed.operation &&
                                 (one.signalled || !signalled);
                        });
  };
  // Each one that fails is told of, and all are if the queue is made so.
  const auto found = good ? first(true) : started.end();
  return found != started.end() ? found : first(false);
}

void Requests::Completed(const LiveEvent& event, Key key, Qp* qp) {
  Request request = Begin(event, kCompleted);
  if (request.operation == "RECEIVE") {
    // A Send completes before the driver looks at the next one. One that only
    // says "ready" (RFC 6581) completes nothing.
    if (qp->received && qp->received->length == request.length &&
        event.Text("status") == "SUCCESS") {
      request.steps[kStarted] = qp->received->steps[kStarted];
      request.steps[kReceived] = qp->received->steps[kReceived];
      request.steps[kPlaced] = qp->received->steps[kPlaced];
      request.fpdus = qp->received->fpdus;
      request.stag = qp->received->stag;
      qp->received.reset();
    }
  } else {
    const auto found = qp->Find(request, event.Text("status") == "SUCCESS");
    if (found != qp->started.end()) {
      found->steps[kCompleted] = event.time;
      // What was before it is over, and nobody asked to be told.
      for (auto one = qp->started.begin(); one != found; ++one) {
        one->status = "unsignalled";
        one->device = key.first;
        one->qp = key.second;
        End(*one, *qp);
      }
      request = *found;
      qp->started.erase(qp->started.begin(), found + 1);
    } else {
      request.steps[kPosted] = TakePosted(&qp->posted, request.id);
    }
  }
  request.status = event.Text("status");
  request.device = key.first;
  request.qp = key.second;
  request.cq = Small(event.Number("cqn"));
  End(std::move(request), *qp);
}

void Requests::Woken(const LiveEvent& event, uint32_t device) {
  const uint32_t cq = Small(event.Number("cqn"));
  for (auto one = done_.rbegin(); one != done_.rend(); ++one) {
    const auto& completed = one->steps[kCompleted];
    if (!completed) continue;
    // Those before it are older.
    if (*completed < event.time - kWakeMicroseconds) break;
    if (one->device == device && one->cq == cq && !one->steps[kWoken])
      one->steps[kWoken] = event.time;
  }
}

void Requests::End(Request request, const Qp& qp) {
  request.peer = qp.peer;
  if (!Wanted(request.qp, request.peer) ||
      (!filter_.operation.empty() && request.operation != filter_.operation) ||
      (filter_.stag && request.stag != *filter_.stag))
    return;
  done_.push_back(std::move(request));
}

void Requests::Flush(int64_t now) {
  while (!done_.empty()) {
    Request& first = done_.front();
    const int64_t passed = now - first.end();
    if (!first.steps[kWoken] && passed <= kWakeMicroseconds) return;
    if (!IsAckOver(&first) && passed <= kAckMicroseconds &&
        done_.size() <= kMostOpen)
      return;
    Tell(first);
    done_.pop_front();
  }
}

void Requests::Finish() {
  for (Request& request : done_) {
    IsAckOver(&request);
    Tell(request);
  }
  done_.clear();
}

void Requests::Tell(const Request& request) {
  ++count_;
  // Every stream that ends flushes what is still posted.
  faults_ += request.status != "SUCCESS" && request.status != "unsignalled" &&
             request.status != "WR_FLUSH_ERR";
  Took& took = took_[request.operation];
  const auto add = [](std::vector<int64_t>* times, int64_t time) {
    if (times->size() < kMostTimes) times->push_back(time);
  };
  for (size_t step = 0; step < kSteps; ++step) {
    const auto before = request.Before(step);
    if (request.steps[step] && before)
      add(&took[step], *request.steps[step] - *before);
  }
  add(&took[kSteps], request.end() - request.begin());
  on_request_(request);
}

void Requests::Note(const LiveEvent& event, Key key, const std::string& peer) {
  const std::string_view from = event.Text("from");
  if (!Wanted(key.second, peer) || (!from.empty() && from == event.Text("to")))
    return;
  std::string text = fmt::format("QP {}", key.second);
  if (!peer.empty()) text += fmt::format(" to {}", peer);
  text += ":";
  if (event.name == "siw_conn_failed")
    text += fmt::format(" no connection: {} ({})", event.Text("cause"),
                        event.Text("err"));
  else if (event.name == "siw_terminate_sent")
    text += fmt::format(" Terminate {} sent", event.Text("code"));
  else if (event.name == "siw_terminate_received")
    text += fmt::format(" Terminate {} received", event.Text("code"));
  else
    text += fmt::format(" {} from {} to {}{}",
                        event.name == "siw_qp_state" ? "stream" : "connection",
                        from, event.Text("to"),
                        event.Text("event").empty()
                            ? ""
                            : fmt::format(" ({})", event.Text("event")));
  on_note_(event.time, key.first, text);
}

bool Requests::Wanted(uint32_t qp, const std::string& peer) const {
  return (!filter_.qp || *filter_.qp == qp) &&
         (filter_.peer.empty() || SamePeer(filter_.peer, peer));
}

std::map<std::string, Summary> Requests::Summaries() const {
  std::map<std::string, Summary> out;
  for (const auto& [operation, took] : took_) {
    Summary& summary = out[operation];
    for (size_t step = 0; step < kSteps; ++step)
      summary.steps[step] = SpreadOf(took[step]);
    summary.total = SpreadOf(took[kSteps]);
  }
  return out;
}

}  // namespace siw::trace
