// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Do Receiver and Oracle see a stream the same way?
#ifndef SIW_SELFTESTS_MODEL_AGREEMENT_H_
#define SIW_SELFTESTS_MODEL_AGREEMENT_H_

#include <string>
#include <vector>

#include "bytes.h"
#include "context.h"

namespace siw {

// Feeds the stream to both and compares all they say: events, placements,
// verdict and the Terminate that answers it. The Receiver gets it in pieces of
// the given sizes, over and over; whole if there is none. Returns what differs
// in words, empty if nothing does.
std::string Disagreement(const Context& context, ByteSpan stream,
                         const std::vector<uint16_t>& pieces = {});

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_AGREEMENT_H_
