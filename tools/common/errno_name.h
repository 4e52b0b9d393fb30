// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#ifndef SIW_TOOLS_COMMON_ERRNO_NAME_H_
#define SIW_TOOLS_COMMON_ERRNO_NAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace siw {

// "ECONNRESET" of 104 or -104; empty for a number that has no name.
std::string ErrnoName(int number);

// The number of "ECONNRESET", "econnreset", "104" or "-104".
std::optional<int> ErrnoNumber(std::string_view text);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_ERRNO_NAME_H_
