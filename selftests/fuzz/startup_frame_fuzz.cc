// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw_mpa_setup_decode() for Request and Reply against the rules of RFC 5044
// section 7.1.1 and RFC 6581 section 9 read off the octets, for every way the
// frame can be cut, and back through siw_mpa_setup_encode().
//
// Input: which frame is due, the octets that came.
#include <string_view>

#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

struct Verdict {
  siw_mpa_verdict verdict;
  size_t need;
};

Verdict Expected(siw_mpa_kind kind, ByteSpan in) {
  const std::string_view key =
      kind == SIW_MPA_REQUEST ? "MPA ID Req Frame" : "MPA ID Rep Frame";
  for (size_t i = 0; i < std::min(in.size(), key.size()); ++i) {
    if (in[i] != static_cast<uint8_t>(key[i])) return {SIW_MPA_BAD_KEY, 20};
  }
  if (in.size() < 20) return {SIW_MPA_WAIT, 20};
  const size_t pd_len = GetBe(in, 18, 2);
  const uint8_t rev = in[17];
  if (pd_len > 512) return {SIW_MPA_BAD_PD_LEN, 20};
  if (rev < 1 || rev > 2) return {SIW_MPA_BAD_REV, 20};
  if (rev == 2 && in[16] & 0x10 && pd_len < 4) {
    return {SIW_MPA_BAD_ENHANCED, 20};
  }
  const size_t need = 20 + pd_len;
  if (in.size() == need) return {SIW_MPA_GOOD, need};
  return {in.size() < need ? SIW_MPA_WAIT : SIW_MPA_BAD_TRAIL, need};
}

siw_mpa_verdict Check(siw_mpa_kind kind, ByteSpan in, siw_mpa_setup* frame) {
  const Exact exact(in);
  size_t need = 0;
  const siw_mpa_verdict verdict =
      siw_mpa_setup_decode(frame, kind, exact.data(), exact.size(), &need);
  const Verdict want = Expected(kind, in);
  FUZZ_CHECK(verdict == want.verdict && need == want.need);
  FUZZ_CHECK(verdict != SIW_MPA_WAIT || need > in.size());
  return verdict;
}

void CheckFields(const siw_mpa_setup& frame, siw_mpa_kind kind, ByteSpan in) {
  FUZZ_CHECK(frame.kind == kind && frame.rev == in[17]);
  FUZZ_CHECK(frame.markers == in[16] >> 7);
  FUZZ_CHECK(frame.crc == (in[16] >> 6 & 1));
  FUZZ_CHECK(frame.reject == (kind == SIW_MPA_REPLY && in[16] >> 5 & 1));
  FUZZ_CHECK(frame.enhanced == (frame.rev == 2 && in[16] >> 4 & 1));
  FUZZ_CHECK(frame.pd_len + siw_mpa_setup_hdr_len(&frame) == in.size());
  FUZZ_CHECK(frame.pd_len <= siw_mpa_setup_pd_max(&frame));
  if (!frame.enhanced) {
    FUZZ_CHECK(!frame.p2p && !frame.rtr && !frame.ird && !frame.ord);
    return;
  }
  const uint64_t word = GetBe(in, 20, 4);
  FUZZ_CHECK(frame.p2p == word >> 31);
  FUZZ_CHECK(frame.ird == (word >> 16 & 0x3fff));
  FUZZ_CHECK(frame.ord == (word & 0x3fff));
  const uint64_t rtr =
      (word >> 30 & 1) | (word >> 14 & 2) | (word >> 12 & 4);  // B, C, D
  FUZZ_CHECK(frame.rtr == (frame.p2p ? rtr : 0));
}

// Encoded again it is what came, but for bits that are not looked at.
void CheckRoundTrip(const siw_mpa_setup& frame, ByteSpan in) {
  Bytes want(in.begin(), in.begin() + siw_mpa_setup_hdr_len(&frame));
  want[16] &= 0xc0 | (frame.reject ? 0x20 : 0) | (frame.enhanced ? 0x10 : 0);
  if (frame.enhanced && !frame.p2p) {
    want[20] &= 0x3f;
    want[22] &= 0x3f;
  }
  const Exact again{Bytes(want.size())};
  FUZZ_CHECK(siw_mpa_setup_encode(again.data(), &frame) == want.size());
  FUZZ_CHECK(std::equal(want.begin(), want.end(), again.data()));
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const siw_mpa_kind kind = source.U8() & 1 ? SIW_MPA_REPLY : SIW_MPA_REQUEST;
  const ByteSpan in = source.Octets(SIW_MPA_FRAME_MAX + 8);
  siw_mpa_setup frame = {};
  for (size_t n = 0; n < in.size(); ++n) {
    if (n <= 25 || n + 2 >= in.size()) Check(kind, in.first(n), &frame);
  }
  if (Check(kind, in, &frame) == SIW_MPA_GOOD) {
    CheckFields(frame, kind, in);
    CheckRoundTrip(frame, in);
  }
  return 0;
}
