// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace siw::conform {
namespace {

constexpr size_t kFailuresKept = 20;

std::string Shorten(ByteSpan octets) {
  const size_t n = std::min<size_t>(octets.size(), 96);
  return ToHex(octets.first(n)) +
         (n < octets.size() ? fmt::format("... ({} octets)", octets.size())
                            : "");
}

Bytes Header(const siw_seg& seg) {
  Bytes out(SIW_DDP_UNTAGGED_LEN);
  out.resize(siw_ddp_encode(out.data(), &seg));
  return out;
}

siw_seg UntaggedSeg(siw_rdmap_op op, uint32_t msn, bool last, uint32_t mo) {
  siw_seg seg = {};
  seg.op = op;
  seg.last = last;
  seg.qn = siw_rdmap_op_info(op)->qn;
  seg.msn = msn;
  seg.mo = mo;
  return seg;
}

siw_seg TaggedSeg(siw_rdmap_op op, uint32_t stag, uint64_t to, bool last) {
  siw_seg seg = {};
  seg.op = op;
  seg.last = last;
  seg.tagged = true;
  seg.stag = stag;
  seg.to = to;
  return seg;
}

std::string Receives(const Application& app) {
  std::string out;
  for (const uint32_t len : app.receives)
    out += (out.empty() ? "" : ",") + std::to_string(len);
  return out.empty() ? "-" : out;
}

}  // namespace

// Frames and ULPDUs

siw_mpa_setup PlainRequest() {
  siw_mpa_setup out = {};
  out.kind = SIW_MPA_REQUEST;
  out.rev = 1;
  out.crc = true;
  return out;
}

siw_mpa_setup EnhancedRequest(uint16_t ird, uint16_t ord, bool p2p,
                              uint8_t rtr) {
  siw_mpa_setup out = PlainRequest();
  out.rev = 2;
  out.enhanced = true;
  out.p2p = p2p;
  out.rtr = rtr;
  out.ird = ird;
  out.ord = ord;
  return out;
}

Bytes StartupFrame(siw_mpa_setup setup, ByteSpan pdata) {
  setup.pd_len = static_cast<uint16_t>(pdata.size());
  Bytes out(SIW_MPA_HDR_LEN + SIW_MPA_ENH_LEN);
  out.resize(siw_mpa_setup_encode(out.data(), &setup));
  Append(out, pdata);
  return out;
}

Bytes RawFrame(bool reply, uint8_t flags, uint8_t rev, ByteSpan pdata) {
  Bytes out = Text(reply ? "MPA ID Rep Frame" : "MPA ID Req Frame");
  out.push_back(flags);
  out.push_back(rev);
  PutBe(out, pdata.size(), 2);
  Append(out, pdata);
  return out;
}

Bytes SendUlpdu(uint32_t msn, ByteSpan payload, bool last, uint32_t mo,
                siw_rdmap_op op) {
  return Join(Header(UntaggedSeg(op, msn, last, mo)), payload);
}

Bytes WriteUlpdu(uint32_t stag, uint64_t to, ByteSpan payload, bool last) {
  return Join(Header(TaggedSeg(SIW_RDMAP_WRITE, stag, to, last)), payload);
}

Bytes ReadUlpdu(uint32_t msn, const siw_read_req& request) {
  Bytes header(SIW_READ_REQ_LEN);
  siw_read_req_encode(header.data(), &request);
  return Join(Header(UntaggedSeg(SIW_RDMAP_READ_REQ, msn, true, 0)), header);
}

Bytes ResponseUlpdu(uint32_t stag, uint64_t to, ByteSpan payload, bool last) {
  return Join(Header(TaggedSeg(SIW_RDMAP_READ_RSP, stag, to, last)), payload);
}

Bytes TerminateUlpdu(const Code& code) { return TerminateFor(code, {}); }

Bytes Text(const char* text) {
  const std::string_view view(text);
  return Bytes(view.begin(), view.end());
}

Bytes Pattern(size_t len, uint32_t seed) {
  Bytes out(len);
  for (size_t i = 0; i < len; ++i) {
    const uint32_t x = seed * 2654435761u + static_cast<uint32_t>(i) * 40503u;
    out[i] = static_cast<uint8_t>((x >> 16) ^ (x >> 5) ^ i);
  }
  return out;
}

std::string CodeName(const Code& code) {
  return fmt::format("{:x}/{:x}/{:02x}", code.layer, code.etype, code.code);
}

// The record

Stage::~Stage() { Finish(); }

bool Stage::Fail(std::string what) {
  if (failures_.size() < kFailuresKept)
    failures_.push_back(scene_.empty() ? what : scene_ + ": " + what);
  return false;
}

void Stage::Scene(std::string name) {
  Finish();
  scene_ = std::move(name);
}

void Stage::KeepTrace() {
  if (!socket_.valid() && socket_.trace().exchanges.empty()) return;
  if (traces_.size() == traces_kept_) {
    if (failure_is_traced_) return;
    traces_.erase(traces_.begin());
  }
  traces_.push_back(socket_.trace());
  failure_is_traced_ = failed();
}

void Stage::ForgetStream() {
  KeepTrace();
  socket_ = Socket();
  pending_.clear();
  received_ = 0;
  framer_.reset();
  request_ = {};
  reply_ = {};
  markers_ = false;
  markers_seen_ = 0;
}

void Stage::Finish() {
  ForgetStream();
  if (used_) (void)counterpart_->Ask("reset");
  used_ = false;
  listener_.reset();
  port_ = 0;
}

// The device as responder

bool Stage::Listen() {
  const auto answer = Ask("listen");
  if (!answer) return false;
  port_ = static_cast<uint16_t>(answer->Number("port"));
  return true;
}

bool Stage::Dial(int mss) {
  KeepTrace();
  auto socket = Socket::Dial({counterpart_->its_address(), port_}, mss);
  if (!socket) return Fail(socket.error().message);
  socket_ = std::move(*socket);
  return true;
}

bool Stage::Put(ByteSpan octets, Cut cut) {
  return socket_.Write(octets, cut) ||
         Fail("the device under test does not take what is sent");
}

bool Stage::AwaitRequest() { return ExpectEvent("CONNECT_REQUEST"); }

bool Stage::SetUp(const Application& app) {
  const auto answer =
      Ask(fmt::format("setup {} {}", app.buffer, Receives(app)));
  if (!answer) return false;
  objects_ = *answer;
  addr_ = answer->Number("addr");
  return true;
}

bool Stage::Accept(const Application& app) {
  return Command(fmt::format("accept {} {} {}", app.ird, app.ord,
                             app.pdata.empty() ? "-" : ToHex(app.pdata))) &&
         AwaitFrame(SIW_MPA_REPLY, &reply_);
}

bool Stage::RespondUp(const Application& app, const siw_mpa_setup& request,
                      int mss) {
  request_.setup = request;
  if (!Listen() || !Dial(mss) || !Put(StartupFrame(request)) ||
      !AwaitRequest() || !SetUp(app) || !Accept(app))
    return false;
  if (reply_.setup.reject) return Fail("the Reply has R=1");
  markers_ = request.markers;
  framer_.emplace(markers_, request.crc || reply_.setup.crc);
  return true;
}

bool Stage::AwaitEstablished() { return ExpectEvent("ESTABLISHED"); }

bool Stage::RespondFull(const Application& app, const siw_mpa_setup& request) {
  return RespondUp(app, request) && Send(WriteUlpdu(0, 0, {})) &&
         AwaitEstablished();
}

bool Stage::RespondAgain(const Application& app) {
  if (!Command("renew")) return false;
  ForgetStream();
  request_.setup = PlainRequest();
  if (!Dial() || !Put(StartupFrame(request_.setup)) || !AwaitRequest() ||
      !Command("again " + Receives(app)) || !Accept(app))
    return false;
  framer_.emplace(false, true);
  return Send(WriteUlpdu(0, 0, {})) && AwaitEstablished();
}

// The device as initiator

bool Stage::Connect(const Application& app, int mss) {
  auto listener = Listener::Open(counterpart_->our_address(), mss);
  if (!listener) return Fail(listener.error().message);
  listener_ = std::move(*listener);
  return Command(fmt::format("resolve {} {}", counterpart_->our_address(),
                             listener_->port())) &&
         SetUp(app) &&
         Command(fmt::format("connect {} {} {}", app.ird, app.ord,
                             app.pdata.empty() ? "-" : ToHex(app.pdata))) &&
         AcceptAgain() && ReadRequest();
}

bool Stage::AcceptAgain() {
  KeepTrace();
  auto socket = listener_->Accept(2 * kSoonMs);
  if (!socket) return Fail(socket.error().message);
  socket_ = std::move(*socket);
  pending_.clear();
  return true;
}

bool Stage::ReadRequest() { return AwaitFrame(SIW_MPA_REQUEST, &request_); }

bool Stage::ReplyWell(bool markers) {
  siw_mpa_setup reply = request_.setup;
  reply.kind = SIW_MPA_REPLY;
  reply.markers = markers;
  reply.crc = true;
  std::swap(reply.ird, reply.ord);
  markers_ = markers;
  framer_.emplace(markers, true);
  if (!Put(StartupFrame(reply)) || !AwaitEstablished()) return false;
  if (!reply.enhanced || !reply.p2p) return true;
  const auto rtr = Receive();
  if (!rtr) return false;
  if (rtr->seg.op == SIW_RDMAP_READ_REQ) {
    siw_read_req ask;
    siw_read_req_decode(&ask, rtr->payload().data());
    return Send(ResponseUlpdu(ask.sink_stag, ask.sink_to, {}));
  }
  return rtr->payload().empty() || Fail("an RTR message with a payload");
}

bool Stage::ConnectFull(const Application& app) {
  return Connect(app) && ReplyWell();
}

// What arrives

bool Stage::Fill(size_t n, int ms) {
  if (pending_.size() < n)
    Append(pending_, socket_.Read(n - pending_.size(), ms));
  return pending_.size() >= n;
}

bool Stage::AwaitFrame(siw_mpa_kind kind, Frame* frame) {
  const char* name = kind == SIW_MPA_REPLY ? "Reply" : "Request";
  size_t need = SIW_MPA_HDR_LEN;
  siw_mpa_verdict verdict = SIW_MPA_WAIT;
  *frame = {};
  while (verdict == SIW_MPA_WAIT) {
    if (!Fill(need, 2 * kSoonMs))
      return Fail(fmt::format("no {}, but {} octets: {}", name, pending_.size(),
                              Shorten(pending_)));
    verdict =
        siw_mpa_setup_decode(&frame->setup, kind, pending_.data(), need, &need);
  }
  if (verdict != SIW_MPA_GOOD)
    return Fail(fmt::format("a bad {}: {}", name, Shorten(pending_)));
  frame->octets = pending_;
  frame->pdata.assign(
      pending_.begin() +
          static_cast<ptrdiff_t>(siw_mpa_setup_hdr_len(&frame->setup)),
      pending_.end());
  pending_.clear();
  return true;
}

bool Stage::Send(ByteSpan ulpdu, Cut cut) { return Put(Fpdu(ulpdu), cut); }

std::optional<Segment> Stage::TryReceive(int ms) {
  siw_mpa_rx rx = {
      static_cast<uint32_t>(received_), markers_,
      !reply_.octets.empty() ? reply_.setup.crc || request_.setup.crc : true};
  if (!framer_) framer_.emplace(markers_, rx.crc);
  size_t want = 2;
  uint32_t need;
  while (!(need = siw_mpa_rx_need(&rx, pending_.data(), pending_.size()))) {
    if (!Fill(want, ms)) return std::nullopt;
    ++want;
  }
  if (!Fill(need, ms)) {
    Fail(fmt::format("an FPDU that is not whole: {}", Shorten(pending_)));
    return std::nullopt;
  }
  const Bytes octets(pending_.begin(), pending_.begin() + need);
  pending_.erase(pending_.begin(), pending_.begin() + need);
  received_ += need;

  Bytes scratch = octets;
  uint8_t* ulpdu = nullptr;
  uint16_t len = 0;
  const siw_fault fault =
      siw_mpa_rx_open(&rx, scratch.data(), need, &ulpdu, &len);
  if (fault) {
    Fail(fmt::format("a bad FPDU ({}): {}", siw_fault_name(fault),
                     Shorten(octets)));
    return std::nullopt;
  }
  Segment out;
  out.ulpdu.assign(ulpdu, ulpdu + len);
  const siw_fault bad =
      siw_ddp_decode(&out.seg, out.ulpdu.data(), out.ulpdu.size(), len, true);
  if (bad) {
    Fail(fmt::format("a bad segment ({}): {}", siw_fault_name(bad),
                     Shorten(out.ulpdu)));
    return std::nullopt;
  }
  framer_->Add(out.ulpdu);
  markers_seen_ = framer_->marker_offsets().size();
  const Bytes& built = framer_->stream();
  // What came before was the same already.
  if (built.size() != received_ ||
      !std::equal(octets.begin(), octets.end(), built.end() - need)) {
    Fail(fmt::format("an FPDU that the model builds otherwise: {}",
                     Shorten(octets)));
    return std::nullopt;
  }
  // Reserved bits are sent as zero.
  if ((out.ulpdu[0] & 0x3c) || (out.ulpdu[1] & 0x30))
    Fail(fmt::format("reserved bits set: {}", Shorten(out.ulpdu)));
  return out;
}

std::optional<Segment> Stage::Receive(int ms) {
  const size_t failures = failures_.size();
  auto out = TryReceive(ms);
  if (!out && failures_.size() == failures) Fail("no FPDU came");
  return out;
}

std::optional<Segment> Stage::Receive(siw_rdmap_op op) {
  auto out = Receive(kSoonMs);
  if (out && out->seg.op != op) {
    Fail(fmt::format("want a {}, got {}", siw_rdmap_op_info(op)->name,
                     Shorten(out->ulpdu)));
    return std::nullopt;
  }
  return out;
}

bool Stage::ExpectSilence(int ms) {
  return !Fill(pending_.size() + 1, ms) ||
         Fail(fmt::format("octets where none may come: {}", Shorten(pending_)));
}

bool Stage::ExpectTerminate(const std::vector<Code>& accepted, ByteSpan ulpdu) {
  std::optional<Segment> got;
  do {
    got = TryReceive(2 * kSoonMs);
  } while (got && got->seg.op == SIW_RDMAP_READ_RSP);
  if (!got)
    return Fail(fmt::format("no Terminate, want {}", CodeName(accepted[0])));
  for (const Code& code : accepted) {
    if (got->ulpdu == TerminateFor(code, ulpdu)) return true;
    if (!foreign_) break;
  }
  return Fail(fmt::format(
      "want the Terminate {} {}, got {}", CodeName(accepted[0]),
      ToHex(TerminateFor(accepted[0], ulpdu)), Shorten(got->ulpdu)));
}

bool Stage::ExpectTerminateOrNothing(const Code& code, ByteSpan ulpdu) {
  const auto got = TryReceive(kSoonMs);
  if (!got || got->ulpdu == TerminateFor(code, ulpdu)) return true;
  return Fail(fmt::format("want the Terminate {} or nothing, got {}",
                          CodeName(code), Shorten(got->ulpdu)));
}

bool Stage::ExpectFin(int ms) {
  Bytes extra = pending_;
  const End end = socket_.AwaitEnd(ms, &extra);
  if (!extra.empty())
    return Fail(
        fmt::format("octets behind the last message: {}", Shorten(extra)));
  if (end == End::kFin) return true;
  return Fail(end == End::kOpen ? "TCP stays open" : "RST in place of FIN");
}

bool Stage::ExpectClosed(int ms) {
  return socket_.AwaitEnd(ms) != End::kOpen || Fail("TCP stays open");
}

// The application

std::optional<Answer> Stage::Ask(const std::string& command) {
  used_ = true;
  auto answer = counterpart_->Ask(command);
  if (answer) return *answer;
  Fail(answer.error().message);
  return std::nullopt;
}

std::optional<Answer> Stage::NextEvent(int ms) {
  return Ask(fmt::format("event {}", ms));
}

bool Stage::ExpectEvent(const std::string& name) {
  const auto event = NextEvent(2 * kSoonMs);
  if (!event) return false;
  if (event->Text("event") == name) return true;
  return Fail(fmt::format("want the event {}, got {} (status {})", name,
                          event->Text("event"), event->Text("status")));
}

bool Stage::ExpectNoEvent(int ms) {
  const auto event = NextEvent(ms);
  if (!event) return false;
  return event->Text("event") == "none" ||
         Fail(fmt::format("the application is told {}", event->Text("event")));
}

bool Stage::ExpectAsync() {
  const auto end = std::chrono::steady_clock::now() + Stretched(kSoonMs);
  while (std::chrono::steady_clock::now() < end) {
    const auto answer = Ask("async 100");
    if (!answer) return false;
    if (answer->Text("async").rfind("QP_", 0) == 0) return true;
  }
  return Fail("no asynchronous event tells of the error");
}

bool Stage::ExpectWc(const std::string& queue, uint64_t id,
                     const std::string& status, Answer* answer) {
  const auto wc = Ask(fmt::format("wc {} {}", queue, kSoonMs));
  if (!wc) return false;
  if (answer) *answer = *wc;
  if (wc->Text("id") == std::to_string(id) && wc->Text("status") == status)
    return true;
  return Fail(fmt::format("want {} completion {} {}, got {} {}", queue, id,
                          status, wc->Text("id"), wc->Text("status")));
}

bool Stage::ExpectBadWc(const std::string& queue, uint64_t id) {
  const auto wc = Ask(fmt::format("wc {} {}", queue, kSoonMs));
  if (!wc) return false;
  if (wc->Text("id") == std::to_string(id) && wc->Text("status") != "SUCCESS")
    return true;
  return Fail(fmt::format("want {} completion {} in error, got {} {}", queue,
                          id, wc->Text("id"), wc->Text("status")));
}

bool Stage::ExpectNoWc(const std::string& queue, int ms) {
  const auto wc = Ask(fmt::format("wc {} {}", queue, ms));
  if (!wc) return false;
  return wc->Text("id") == "none" ||
         Fail(fmt::format("a {} completion {} {} that may not be", queue,
                          wc->Text("id"), wc->Text("status")));
}

bool Stage::ExpectReceived(uint64_t id, ByteSpan payload) {
  Answer wc;
  if (!ExpectWc("recv", id, "SUCCESS", &wc)) return false;
  if (wc.Number("len") != payload.size())
    return Fail(fmt::format("receive {}: want {} octets, got {}", id,
                            payload.size(), wc.Number("len")));
  return ExpectMemory(id * kSlot, payload);
}

bool Stage::ExpectMemory(size_t offset, ByteSpan octets) {
  if (octets.empty()) return true;
  const auto answer = Ask(fmt::format("get {} {}", offset, octets.size()));
  if (!answer) return false;
  const Bytes got = answer->Octets("data");
  if (std::equal(octets.begin(), octets.end(), got.begin(), got.end()))
    return true;
  return Fail(fmt::format("memory at {}: want {}, got {}", offset,
                          Shorten(octets), Shorten(got)));
}

bool Stage::ExpectUntouched(size_t offset, size_t len) {
  const auto answer =
      Ask(fmt::format("differ {} {} {}", offset, len, kUntouched));
  if (!answer) return false;
  return !answer->Number("count") ||
         Fail(fmt::format("{} octets changed from {} on",
                          answer->Number("count"), answer->Number("first")));
}

bool Stage::ExpectAlive(uint32_t msn, uint64_t id) {
  const Bytes text = Text("alive");
  return Send(SendUlpdu(msn, text)) && ExpectReceived(id, text);
}

bool Stage::ExpectDead(const std::vector<uint64_t>& receives) {
  bool well = ExpectAsync();
  for (const uint64_t id : receives)
    well = ExpectWc("recv", id, "WR_FLUSH_ERR") && well;
  well = ExpectEvent("DISCONNECTED") && well;
  const auto state = Ask("state");
  if (!state) return false;
  return (state->Text("state") == "ERR" ||
          Fail("the queue pair is in state " + state->Text("state"))) &&
         well;
}

uint32_t Stage::stag(const std::string& name) const {
  return static_cast<uint32_t>(objects_.Number(name));
}

}  // namespace siw::conform
