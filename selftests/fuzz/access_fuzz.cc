// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw_access_check() and its companions against the same questions asked in
// 128 bits (RFC 5041 section 7.1, RFC 5040 sections 5.3 and 8.1).
//
// Input: flags, rights, wanted rights, STag, STag asked for, base, length, TO,
// octets.
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

__extension__ typedef unsigned __int128 Wide;

struct Question {
  siw_region region;
  bool known;
  uint32_t stag;
  bool same_pd;
  uint64_t to;
  uint32_t len;
  uint32_t want;
};

Question Read(Source& source) {
  const uint8_t flags = source.U8();
  Question q = {};
  q.known = !(flags & 1);
  q.same_pd = !(flags & 2);
  q.region.valid = !(flags & 4);
  q.region.shared = flags & 8;
  q.region.access = source.U8() & 0xf;
  q.want = source.U8() & 0xf;
  q.region.stag = source.U32();
  // Unequal STags are found by the first test of all; mostly go on.
  q.stag = flags & 16 ? source.U32() : q.region.stag;
  q.region.base = source.U64();
  q.region.len = source.U64();
  q.to = source.U64();
  q.len = source.U32();
  // Near the end of the region and of the offsets is where things break.
  if (flags & 32) q.to += q.region.base;
  if (flags & 64) q.to += q.region.base + q.region.len;
  if (flags & 128) q.to = -q.to;
  return q;
}

siw_access WideCheck(const Question& q) {
  const Wide end = Wide{q.to} + q.len;
  if (!q.known || q.stag != q.region.stag || !q.region.valid) {
    return SIW_ACCESS_STAG;
  }
  if (!q.same_pd) return SIW_ACCESS_PD;
  if (q.want & ~q.region.access) return SIW_ACCESS_RIGHTS;
  if (end >> 64) return SIW_ACCESS_WRAP;
  const bool inside =
      q.to >= q.region.base && end <= Wide{q.region.base} + q.region.len;
  return inside ? SIW_ACCESS_OK : SIW_ACCESS_BOUNDS;
}

bool MayInvalidate(const Question& q) {
  return q.known && q.stag == q.region.stag && q.same_pd && !q.region.shared &&
         q.region.access & 0xe;
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const Question q = Read(source);
  const siw_region* region = q.known ? &q.region : nullptr;
  const siw_access verdict =
      siw_access_check(region, q.stag, q.same_pd, q.to, q.len, q.want);
  FUZZ_CHECK(verdict == WideCheck(q));
  FUZZ_CHECK(MayInvalidate(q) ==
             (siw_access_check_invalidate(region, q.stag, q.same_pd) ==
              SIW_ACCESS_OK));
  for (const siw_layer layer : {SIW_LAYER_DDP, SIW_LAYER_RDMAP}) {
    FUZZ_CHECK((verdict == SIW_ACCESS_OK) ==
               (siw_access_fault(verdict, layer) == SIW_OK));
  }
  return 0;
}
