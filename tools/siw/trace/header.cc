// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/header.h"

#include <algorithm>

extern "C" {
#include "fault.h"
#include "mpa_frame.h"
#include "mpa_setup.h"
#include "rdmap.h"
#include "rfc7306.h"
#include "wire.h"
}

namespace siw::trace {
namespace {

// Reserved bits of the two control octets, and the values of the others.
constexpr uint8_t kDdpReserved = 0x3c;
constexpr uint8_t kRdmapReserved = 0x30;

std::string IdOf(siw_mpa_verdict verdict) {
  switch (verdict) {
    case SIW_MPA_GOOD:
    case SIW_MPA_WAIT:
      return "";
    case SIW_MPA_BAD_KEY:
      return "SIW-MPA-KEY";
    case SIW_MPA_BAD_REV:
      return "SIW-MPA-REV";
    case SIW_MPA_BAD_PD_LEN:
      return "SIW-MPA-PDLEN";
    case SIW_MPA_BAD_TRAIL:
      return "SIW-MPA-TRAIL";
    case SIW_MPA_BAD_ENHANCED:
      return "SIW-MPA-ENHANCED";
  }
  return "";
}

Segment ToSegment(const siw_seg& seg) {
  const auto* info = siw_rdmap_op_info(seg.op);
  Segment segment;
  segment.opcode = seg.op;
  segment.operation = info->name;
  segment.tagged = seg.tagged;
  segment.last = seg.last;
  segment.stag = seg.stag;
  segment.invalidates = info->invalidate;
  segment.to = seg.to;
  segment.qn = seg.qn;
  segment.msn = seg.msn;
  segment.mo = seg.mo;
  segment.payload = seg.len;
  return segment;
}

ReadRequest ToReadRequest(const uint8_t* header) {
  siw_read_req req;
  siw_read_req_decode(&req, header);
  return {req.sink_stag, req.sink_to, req.len, req.src_stag, req.src_to};
}

void Refuse(siw_fault fault, FpduEvent* fpdu) {
  siw_term term;
  siw_term_fill(&term, fault, nullptr, 0, 0);
  fpdu->refusal = TermCode{term.layer, term.etype, term.code};
  fpdu->refusal_name = siw_fault_name(fault);
}

AtomicRequest ToAtomicRequest(const uint8_t* header, FpduEvent* fpdu) {
  siw_atomic_req req;
  if (const siw_fault fault = siw_atomic_req_decode(&req, header))
    Refuse(fault, fpdu);
  return {req.aop,  req.id,        req.stag, req.to,
          req.data, req.data_mask, req.cmp,  req.cmp_mask};
}

bool IsRegistered(uint8_t control, uint8_t code) {
  const uint8_t body[] = {control, code};
  siw_term term;
  siw_term_decode(&term, body, sizeof(body));
  return siw_term_fault(&term) != SIW_FAULT_RDMAP_UNSPECIFIED ||
         (control == 0x02 && code == 0xff);
}

uint8_t Swapped(uint8_t octet) {
  return static_cast<uint8_t>(octet << 4 | octet >> 4);
}

// Of the kernel's own siw on a little-endian host: type and layer change
// places, and M, D, R are the low bits, in this order from the lowest.
bool IsSwapped(OctetSpan body) {
  if (body.size() < SIW_TERM_CTRL_LEN) return false;
  if (body[2] == 0)
    return !IsRegistered(body[0], body[1]) &&
           IsRegistered(Swapped(body[0]), body[1]);
  return body[2] <= 0x07;
}

TerminateBody ToTerminate(OctetSpan body) {
  TerminateBody out;
  for (size_t i = 0; i < SIW_TERM_CTRL_LEN && i < body.size(); ++i)
    out.word |= uint32_t{body[i]} << (24 - 8 * i);
  std::vector<uint8_t> octets(body.begin(), body.end());
  out.swapped = IsSwapped(body);
  if (out.swapped) {
    octets[0] = Swapped(body[0]);
    octets[2] = static_cast<uint8_t>((body[2] & 1 ? SIW_TERM_F_M : 0) |
                                     (body[2] & 2 ? SIW_TERM_F_D : 0) |
                                     (body[2] & 4 ? SIW_TERM_F_R : 0));
  }
  siw_term term;
  siw_term_decode(&term, octets.data(), octets.size());
  out.code = {term.layer, term.etype, term.code};
  out.name = siw_fault_name(siw_term_fault(&term));
  out.has_length = term.m;
  out.segment_length = term.seg_len;
  siw_seg seg;
  if (term.hdr_len &&
      siw_ddp_decode(
          &seg, term.hdr, term.hdr_len,
          std::max<uint16_t>(term.m ? term.seg_len : 0, term.hdr_len),
          true) == SIW_OK)
    out.refused = ToSegment(seg);
  if (term.read_len) out.refused_read = ToReadRequest(term.read);
  return out;
}

uint64_t Be64(OctetSpan octets) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | octets[i];
  return value;
}

// Behind the header of an untagged segment.
void ParseBody(const siw_seg& seg, OctetSpan body, FpduEvent* fpdu) {
  switch (seg.op) {
    case SIW_RDMAP_READ_REQ:
    case SIW_RDMAP_ATOMIC_REQ:
      if (const siw_fault fault = siw_rdmap_check_request(&seg)) {
        Refuse(fault, fpdu);
      } else if (seg.op == SIW_RDMAP_READ_REQ) {
        fpdu->body = ToReadRequest(body.data());
      } else {
        fpdu->body = ToAtomicRequest(body.data(), fpdu);
      }
      break;
    case SIW_RDMAP_ATOMIC_RSP:
      if (body.size() == SIW_ATOMIC_RSP_LEN) {
        u32 identifier = 0;
        u64 value = 0;
        siw_atomic_rsp_decode(body.data(), &identifier, &value);
        fpdu->body = AtomicResponse{identifier, value};
      } else {
        Refuse(SIW_FAULT_RDMAP_UNSPECIFIED, fpdu);
      }
      break;
    case SIW_RDMAP_IMM:
    case SIW_RDMAP_IMM_SE:
      if (const siw_fault fault = siw_rdmap_check_imm(&seg))
        Refuse(fault, fpdu);
      else
        fpdu->body = Immediate{Be64(body)};
      break;
    case SIW_RDMAP_TERMINATE:
      fpdu->body = ToTerminate(body);
      break;
    default:
      break;
  }
}

// What each untagged message has by itself, whatever came before it.
siw_fault CheckQueue(const siw_seg& seg) {
  if (seg.tagged || seg.op == SIW_RDMAP_TERMINATE) return SIW_OK;
  if (seg.qn >= SIW_QNS) return SIW_FAULT_DDP_QN;
  if (seg.qn != siw_rdmap_op_info(seg.op)->qn) return SIW_FAULT_RDMAP_OPCODE;
  return SIW_OK;
}

}  // namespace

Frame ParseStartup(OctetSpan octets, bool reply, StartupEvent* startup,
                   size_t* need) {
  const siw_mpa_kind kind = reply ? SIW_MPA_REPLY : SIW_MPA_REQUEST;
  siw_mpa_setup frame;
  // Behind the frame there may be FPDUs.
  size_t n = std::min<size_t>(octets.size(), SIW_MPA_HDR_LEN);
  siw_mpa_verdict verdict =
      siw_mpa_setup_decode(&frame, kind, octets.data(), n, need);
  if (verdict == SIW_MPA_BAD_KEY) return Frame::kForeign;
  if (verdict == SIW_MPA_WAIT && octets.size() >= *need) {
    n = *need;
    verdict = siw_mpa_setup_decode(&frame, kind, octets.data(), n, need);
  }
  if (verdict == SIW_MPA_WAIT) return Frame::kWait;
  *startup = {};
  startup->reply = reply;
  startup->bad = IdOf(verdict);
  if (verdict != SIW_MPA_GOOD) {
    startup->revision = octets[SIW_MPA_OFF_REV];
    return Frame::kBad;
  }
  startup->revision = frame.rev;
  startup->crc = frame.crc;
  startup->markers = frame.markers;
  startup->reject = frame.reject;
  startup->enhanced = frame.enhanced;
  startup->private_data = frame.pd_len;
  if (frame.enhanced) {
    startup->peer_to_peer = frame.p2p;
    startup->rtr_send = frame.rtr & SIW_RTR_SEND;
    startup->rtr_write = frame.rtr & SIW_RTR_WRITE;
    startup->rtr_read = frame.rtr & SIW_RTR_READ;
    startup->ird = frame.ird;
    startup->ord = frame.ord;
  }
  return Frame::kGood;
}

void ParseUlpdu(OctetSpan ulpdu, FpduEvent* fpdu) {
  siw_seg seg;
  siw_fault fault = siw_ddp_decode(&seg, ulpdu.data(), ulpdu.size(),
                                   static_cast<uint16_t>(ulpdu.size()), true);
  if (fault) {
    Refuse(fault, fpdu);
    return;
  }
  fpdu->segment = ToSegment(seg);
  fault = CheckQueue(seg);
  if (fault)
    Refuse(fault, fpdu);
  else
    ParseBody(seg, ulpdu.subspan(seg.hdr_len), fpdu);
}

bool IsLikelyFpdu(OctetSpan octets, bool strict) {
  if (octets.size() < SIW_MPA_LEN_LEN + size_t{SIW_DDP_TAGGED_LEN})
    return false;
  const auto length = static_cast<uint16_t>(octets[0] << 8 | octets[1]);
  const OctetSpan ulpdu = octets.subspan(SIW_MPA_LEN_LEN);
  if (!siw_mpa_len_ok(length)) return false;
  siw_seg seg;
  if (siw_ddp_decode(&seg, ulpdu.data(), ulpdu.size(), length, true) != SIW_OK)
    return false;
  if (!strict) return true;
  const auto* info = siw_rdmap_op_info(seg.op);
  return !(ulpdu[0] & kDdpReserved) && !(ulpdu[1] & kRdmapReserved) &&
         CheckQueue(seg) == SIW_OK &&
         (seg.tagged || info->invalidate || seg.stag == 0);
}

std::vector<uint8_t> StartupOctets(bool reply, bool crc) {
  siw_mpa_setup frame = {};
  frame.kind = reply ? SIW_MPA_REPLY : SIW_MPA_REQUEST;
  frame.rev = 1;
  frame.crc = crc;
  std::vector<uint8_t> octets(SIW_MPA_HDR_LEN);
  siw_mpa_setup_encode(octets.data(), &frame);
  return octets;
}

}  // namespace siw::trace
