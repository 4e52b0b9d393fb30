// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/output.h"

#include <nlohmann/json.hpp>

namespace siw {

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet < 0x20 || octet >= 0x7f ? '?' : c;
  }
  return out;
}

std::string Indented(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && c != '\n') out += "  ";
    out += c;
    at_start = c == '\n';
  }
  return out;
}

std::string Quoted(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
      "%+,-./:=@_";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos)
    return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', true,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string DumpLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', true,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace siw
