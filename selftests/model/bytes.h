// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Octet strings and the few things tests do with them.
#ifndef SIW_SELFTESTS_MODEL_BYTES_H_
#define SIW_SELFTESTS_MODEL_BYTES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace siw {

using Bytes = std::vector<uint8_t>;
using ByteSpan = std::span<const uint8_t>;

Bytes FromHex(std::string_view hex);
std::string ToHex(ByteSpan octets);

// Appends `value` in network order, its low `width` octets.
void PutBe(Bytes& out, uint64_t value, int width);
// Reads `width` octets at `at` in network order.
uint64_t GetBe(ByteSpan octets, size_t at, int width);

inline void Append(Bytes& out, ByteSpan more) {
  out.insert(out.end(), more.begin(), more.end());
}

template <typename... Parts>
Bytes Join(const Parts&... parts) {
  Bytes out;
  (Append(out, parts), ...);
  return out;
}

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_BYTES_H_
