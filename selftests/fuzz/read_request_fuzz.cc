// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The Read Request header there and back (RFC 5040 section 4.4), and the check
// of the Read Response that answers it, in 128 bits (section 5.2).
//
// Input: flags, 28 octets of header, octets that have come, the octets the
// response brings, its STag and its TO (both relative to what is right).
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

__extension__ typedef unsigned __int128 Wide;

siw_fault Expected(const siw_read_sink& sink, const siw_seg& seg) {
  const uint64_t end = uint64_t{sink.done} + seg.len;
  if (end == 0 && sink.len == 0) return SIW_OK;
  if (seg.stag != sink.stag) return SIW_FAULT_DDP_STAG;
  const auto to = static_cast<uint64_t>(Wide{sink.to} + sink.done);
  if (seg.to != to || end > sink.len) return SIW_FAULT_DDP_BOUNDS;
  return seg.last && end < sink.len ? SIW_FAULT_DDP_BOUNDS : SIW_OK;
}

void CheckHeader(ByteSpan octets) {
  const Exact header(octets);
  siw_read_req req;
  siw_read_req_decode(&req, header.data());
  FUZZ_CHECK(req.sink_stag == GetBe(octets, 0, 4));
  FUZZ_CHECK(req.sink_to == GetBe(octets, 4, 8));
  FUZZ_CHECK(req.len == GetBe(octets, 12, 4));
  FUZZ_CHECK(req.src_stag == GetBe(octets, 16, 4));
  FUZZ_CHECK(req.src_to == GetBe(octets, 20, 8));
  const Exact again{Bytes(SIW_READ_REQ_LEN)};
  siw_read_req_encode(again.data(), &req);
  FUZZ_CHECK(std::equal(octets.begin(), octets.end(), again.data()));
}

// One segment, exactly its header.
void CheckForm(uint8_t op, bool last, uint32_t len) {
  siw_seg seg = {};
  seg.op = op;
  seg.last = last;
  seg.len = len;
  const uint32_t want = op == SIW_RDMAP_READ_REQ ? 28 : 52;
  siw_fault expected = SIW_OK;
  if (len < want) expected = SIW_FAULT_RDMAP_UNSPECIFIED;
  if (len > want) expected = SIW_FAULT_DDP_TOO_LONG;
  if (!last) expected = SIW_FAULT_DDP_MO;
  FUZZ_CHECK(siw_rdmap_check_request(&seg) == expected);
  const bool imm = len == 8 && last;
  FUZZ_CHECK((siw_rdmap_check_imm(&seg) == SIW_OK) == imm);
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const uint8_t flags = source.U8();
  Bytes header(SIW_READ_REQ_LEN);
  const ByteSpan octets = source.Octets(header.size());
  std::copy(octets.begin(), octets.end(), header.begin());
  CheckHeader(header);

  siw_read_sink sink = {};
  sink.stag = static_cast<uint32_t>(GetBe(header, 0, 4));
  sink.to = GetBe(header, 4, 8);
  sink.len = static_cast<uint32_t>(GetBe(header, 12, 4));
  sink.done = std::min(source.U32(), sink.len);
  siw_seg seg = {};
  seg.op = SIW_RDMAP_READ_RSP;
  seg.tagged = true;
  seg.last = flags & 1;
  seg.len =
      flags & 2 ? sink.len - sink.done + (source.U16() - 0x8000) : source.U32();
  seg.stag = sink.stag ^ source.U32();
  seg.to = sink.to + sink.done + source.U64();
  FUZZ_CHECK(siw_rdmap_check_read_rsp(&sink, &seg) == Expected(sink, seg));
  FUZZ_CHECK(siw_rdmap_check_read_rsp(nullptr, &seg) == SIW_FAULT_RDMAP_OPCODE);
  CheckForm(flags & 4 ? SIW_RDMAP_ATOMIC_REQ : SIW_RDMAP_READ_REQ, flags & 1,
            flags & 8 ? seg.len : source.U8());
  return 0;
}
