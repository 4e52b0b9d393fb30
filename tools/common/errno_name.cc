// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/errno_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace siw {
namespace {

constexpr int kMost = 4095;

}  // namespace

std::string ErrnoName(int number) {
  const char* name = strerrorname_np(std::abs(number));
  return name && number != 0 ? name : "";
}

std::optional<int> ErrnoNumber(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  if (!upper.empty() && upper.front() == '-') upper.erase(0, 1);
  if (upper.empty()) return {};
  int number = 0;
  const auto [end, error] =
      std::from_chars(upper.data(), upper.data() + upper.size(), number);
  if (error == std::errc() && end == upper.data() + upper.size()) {
    if (number <= 0 || ErrnoName(number).empty()) return {};
    return number;
  }
  for (number = 1; number <= kMost; ++number) {
    if (ErrnoName(number) == upper) return number;
  }
  return {};
}

}  // namespace siw
