// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/live_line.h"

#include <charconv>

namespace siw::trace {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

// The whole of it.
std::optional<uint64_t> ParseDigits(std::string_view text, int base) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || at != end) return {};
  return value;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  return text.substr(0, 2) == "0x" ? ParseDigits(text.substr(2), 16)
                                   : ParseDigits(text, 10);
}

std::string_view NextWord(std::string_view* rest) {
  *rest = Trim(*rest);
  const std::string_view word = rest->substr(0, rest->find(' '));
  rest->remove_prefix(word.size());
  return word;
}

// "1234.567890:"
std::optional<int64_t> ParseTime(std::string_view word) {
  const size_t point = word.find('.');
  if (point == std::string_view::npos || word.back() != ':') return {};
  const auto seconds = ParseNumber(word.substr(0, point));
  const std::string_view digits =
      word.substr(point + 1, word.size() - point - 2);
  const auto microseconds = ParseNumber(digits);
  // A century, so that no sum goes past 64 bits.
  constexpr uint64_t kMostSeconds = uint64_t{100} * 366 * 86400;
  if (!seconds || !microseconds || digits.size() != 6 ||
      *seconds > kMostSeconds)
    return {};
  return static_cast<int64_t>(*seconds * 1000000 + *microseconds);
}

// "[001]": a task may have such a name, but not with what follows it.
bool IsCpu(std::string_view word) {
  return word.size() > 2 && word.front() == '[' && word.back() == ']' &&
         ParseNumber(word.substr(1, word.size() - 2)).has_value();
}

}  // namespace

std::string_view LiveEvent::Text(std::string_view field) const {
  for (const auto& [name, value] : fields) {
    if (name == field) return value;
  }
  return {};
}

std::optional<uint64_t> LiveEvent::Number(std::string_view field) const {
  return ParseNumber(Text(field));
}

std::optional<uint64_t> LiveEvent::Hex(std::string_view field) const {
  return ParseDigits(Text(field), 16);
}

// "  TASK-PID  [CPU] FLAGS  SECONDS: EVENT: FIELD=VALUE ..."
std::optional<LiveEvent> ParseLiveLine(std::string_view line) {
  for (size_t at = line.find(" ["); at != std::string_view::npos;
       at = line.find(" [", at + 1)) {
    std::string_view rest = line.substr(at);
    if (!IsCpu(NextWord(&rest))) continue;
    std::string_view word = NextWord(&rest);
    std::optional<int64_t> time;
    if (!word.empty()) time = ParseTime(word);
    if (!time) {
      // Flags, which the option irq-info takes away.
      word = NextWord(&rest);
      if (!word.empty()) time = ParseTime(word);
    }
    if (!time) continue;
    LiveEvent event;
    event.time = *time;
    event.task = Trim(line.substr(0, at));
    event.name = NextWord(&rest);
    if (event.name.size() < 5 || event.name.back() != ':' ||
        (event.name.substr(0, 4) != "siw_" && event.name != "tcp_probe:"))
      return {};
    event.name.remove_suffix(1);
    for (word = NextWord(&rest); !word.empty(); word = NextWord(&rest)) {
      const size_t is = word.find('=');
      if (is != std::string_view::npos)
        event.fields.emplace_back(word.substr(0, is), word.substr(is + 1));
    }
    return event;
  }
  return {};
}

std::optional<uint64_t> ParseLost(std::string_view line) {
  const size_t at = line.find("[LOST ");
  if (line.substr(0, 4) != "CPU:" || at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + 6);
  return ParseNumber(NextWord(&rest));
}

}  // namespace siw::trace
