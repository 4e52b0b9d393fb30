// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Lines of text that others wrote: those of trace_pipe, which `siw trace
// --events` reads, and those of a kernel log, which `siw explain` looks up, or
// takes out what it can. Nothing is read beside a line, a pattern that matches
// says all of it, no request is told twice or lost, and what is told of a
// Terminate is in its ranges.
//
// Input: lines.
#include <cstdio>
#include <string>
#include <string_view>

#include "fuzz.h"
#include "tools/common/catalogue.h"
#include "tools/common/log_line.h"
#include "tools/common/pattern.h"
#include "tools/siw/trace/live_line.h"
#include "tools/siw/trace/requests.h"

namespace siw::trace {
namespace {

bool IsIn(std::string_view part, std::string_view line) {
  return part.empty() ||
         (part.data() >= line.data() &&
          part.data() + part.size() <= line.data() + line.size());
}

void CheckEvent(const LiveEvent& event, std::string_view line) {
  FUZZ_CHECK(event.name.substr(0, 4) == "siw_" || event.name == "tcp_probe");
  FUZZ_CHECK(event.time >= 0);
  FUZZ_CHECK(IsIn(event.task, line) && IsIn(event.name, line));
  for (const auto& [name, value] : event.fields)
    FUZZ_CHECK(IsIn(name, line) && IsIn(value, line));
}

// As of docs/errors: fields at either end, alone, with and without a form.
constexpr std::string_view kTexts[] = {
    "QP {qp}, peer {peer}: sent Terminate {layer}/{type}/{code}: {meaning}",
    "{netdev} already carries {device}",
    "CQ {cq} overflowed",
    "connect failed: {errno}",
    "STag {stag}",
    "{what}"};
constexpr CatalogueEntry kEntry = {.id = "SIW-FUZZ",
                                   .title = {},
                                   .severity = Severity::kWarning,
                                   .kind = {},
                                   .origin = {},
                                   .texts = kTexts,
                                   .term = {},
                                   .direction = {},
                                   .errnos = {},
                                   .counters = {},
                                   .names = {},
                                   .test = {},
                                   .cause = {},
                                   .action = {},
                                   .confirm = {},
                                   .example = {}};

// The pieces of a pattern, its fields as they were found, are the line again.
void CheckPattern(const Pattern& pattern, std::string_view line) {
  const auto fields = pattern.Match(line);
  if (!fields) return;
  std::string again;
  auto field = fields->begin();
  for (const Piece& piece : pattern.pieces()) {
    if (piece.is_field) {
      FUZZ_CHECK(field != fields->end() && field->name == piece.text);
      FUZZ_CHECK(FieldAccepts(field->name, field->value));
      again += (field++)->value;
    } else {
      again += piece.text;
    }
  }
  FUZZ_CHECK(field == fields->end() && again == line);
}

void CheckKnown(std::string_view line) {
  static const LineMatcher matcher({&kEntry, 1});
  for (const std::string_view text : kTexts)
    CheckPattern(*Pattern::Parse(text), line);
  for (const LineMatch& match : matcher.BestMatches(line)) {
    FUZZ_CHECK(match.entry == &kEntry);
    for (const Field& field : match.fields)
      FUZZ_CHECK(line.find(field.value) != line.npos);
  }
  // What a line says may be a pattern, too, as far as it goes.
  if (const auto pattern = Pattern::Parse(line)) CheckPattern(*pattern, line);
}

void CheckForeign(std::string_view line) {
  const auto foreign = ReadForeignLine(line);
  if (!foreign || foreign->term.empty()) return;
  unsigned layer, type, code;
  FUZZ_CHECK(std::sscanf(foreign->term.c_str(), "%u/%u/%x", &layer, &type,
                         &code) == 3);
  FUZZ_CHECK(layer < 16 && type < 16 && code < 256);
}

void Lines(ByteSpan text) {
  uint64_t told = 0;
  Requests requests(
      {}, [&](const Request&) { ++told; },
      [](int64_t, uint32_t, const std::string&) {});
  while (!text.empty()) {
    const auto end = std::find(text.begin(), text.end(), '\n');
    const auto length = static_cast<size_t>(end - text.begin());
    const Exact exact(text.first(length));
    const std::string_view line(reinterpret_cast<const char*>(exact.data()),
                                exact.size());
    text = text.subspan(std::min(length + 1, text.size()));
    CheckKnown(line);
    CheckForeign(line);
    if (ParseLost(line)) requests.Lost();
    const auto event = ParseLiveLine(line);
    if (!event) continue;
    CheckEvent(*event, line);
    requests.Add(*event);
  }
  requests.Finish();
  FUZZ_CHECK(requests.count() == told);
  FUZZ_CHECK(requests.faults() <= told);
  uint64_t summed = 0;
  for (const auto& [operation, summary] : requests.Summaries()) {
    summed += summary.total.count;
    FUZZ_CHECK(summary.total.middle <= summary.total.slow);
  }
  FUZZ_CHECK(summed == told);
}

}  // namespace
}  // namespace siw::trace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  siw::trace::Lines({data, size});
  return 0;
}
