// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A receiver's state and the stream it is fed, as one input of a fuzzer.
#ifndef SIW_SELFTESTS_FUZZ_STREAM_CASE_H_
#define SIW_SELFTESTS_FUZZ_STREAM_CASE_H_

#include <vector>

#include "bytes.h"
#include "context.h"

namespace siw {

struct StreamCase {
  Context context;
  std::vector<uint16_t> pieces;  // sizes, over and over; empty: whole
  Bytes stream;
};

// The STags of vectors.json's default context.
const std::map<uint32_t, ContextRegion>& StandardStags();

// Any octets are a case. Decoding what was encoded gives it back if it keeps
// within the limits of the form: see stream_case.cc.
StreamCase DecodeCase(ByteSpan in);
Bytes EncodeCase(const StreamCase& stream_case);

// The ULPDUs of a stream, as its lengths tell them, right or wrong; the last
// one may be cut short.
std::vector<Bytes> Ulpdus(ByteSpan stream, bool markers);
// FPDUs around the ULPDUs, with Markers and CRC as the context has them.
Bytes Framed(const std::vector<Bytes>& ulpdus, const Context& context);

}  // namespace siw

#endif  // SIW_SELFTESTS_FUZZ_STREAM_CASE_H_
