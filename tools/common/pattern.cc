// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/pattern.h"

#include <algorithm>
#include <array>
#include <utility>

namespace siw {
namespace {

constexpr std::array<std::string_view, 4> kNumbers = {"qp", "errno", "line",
                                                      "count"};
constexpr std::array<std::string_view, 4> kWords = {"local", "peer", "device",
                                                    "netdev"};

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHex = "0123456789abcdefABCDEF";

bool OnlyOf(std::string_view value, std::string_view alphabet) {
  return !value.empty() &&
         value.find_first_not_of(alphabet) == std::string_view::npos;
}

bool IsHex(std::string_view value) {
  if (value.substr(0, 2) == "0x") value.remove_prefix(2);
  return OnlyOf(value, kHex);
}

template <typename Range>
bool Contains(const Range& range, std::string_view value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace

bool FieldAccepts(std::string_view name, std::string_view value) {
  if (Contains(kNumbers, name)) return OnlyOf(value, kDigits);
  if (name == "stag" || name == "layer" || name == "type" || name == "code")
    return IsHex(value);
  if (Contains(kWords, name))
    return !value.empty() && value.find(' ') == std::string_view::npos;
  return !value.empty();
}

std::optional<Pattern> Pattern::Parse(std::string_view text) {
  Pattern pattern;
  while (!text.empty()) {
    const bool is_field = text.front() == '{';
    const size_t end = is_field ? text.find('}') : text.find('{');
    if (is_field && (end == std::string_view::npos || end == 1)) return {};
    Piece piece{is_field, std::string(is_field ? text.substr(1, end - 1)
                                               : text.substr(0, end))};
    if (is_field && !pattern.pieces_.empty() && pattern.pieces_.back().is_field)
      return {};
    if (!is_field) pattern.weight_ += piece.text.size();
    pattern.pieces_.push_back(std::move(piece));
    if (end == std::string_view::npos) break;
    text.remove_prefix(is_field ? end + 1 : end);
  }
  if (pattern.pieces_.empty()) return {};
  return pattern;
}

std::optional<Fields> Pattern::Match(std::string_view text) const {
  Fields fields;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    if (!piece.is_field) {
      if (text.substr(0, piece.text.size()) != piece.text) return {};
      text.remove_prefix(piece.text.size());
      continue;
    }
    size_t end = text.size();
    if (i + 2 == pieces_.size()) {
      // The last literal has to be the end of the text.
      const std::string_view last = pieces_[i + 1].text;
      if (text.size() <= last.size()) return {};
      end = text.size() - last.size();
    } else if (i + 1 < pieces_.size()) {
      end = text.find(pieces_[i + 1].text, 1);
    }
    if (end == std::string_view::npos || end == 0 || text.empty()) return {};
    const std::string_view value = text.substr(0, end);
    if (!FieldAccepts(piece.text, value)) return {};
    fields.push_back({piece.text, std::string(value)});
    text.remove_prefix(end);
  }
  if (!text.empty()) return {};
  return fields;
}

}  // namespace siw
