// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What every fuzz target uses.
#ifndef SIW_SELFTESTS_FUZZ_FUZZ_H_
#define SIW_SELFTESTS_FUZZ_FUZZ_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bytes.h"

// Ends the run with an input that shows why, unless the condition holds.
#define FUZZ_CHECK(condition) \
  ((condition) ? void() : siw::FuzzFail(__FILE__, __LINE__, #condition))

namespace siw {

[[noreturn]] inline void FuzzFail(const char* file, int line,
                                  const char* what) {
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  std::abort();
}

// Takes fields off the front of the fuzzer's octets; behind their end are
// zeros.
class Source {
 public:
  Source(const uint8_t* octets, size_t n) : left_(octets, n) {}

  uint64_t Be(int width) {
    uint64_t value = 0;
    for (; width; --width) {
      value = value << 8 | (left_.empty() ? 0 : left_.front());
      if (!left_.empty()) left_ = left_.subspan(1);
    }
    return value;
  }
  uint8_t U8() { return static_cast<uint8_t>(Be(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Be(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Be(4)); }
  uint64_t U64() { return Be(8); }
  // At most `n` octets.
  ByteSpan Octets(size_t n) {
    const ByteSpan out = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(out.size());
    return out;
  }
  ByteSpan Rest() { return Octets(left_.size()); }
  bool empty() const { return left_.empty(); }

 private:
  ByteSpan left_;
};

// A copy that ends where its octets end, so that a sanitizer sees every octet
// read beyond them. Never null, even if there are none.
class Exact {
 public:
  explicit Exact(ByteSpan from)
      : octets_(std::make_unique<uint8_t[]>(from.size())), n_(from.size()) {
    std::copy(from.begin(), from.end(), octets_.get());
  }
  uint8_t* data() const { return octets_.get(); }
  size_t size() const { return n_; }

 private:
  std::unique_ptr<uint8_t[]> octets_;
  size_t n_;
};

}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // SIW_SELFTESTS_FUZZ_FUZZ_H_
