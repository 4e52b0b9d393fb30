// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "vector_file.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace siw {
namespace {

using nlohmann::json;

const json& File() {
  static const json file = json::parse(std::ifstream(SIW_VECTORS_JSON));
  return file;
}

uint32_t Stag(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
}

ContextRegion RegionOf(const json& from) {
  const auto grants = [&](const char* right) {
    const json& rights = from.at("rights");
    return std::find(rights.begin(), rights.end(), right) != rights.end();
  };
  return {.pd = from.at("pd"),
          .to = from.at("to"),
          .len = from.at("len"),
          .remote_read = grants("RR"),
          .remote_write = grants("RW"),
          .atomic = grants("AT"),
          .valid = from.value("valid", true),
          .shared = from.value("shared", false),
          .other_stream = from.value("other_stream", false)};
}

void LayOver(Context& context, const json& from) {
  context.markers = from.value("markers", context.markers);
  context.crc = from.value("crc", context.crc);
  context.atomics = from.value("atomics", context.atomics);
  context.pd = from.value("pd", context.pd);
  context.ird = from.value("ird", context.ird);
  context.receive_buffers =
      from.value("receive_buffers", context.receive_buffers);
  context.outstanding_atomics =
      from.value("outstanding_atomics", context.outstanding_atomics);
  if (from.contains("next_msn")) {
    for (const auto& [qn, msn] : from["next_msn"].items()) {
      context.next_msn.at(std::stoul(qn)) = msn;
    }
  }
  if (from.contains("outstanding_reads")) {
    context.outstanding_reads.clear();
    for (const json& read : from["outstanding_reads"]) {
      context.outstanding_reads.push_back({.sink_stag = Stag(read["sink_stag"]),
                                           .sink_to = read["sink_to"],
                                           .len = read["len"],
                                           .done = 0});
    }
  }
  if (from.contains("stags")) {
    context.stags.clear();
    for (const auto& [stag, region] : from["stags"].items()) {
      context.stags[Stag(stag)] = RegionOf(region);
    }
  }
}

}  // namespace

std::vector<Vector> Vectors(const std::string& kind) {
  std::vector<Vector> out;
  for (const json& vector : File().at("vectors")) {
    if (kind.empty() || vector.at("kind") == kind) {
      out.push_back({vector.at("id"), vector});
    }
  }
  return out;
}

Context ContextOf(const Vector& vector) {
  Context context;
  LayOver(context, File().at("default_context"));
  LayOver(context, vector.json.value("context", json::object()));
  return context;
}

std::string TestName(const std::string& id) {
  std::string out = id;
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return !std::isalnum(c); },
      '_');
  return out;
}

}  // namespace siw
