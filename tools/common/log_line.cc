// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace siw {
namespace {

// No message is longer; what is behind it is not looked at.
constexpr size_t kLongest = 1024;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  return text.substr(0, kLongest);
}

// A message begins at the beginning, or behind "siw0: ", "] " or "-;".
bool MayBegin(std::string_view line, size_t at) {
  if (at == 0) return true;
  const char before = line[at - 1];
  return before == ' ' || before == ';' || before == '>';
}

// "siw0" of "...: siw0: MESSAGE", where `at` is the message.
std::string_view DeviceBefore(std::string_view line, size_t at) {
  std::string_view head = line.substr(0, at);
  if (head.size() < 3 || head.substr(head.size() - 2) != ": ") return {};
  head.remove_suffix(2);
  const size_t blank = head.find_last_of(" ;>]");
  const std::string_view word =
      blank == std::string_view::npos ? head : head.substr(blank + 1);
  if (word == "kernel" || word == "siw" || word.find('[') != word.npos)
    return {};
  return word;
}

bool HasField(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& field) { return field.name == name; });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// The number behind `word`, past blanks and "[:=#,"; hexadecimal with 0x.
std::optional<unsigned long> NumberAfter(const std::string& text,
                                         std::string_view word) {
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1)) {
    if (at > 0 && IsWordChar(text[at - 1])) continue;
    size_t start = at + word.size();
    while (start < text.size() && std::string_view(" [:=#,-").find(
                                      text[start]) != std::string_view::npos)
      ++start;
    if (start < text.size() &&
        std::isdigit(static_cast<unsigned char>(text[start])))
      return std::strtoul(text.c_str() + start, nullptr, 0);
  }
  return {};
}

}  // namespace

LineMatcher::LineMatcher(CatalogueView catalogue) {
  for (const CatalogueEntry& entry : catalogue) {
    for (const std::string_view text : entry.texts) {
      std::optional<Pattern> pattern = Pattern::Parse(text);
      if (pattern) texts_.push_back({&entry, std::move(*pattern)});
    }
  }
}

std::vector<LineMatch> LineMatcher::BestMatches(std::string_view line) const {
  std::vector<LineMatch> best;
  size_t weight = 0;

  line = Trim(line);
  for (const Text& text : texts_) {
    if (text.pattern.weight() < weight) continue;
    for (size_t at = 0; at < line.size(); ++at) {
      if (!MayBegin(line, at)) continue;
      std::optional<Fields> fields = text.pattern.Match(line.substr(at));
      if (!fields) continue;
      if (text.pattern.weight() > weight) best.clear();
      weight = text.pattern.weight();
      const std::string_view device = DeviceBefore(line, at);
      if (!device.empty() && !HasField(*fields, "device"))
        fields->insert(fields->begin(), {"device", std::string(device)});
      best.push_back({text.entry, std::move(*fields)});
      break;
    }
  }
  return best;
}

std::optional<LineMatch> LineMatcher::Match(std::string_view line) const {
  std::vector<LineMatch> best = BestMatches(line);
  if (best.empty()) return {};
  return std::move(best.front());
}

std::optional<ForeignLine> ReadForeignLine(std::string_view line) {
  const std::string lower = Lower(Trim(line));
  if (lower.find("siw") == std::string::npos &&
      lower.find("iwarp") == std::string::npos)
    return {};

  ForeignLine found;
  const auto add = [&found](std::string name, std::string value) {
    found.fields.push_back({std::move(name), std::move(value)});
  };
  for (const std::string_view word : {"qp", "qpn", "qp id", "qp [id"}) {
    if (const auto qp = NumberAfter(lower, word)) {
      add("qp", std::to_string(*qp));
      break;
    }
  }
  for (const std::string_view word : {"error", "err", "rv", "ret", "status"}) {
    const auto number = NumberAfter(lower, word);
    if (number && *number > 0 && *number < 4096) {
      add("errno", std::to_string(*number));
      break;
    }
  }
  if (!HasField(found.fields, "errno")) {
    // "(-104)", or "failed: -104" and no more
    size_t at = lower.find("(-");
    if (at == std::string::npos) {
      at = lower.rfind(" -");
      if (at != std::string::npos &&
          lower.find_first_not_of("0123456789", at + 2) != std::string::npos)
        at = std::string::npos;
    }
    if (at != std::string::npos) {
      const unsigned long number =
          std::strtoul(lower.c_str() + at + 2, nullptr, 10);
      if (number > 0 && number < 4096) add("errno", std::to_string(number));
    }
  }
  const auto layer = NumberAfter(lower, "layer");
  auto type = NumberAfter(lower, "etype");
  if (!type) type = NumberAfter(lower, "type");
  auto code = NumberAfter(lower, "ecode");
  if (!code) code = NumberAfter(lower, "code");
  if (layer && type && code && *layer < 16 && *type < 16 && *code < 256)
    found.term = fmt::format("{}/{}/{:02x}", *layer, *type, *code);
  return found;
}

}  // namespace siw
