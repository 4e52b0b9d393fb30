// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Payload that a receiver has put somewhere.
#ifndef SIW_SELFTESTS_MODEL_PLACEMENT_H_
#define SIW_SELFTESTS_MODEL_PLACEMENT_H_

#include <cstdint>

#include "bytes.h"

namespace siw {

struct Placement {
  bool tagged;
  uint32_t buffer;  // STag, or MSN of the receive
  uint64_t offset;  // TO, or MO
  Bytes octets;
  bool operator==(const Placement&) const = default;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_PLACEMENT_H_
