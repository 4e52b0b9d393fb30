// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "builder.h"

namespace siw {
namespace {

constexpr uint32_t kMarkerInterval = 512;

Bytes Control(bool tagged, bool last, uint8_t ddp_version,
              uint8_t rdmap_version, uint8_t op) {
  return {static_cast<uint8_t>(tagged << 7 | last << 6 | ddp_version),
          static_cast<uint8_t>(rdmap_version << 6 | op)};
}

Bytes CrcField(ByteSpan covered) {
  const uint32_t crc = SlowCrc32c(covered);
  return {static_cast<uint8_t>(crc), static_cast<uint8_t>(crc >> 8),
          static_cast<uint8_t>(crc >> 16), static_cast<uint8_t>(crc >> 24)};
}

Bytes LengthUlpduPad(ByteSpan ulpdu) {
  Bytes out;
  PutBe(out, ulpdu.size(), 2);
  Append(out, ulpdu);
  while (out.size() % 4) out.push_back(0);
  return out;
}

}  // namespace

uint32_t SlowCrc32c(ByteSpan octets) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t octet : octets) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool out = (crc ^ (octet >> bit)) & 1;
      crc = crc >> 1 ^ (out ? 0x82f63b78 : 0);
    }
  }
  return ~crc;
}

Bytes Untagged(const UntaggedFields& fields, ByteSpan payload) {
  Bytes out = Control(fields.tagged, fields.last, fields.ddp_version,
                      fields.rdmap_version, fields.op);
  PutBe(out, fields.inv_stag, 4);
  PutBe(out, fields.qn, 4);
  PutBe(out, fields.msn, 4);
  PutBe(out, fields.mo, 4);
  Append(out, payload);
  return out;
}

Bytes Tagged(const TaggedFields& fields, ByteSpan payload) {
  Bytes out = Control(fields.tagged, fields.last, fields.ddp_version,
                      fields.rdmap_version, fields.op);
  PutBe(out, fields.stag, 4);
  PutBe(out, fields.to, 8);
  Append(out, payload);
  return out;
}

Bytes ReadRequest(const ReadFields& fields) {
  Bytes header;
  PutBe(header, fields.sink_stag, 4);
  PutBe(header, fields.sink_to, 8);
  PutBe(header, fields.len, 4);
  PutBe(header, fields.src_stag, 4);
  PutBe(header, fields.src_to, 8);
  return Untagged({.op = 1, .qn = 1, .msn = fields.msn}, header);
}

Bytes AtomicRequest(const AtomicFields& fields) {
  Bytes header;
  PutBe(header, fields.aop, 4);
  PutBe(header, fields.id, 4);
  PutBe(header, fields.stag, 4);
  PutBe(header, fields.to, 8);
  PutBe(header, fields.data, 8);
  PutBe(header, fields.data_mask, 8);
  PutBe(header, fields.cmp, 8);
  PutBe(header, fields.cmp_mask, 8);
  return Untagged({.op = 10, .qn = 1, .msn = fields.msn}, header);
}

Bytes Fpdu(ByteSpan ulpdu) {
  const Bytes covered = LengthUlpduPad(ulpdu);
  return Join(covered, CrcField(covered));
}

void Framer::Word(ByteSpan word) {
  Append(stream_, word);
  pos_ += 4;
}

void Framer::MarkerIfDue() {
  if (!markers_ || pos_ % kMarkerInterval) return;
  Bytes marker;
  PutBe(marker, in_fpdu_ ? pos_ - head_ : 0, 4);
  markers_at_.push_back(stream_.size());
  Word(marker);
}

Framer& Framer::Add(ByteSpan ulpdu) {
  const Bytes body = LengthUlpduPad(ulpdu);
  covered_from_ = stream_.size();
  MarkerIfDue();
  head_ = pos_;
  fpdus_.push_back(stream_.size());
  for (size_t i = 0; i < body.size(); i += 4) {
    Word(ByteSpan(body).subspan(i, 4));
    in_fpdu_ = true;
    MarkerIfDue();  // also the one between PAD and CRC
  }
  in_fpdu_ = false;
  Word(crc_ ? CrcField(ByteSpan(stream_).subspan(covered_from_)) : Bytes(4));
  return *this;
}

}  // namespace siw
