// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// selftests/vectors, played live. The device chooses STags and addresses, so
// those of a stream are replaced by what the counterpart registered, and each
// CRC is made anew: right where it was right, wrong by the same bits where not.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "selftests/conform/rules.h"

namespace siw::conform {
namespace {

using nlohmann::json;

constexpr size_t kSinkOffset = 53248;
constexpr uint64_t kReadId = 99;

// The regions that vectors use, by STag index: where they begin for the vector
// and in the counterpart's buffer.
struct RegionMap {
  uint32_t stag;
  const char* name;    // of the counterpart's region
  const char* rights;  // if it is not one that is there anyway
  uint64_t to;
  size_t offset;
  bool keep_to;  // out of reach of user space: only its STag is replaced
};
constexpr RegionMap kRegions[] = {
    {0x1101, "r11", "lrw", 65536, 32768, false},
    {0x2202, "other", nullptr, 65536, 32768, false},
    {0x3303, "r33", "lw", 0, 40960, false},
    {0x4404, "r44", "r", 0, 45056, false},
    {0x5505, "r55", "lrw", 0, 49152, false},
    {0x6606, "main", nullptr, 0, 0, true},
    {0x8808, "main", nullptr, 0, 0, false},
};
size_t LengthOf(const RegionMap& region) {
  return region.stag == 0x1101 ? 8192 : 4096;
}

const RegionMap* FindRegion(uint32_t stag) {
  for (const RegionMap& region : kRegions)
    if (region.stag >> 8 == stag >> 8) return &region;
  return nullptr;
}

struct Sink {
  uint32_t vector_stag;
  uint64_t vector_to;
  uint32_t stag;
  uint64_t to;
  uint32_t len;
};

// An FPDU of a vector, without Markers.
struct Piece {
  Bytes ulpdu;
  Bytes pad;
  uint32_t crc_error = 0;
};

uint32_t LeadingLe(ByteSpan octets) {
  return octets[0] | octets[1] << 8 | octets[2] << 16 |
         static_cast<uint32_t>(octets[3]) << 24;
}

Bytes Build(const Piece& piece) {
  Bytes out;
  PutBe(out, piece.ulpdu.size(), 2);
  Append(out, piece.ulpdu);
  Append(out, piece.pad);
  const uint32_t crc = SlowCrc32c(out) ^ piece.crc_error;
  for (int i = 0; i < 4; ++i)
    out.push_back(static_cast<uint8_t>(crc >> (8 * i)));
  return out;
}

// The FPDUs of a stream; `rest` is what is not whole.
std::vector<Piece> TakeApart(const Bytes& stream, bool markers, Bytes* rest) {
  std::vector<Piece> out;
  size_t pos = 0;
  while (pos < stream.size()) {
    siw_mpa_rx rx = {static_cast<uint32_t>(pos), markers, false};
    const uint32_t need =
        siw_mpa_rx_need(&rx, stream.data() + pos, stream.size() - pos);
    if (!need || need > stream.size() - pos) break;
    Bytes fpdu(stream.begin() + static_cast<long>(pos),
               stream.begin() + static_cast<long>(pos + need));
    const Bytes raw = fpdu;
    uint8_t* ulpdu;
    uint16_t len;
    if (siw_mpa_rx_open(&rx, fpdu.data(), need, &ulpdu, &len)) break;
    Piece piece;
    piece.ulpdu.assign(ulpdu, ulpdu + len);
    piece.pad.assign(ulpdu + len, ulpdu + len + siw_mpa_pad(len));
    piece.crc_error = SlowCrc32c(ByteSpan(raw).first(need - 4)) ^
                      LeadingLe(ByteSpan(raw).last(4));
    out.push_back(std::move(piece));
    pos += need;
  }
  rest->assign(stream.begin() + static_cast<long>(pos), stream.end());
  return out;
}

void SetBe(Bytes& out, size_t at, uint64_t value, int width) {
  Bytes octets;
  PutBe(octets, value, width);
  std::copy(octets.begin(), octets.end(), out.begin() + static_cast<long>(at));
}

std::vector<Code> Codes(const json& expect) {
  std::vector<Code> out;
  const auto add = [&out](const json& from) {
    out.push_back({from.at("layer"), from.at("etype"), from.at("code")});
  };
  add(expect);
  if (expect.contains("also_seen"))
    for (const json& also : expect["also_seen"]) add(also);
  return out;
}

class StreamPlayer {
 public:
  StreamPlayer(const json& vector, Stage* stage)
      : vector_(vector),
        context_(vector.value("context", json::object())),
        expect_(vector.at("expect")),
        s_(*stage) {
    pieces_ = TakeApart(FromHex(vector.at("octets").get<std::string>()),
                        context_.value("markers", false), &rest_);
  }

  void Play() {
    const std::string why = WhyNot();
    if (!why.empty()) return s_.Skip(why);
    if (context_.value("markers", false))
      s_.Note("played without its Markers: the peer asks for none");
    for (const Cut cut : kCuts) {
      s_.Scene(CutName(cut));
      if (!Play(cut)) return;
    }
  }

 private:
  std::string WhyNot() const {
    const std::string id = vector_.at("id");
    if (context_.contains("next_msn"))
      return "needs 2^32 messages on one stream; the unit tests have it "
             "(DdpRx.AdvanceWrapsTheMsn)";
    if (id == "bad-rreq-ird")
      return "responses leave at once; see 5040-6.1-ird-exceeded";
    if (id == "bad-marker-ptr") return "the peer asks for no Markers";
    for (const Piece& piece : pieces_) {
      const uint8_t op = piece.ulpdu.size() > 1 ? piece.ulpdu[1] & 0xf : 0;
      if (op >= 8 && op <= 11 && id != "bad-op-atomic-off")
        return "the peer has none of RFC 7306; see 7306-refused";
      if (piece.ulpdu.size() >= 6 && GetBe(piece.ulpdu, 2, 4) == 0x9909)
        return "the Verbs tie no region to a single stream";
    }
    for (const json& event : expect_.value("events", json::array()))
      if (event.get<std::string>().rfind("invalidated", 0) == 0)
        return "user space has no region that a peer may invalidate";
    return "";
  }

  bool Play(Cut cut) {
    if (!SetTheScene()) return false;
    std::vector<Piece> pieces = pieces_;
    Bytes stream;
    for (Piece& piece : pieces) {
      Replace(piece.ulpdu);
      Append(stream, Build(piece));
    }
    Append(stream, rest_);
    if (!s_.Put(stream, cut)) return false;
    const std::string action = expect_.at("action");
    const bool refused = action == "terminate";
    for (size_t i = 0; i + refused < pieces.size(); ++i) Expect(pieces[i]);
    if (refused) {
      ExpectRefusal(pieces.back().ulpdu);
    } else if (action == "need_more_octets") {
      s_.socket().ShutDownWriting();
      s_.ExpectEvent("DISCONNECTED");
      s_.ExpectWc("recv", received_, "WR_FLUSH_ERR");
    } else if (terminated_) {
      s_.ExpectAsync();
      s_.ExpectEvent("DISCONNECTED");
      s_.ExpectFin();
    } else {
      // What was placed counts when a later Send is delivered.
      s_.ExpectAlive(next_msn_, received_);
    }
    for (const auto& [offset, octets] : written_)
      s_.ExpectMemory(offset, octets);
    if (events_ != expect_.value("events", std::vector<std::string>{}))
      s_.Fail("other events than the vector names: " +
              fmt::format("{}", fmt::join(events_, "; ")));
    return !s_.failed();
  }

  void ExpectRefusal(const Bytes& ulpdu) {
    const bool terminate =
        ulpdu.size() > 1 && (ulpdu[1] & 0xf) == SIW_RDMAP_TERMINATE;
    if (terminate) {
      // See 5040-5.4-queue.
      s_.ExpectTerminateOrNothing(Codes(expect_)[0], ulpdu);
      s_.ExpectFin();
    } else {
      s_.ExpectTerminate(Codes(expect_), ulpdu);
      s_.ExpectFin();
      s_.ExpectAsync();
    }
    s_.ExpectEvent("DISCONNECTED");
  }

  bool SetTheScene() {
    Application app;
    app.receives =
        context_.value("receive_buffers", std::vector<uint32_t>(4, 4096));
    // One more for the Send at the end.
    if (expect_.at("action") == "accept") app.receives.push_back(64);
    siw_mpa_setup request = PlainRequest();
    request.crc = context_.value("crc", true);
    if (!request.crc && !s_.Try("crc 0")) {
      s_.Skip("a device that always uses CRC; see 5044-4.4-crc-stays");
      return false;
    }
    if (!s_.RespondFull(app, request)) return false;
    if (s_.reply().setup.crc != request.crc)
      return s_.Fail("C of the Reply is another than both ends want");
    message_.clear();
    response_.clear();
    written_.clear();
    events_.clear();
    sinks_.clear();
    received_ = 0;
    next_msn_ = 1;
    terminated_ = false;
    stags_.clear();
    for (const RegionMap& region : kRegions) {
      if (!region.rights) {
        stags_[region.stag] = s_.stag(region.name);
        continue;
      }
      const auto mr =
          s_.Ask(fmt::format("mr {} {} {} {}", region.name, region.offset,
                             LengthOf(region), region.rights));
      if (!mr) return false;
      stags_[region.stag] = static_cast<uint32_t>(mr->Number("stag"));
    }
    if (!s_.Command("dereg r55")) return false;
    for (const json& read :
         context_.value("outstanding_reads", json::array())) {
      const uint32_t len = read.at("len");
      if (!s_.Command(fmt::format("post read {} {} {} 0x1000 7", kReadId,
                                  kSinkOffset, len)))
        return false;
      const auto got = s_.Receive(SIW_RDMAP_READ_REQ);
      if (!got) return false;
      siw_read_req ask;
      siw_read_req_decode(&ask, got->payload().data());
      const std::string stag = read.at("sink_stag");
      sinks_.push_back(
          {static_cast<uint32_t>(std::strtoul(stag.c_str(), nullptr, 16)),
           read.at("sink_to"), ask.sink_stag, ask.sink_to, len});
    }
    return true;
  }

  void ReplaceStag(Bytes& ulpdu, size_t stag_at, size_t to_at) {
    const auto stag = static_cast<uint32_t>(GetBe(ulpdu, stag_at, 4));
    const RegionMap* region = FindRegion(stag);
    if (!region) return;
    // Another key octet stays another one.
    SetBe(ulpdu, stag_at, stags_.at(region->stag) ^ (stag ^ region->stag), 4);
    if (!to_at || region->keep_to) return;
    SetBe(ulpdu, to_at,
          GetBe(ulpdu, to_at, 8) - region->to + s_.at(region->offset), 8);
  }

  void Replace(Bytes& ulpdu) {
    if (ulpdu.size() < 14) return;
    const uint8_t op = ulpdu[1] & 0xf;
    const bool tagged = ulpdu[0] & 0x80;
    if (tagged && op == SIW_RDMAP_READ_RSP && !sinks_.empty()) {
      const Sink& sink = sinks_.front();
      SetBe(ulpdu, 2, (GetBe(ulpdu, 2, 4) ^ sink.vector_stag) ^ sink.stag, 4);
      SetBe(ulpdu, 6, GetBe(ulpdu, 6, 8) - sink.vector_to + sink.to, 8);
    } else if (tagged) {
      ReplaceStag(ulpdu, 2, 6);
    } else if (op == SIW_RDMAP_SEND_INV || op == SIW_RDMAP_SEND_SE_INV) {
      ReplaceStag(ulpdu, 2, 0);
    } else if (op == SIW_RDMAP_READ_REQ && ulpdu.size() >= 18 + 28) {
      ReplaceStag(ulpdu, 18 + 16, 18 + 20);
    }
  }

  void Event(std::string event) { events_.push_back(std::move(event)); }

  // What a good FPDU leads to.
  void Expect(const Piece& piece) {
    siw_seg seg;
    if (siw_ddp_decode(&seg, piece.ulpdu.data(), piece.ulpdu.size(),
                       static_cast<uint16_t>(piece.ulpdu.size()), true)) {
      s_.Fail("a vector whose good FPDU is bad");
      return;
    }
    const ByteSpan payload = ByteSpan(piece.ulpdu).subspan(seg.hdr_len);
    if (terminated_) return Event("dropped after Terminate");
    switch (seg.op) {
      case SIW_RDMAP_WRITE:
        return ExpectWrite(seg, payload);
      case SIW_RDMAP_READ_REQ:
        return ExpectRead(payload);
      case SIW_RDMAP_READ_RSP:
        return ExpectResponse(seg, payload);
      case SIW_RDMAP_TERMINATE:
        terminated_ = true;
        return Event("Terminate received " + ToHex(payload.first(4)));
      default:
        return ExpectSend(seg, payload);
    }
  }

  void ExpectSend(const siw_seg& seg, ByteSpan payload) {
    Append(message_, payload);
    if (!seg.last) return;
    s_.ExpectReceived(received_++, message_);
    Event(fmt::format("delivered {} {} octets",
                      seg.op == SIW_RDMAP_SEND ? "Send" : "Send with SE",
                      message_.size()));
    message_.clear();
    ++next_msn_;
  }

  void ExpectWrite(const siw_seg& seg, ByteSpan payload) {
    if (payload.empty()) return;
    written_.emplace_back(seg.to - s_.at(0),
                          Bytes(payload.begin(), payload.end()));
    Event(fmt::format("placed {} octets", payload.size()));
  }

  void ExpectRead(ByteSpan header) {
    siw_read_req ask;
    siw_read_req_decode(&ask, header.data());
    Event(fmt::format("read request {} octets", ask.len));
    Bytes got;
    for (bool last = false; !last;) {
      const auto seg = s_.Receive(SIW_RDMAP_READ_RSP);
      if (!seg) return;
      if (seg->seg.stag != ask.sink_stag ||
          seg->seg.to != ask.sink_to + got.size())
        s_.Fail("a Read Response to another place");
      Append(got, seg->payload());
      last = seg->seg.last;
    }
    if (got.size() != ask.len)
      s_.Fail(fmt::format("a Read Response of {} octets", got.size()));
    else if (ask.len)
      s_.ExpectMemory(ask.src_to - s_.at(0), got);
  }

  void ExpectResponse(const siw_seg& seg, ByteSpan payload) {
    Append(response_, payload);
    if (!seg.last) return;
    s_.ExpectWc("send", kReadId, "SUCCESS");
    s_.ExpectMemory(kSinkOffset, response_);
    Event("read complete");
  }

  const json& vector_;
  json context_;
  json expect_;
  Stage& s_;
  std::vector<Piece> pieces_;
  Bytes rest_;

  std::map<uint32_t, uint32_t> stags_;
  std::vector<Sink> sinks_;
  Bytes message_;
  Bytes response_;
  std::vector<std::pair<size_t, Bytes>> written_;
  std::vector<std::string> events_;
  uint64_t received_ = 0;
  uint32_t next_msn_ = 1;
  bool terminated_ = false;
};

// Octets that come when the Request is whole and taken already: nobody can know
// before, but no connection comes of it.
void ExpectLateTrail(Stage& s) {
  const auto event = s.NextEvent(kNeverMs);
  if (!event) return;
  if (event->Text("event") == "none") {
    s.ExpectClosed(kSoonMs);
    return;
  }
  if (!s.SetUp({})) return;
  s.Try("accept 4 4 -");
  s.socket().ShutDownWriting();
  s.ExpectClosed();
  const auto later = s.NextEvent();
  if (later && later->Text("event") == "ESTABLISHED")
    s.Fail("connected nevertheless");
}

void PlayRequest(const json& vector, Stage& s, Cut cut) {
  const Bytes octets = FromHex(vector.at("octets").get<std::string>());
  const std::string action = vector.at("expect").at("action");
  if (!s.Listen() || !s.Dial()) return;
  // A peer that closes early takes no more octets: that is well.
  const bool taken = s.socket().Write(octets, cut);
  if (action == "close" && cut != Cut::kWhole &&
      vector.at("id") == "bad-mpa-trail")
    return ExpectLateTrail(s);
  if (action == "close") {
    s.ExpectClosed(kSoonMs);
    s.ExpectNoEvent();
    return;
  }
  if (!taken) {
    s.Fail("the Request is not taken");
    return;
  }
  if (action == "wait") {
    s.ExpectSilence();
    s.ExpectNoEvent();
    return;
  }
  const auto event = s.NextEvent();
  if (!event) return;
  if (event->Text("event") != "CONNECT_REQUEST") {
    s.Fail("the application is told " + event->Text("event"));
    return;
  }
  const json& fields = vector.at("fields");
  const Bytes pdata = FromHex(fields.at("ulp_private_data").get<std::string>());
  if (pdata.size() <= 255 && event->Octets("pdata") != pdata)
    s.Fail("other private data");
  if (!s.SetUp({}) || !s.Accept({})) return;
  const siw_mpa_setup& reply = s.reply().setup;
  if (reply.rev != fields.at("rev")) s.Fail("another revision");
  if (reply.enhanced != fields.contains("A")) s.Fail("another form");
  if (!reply.crc && fields.at("C") == 1) s.Fail("C=0");
  if (fields.contains("A") && reply.p2p != (fields.at("A") == 1))
    s.Fail("A is not that of the Request");
  // With CRC on either side it is on.
  if (s.Send(WriteUlpdu(0, 0, {}))) s.AwaitEstablished();
}

void PlayReply(const json& vector, Stage& s, Cut cut) {
  const Bytes octets = FromHex(vector.at("octets").get<std::string>());
  const std::string action = vector.at("expect").at("action");
  const json& fields = vector.at("fields");
  Application app;
  app.ird = 16;
  app.ord = 8;
  if (!s.Connect(app)) return;
  if (fields.contains("rev") && fields.at("rev") == 1) {
    s.socket().Reset();
    if (!s.AcceptAgain() || !s.ReadRequest()) return;
  }
  if (fields.contains("A") && action == "accept" &&
      s.request().setup.p2p != (fields.at("A") == 1))
    return s.Skip("the Request has another A, which a Reply has to copy");
  const bool taken = s.socket().Write(octets, cut);
  if (action == "close") {
    s.ExpectClosed(kSoonMs);
    return;
  }
  if (!taken) {
    s.Fail("the Reply is not taken");
    return;
  }
  const auto event = s.NextEvent();
  if (!event) return;
  const std::string want = action == "reject" ? "REJECTED" : "ESTABLISHED";
  if (event->Text("event") != want)
    s.Fail("the application is told " + event->Text("event"));
  else if (event->Octets("pdata") !=
           FromHex(fields.at("ulp_private_data").get<std::string>()))
    s.Fail("other private data");
}

void PlayStartup(const json& vector, Stage& s) {
  for (const Cut cut : kCuts) {
    s.Scene(CutName(cut));
    vector.at("frame") == "request" ? PlayRequest(vector, s, cut)
                                    : PlayReply(vector, s, cut);
    if (s.failed() || !s.skip().empty()) return;
  }
}

// The CRC of a vector's octets, as that of a Send which carries them.
void PlayCrc(const json& vector, Stage& s) {
  const Bytes octets = FromHex(vector.at("octets").get<std::string>());
  Application app;
  app.receives = {4096};
  if (s.RespondFull(app) && s.Send(SendUlpdu(1, octets)))
    s.ExpectReceived(0, octets);
}

// MULPDU for an EMSS, by way of the segment size that we announce.
void PlayMulpdu(const json& vector, Stage& s) {
  constexpr int kTimestamps = 12;
  const int emss = vector.at("emss");
  if (emss < 76 || emss > 1448)
    return s.Skip(
        "an EMSS that this link does not have; the unit tests have "
        "it (MulpduVector.GivesTheMulpdu)");
  for (const bool markers : {false, true}) {
    s.Scene(markers ? "with Markers" : "without Markers");
    siw_mpa_setup request = PlainRequest();
    request.markers = markers;
    if (!s.RespondUp({}, request, emss + kTimestamps) ||
        !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished() ||
        !s.Command("post send 1 40000 8000"))
      return;
    const size_t most =
        vector.at("expect").at(markers ? "with_markers" : "without_markers");
    size_t longest = 0;
    for (bool last = false; !last;) {
      const auto got = s.Receive(SIW_RDMAP_SEND);
      if (!got) return;
      longest = std::max(longest, got->ulpdu.size());
      last = got->seg.last;
    }
    if (longest > most)
      s.Fail(fmt::format("a ULPDU of {} octets, MULPDU is {}", longest, most));
    if (longest < most)
      s.Note(
          fmt::format("ULPDUs of {} octets where {} would do", longest, most));
  }
}

void PlayDepths(const json& vector, Stage& s) {
  const json& request = vector.at("request");
  const json& limit = vector.at("responder_limit");
  const json& expect = vector.at("expect").at("reply");
  Application app;
  app.ird = limit.at("IRD");
  app.ord = limit.at("ORD");
  if (!s.RespondUp(app, EnhancedRequest(request.at("IRD"), request.at("ORD"))))
    return;
  const siw_mpa_setup& reply = s.reply().setup;
  if (reply.ord != expect.at("ORD"))
    s.Fail(fmt::format("ORD {} in the Reply", reply.ord));
  // More than was asked for may be offered.
  if (reply.ird < expect.at("IRD") ||
      (reply.ird > app.ird && reply.ird != SIW_MPA_DEPTH_AUTO))
    s.Fail(fmt::format("IRD {} in the Reply", reply.ird));
}

void Play(const json& vector, Stage& s) {
  const std::string kind = vector.at("kind");
  if (kind == "stream") return StreamPlayer(vector, &s).Play();
  if (kind == "mpa_startup") return PlayStartup(vector, s);
  if (kind == "crc32c") return PlayCrc(vector, s);
  if (kind == "mulpdu") return PlayMulpdu(vector, s);
  if (kind == "ird_ord") return PlayDepths(vector, s);
  s.Skip(
      "TCP's sequence numbers are not ours to choose; see "
      "5044-7.1.1-markers-responder");
}

}  // namespace

Status AddVectors(const std::string& path, Tests* tests) {
  const json file = json::parse(std::ifstream(path), nullptr, false);
  if (file.is_discarded() || !file.contains("vectors"))
    return Error{path + ": not the file of vectors"};
  for (const json& vector : file["vectors"])
    tests->push_back({"vector-" + vector.value("id", ""),
                      vector.value("title", vector.value("id", "")),
                      [vector](Stage& s) { Play(vector, s); }});
  return Done{};
}

Result<Tests> AllTests(const std::string& vectors) {
  Tests out;
  AddStartupRules(&out);
  AddMpaRules(&out);
  AddDdpRules(&out);
  AddRdmapRules(&out);
  const Status added = AddVectors(vectors, &out);
  if (!added) return added.error();
  return out;
}

}  // namespace siw::conform
