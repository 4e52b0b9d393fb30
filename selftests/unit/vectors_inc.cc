// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "vectors_inc.h"

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "vector_file.h"

namespace siw {
namespace {

using nlohmann::json;

constexpr size_t kDigitsPerLine = 64;

constexpr const char* kHead =
    "/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */\n"
    "/* Made from selftests/vectors/vectors.json by siw_vectors_inc. */\n";

// Writes designated initializers, one to a line, at some depth of tabs.
class Writer {
 public:
  explicit Writer(std::ostringstream& out) : out_(out) {}

  void Open(const std::string& text) {
    Line(text + "{");
    ++depth_;
  }
  void Close(const char* text = "},") {
    --depth_;
    Line(text);
  }
  void Line(const std::string& text) {
    out_ << std::string(depth_, '\t') << text << '\n';
  }
  void Number(const std::string& name, uint64_t value) {
    if (value) Line("." + name + " = " + Literal(value) + ",");
  }
  void Hex(const std::string& name, uint32_t value) {
    std::ostringstream text;
    text << "0x" << std::hex << value;
    Word(name, text.str());
  }
  void Flag(const std::string& name, bool value) {
    if (value) Line("." + name + " = true,");
  }
  void Word(const std::string& name, const std::string& word) {
    Line("." + name + " = " + word + ",");
  }
  void String(const std::string& name, const std::string& text) {
    Word(name, "\"" + text + "\"");
  }
  // Hex digits, on as many lines as they need.
  void Octets(const std::string& name, const std::string& hex) {
    if (hex.size() <= kDigitsPerLine / 2) return String(name, hex);
    Line("." + name + " =");
    for (size_t at = 0; at < hex.size(); at += kDigitsPerLine) {
      const bool last = at + kDigitsPerLine >= hex.size();
      Line("\t\"" + hex.substr(at, kDigitsPerLine) + (last ? "\"," : "\""));
    }
  }
  void Numbers(const std::string& name, const std::vector<uint32_t>& values) {
    if (values.empty()) return;
    std::string list;
    for (const uint32_t value : values) {
      list += (list.empty() ? "" : ", ") + Literal(value);
    }
    Word(name, "{ " + list + " }");
  }

 private:
  static std::string Literal(uint64_t value) {
    std::ostringstream text;
    if (value >= 0x80000000) {
      text << "0x" << std::hex << value << (value >> 32 ? "ULL" : "");
    } else {
      text << value;
    }
    return text.str();
  }

  std::ostringstream& out_;
  int depth_ = 0;
};

void Region(Writer& out, uint32_t stag, const ContextRegion& region,
            uint32_t pd) {
  std::string access;
  const auto grant = [&](bool granted, const char* right) {
    if (granted) access += (access.empty() ? "" : " | ") + std::string(right);
  };
  grant(region.remote_read, "SIW_ACCESS_REMOTE_READ");
  grant(region.remote_write, "SIW_ACCESS_REMOTE_WRITE");
  grant(region.atomic, "SIW_ACCESS_REMOTE_ATOMIC");
  out.Open("");
  out.Open(".region = ");
  out.Number("base", region.to);
  out.Number("len", region.len);
  out.Hex("stag", stag);
  out.Word("access", access);
  out.Flag("valid", region.valid);
  out.Flag("shared", region.shared);
  out.Close();
  out.Flag("same_pd", region.pd == pd && !region.other_stream);
  out.Close();
}

void Regions(Writer& out) {
  const Context context = ContextOf({"", json::object()});
  out.Open(
      "static const struct siw_receiver_region "
      "siw_vector_regions[SIW_RECEIVER_REGIONS] = ");
  for (const auto& [stag, region] : context.stags) {
    Region(out, stag, region, context.pd);
  }
  out.Close("};");
}

void Crc(Writer& out, const json& vector) {
  const json& expect = vector.at("expect");
  out.Octets("octets", vector.at("octets"));
  out.Word("crc", expect.at("crc_u32"));
  out.Octets("wire", expect.at("crc_wire"));
}

void Frame(Writer& out, const json& fields, bool reply) {
  const auto is_set = [&](const char* name) {
    return fields.value(name, 0) == 1;
  };
  const std::string pd = fields.at("ulp_private_data");
  const bool enhanced = fields.contains("A");
  std::string rtr;
  const auto offer = [&](const char* flag, const char* name) {
    if (is_set(flag)) rtr += (rtr.empty() ? "" : " | ") + std::string(name);
  };
  offer("B", "SIW_RTR_SEND");
  offer("Cw", "SIW_RTR_WRITE");
  offer("Dr", "SIW_RTR_READ");
  out.Open(".frame = ");
  out.Word("kind", reply ? "SIW_MPA_REPLY" : "SIW_MPA_REQUEST");
  out.Number("rev", fields.at("rev"));
  out.Flag("markers", is_set("M"));
  out.Flag("crc", is_set("C"));
  out.Flag("reject", is_set("R") && reply);
  out.Flag("enhanced", enhanced);
  out.Flag("p2p", is_set("A"));
  if (is_set("A") && !rtr.empty()) out.Word("rtr", rtr);
  if (enhanced) {
    out.Number("ird", fields.at("IRD"));
    out.Number("ord", fields.at("ORD"));
  }
  out.Number("pd_len", pd.size() / 2);
  out.Close();
  out.Octets("pd", pd);
}

// What is not checked on reception is not sent either.
bool IsSentLikeThis(const json& fields) {
  return fields.at("res") == 0 && !(fields.at("S") == 1 && fields["rev"] == 1);
}

void Startup(Writer& out, const json& vector) {
  const bool reply = vector.at("frame") == "reply";
  const std::string action = vector.at("expect").at("action");
  const bool good = action == "accept" || action == "reject";
  out.Octets("octets", vector.at("octets"));
  out.Word("kind", reply ? "SIW_MPA_REPLY" : "SIW_MPA_REQUEST");
  out.Flag("wait", action == "wait");
  out.Flag("close", action == "close");
  if (!good) return;
  const json& fields = vector.at("fields");
  if ((action == "reject") != (reply && fields.at("R") == 1)) {
    throw std::runtime_error("fields and action disagree");
  }
  out.Flag("rebuild", IsSentLikeThis(fields));
  Frame(out, fields, reply);
}

void ContextFields(Writer& out, const json& vector) {
  const Context context = ContextOf({"", vector});
  if (vector.value("context", json::object()).contains("stags")) {
    throw std::runtime_error("regions of its own");
  }
  out.Open(".ctx = ");
  out.Flag("markers", context.markers);
  out.Flag("crc", context.crc);
  out.Flag("atomics", context.atomics);
  out.Number("ird", context.ird);
  out.Numbers("msn", {context.next_msn.begin(), context.next_msn.end()});
  out.Number("num_buffers", context.receive_buffers.size());
  out.Numbers("buffer", context.receive_buffers);
  out.Number("num_reads", context.outstanding_reads.size());
  if (!context.outstanding_reads.empty()) {
    out.Open(".read = ");
    for (const ContextRead& read : context.outstanding_reads) {
      out.Open("");
      out.Hex("stag", read.sink_stag);
      out.Number("to", read.sink_to);
      out.Number("len", read.len);
      out.Close();
    }
    out.Close();
  }
  out.Number("num_atomics", context.outstanding_atomics.size());
  out.Numbers("atomic", context.outstanding_atomics);
  out.Close();
}

void Stream(Writer& out, const json& vector) {
  const json& expect = vector.at("expect");
  std::string events;
  for (const std::string event : expect.value("events", json::array())) {
    events += event + "\\n";
  }
  out.Octets("octets", vector.at("octets"));
  ContextFields(out, vector);
  out.String("events", events);
  out.Flag("need_more", expect.at("action") == "need_more_octets");
  if (expect.at("action") != "terminate") return;
  out.Octets("ulpdu", expect.at("terminate_ulpdu"));
  out.Octets("fpdu", expect.at("terminate_fpdu"));
  out.Number("layer", expect.at("layer"));
  out.Number("etype", expect.at("etype"));
  out.Hex("code", expect.at("code"));
}

void Mulpdu(Writer& out, const json& vector) {
  const json& expect = vector.at("expect");
  out.Number("emss", vector.at("emss"));
  out.Number("plain", expect.at("without_markers"));
  out.Number("markers", expect.at("with_markers"));
  out.Number("tagged", expect.at("tagged_payload"));
  out.Number("untagged", expect.at("untagged_payload"));
}

void Markers(Writer& out, const json& vector) {
  out.Number("first", vector.at("first_sequence"));
  out.Numbers("at", vector.at("expect").at("markers_at"));
}

void Depths(Writer& out, const json& vector) {
  const auto both = [&out](const char* ird, const char* ord, const json& from) {
    out.Number(ird, from.at("IRD"));
    out.Number(ord, from.at("ORD"));
  };
  both("req_ird", "req_ord", vector.at("request"));
  both("max_ird", "max_ord", vector.at("responder_limit"));
  both("rep_ird", "rep_ord", vector.at("expect").at("reply"));
  both("ird", "ord", vector.at("expect").at("initiator_after"));
}

void Array(Writer& out, const std::string& kind, const std::string& name,
           void (*fill)(Writer&, const json&)) {
  out.Line("");
  out.Open("static const struct siw_" + name + "_vector siw_" + name +
           "_vectors[] = ");
  for (const Vector& vector : Vectors(kind)) {
    out.Line("/* " + vector.json.at("title").get<std::string>() + " */");
    out.Open("");
    out.String("id", vector.id);
    fill(out, vector.json);
    out.Close();
  }
  out.Close("};");
}

}  // namespace

std::string VectorsInc() {
  std::ostringstream text;
  text << kHead;
  Writer out(text);
  out.Line("");
  Regions(out);
  Array(out, "crc32c", "crc", Crc);
  Array(out, "mpa_startup", "startup", Startup);
  Array(out, "stream", "stream", Stream);
  Array(out, "mulpdu", "mulpdu", Mulpdu);
  Array(out, "marker_positions", "marker", Markers);
  Array(out, "ird_ord", "depth", Depths);
  return text.str();
}

}  // namespace siw
