// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Elements of mapped queues: any octets at all, against the rules once more in
// words of their own.
//
// Input: flags, one element as it lies in memory.
#include <cstring>

#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

constexpr uint64_t kLongest = 0x7fffffff;

struct Verdict {
  siw_wc_status status;
  uint32_t len;
};

Verdict Summed(const siw_sge* sge, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; ++i) sum += sge[i].length;
  if (sum > kLongest) return {SIW_WC_LOC_LEN_ERR, 0};
  return {SIW_WC_SUCCESS, static_cast<uint32_t>(sum)};
}

size_t MostSges(uint8_t opcode) {
  switch (opcode) {
    case SIW_OP_WRITE:
    case SIW_OP_SEND:
    case SIW_OP_SEND_REMOTE_INV:
      return 6;
    case SIW_OP_READ:
    case SIW_OP_READ_LOCAL_INV:
      return 1;
    default:
      return 0;
  }
}

Verdict Expected(const siw_sqe& sqe, bool user) {
  constexpr Verdict kRefused = {SIW_WC_LOC_QP_OP_ERR, 0};
  const uint8_t op = sqe.opcode;
  const bool sends = MostSges(op) == 6;
  const bool kernel_only = op == SIW_OP_READ_LOCAL_INV ||
                           op == SIW_OP_INVAL_STAG || op == SIW_OP_REG_MR;
  if (!sends && op != SIW_OP_READ && !(kernel_only && !user)) return kRefused;
  if (sqe.flags >= 32) return kRefused;
  const bool in_place = sqe.flags & SIW_WQE_INLINE;
  if (in_place && !sends) return kRefused;
  if (sqe.num_sge > MostSges(op)) return kRefused;
  if (!in_place) return Summed(sqe.sge, sqe.num_sge);
  const uint32_t len = sqe.num_sge ? sqe.sge[0].length : 0;
  if (len > 80) return {SIW_WC_LOC_LEN_ERR, 0};
  return {SIW_WC_SUCCESS, len};
}

siw_rdmap_op ExpectedOp(const siw_sqe& sqe) {
  const bool solicited = sqe.flags & SIW_WQE_SOLICITED;
  switch (sqe.opcode) {
    case SIW_OP_WRITE:
      return SIW_RDMAP_WRITE;
    case SIW_OP_READ:
    case SIW_OP_READ_LOCAL_INV:
      return SIW_RDMAP_READ_REQ;
    case SIW_OP_SEND:
      return solicited ? SIW_RDMAP_SEND_SE : SIW_RDMAP_SEND;
    case SIW_OP_SEND_REMOTE_INV:
      return solicited ? SIW_RDMAP_SEND_SE_INV : SIW_RDMAP_SEND_INV;
    default:
      return SIW_RDMAP_OPS;
  }
}

template <typename Element>
std::unique_ptr<Element> ElementOf(ByteSpan octets) {
  auto element = std::make_unique<Element>();
  std::memcpy(element.get(), octets.data(),
              std::min(octets.size(), sizeof(Element)));
  return element;
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  if (size < 2) return 0;
  Source source(data, size);
  const bool user = source.U8() & 1;
  const ByteSpan octets = source.Rest();

  const auto sqe = ElementOf<siw_sqe>(octets);
  uint32_t len = ~0u;
  siw_wc_status status = siw_ring_check_sqe(sqe.get(), user, &len);
  const Verdict want = Expected(*sqe, user);
  FUZZ_CHECK(status == want.status && len == want.len);
  FUZZ_CHECK(siw_ring_rdmap_op(sqe.get()) == ExpectedOp(*sqe));

  const auto rqe = ElementOf<siw_rqe>(octets);
  len = ~0u;
  status = siw_ring_check_rqe(rqe.get(), &len);
  const Verdict want_rqe = rqe->num_sge > 6 ? Verdict{SIW_WC_LOC_QP_OP_ERR, 0}
                                            : Summed(rqe->sge, rqe->num_sge);
  FUZZ_CHECK(status == want_rqe.status && len == want_rqe.len);
  return 0;
}
