// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw_ddp_decode() against the rules of RFC 5041 section 4 and RFC 5040
// section 4.1 read off the octets, and back through siw_ddp_encode().
//
// Input: flags, octets of the ULPDU that are not at hand, the first octets.
#include "builder.h"
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

constexpr uint8_t kTaggedOps[] = {0, 2};

siw_fault Expected(ByteSpan ulpdu, bool atomics) {
  if (ulpdu.size() < 2) return SIW_FAULT_DDP_LOCAL;
  const bool tagged = ulpdu[0] >= 0x80;
  if (ulpdu[0] % 4 != 1) {
    return tagged ? SIW_FAULT_DDP_T_VERSION : SIW_FAULT_DDP_U_VERSION;
  }
  if (ulpdu.size() < (tagged ? 14u : 18u)) return SIW_FAULT_DDP_LOCAL;
  if (ulpdu[1] / 64 != 1) return SIW_FAULT_RDMAP_VERSION;
  const uint8_t op = ulpdu[1] % 16;
  if (op > (atomics ? 11 : 9)) return SIW_FAULT_RDMAP_OPCODE;
  const bool fits = tagged == (op == kTaggedOps[0] || op == kTaggedOps[1]);
  return fits ? SIW_OK : SIW_FAULT_RDMAP_OPCODE;
}

void CheckFields(const siw_seg& seg, ByteSpan ulpdu, uint16_t ulpdu_len) {
  FUZZ_CHECK(seg.op == ulpdu[1] % 16);
  FUZZ_CHECK(seg.last == (ulpdu[0] / 64 % 2 == 1));
  FUZZ_CHECK(seg.tagged == (ulpdu[0] >= 0x80));
  FUZZ_CHECK(seg.hdr_len == (seg.tagged ? 14 : 18));
  FUZZ_CHECK(seg.len == uint32_t{ulpdu_len} - seg.hdr_len);
  FUZZ_CHECK(seg.stag == GetBe(ulpdu, 2, 4));
  if (seg.tagged) {
    FUZZ_CHECK(seg.to == GetBe(ulpdu, 6, 8));
  } else {
    FUZZ_CHECK(seg.qn == GetBe(ulpdu, 6, 4));
    FUZZ_CHECK(seg.msn == GetBe(ulpdu, 10, 4));
    FUZZ_CHECK(seg.mo == GetBe(ulpdu, 14, 4));
  }
}

// Encoded again it is what came, but for reserved bits and an STag that means
// nothing.
void CheckRoundTrip(const siw_seg& seg, ByteSpan ulpdu) {
  Bytes want(ulpdu.begin(), ulpdu.begin() + seg.hdr_len);
  want[0] &= 0xc3;
  want[1] &= 0xcf;
  if (!seg.tagged && seg.op != 4 && seg.op != 6) {
    std::fill_n(want.begin() + 2, 4, 0);
  }
  const Exact again{Bytes(seg.hdr_len)};
  FUZZ_CHECK(siw_ddp_encode(again.data(), &seg) == seg.hdr_len);
  FUZZ_CHECK(std::equal(want.begin(), want.end(), again.data()));
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const bool atomics = source.U8() & 1;
  const uint16_t beyond = source.U16();
  const ByteSpan ulpdu = source.Octets(64);
  const Exact exact(ulpdu);
  // Only a header that is there in full may have more behind it.
  const bool whole = ulpdu.size() >= 18;
  const auto len = static_cast<uint16_t>(
      whole ? std::min<size_t>(ulpdu.size() + beyond, 0xffff) : ulpdu.size());
  siw_seg seg = {};
  seg.mo = 0x5a5a5a5a;
  const siw_fault fault =
      siw_ddp_decode(&seg, exact.data(), exact.size(), len, atomics);
  FUZZ_CHECK(fault == Expected(ulpdu, atomics));
  if (fault) {
    FUZZ_CHECK(seg.mo == 0x5a5a5a5a && !seg.hdr_len);
    return 0;
  }
  CheckFields(seg, ulpdu, len);
  CheckRoundTrip(seg, ulpdu);
  return 0;
}
