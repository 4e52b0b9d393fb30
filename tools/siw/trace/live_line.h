// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A line of trace_pipe, as the kernel prints an event of siw, or tcp_probe.
#ifndef SIW_TOOLS_SIW_TRACE_LIVE_LINE_H_
#define SIW_TOOLS_SIW_TRACE_LIVE_LINE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace siw::trace {

// Good for as long as the line it was read from.
struct LiveEvent {
  int64_t time = 0;       // microseconds
  std::string_view task;  // that ran when it happened, "rping-1234"
  std::string_view name;  // "siw_complete"
  // "qpn" "7", in the order in which they came.
  std::vector<std::pair<std::string_view, std::string_view>> fields;

  std::string_view Text(std::string_view field) const;  // empty: not there
  // Decimal, or hexadecimal behind 0x.
  std::optional<uint64_t> Number(std::string_view field) const;
  // Hexadecimal without 0x.
  std::optional<uint64_t> Hex(std::string_view field) const;
};

// None if the line is none of those.
std::optional<LiveEvent> ParseLiveLine(std::string_view line);

// Of "CPU:1 [LOST 42 EVENTS]", 42.
std::optional<uint64_t> ParseLost(std::string_view line);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_LIVE_LINE_H_
