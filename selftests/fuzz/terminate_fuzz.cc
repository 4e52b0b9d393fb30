// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Terminate Messages (RFC 5040 section 4.8): what comes is decoded, encoded and
// decoded again; what goes out for a refused ULPDU is what the Oracle says.
//
// Input: fault, octets of the refused ULPDU that are not at hand, the body of a
// Terminate or the ULPDU.
#include <cstring>

#include "fuzz.h"
#include "oracle.h"
#include "proto.h"

namespace siw {
namespace {

bool Same(const siw_term& a, const siw_term& b) {
  return a.layer == b.layer && a.etype == b.etype && a.code == b.code &&
         a.m == b.m && a.seg_len == b.seg_len && a.hdr_len == b.hdr_len &&
         a.read_len == b.read_len &&
         !std::memcmp(a.hdr, b.hdr, sizeof(a.hdr)) &&
         !std::memcmp(a.read, b.read, sizeof(a.read));
}

Bytes Encoded(const siw_term& term) {
  const Exact room{Bytes(SIW_TERM_ULPDU_MAX)};
  const size_t n = siw_term_encode(room.data(), &term);
  FUZZ_CHECK(n <= room.size());
  return Bytes(room.data(), room.data() + n);
}

siw_term Decoded(ByteSpan body) {
  const Exact exact(body);
  siw_term term;
  siw_term_decode(&term, exact.data(), exact.size());
  return term;
}

void CheckReceived(ByteSpan body) {
  const siw_term term = Decoded(body);
  FUZZ_CHECK(term.hdr_len == 0 || term.hdr_len == 14 || term.hdr_len == 18);
  FUZZ_CHECK(term.read_len == 0 || (term.read_len == 28 && term.hdr_len));
  const size_t headers = size_t{term.hdr_len} + term.read_len;
  FUZZ_CHECK(!headers || headers + 6 <= body.size());
  FUZZ_CHECK(headers >= 14u * !!term.hdr_len);
  if (body.size() >= 2) {
    FUZZ_CHECK(term.layer == body[0] / 16 && term.etype == body[0] % 16);
    FUZZ_CHECK(term.code == body[1]);
  }
  if (term.hdr_len) {
    FUZZ_CHECK(!std::memcmp(term.hdr, body.data() + 6, term.hdr_len));
    FUZZ_CHECK(term.hdr_len == (body[6] >= 0x80 ? 14 : 18));
  }
  if (term.read_len) {
    FUZZ_CHECK(
        !std::memcmp(term.read, body.data() + 6 + term.hdr_len, term.read_len));
  }
  const siw_fault fault = siw_term_fault(&term);
  FUZZ_CHECK(fault > SIW_OK && fault < SIW_FAULTS);
  FUZZ_CHECK(siw_fault_name(fault) != nullptr);
  const Bytes again = Encoded(term);
  FUZZ_CHECK(Same(term, Decoded(ByteSpan(again).subspan(18))));
}

void CheckSent(siw_fault fault, ByteSpan ulpdu, uint16_t beyond) {
  const Exact exact(ulpdu);
  const auto len = static_cast<uint16_t>(
      ulpdu.size() < 46 ? ulpdu.size()
                        : std::min<size_t>(ulpdu.size() + beyond, 0xffff));
  siw_term term;
  siw_term_fill(&term, fault, exact.data(), exact.size(), len);
  FUZZ_CHECK(siw_term_fault(&term) == fault);
  Bytes whole(ulpdu.begin(), ulpdu.end());
  whole.resize(len);
  const Bytes sent = Encoded(term);
  FUZZ_CHECK(sent == TerminateFor({term.layer, term.etype, term.code}, whole));
  FUZZ_CHECK(Same(term, Decoded(ByteSpan(sent).subspan(18))));
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const auto fault = static_cast<siw_fault>(1 + source.U8() % (SIW_FAULTS - 1));
  const uint16_t beyond = source.U16();
  const ByteSpan octets = source.Octets(128);
  CheckReceived(octets);
  CheckSent(fault, octets, beyond);
  return 0;
}
