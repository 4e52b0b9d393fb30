// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/decode.h"

#include <algorithm>
#include <array>
#include <deque>

#include "tools/siw/trace/header.h"

extern "C" {
#include "fault.h"
#include "mpa_rx.h"
#include "wire.h"
}

namespace siw::trace {
namespace {

// Octets searched for a first FPDU, and octets put into CRCs by one search,
// before a direction is taken for one without iWARP, or given up.
constexpr uint64_t kMostSearched = 1 << 20;
constexpr uint64_t kMostCrcOctets = uint64_t{64} << 20;
// What a piece takes besides its octets: nodes, and what the allocator adds.
constexpr size_t kPieceRoom = 128;
// Headers in a row that are believed without a CRC.
constexpr int kChain = 4;

enum class State {
  kStart,      // a start-up frame is due, or the capture began later
  kWaitReply,  // a Request was here
  kFpdus,
  kSearch,   // for an FPDU
  kForeign,  // no iWARP, or none any more
};

// What is known of the CRC on a connection.
enum class CrcUse { kUnknown, kInUse, kNotInUse };

// Octets of one direction that were not decoded yet.
struct Direction {
  State state = State::kStart;
  Reassembly tcp;
  std::vector<uint8_t> octets;
  size_t head = 0;        // before it, what was decoded already
  uint64_t position = 0;  // of octets[head], from the first octet
  uint32_t sequence = 0;  // TCP's, of octets[head]
  std::deque<std::pair<uint64_t, Origin>> origins;  // by the position they end
  Origin last;                                      // of what came last
  uint64_t full_start = 0;  // position at which FPDUs began
  bool markers = false;
  uint64_t searched = 0;         // octets given up since the last FPDU
  uint64_t crc_octets = 0;       // spent on the search since then
  uint64_t failed = UINT64_MAX;  // position whose CRC was wrong
  bool trailed = false;          // more than a Request before a Reply
  std::optional<uint32_t> fin;
  bool ended = false;

  OctetSpan left() const { return OctetSpan(octets).subspan(head); }
  size_t held() const { return octets.size() + tcp.held(); }
  // In memory: a piece may be of one octet, or of none.
  size_t room() const {
    return held() + kPieceRoom * (origins.size() + tcp.pieces());
  }

  void Append(const Piece& piece) {
    octets.insert(octets.end(), piece.octets.begin(), piece.octets.end());
    last = piece.origin;
    origins.emplace_back(position + octets.size() - head, piece.origin);
  }

  void Consume(size_t n) {
    head += n;
    position += n;
    sequence += static_cast<uint32_t>(n);
    while (!origins.empty() && origins.front().first <= position)
      origins.pop_front();
    if (head == octets.size() || head > 65536) {
      octets.erase(octets.begin(),
                   octets.begin() + static_cast<ptrdiff_t>(head));
      head = 0;
    }
  }

  // Where the octet before this one came from.
  Origin OriginBefore(uint64_t end) const {
    for (const auto& [until, origin] : origins)
      if (until >= end) return origin;
    return last;
  }

  siw_mpa_rx Rx(uint64_t at, bool crc) const {
    return {static_cast<uint32_t>(at - full_start), markers, crc};
  }
};

}  // namespace

class Connection {
 public:
  Connection(Decoder* decoder, const Endpoint& low, const Endpoint& high)
      : decoder_(decoder), ends_{low, high} {}
  ~Connection() { decoder_->held_ -= counted_; }

  void Add(const TcpSegment& segment, int from, Origin origin);
  void Finish();
  // A SYN that begins another connection between the same ends.
  bool IsOver(const TcpSegment& segment, int from) const;
  // Closed by both ends, or reset: no more comes of it.
  bool IsDone() const {
    return finished_ || (directions_[0].ended && directions_[1].ended);
  }

 private:
  Direction& Other(const Direction& direction) {
    return directions_[&direction == directions_.data() ? 1 : 0];
  }
  int Index(const Direction& direction) const {
    return &direction == directions_.data() ? 0 : 1;
  }

  void Begin(const TcpSegment& segment, int from);
  void Find();
  ConnectionInfo& info() { return decoder_->infos_[*number_]; }
  DirectionTotals& totals(const Direction& direction) {
    return Index(direction) == first_ ? info().forward : info().backward;
  }
  void Emit(const Direction& direction, size_t octets,
            decltype(Event::what) what);

  void Pump(Direction* direction, bool give_up);
  void Run(Direction* direction, bool final);
  bool Start(Direction* direction, bool final);
  bool Refused(Direction* direction, StartupEvent startup);
  void HaveRequest(Direction* direction, const StartupEvent& request);
  void HaveReply(Direction* direction, const StartupEvent& reply);
  bool WaitReply(Direction* direction, bool final);
  bool Fpdu(Direction* direction);
  bool TooLong(Direction* direction);
  void EmitFpdu(Direction* direction, size_t need, OctetSpan ulpdu, Crc crc,
                bool markers_bad);
  bool Search(Direction* direction, bool final);
  // Is there an FPDU at an offset? kWait: too little is here to tell.
  Frame Probe(Direction* direction, size_t at, bool final);
  Frame ProbeChain(const Direction& direction, size_t at, bool final) const;
  void Skip(Direction* direction, size_t n);
  void GiveUp(Direction* direction, EndEvent::How how);
  void Gap(Direction* direction, uint32_t missing, bool cut);
  void End(Direction* direction, EndEvent::How how);
  void Rest(Direction* direction, EndEvent::How how);
  void Drop(Direction* direction);
  void Count();

  Decoder* decoder_;
  std::array<Endpoint, 2> ends_;
  std::array<Direction, 2> directions_;
  std::optional<size_t> number_;  // once iWARP was found
  int first_ = 0;                 // whose direction is forward
  bool first_known_ = false;
  bool syn_ = false;
  bool finished_ = false;
  std::optional<StartupEvent> request_;
  bool reply_ = false;
  CrcUse crc_ = CrcUse::kUnknown;
  std::vector<uint8_t> room_;  // for one FPDU
  size_t counted_ = 0;
};

void Connection::Find() {
  if (number_) return;
  number_ = decoder_->infos_.size();
  ConnectionInfo info;
  info.first = ends_[first_];
  info.second = ends_[1 - first_];
  info.mid_stream = !request_;
  decoder_->infos_.push_back(info);
}

void Connection::Emit(const Direction& direction, size_t octets,
                      decltype(Event::what) what) {
  Event event;
  event.origin = direction.OriginBefore(direction.position + octets);
  event.connection = *number_;
  event.forward = Index(direction) == first_;
  event.sequence = direction.sequence;
  event.acknowledged = Other(direction).sequence;
  const OctetSpan left = direction.left().first(octets);
  event.octets.assign(left.begin(), left.end());
  event.what = std::move(what);
  decoder_->sink_(event);
}

bool Connection::IsOver(const TcpSegment& segment, int from) const {
  const Reassembly& tcp = directions_[from].tcp;
  return segment.syn && !segment.ack && tcp.begun() &&
         (finished_ || directions_[from].position > 0) &&
         segment.sequence + 1 != tcp.next();
}

void Connection::Begin(const TcpSegment& segment, int from) {
  Direction& direction = directions_[from];
  if (!first_known_ || (segment.syn && !number_))
    first_ = segment.syn && segment.ack ? 1 - from : from;
  first_known_ = true;
  if (segment.syn) syn_ = true;
  if (!direction.tcp.begun()) {
    direction.tcp.Begin(segment.sequence + (segment.syn ? 1 : 0));
    direction.sequence = direction.tcp.next();
  }
}

void Connection::Add(const TcpSegment& segment, int from, Origin origin) {
  Direction& direction = directions_[from];
  if (finished_) return;
  if (segment.syn || segment.length > 0 || segment.fin) Begin(segment, from);
  direction.last = origin;
  Direction& other = directions_[1 - from];
  if (segment.ack && !other.tcp.begun()) other.sequence = segment.acknowledged;
  const uint32_t sequence = segment.sequence + (segment.syn ? 1 : 0);
  if (segment.fin && !direction.fin) direction.fin = sequence + segment.length;

  // Its sender has had a Reply that the capture has not.
  if (direction.state == State::kWaitReply && segment.ack && !reply_ &&
      other.tcp.begun() && segment.length > 0 && other.position == 0 &&
      static_cast<int32_t>(segment.acknowledged - other.tcp.next()) > 0)
    direction.state = State::kSearch;

  if (segment.length > 0 && direction.state != State::kForeign)
    direction.tcp.Add(sequence, segment.length, segment.payload, origin);
  Pump(&direction, false);
  if (direction.fin && direction.tcp.next() == *direction.fin)
    End(&direction, EndEvent::How::kClosed);
  if (segment.rst) {
    for (Direction& each : directions_) {
      Pump(&each, true);
      Run(&each, true);
    }
    End(&direction, EndEvent::How::kReset);
    finished_ = true;
  }
  Count();
}

void Connection::Finish() {
  for (Direction& direction : directions_) {
    Pump(&direction, true);
    Run(&direction, true);
    if (!direction.ended) Rest(&direction, EndEvent::How::kCaptureEnds);
  }
  Count();
}

void Connection::Pump(Direction* direction, bool give_up) {
  while (std::optional<Piece> piece = direction->tcp.Take(give_up)) {
    if (direction->state == State::kForeign) {
      Drop(direction);
      continue;
    }
    if (!piece->octets.empty()) {
      direction->Append(*piece);
      Run(direction, false);
    }
    if (piece->missing > 0) Gap(direction, piece->missing, piece->cut);
  }
  if (direction->held() > Decoder::kMostHeldPerDirection) Run(direction, true);
}

void Connection::Run(Direction* direction, bool final) {
  for (bool more = true; more;) {
    switch (direction->state) {
      case State::kStart:
        more = Start(direction, final);
        break;
      case State::kWaitReply:
        more = WaitReply(direction, final);
        break;
      case State::kFpdus:
        more = Fpdu(direction);
        break;
      case State::kSearch:
        more = Search(direction, final);
        break;
      case State::kForeign:
        Drop(direction);
        more = false;
        break;
    }
  }
}

void Connection::Drop(Direction* direction) {
  direction->Consume(direction->left().size());
}

bool Connection::Refused(Direction* direction, StartupEvent startup) {
  Find();
  ++info().faults;
  Emit(*direction, 0, std::move(startup));
  for (Direction& each : directions_) each.state = State::kForeign;
  return true;
}

bool Connection::Start(Direction* direction, bool final) {
  const OctetSpan left = direction->left();
  if (left.empty()) return false;
  StartupEvent startup;
  size_t need = 0;
  Frame frame = Frame::kForeign;
  for (const bool reply : {false, true}) {
    frame = ParseStartup(left, reply, &startup, &need);
    if (frame != Frame::kForeign) break;
  }
  const bool reply_due = request_ && !reply_;
  if (frame == Frame::kWait) {
    if (!final) return false;
    direction->state = number_ ? State::kSearch : State::kForeign;
    return true;
  }
  // Something else than a Reply, perhaps a Request too
  if (reply_due &&
      (frame == Frame::kForeign || (frame == Frame::kGood && !startup.reply))) {
    startup = {};
    startup.reply = true;
    startup.bad = "SIW-MPA-KEY";
    return Refused(direction, startup);
  }
  if (frame == Frame::kForeign) {
    const bool hopeless = syn_ && !number_;
    direction->state = hopeless ? State::kForeign : State::kSearch;
    return true;
  }
  if (frame == Frame::kBad) return Refused(direction, startup);
  if (startup.reply)
    HaveReply(direction, startup);
  else
    HaveRequest(direction, startup);
  return true;
}

void Connection::HaveRequest(Direction* direction,
                             const StartupEvent& request) {
  request_ = request;
  if (!number_) first_ = Index(*direction);
  Find();
  const size_t n = SIW_MPA_HDR_LEN + (request.enhanced ? SIW_MPA_ENH_LEN : 0) +
                   request.private_data;
  Emit(*direction, n, request);
  direction->Consume(n);
  direction->full_start = direction->position;
  direction->state = reply_ ? State::kSearch : State::kWaitReply;
}

void Connection::HaveReply(Direction* direction, const StartupEvent& reply) {
  reply_ = true;
  if (!number_) first_ = 1 - Index(*direction);
  Find();
  const size_t n = SIW_MPA_HDR_LEN + (reply.enhanced ? SIW_MPA_ENH_LEN : 0) +
                   reply.private_data;
  Emit(*direction, n, reply);
  direction->Consume(n);
  Direction& other = Other(*direction);
  if (reply.reject) {
    for (Direction& each : directions_) each.state = State::kForeign;
    return;
  }
  // C of either side is for both; without the Request only C=1 is certain.
  if (reply.crc || (request_ && request_->crc))
    crc_ = CrcUse::kInUse;
  else if (request_)
    crc_ = CrcUse::kNotInUse;
  info().crc = crc_ == CrcUse::kInUse;
  direction->full_start = direction->position;
  direction->markers = request_ && request_->markers;
  direction->state = State::kFpdus;
  if (other.state == State::kWaitReply) {
    other.markers = reply.markers;
    other.state = State::kFpdus;
    Run(&other, false);
  }
}

bool Connection::WaitReply(Direction* direction, bool final) {
  if (!direction->left().empty() && !direction->trailed && !final) {
    direction->trailed = true;
    StartupEvent startup = *request_;
    startup.bad = "SIW-MPA-TRAIL";
    ++info().faults;
    Emit(*direction, 0, startup);
  }
  if (!final || direction->left().empty()) return false;
  direction->state = State::kSearch;
  return true;
}

bool Connection::TooLong(Direction* direction) {
  const size_t lead =
      direction->markers && !siw_mpa_until_marker(
                                direction->Rx(direction->position, true).pos)
          ? SIW_MPA_MARKER_LEN
          : 0;
  const OctetSpan left = direction->left();
  FpduEvent fpdu;
  fpdu.ulpdu_length = uint32_t{left[lead]} << 8 | left[lead + 1];
  fpdu.crc = Crc::kUnknown;
  siw_term term;
  siw_term_fill(&term, SIW_FAULT_DDP_LOCAL, nullptr, 0, 0);
  fpdu.refusal = TermCode{term.layer, term.etype, term.code};
  fpdu.refusal_name = "ULPDU_Length above 64768";
  ++info().faults;
  Emit(*direction, 0, fpdu);
  Skip(direction, lead + SIW_MPA_LEN_LEN);
  direction->state = State::kSearch;
  return true;
}

bool Connection::Fpdu(Direction* direction) {
  const OctetSpan left = direction->left();
  siw_mpa_rx rx = direction->Rx(direction->position, crc_ != CrcUse::kNotInUse);
  const uint32_t need = siw_mpa_rx_need(&rx, left.data(), left.size());
  if (need > SIW_MPA_RX_MAX) return TooLong(direction);
  if (need == 0 || left.size() < need) return false;

  room_.assign(left.begin(), left.begin() + need);
  uint8_t* ulpdu = nullptr;
  uint16_t length = 0;
  Crc crc = rx.crc ? Crc::kGood : Crc::kNotInUse;
  siw_fault fault = siw_mpa_rx_open(&rx, room_.data(), need, &ulpdu, &length);
  if (fault == SIW_OK && crc_ == CrcUse::kUnknown) {
    crc_ = CrcUse::kInUse;
    info().crc = true;
  }
  bool markers_bad = fault == SIW_FAULT_MPA_MARKER;
  if (fault != SIW_OK) {
    // Shown as far as it can be, but not believed.
    if (fault == SIW_FAULT_MPA_CRC)
      crc = crc_ == CrcUse::kInUse ? Crc::kBad : Crc::kUnknown;
    rx.crc = false;
    if (siw_mpa_rx_open(&rx, room_.data(), need, &ulpdu, &length) != SIW_OK) {
      markers_bad = true;
      ulpdu = room_.data();
      length = 0;
    }
  }
  const bool believed =
      fault == SIW_OK || (crc == Crc::kUnknown && !markers_bad &&
                          (direction->markers || IsLikelyFpdu(left, true)));
  EmitFpdu(direction, need, OctetSpan(ulpdu, length), crc, markers_bad);
  direction->Consume(need);
  if (!believed) direction->state = State::kSearch;
  return true;
}

void Connection::EmitFpdu(Direction* direction, size_t need, OctetSpan ulpdu,
                          Crc crc, bool markers_bad) {
  FpduEvent fpdu;
  fpdu.ulpdu_length = static_cast<uint32_t>(ulpdu.size());
  fpdu.crc = crc;
  fpdu.markers_bad = markers_bad;
  if (!markers_bad || !ulpdu.empty()) ParseUlpdu(ulpdu, &fpdu);
  DirectionTotals& sum = totals(*direction);
  ++sum.fpdus;
  if (fpdu.segment && crc != Crc::kBad) sum.payload += fpdu.segment->payload;
  if (crc == Crc::kBad) ++sum.bad_crc;
  if (crc == Crc::kBad || markers_bad || fpdu.refusal ||
      std::holds_alternative<TerminateBody>(fpdu.body))
    ++info().faults;
  Emit(*direction, need, std::move(fpdu));
}

Frame Connection::ProbeChain(const Direction& direction, size_t at,
                             bool final) const {
  const OctetSpan left = direction.left();
  const siw_mpa_rx rx = direction.Rx(0, false);
  for (int links = 0; links < kChain; ++links) {
    if (left.size() < at + kLikelyOctets)
      return final ? Frame::kForeign : Frame::kWait;
    if (!IsLikelyFpdu(left.subspan(at), true)) return Frame::kForeign;
    at += siw_mpa_rx_need(&rx, left.data() + at, left.size() - at);
  }
  return Frame::kGood;
}

Frame Connection::Probe(Direction* direction, size_t at, bool final) {
  const OctetSpan left = direction->left().subspan(at);
  siw_mpa_rx rx = direction->Rx(direction->position + at, true);
  if (rx.markers ? rx.pos % 4 != 0 : !IsLikelyFpdu(left, false))
    return Frame::kForeign;
  const uint32_t need = siw_mpa_rx_need(&rx, left.data(), left.size());
  if (need > SIW_MPA_RX_MAX) return Frame::kForeign;
  if (left.size() < need) return final ? Frame::kForeign : Frame::kWait;
  if (direction->failed != direction->position + at) {
    room_.assign(left.begin(), left.begin() + need);
    direction->crc_octets += need;
    uint8_t* ulpdu = nullptr;
    uint16_t length = 0;
    if (siw_mpa_rx_open(&rx, room_.data(), need, &ulpdu, &length) == SIW_OK)
      return Frame::kGood;
    direction->failed = direction->position + at;
  }
  if (crc_ == CrcUse::kInUse || rx.markers) return Frame::kForeign;
  return ProbeChain(*direction, at, final);
}

bool Connection::Search(Direction* direction, bool final) {
  const size_t n = direction->left().size();
  size_t at = 0;
  Frame frame = Frame::kForeign;
  for (; at + kLikelyOctets <= n; ++at) {
    if (direction->crc_octets > kMostCrcOctets ||
        (!number_ && direction->searched + at > kMostSearched)) {
      Skip(direction, at);
      if (number_) GiveUp(direction, EndEvent::How::kNotFound);
      direction->state = State::kForeign;
      return true;
    }
    frame = Probe(direction, at, final);
    if (frame != Frame::kForeign) break;
  }
  Skip(direction, std::min(at, n));
  if (frame != Frame::kGood) return false;
  Find();
  if (direction->searched > 0)
    Emit(*direction, 0, SkippedEvent{direction->searched});
  direction->searched = 0;
  direction->crc_octets = 0;
  if (direction->full_start == 0) direction->full_start = direction->position;
  direction->state = State::kFpdus;
  return true;
}

void Connection::Skip(Direction* direction, size_t n) {
  direction->searched += n;
  direction->Consume(n);
}

// What comes of it now is not looked at.
void Connection::GiveUp(Direction* direction, EndEvent::How how) {
  ++decoder_->given_up_;
  direction->state = State::kForeign;
  if (!number_) return;
  if (direction->searched > 0)
    Emit(*direction, 0, SkippedEvent{direction->searched});
  direction->searched = 0;
  Emit(*direction, 0, EndEvent{how, 0});
}

void Connection::Gap(Direction* direction, uint32_t missing, bool cut) {
  Run(direction, true);
  if (direction->state == State::kForeign) return;
  const uint64_t lost = direction->left().size();
  Drop(direction);
  if (number_) Emit(*direction, 0, GapEvent{missing + lost, cut});
  direction->position += missing;
  direction->sequence += missing;
  direction->state = State::kSearch;
}

void Connection::End(Direction* direction, EndEvent::How how) {
  if (direction->ended) return;
  direction->ended = true;
  Run(direction, true);
  Rest(direction, how);
}

// What is left of the direction once there is no more.
void Connection::Rest(Direction* direction, EndEvent::How how) {
  const size_t left = direction->left().size();
  const bool inside = direction->state == State::kFpdus;
  const uint64_t searched = direction->searched + (inside ? 0 : left);
  if (number_ && searched > 0) Emit(*direction, 0, SkippedEvent{searched});
  if (number_ && (how != EndEvent::How::kCaptureEnds || (inside && left > 0)))
    Emit(*direction, 0, EndEvent{how, inside ? left : 0});
  direction->searched = 0;
  Drop(direction);
}

void Connection::Count() {
  size_t now = 0;
  for (const Direction& direction : directions_) now += direction.room();
  decoder_->held_ += now - counted_;
  counted_ = now;
  if (decoder_->held_ <= decoder_->most_held_) return;
  for (Direction& direction : directions_) {
    if (direction.state != State::kForeign)
      GiveUp(&direction, EndEvent::How::kNoRoom);
    Drop(&direction);
    direction.tcp.Begin(direction.tcp.next());
  }
  decoder_->held_ -= counted_;
  counted_ = 0;
}

Decoder::Decoder(Sink sink, size_t most_held)
    : sink_(std::move(sink)), most_held_(most_held) {}
Decoder::~Decoder() { live_.clear(); }

void Decoder::Add(const TcpSegment& segment, Origin origin) {
  const int from = segment.source > segment.destination ? 1 : 0;
  const Key key = from ? Key(segment.destination, segment.source)
                       : Key(segment.source, segment.destination);
  auto found = live_.find(key);
  if (found != live_.end() && found->second->IsOver(segment, from)) {
    done_ -= found->second->IsDone();
    found->second->Finish();
    live_.erase(found);
    found = live_.end();
  }
  if (found == live_.end()) {
    if (live_.size() >= kMostConnections && done_ > kMostDone) ForgetDone();
    if (live_.size() >= kMostConnections) {
      ++ignored_;
      return;
    }
    found = live_
                .emplace(key, std::make_unique<Connection>(this, key.first,
                                                           key.second))
                .first;
    ++seen_;
  }
  Connection& connection = *found->second;
  const bool was_done = connection.IsDone();
  connection.Add(segment, from, origin);
  done_ += !was_done && connection.IsDone();
}

void Decoder::ForgetDone() {
  for (auto at = live_.begin(); at != live_.end();) {
    if (at->second->IsDone()) {
      at->second->Finish();
      at = live_.erase(at);
    } else {
      ++at;
    }
  }
  done_ = 0;
}

void Decoder::Finish() {
  for (auto& [key, connection] : live_) connection->Finish();
  live_.clear();
}

}  // namespace siw::trace
