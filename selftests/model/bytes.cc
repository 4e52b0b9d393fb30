// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "bytes.h"

namespace siw {
namespace {

int Nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return (digit | 0x20) - 'a' + 10;
}

}  // namespace

Bytes FromHex(std::string_view hex) {
  Bytes out;
  out.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(
        static_cast<uint8_t>(Nibble(hex[i]) << 4 | Nibble(hex[i + 1])));
  }
  return out;
}

std::string ToHex(ByteSpan octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * octets.size());
  for (const uint8_t octet : octets) {
    out += kDigits[octet >> 4];
    out += kDigits[octet & 0xf];
  }
  return out;
}

void PutBe(Bytes& out, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    out.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
}

uint64_t GetBe(ByteSpan octets, size_t at, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | octets[at + i];
  return value;
}

}  // namespace siw
