// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Letters and words of ASCII; other octets are left as they are.
#ifndef SIW_TOOLS_COMMON_TEXT_H_
#define SIW_TOOLS_COMMON_TEXT_H_

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace siw {

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// A letter, a digit or an underscore
inline bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_TEXT_H_
