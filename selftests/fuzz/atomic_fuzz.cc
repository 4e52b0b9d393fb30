// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Atomic Request and Response there and back (RFC 7306 section 5.2), and what
// an atomic leaves in memory, a bit at a time (section 5.1).
//
// Input: flags, length of a response, identifier waited for, old value, 52
// octets of header.
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

uint64_t SlowFetchAdd(uint64_t old, uint64_t add, uint64_t ends) {
  uint64_t sum = 0;
  unsigned carry = 0;
  for (int bit = 0; bit < 64; ++bit) {
    const unsigned three = (old >> bit & 1) + (add >> bit & 1) + carry;
    sum |= uint64_t{three & 1} << bit;
    carry = ends >> bit & 1 ? 0 : three >> 1;
  }
  return sum;
}

uint64_t SlowCmpSwap(uint64_t old, const siw_atomic_req& req) {
  uint64_t swapped = 0;
  for (int bit = 0; bit < 64; ++bit) {
    const bool differs = (old >> bit & 1) != (req.cmp >> bit & 1);
    if (differs && req.cmp_mask >> bit & 1) return old;
    const uint64_t from = req.data_mask >> bit & 1 ? req.data : old;
    swapped |= (from >> bit & 1) << bit;
  }
  return swapped;
}

void CheckRequest(ByteSpan octets, uint64_t old) {
  const Exact header(octets);
  siw_atomic_req req;
  const siw_fault fault = siw_atomic_req_decode(&req, header.data());
  FUZZ_CHECK(req.aop == octets[3] % 16);
  FUZZ_CHECK(req.id == GetBe(octets, 4, 4));
  FUZZ_CHECK(req.stag == GetBe(octets, 8, 4));
  FUZZ_CHECK(req.to == GetBe(octets, 12, 8));
  FUZZ_CHECK(req.data == GetBe(octets, 20, 8));
  FUZZ_CHECK(req.data_mask == GetBe(octets, 28, 8));
  FUZZ_CHECK(req.cmp == GetBe(octets, 36, 8));
  FUZZ_CHECK(req.cmp_mask == GetBe(octets, 44, 8));
  FUZZ_CHECK((fault == SIW_OK) == (req.aop == 0 || req.aop == 2));
  if (fault) {
    FUZZ_CHECK(fault == SIW_FAULT_RDMAP_OPCODE);
    return;
  }
  Bytes want(octets.begin(), octets.end());
  want[0] = want[1] = want[2] = 0;
  want[3] &= 0xf;
  const Exact again{Bytes(SIW_ATOMIC_REQ_LEN)};
  siw_atomic_req_encode(again.data(), &req);
  FUZZ_CHECK(std::equal(want.begin(), want.end(), again.data()));
  FUZZ_CHECK(siw_atomic_result(&req, old) ==
             (req.aop ? SlowCmpSwap(old, req)
                      : SlowFetchAdd(old, req.data, req.data_mask)));
  FUZZ_CHECK((siw_atomic_check_align(req.to) == SIW_OK) == (req.to % 8 == 0));
}

void CheckResponse(ByteSpan octets, bool last, uint32_t id) {
  const Exact header(octets);
  siw_seg seg = {};
  seg.op = SIW_RDMAP_ATOMIC_RSP;
  seg.last = last;
  seg.len = static_cast<uint32_t>(octets.size());
  siw_fault expected = SIW_OK;
  if (octets.size() != 12 || GetBe(octets, 0, 4) != id) {
    expected = SIW_FAULT_RDMAP_UNSPECIFIED;
  }
  if (!last) expected = SIW_FAULT_DDP_MO;
  FUZZ_CHECK(siw_rdmap_check_atomic_rsp(&seg, header.data(), id) == expected);
  if (octets.size() != 12) return;
  uint32_t got_id;
  __u64 value;
  siw_atomic_rsp_decode(header.data(), &got_id, &value);
  FUZZ_CHECK(got_id == GetBe(octets, 0, 4) && value == GetBe(octets, 4, 8));
  const Exact again{Bytes(SIW_ATOMIC_RSP_LEN)};
  siw_atomic_rsp_encode(again.data(), got_id, value);
  FUZZ_CHECK(std::equal(octets.begin(), octets.end(), again.data()));
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const uint8_t flags = source.U8();
  const size_t rsp_len = source.U8() % 64;
  const uint32_t id = source.U32();
  const uint64_t old = source.U64();
  Bytes header(SIW_ATOMIC_REQ_LEN);
  const ByteSpan octets = source.Octets(header.size());
  std::copy(octets.begin(), octets.end(), header.begin());
  CheckRequest(header, old);
  const size_t n = std::min(rsp_len, header.size());
  CheckResponse(ByteSpan(header).first(n), flags & 1, id);
  return 0;
}
