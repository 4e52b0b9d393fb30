// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// MPA, DDP and RDMAP (RFC 5040, 5041, 5044, 6581, 7306) out of the TCP
// connections of a capture. What is decided about a frame or a header is
// decided by siw/proto, the driver's own code.
#ifndef SIW_TOOLS_SIW_TRACE_DECODE_H_
#define SIW_TOOLS_SIW_TRACE_DECODE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/siw/trace/packet.h"
#include "tools/siw/trace/reassembly.h"

namespace siw::trace {

// Layer, type and code of a Terminate.
struct TermCode {
  uint8_t layer = 0;
  uint8_t etype = 0;
  uint8_t code = 0;

  bool operator==(const TermCode&) const = default;
};

// An MPA Request or Reply.
struct StartupEvent {
  bool reply = false;
  std::string bad;  // id of the catalogue if it is to be refused
  int revision = 0;
  bool crc = false;
  bool markers = false;
  bool reject = false;
  bool enhanced = false;  // what follows is in the frame
  bool peer_to_peer = false;
  bool rtr_send = false;
  bool rtr_write = false;
  bool rtr_read = false;
  int ird = 0;
  int ord = 0;
  size_t private_data = 0;
};

struct ReadRequest {
  uint32_t sink_stag = 0;
  uint64_t sink_to = 0;
  uint32_t size = 0;
  uint32_t source_stag = 0;
  uint64_t source_to = 0;
};

struct AtomicRequest {
  int operation = 0;  // 0 FetchAdd, 2 CmpSwap
  uint32_t identifier = 0;
  uint32_t stag = 0;
  uint64_t to = 0;
  uint64_t data = 0;
  uint64_t data_mask = 0;
  uint64_t compare = 0;
  uint64_t compare_mask = 0;
};

struct AtomicResponse {
  uint32_t identifier = 0;
  uint64_t value = 0;
};

struct Immediate {
  uint64_t data = 0;
};

// A header of DDP with the control octet of RDMAP.
struct Segment {
  int opcode = 0;
  std::string operation;  // "RDMA Write"
  bool tagged = false;
  bool last = false;
  uint32_t stag = 0;  // of an untagged one: to be invalidated
  bool invalidates = false;
  uint64_t to = 0;
  uint32_t qn = 0;
  uint32_t msn = 0;
  uint32_t mo = 0;
  uint32_t payload = 0;
};

struct TerminateBody {
  TermCode code;
  uint32_t word = 0;  // the first four octets as they came
  // The fields are in the order of the kernel's own siw on little-endian
  // hosts, which is not that of the RFC; `code` is what is meant.
  bool swapped = false;
  std::string name;  // in the driver's words
  bool has_length = false;
  int segment_length = 0;
  std::optional<Segment> refused;  // the header that was refused
  std::optional<ReadRequest> refused_read;
};

enum class Crc {
  kGood,
  kBad,
  kNotInUse,
  kUnknown,  // wrong if it is in use, which the capture does not show
};

struct FpduEvent {
  uint32_t ulpdu_length = 0;
  Crc crc = Crc::kGood;
  bool markers_bad = false;
  std::optional<Segment> segment;  // not if the header is to be refused
  // What a receiver has to answer, and what that is called.
  std::optional<TermCode> refusal;
  std::string refusal_name;
  std::variant<std::monostate, ReadRequest, AtomicRequest, AtomicResponse,
               Immediate, TerminateBody>
      body;
};

struct GapEvent {
  uint64_t missing = 0;
  bool cut = false;
};

// Octets that no FPDU could be found in, before one was or at the end.
struct SkippedEvent {
  uint64_t octets = 0;
};

struct EndEvent {
  // Not found: no FPDU in what a search may try. No room: too much is held.
  enum class How { kClosed, kReset, kCaptureEnds, kNotFound, kNoRoom };
  How how = How::kClosed;
  uint64_t unfinished = 0;  // octets of an FPDU that did not come whole
};

struct Event {
  Origin origin;  // of its last octet
  size_t connection = 0;
  bool forward = true;        // from the connection's first endpoint
  uint32_t sequence = 0;      // TCP's, of its first octet
  uint32_t acknowledged = 0;  // what its sender has of the other direction
  std::vector<uint8_t> octets;
  std::variant<StartupEvent, FpduEvent, GapEvent, SkippedEvent, EndEvent> what;
};

struct DirectionTotals {
  uint64_t fpdus = 0;
  uint64_t payload = 0;  // octets
  uint64_t bad_crc = 0;
};

struct ConnectionInfo {
  Endpoint first;  // the initiator, if the capture shows who that is
  Endpoint second;
  bool mid_stream = false;  // its start-up is not in the capture
  bool crc = false;         // in use, as far as the capture shows
  DirectionTotals forward;
  DirectionTotals backward;
  size_t faults = 0;  // Terminates, and what a receiver has to refuse
};

class Connection;

class Decoder {
 public:
  // What is given up beyond these; a capture can be made to ask for more.
  static constexpr size_t kMostConnections = 20000;
  // Those that are over are forgotten when there is no room, many at once.
  static constexpr size_t kMostDone = kMostConnections / 10;
  static constexpr size_t kMostHeld = size_t{256} << 20;
  static constexpr size_t kMostHeldPerDirection = 1 << 20;

  using Sink = std::function<void(const Event&)>;
  explicit Decoder(Sink sink, size_t most_held = kMostHeld);
  ~Decoder();

  void Add(const TcpSegment& segment, Origin origin);
  // There is no more: says what can be said of what is left.
  void Finish();

  // Those with iWARP in them, by the number in an event.
  const std::vector<ConnectionInfo>& connections() const { return infos_; }
  // TCP connections without.
  size_t others() const { return seen_ - infos_.size(); }
  // Segments that were left out because there are too many connections.
  uint64_t ignored() const { return ignored_; }
  // Directions of connections that were given up: there may be iWARP in them.
  uint64_t given_up() const { return given_up_; }
  // Octets that wait for others, of all connections, and what they are kept in.
  size_t held() const { return held_; }

 private:
  friend class Connection;
  using Key = std::pair<Endpoint, Endpoint>;  // the smaller one first

  void ForgetDone();

  Sink sink_;
  std::map<Key, std::unique_ptr<Connection>> live_;
  std::vector<ConnectionInfo> infos_;
  size_t seen_ = 0;
  size_t done_ = 0;  // of live_, those that are over
  size_t held_ = 0;
  size_t most_held_;
  uint64_t ignored_ = 0;
  uint64_t given_up_ = 0;
};

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_DECODE_H_
