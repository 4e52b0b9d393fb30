// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "receiver.h"

#include <algorithm>
#include <utility>

namespace siw {
namespace {

constexpr int kKeyBits = 8;

uint32_t Access(const ContextRegion& from) {
  return (from.remote_read ? SIW_ACCESS_REMOTE_READ : 0) |
         (from.remote_write ? SIW_ACCESS_REMOTE_WRITE : 0) |
         (from.atomic ? SIW_ACCESS_REMOTE_ATOMIC : 0);
}

}  // namespace

Receiver::Receiver(const Context& context)
    : mpa_{.pos = 0, .markers = context.markers, .crc = context.crc},
      atomics_on_(context.atomics),
      ird_(context.ird),
      buffers_(context.receive_buffers.begin(), context.receive_buffers.end()),
      atomics_(context.outstanding_atomics.begin(),
               context.outstanding_atomics.end()) {
  siw_ddp_rx_init(&ddp_);
  for (size_t qn = 0; qn < context.next_msn.size(); ++qn) {
    ddp_.queue[qn].msn = context.next_msn[qn];
  }
  for (const ContextRead& read : context.outstanding_reads) {
    reads_.push_back({.stag = read.sink_stag,
                      .to = read.sink_to,
                      .len = read.len,
                      .done = read.done});
  }
  for (const auto& [stag, from] : context.stags) {
    regions_[stag >> kKeyBits] = {
        .region = {.base = from.to,
                   .len = from.len,
                   .stag = stag,
                   .access = Access(from),
                   .valid = from.valid,
                   .shared = from.shared},
        .same_pd = from.pd == context.pd && !from.other_stream};
  }
}

siw_fault Receiver::Feed(ByteSpan octets) {
  if (fault_) return fault_;
  Append(carry_, octets);
  while (!carry_.empty() && !terminated_) {
    const uint32_t need = siw_mpa_rx_need(&mpa_, carry_.data(), carry_.size());
    if (need > SIW_MPA_RX_MAX) return fault_ = SIW_FAULT_DDP_LOCAL;
    if (!need || need > carry_.size()) return SIW_OK;
    // A copy of its own, so that a sanitizer sees every octet read beyond it.
    Bytes fpdu(carry_.begin(), carry_.begin() + need);
    carry_.erase(carry_.begin(), carry_.begin() + need);
    fault_ = TakeFpdu(std::move(fpdu));
    if (fault_) return fault_;
  }
  if (terminated_ && !carry_.empty()) {
    if (!std::exchange(dropping_, true)) Event("dropped after Terminate");
    carry_.clear();
  }
  return SIW_OK;
}

Bytes Receiver::TerminateUlpdu() const {
  Bytes out(SIW_TERM_ULPDU_MAX);
  siw_term term;
  siw_term_fill(&term, fault_, refused_.empty() ? nullptr : refused_.data(),
                std::min<size_t>(refused_.size(), SIW_ULPDU_HDR_MAX),
                static_cast<uint16_t>(refused_.size()));
  out.resize(siw_term_encode(out.data(), &term));
  return out;
}

siw_fault Receiver::TakeFpdu(Bytes fpdu) {
  const auto need = static_cast<uint32_t>(fpdu.size());
  uint8_t* ulpdu;
  uint16_t ulpdu_len;
  siw_fault fault =
      siw_mpa_rx_open(&mpa_, fpdu.data(), need, &ulpdu, &ulpdu_len);
  if (fault) return fault;
  const Bytes copy(ulpdu, ulpdu + ulpdu_len);
  fault = TakeUlpdu(copy);
  if (fault) refused_ = copy;
  return fault;
}

siw_fault Receiver::TakeUlpdu(ByteSpan ulpdu) {
  siw_seg seg;
  const siw_fault fault =
      siw_ddp_decode(&seg, ulpdu.data(), ulpdu.size(),
                     static_cast<uint16_t>(ulpdu.size()), atomics_on_);
  if (fault) return fault;
  const ByteSpan body = ulpdu.subspan(seg.hdr_len);
  return seg.tagged ? TakeTagged(seg, body) : TakeUntagged(seg, body);
}

siw_fault Receiver::TakeTagged(const siw_seg& seg, ByteSpan body) {
  siw_fault fault = siw_ddp_rx_tagged(&ddp_, &seg);
  if (fault) return fault;
  if (seg.op == SIW_RDMAP_READ_RSP) {
    fault = TakeReadResponse(seg);
  } else if (seg.len) {
    fault = CheckAccess(seg.stag, seg.to, seg.len, SIW_ACCESS_REMOTE_WRITE,
                        SIW_LAYER_DDP);
    if (!fault) Event("placed " + std::to_string(seg.len) + " octets");
  }
  if (fault) return fault;
  Place(seg, body);
  siw_ddp_rx_advance(&ddp_, &seg);
  return SIW_OK;
}

siw_fault Receiver::TakeReadResponse(const siw_seg& seg) {
  siw_read_sink* sink = reads_.empty() ? nullptr : &reads_.front();
  const siw_fault fault = siw_rdmap_check_read_rsp(sink, &seg);
  if (fault) return fault;
  sink->done += seg.len;
  if (seg.last) {
    reads_.pop_front();
    Event("read complete");
  }
  return SIW_OK;
}

siw_fault Receiver::TakeUntagged(const siw_seg& seg, ByteSpan body) {
  siw_fault fault = siw_ddp_rx_untagged(&ddp_, &seg, FreeBuffers(seg.qn));
  if (fault) return fault;
  switch (seg.op) {
    case SIW_RDMAP_READ_REQ:
      fault = TakeReadRequest(seg, body);
      break;
    case SIW_RDMAP_ATOMIC_REQ:
      fault = TakeAtomicRequest(seg, body);
      break;
    case SIW_RDMAP_ATOMIC_RSP:
      fault = TakeAtomicResponse(seg, body);
      break;
    case SIW_RDMAP_TERMINATE:
      fault = TakeTerminate(seg, body);
      break;
    default:
      fault = TakeSend(seg, body);
  }
  if (!fault) siw_ddp_rx_advance(&ddp_, &seg);
  return fault;
}

siw_fault Receiver::TakeSend(const siw_seg& seg, ByteSpan body) {
  siw_fault fault;
  if (!room_) {
    room_ = buffers_.front();
    buffers_.pop_front();
  }
  if (seg.op == SIW_RDMAP_IMM || seg.op == SIW_RDMAP_IMM_SE) {
    fault = siw_rdmap_check_imm(&seg);
  } else {
    fault = siw_ddp_check_room(seg.mo, seg.len, *room_);
    if (!fault) Place(seg, body);
  }
  if (fault || !seg.last) return fault;
  room_.reset();
  return Deliver(seg, seg.mo + seg.len);
}

siw_fault Receiver::Deliver(const siw_seg& seg, uint32_t len) {
  const struct siw_rdmap_op_info* info = siw_rdmap_op_info(seg.op);
  if (info->invalidate) {
    Region* found = Find(seg.stag);
    if (siw_access_check_invalidate(found ? &found->region : nullptr, seg.stag,
                                    found && found->same_pd)) {
      return SIW_FAULT_RDMAP_INVALIDATE;
    }
    found->region.valid = false;
    Bytes stag;
    PutBe(stag, seg.stag, 4);
    Event("invalidated " + ToHex(stag));
  }
  Event(std::string("delivered ") + info->name + " " + std::to_string(len) +
        " octets");
  return SIW_OK;
}

siw_fault Receiver::TakeReadRequest(const siw_seg& seg, ByteSpan body) {
  siw_fault fault = siw_rdmap_check_request(&seg);
  if (fault) return fault;
  siw_read_req req;
  siw_read_req_decode(&req, body.data());
  if (req.len) {
    fault = CheckAccess(req.src_stag, req.src_to, req.len,
                        SIW_ACCESS_REMOTE_READ, SIW_LAYER_RDMAP);
    if (fault) return fault;
  }
  --ird_;
  Event("read request " + std::to_string(req.len) + " octets");
  return SIW_OK;
}

siw_fault Receiver::TakeAtomicRequest(const siw_seg& seg, ByteSpan body) {
  siw_fault fault = siw_rdmap_check_request(&seg);
  siw_atomic_req req;
  if (!fault) fault = siw_atomic_req_decode(&req, body.data());
  if (!fault) {
    fault = CheckAccess(req.stag, req.to, sizeof(uint64_t),
                        SIW_ACCESS_REMOTE_ATOMIC, SIW_LAYER_RDMAP);
  }
  if (!fault) fault = siw_atomic_check_align(req.to);
  if (fault) return fault;
  --ird_;
  Event("atomic request id " + std::to_string(req.id));
  return SIW_OK;
}

siw_fault Receiver::TakeAtomicResponse(const siw_seg& seg, ByteSpan body) {
  const siw_fault fault =
      siw_rdmap_check_atomic_rsp(&seg, body.data(), atomics_.front());
  if (fault) return fault;
  atomics_.pop_front();
  Event("atomic complete");
  return SIW_OK;
}

siw_fault Receiver::TakeTerminate(const siw_seg& seg, ByteSpan body) {
  terminated_ = true;
  if (!siw_rdmap_term_ok(&seg)) {
    dropping_ = true;
    return SIW_OK;
  }
  Event("Terminate received " +
        ToHex(body.first(std::min<size_t>(body.size(), SIW_TERM_CTRL_LEN))));
  return SIW_OK;
}

siw_fault Receiver::CheckAccess(uint32_t stag, uint64_t to, uint32_t len,
                                uint32_t want, siw_layer layer) {
  const Region* found = Find(stag);
  const siw_access verdict =
      siw_access_check(found ? &found->region : nullptr, stag,
                       found && found->same_pd, to, len, want);
  return siw_access_fault(verdict, layer);
}

uint32_t Receiver::FreeBuffers(uint32_t qn) const {
  switch (qn) {
    case SIW_QN_SEND:
      return static_cast<uint32_t>(buffers_.size());
    case SIW_QN_READ:
      return ird_;
    case SIW_QN_TERM:
      return 1;
    case SIW_QN_ATOMIC_RSP:
      return static_cast<uint32_t>(atomics_.size());
  }
  return 0;
}

void Receiver::Place(const siw_seg& seg, ByteSpan body) {
  if (body.empty()) return;
  placements_.push_back({.tagged = seg.tagged,
                         .buffer = seg.tagged ? seg.stag : seg.msn,
                         .offset = seg.tagged ? seg.to : seg.mo,
                         .octets = Bytes(body.begin(), body.end())});
}

Receiver::Region* Receiver::Find(uint32_t stag) {
  const auto found = regions_.find(stag >> kKeyBits);
  return found == regions_.end() ? nullptr : &found->second;
}

}  // namespace siw
