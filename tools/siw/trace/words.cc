// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/words.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace siw::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNotNegotiated = 0x3fff;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string Octets(uint64_t n) {
  return fmt::format("{} octet{}", n, n == 1 ? "" : "s");
}

std::string CodeText(const TermCode& code) {
  return fmt::format("{}/{}/{:02x}", code.layer, code.etype, code.code);
}

std::string_view CrcWord(Crc crc) {
  switch (crc) {
    case Crc::kGood:
      return "good";
    case Crc::kBad:
      return "bad";
    case Crc::kNotInUse:
      return "not in use";
    case Crc::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view CrcText(Crc crc) {
  switch (crc) {
    case Crc::kGood:
      return "CRC good";
    case Crc::kBad:
      return "CRC BAD";
    case Crc::kNotInUse:
      return "CRC not in use";
    case Crc::kUnknown:
      return "CRC not in use, or wrong";
  }
  return "";
}

std::string DepthText(int depth) {
  return depth == kNotNegotiated ? "not negotiated" : std::to_string(depth);
}

std::string RtrText(const StartupEvent& startup) {
  std::string kinds;
  const auto add = [&kinds](bool is, const char* kind) {
    if (is) kinds += (kinds.empty() ? "" : " or ") + std::string(kind);
  };
  add(startup.rtr_send, "Send");
  add(startup.rtr_write, "Write");
  add(startup.rtr_read, "Read");
  return kinds.empty() ? "nothing offered" : kinds;
}

std::string EntryText(const CatalogueEntry* entry) {
  return entry ? fmt::format("{}: {}", entry->id, entry->title) : "";
}

std::string Text(CatalogueView catalogue, const StartupEvent& startup) {
  std::string out = startup.reply ? "MPA Reply" : "MPA Request";
  if (!startup.bad.empty()) {
    return fmt::format("{} that is refused: {}", out,
                       EntryText(FindId(catalogue, startup.bad)));
  }
  if (startup.reject) out += " that rejects the connection";
  out += fmt::format(", revision {}: {}, {}", startup.revision,
                     startup.crc ? "CRC" : "no CRC",
                     startup.markers ? "Markers wanted" : "no Markers");
  if (startup.enhanced) {
    if (startup.peer_to_peer)
      out += fmt::format(", peer-to-peer, first message {}", RtrText(startup));
    out += fmt::format(", IRD {}, ORD {}", DepthText(startup.ird),
                       DepthText(startup.ord));
  }
  if (startup.private_data > 0)
    out += fmt::format(", {} of private data", Octets(startup.private_data));
  return out;
}

// Where in memory or in the message it goes.
std::string PlaceText(const Segment& segment) {
  if (segment.tagged) {
    return fmt::format("STag 0x{:08x}, TO 0x{:x}", segment.stag, segment.to);
  }
  std::string out = fmt::format("MSN {}", segment.msn);
  if (segment.mo > 0) out += fmt::format(", at {}", segment.mo);
  if (segment.invalidates)
    out += fmt::format(", invalidates STag 0x{:08x}", segment.stag);
  return out;
}

std::string ReadText(const ReadRequest& read) {
  return fmt::format(
      "{} from STag 0x{:08x}, TO 0x{:x} to STag 0x{:08x}, TO 0x{:x}",
      Octets(read.size), read.source_stag, read.source_to, read.sink_stag,
      read.sink_to);
}

std::string BodyText(const FpduEvent& fpdu, const Segment& segment) {
  return std::visit(
      Overloaded{
          [&](std::monostate) {
            return fmt::format("{}{}", Octets(segment.payload),
                               segment.last ? ", last" : "");
          },
          [](const ReadRequest& read) { return ReadText(read); },
          [](const AtomicRequest& atomic) {
            const std::string target =
                fmt::format("STag 0x{:08x}, TO 0x{:x}", atomic.stag, atomic.to);
            return atomic.operation == 0
                       ? fmt::format("FetchAdd 0x{:x}, mask 0x{:x}, at {}",
                                     atomic.data, atomic.data_mask, target)
                       : fmt::format("CmpSwap 0x{:x} for 0x{:x}, at {}",
                                     atomic.compare, atomic.data, target);
          },
          [](const AtomicResponse& response) {
            return fmt::format("value 0x{:x}, request {}", response.value,
                               response.identifier);
          },
          [](const Immediate& immediate) {
            return fmt::format("0x{:016x}", immediate.data);
          },
          [](const TerminateBody&) { return std::string(); }},
      fpdu.body);
}

std::string TerminateText(CatalogueView catalogue, const TerminateBody& body) {
  std::string out =
      fmt::format("Terminate {} ({}), {}", CodeText(body.code), body.name,
                  EntryText(TerminateEntry(catalogue, body.code)));
  if (body.swapped)
    out += fmt::format(
        "; fields in the order of the kernel's own siw, 0x{:08x}", body.word);
  if (body.refused) {
    out += fmt::format("; refused: {}, {}", body.refused->operation,
                       PlaceText(*body.refused));
  }
  if (body.has_length)
    out += fmt::format(", ULPDU of {}",
                       Octets(static_cast<uint64_t>(body.segment_length)));
  if (body.refused_read) out += ", " + ReadText(*body.refused_read);
  return out;
}

std::string Text(CatalogueView catalogue, const FpduEvent& fpdu) {
  std::string out;
  if (const auto* terminate = std::get_if<TerminateBody>(&fpdu.body)) {
    out = TerminateText(catalogue, *terminate);
  } else if (fpdu.segment) {
    const std::string body = BodyText(fpdu, *fpdu.segment);
    out = fmt::format("{}, {}{}{}", fpdu.segment->operation,
                      PlaceText(*fpdu.segment), body.empty() ? "" : ", ", body);
  } else {
    out = fmt::format("FPDU with a ULPDU of {}", Octets(fpdu.ulpdu_length));
  }
  if (fpdu.refusal) {
    const CatalogueEntry* entry = TerminateEntry(catalogue, *fpdu.refusal);
    out += fmt::format("; to be refused: {} ({}), {}", fpdu.refusal_name,
                       CodeText(*fpdu.refusal), entry->id);
  }
  if (fpdu.markers_bad) out += "; Markers BAD, SIW-TERM-2003-RCVD";
  out += fmt::format("; {}", CrcText(fpdu.crc));
  if (fpdu.crc == Crc::kBad) out += ", SIW-COUNT-CRC";
  return out;
}

std::string Text(const GapEvent& gap) {
  return gap.cut
             ? fmt::format("{} are cut off in the capture (its snap length)",
                           Octets(gap.missing))
             : fmt::format("{} are not in the capture", Octets(gap.missing));
}

std::string Text(const SkippedEvent& skipped) {
  return fmt::format("{} in which no FPDU begins were skipped",
                     Octets(skipped.octets));
}

std::string Text(const EndEvent& end) {
  std::string out;
  switch (end.how) {
    case EndEvent::How::kClosed:
      out = "closed (FIN)";
      break;
    case EndEvent::How::kReset:
      out = "reset (RST)";
      break;
    case EndEvent::How::kCaptureEnds:
      out = "the capture ends";
      break;
    case EndEvent::How::kNotFound:
      out = "given up: no FPDU was found in as many tries as there may be";
      break;
    case EndEvent::How::kNoRoom:
      out = "given up: all connections hold more than they may";
      break;
  }
  if (end.unfinished > 0)
    out +=
        fmt::format(" inside an FPDU, {} of it came", Octets(end.unfinished));
  return out;
}

std::string Hex(uint32_t stag) { return fmt::format("0x{:08x}", stag); }
std::string Hex(uint64_t to) { return fmt::format("0x{:x}", to); }

Json ToJson(const TermCode& code) { return CodeText(code); }

Json ToJson(const StartupEvent& startup) {
  Json out = {
      {"type", startup.reply ? "mpa_reply" : "mpa_request"},
      {"refused", startup.bad.empty() ? Json(nullptr) : Json(startup.bad)},
      {"revision", startup.revision}};
  if (!startup.bad.empty()) return out;
  out["crc"] = startup.crc;
  out["markers"] = startup.markers;
  out["reject"] = startup.reject;
  out["private_data"] = startup.private_data;
  if (startup.enhanced) {
    out["peer_to_peer"] = startup.peer_to_peer;
    out["rtr_send"] = startup.rtr_send;
    out["rtr_write"] = startup.rtr_write;
    out["rtr_read"] = startup.rtr_read;
    out["ird"] = startup.ird;
    out["ord"] = startup.ord;
  }
  return out;
}

Json ToJson(const Segment& segment) {
  Json out = {{"operation", segment.operation},
              {"opcode", segment.opcode},
              {"tagged", segment.tagged},
              {"last", segment.last},
              {"payload", segment.payload}};
  if (segment.tagged) {
    out["stag"] = Hex(segment.stag);
    out["to"] = Hex(segment.to);
  } else {
    out["qn"] = segment.qn;
    out["msn"] = segment.msn;
    out["mo"] = segment.mo;
    if (segment.invalidates) out["invalidates"] = Hex(segment.stag);
  }
  return out;
}

Json ToJson(const ReadRequest& read) {
  return {{"size", read.size},
          {"source_stag", Hex(read.source_stag)},
          {"source_to", Hex(read.source_to)},
          {"sink_stag", Hex(read.sink_stag)},
          {"sink_to", Hex(read.sink_to)}};
}

Json ToJson(CatalogueView catalogue, const TerminateBody& body) {
  const CatalogueEntry* entry = TerminateEntry(catalogue, body.code);
  Json out = {{"code", ToJson(body.code)}, {"name", body.name},
              {"id", entry->id},           {"title", entry->title},
              {"word", Hex(body.word)},    {"swapped", body.swapped}};
  if (body.has_length) out["segment_length"] = body.segment_length;
  if (body.refused) out["refused"] = ToJson(*body.refused);
  if (body.refused_read) out["refused_read"] = ToJson(*body.refused_read);
  return out;
}

void AddBody(CatalogueView catalogue, const FpduEvent& fpdu, Json* out) {
  std::visit(
      Overloaded{
          [](std::monostate) {},
          [&](const ReadRequest& read) { (*out)["read"] = ToJson(read); },
          [&](const AtomicRequest& atomic) {
            (*out)["atomic"] = {{"operation", atomic.operation},
                                {"identifier", atomic.identifier},
                                {"stag", Hex(atomic.stag)},
                                {"to", Hex(atomic.to)},
                                {"data", Hex(atomic.data)},
                                {"data_mask", Hex(atomic.data_mask)},
                                {"compare", Hex(atomic.compare)},
                                {"compare_mask", Hex(atomic.compare_mask)}};
          },
          [&](const AtomicResponse& response) {
            (*out)["atomic_response"] = {{"identifier", response.identifier},
                                         {"value", Hex(response.value)}};
          },
          [&](const Immediate& immediate) {
            (*out)["immediate"] = Hex(immediate.data);
          },
          [&](const TerminateBody& body) {
            (*out)["terminate"] = ToJson(catalogue, body);
          }},
      fpdu.body);
}

Json ToJson(CatalogueView catalogue, const FpduEvent& fpdu) {
  Json out = {{"type", "fpdu"},
              {"ulpdu_length", fpdu.ulpdu_length},
              {"crc", CrcWord(fpdu.crc)},
              {"markers_bad", fpdu.markers_bad}};
  if (fpdu.segment) out["segment"] = ToJson(*fpdu.segment);
  if (fpdu.refusal) {
    out["refusal"] = {{"code", ToJson(*fpdu.refusal)},
                      {"name", fpdu.refusal_name},
                      {"id", TerminateEntry(catalogue, *fpdu.refusal)->id}};
  }
  AddBody(catalogue, fpdu, &out);
  return out;
}

std::string_view HowWord(EndEvent::How how) {
  switch (how) {
    case EndEvent::How::kClosed:
      return "closed";
    case EndEvent::How::kReset:
      return "reset";
    case EndEvent::How::kCaptureEnds:
      return "capture_ends";
    case EndEvent::How::kNotFound:
      return "not_found";
    case EndEvent::How::kNoRoom:
      return "no_room";
  }
  return "";
}

Json TotalsJson(const DirectionTotals& totals) {
  return {{"fpdus", totals.fpdus},
          {"payload", totals.payload},
          {"bad_crc", totals.bad_crc}};
}

}  // namespace

const CatalogueEntry* TerminateEntry(CatalogueView catalogue,
                                     const TermCode& code) {
  const CatalogueEntry* entry =
      FindId(catalogue, fmt::format("SIW-TERM-{:X}{:X}{:02X}-RCVD", code.layer,
                                    code.etype, code.code));
  return entry ? entry : FindId(catalogue, "SIW-TERM-OTHER-RCVD");
}

std::string EventText(CatalogueView catalogue, const Event& event) {
  return std::visit(
      Overloaded{[&](const StartupEvent& e) { return Text(catalogue, e); },
                 [&](const FpduEvent& e) { return Text(catalogue, e); },
                 [](const auto& e) { return Text(e); }},
      event.what);
}

Json EventJson(CatalogueView catalogue, const Event& event) {
  Json out = {{"packet", event.origin.packet},
              {"time", fmt::format("{}.{:09}", event.origin.time / 1000000000,
                                   event.origin.time % 1000000000)},
              {"connection", event.connection + 1},
              {"direction", event.forward ? "forward" : "backward"},
              {"sequence", event.sequence}};
  out.update(std::visit(
      Overloaded{[](const StartupEvent& e) { return ToJson(e); },
                 [&](const FpduEvent& e) { return ToJson(catalogue, e); },
                 [](const GapEvent& e) {
                   return Json{
                       {"type", "gap"}, {"missing", e.missing}, {"cut", e.cut}};
                 },
                 [](const SkippedEvent& e) {
                   return Json{{"type", "skipped"}, {"octets", e.octets}};
                 },
                 [](const EndEvent& e) {
                   return Json{{"type", "end"},
                               {"how", HowWord(e.how)},
                               {"unfinished", e.unfinished}};
                 }},
      event.what));
  return out;
}

std::string ConnectionText(size_t number, const ConnectionInfo& info) {
  const auto way = [](const DirectionTotals& totals) {
    return fmt::format("{} FPDUs, {}{}", totals.fpdus, Octets(totals.payload),
                       totals.bad_crc
                           ? fmt::format(", {} with a bad CRC", totals.bad_crc)
                           : "");
  };
  return fmt::format("connection {}: {} -> {}{}\n  -> {}\n  <- {}\n",
                     number + 1, EndpointText(info.first),
                     EndpointText(info.second),
                     info.mid_stream ? ", begun before the capture" : "",
                     way(info.forward), way(info.backward));
}

Json ConnectionJson(size_t number, const ConnectionInfo& info) {
  return {{"connection", number + 1},
          {"first", EndpointText(info.first)},
          {"second", EndpointText(info.second)},
          {"mid_stream", info.mid_stream},
          {"crc", info.crc},
          {"faults", info.faults},
          {"forward", TotalsJson(info.forward)},
          {"backward", TotalsJson(info.backward)}};
}

}  // namespace siw::trace
