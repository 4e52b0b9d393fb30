// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// MPA framing (RFC 5044 section 4): FPDUs of any length, at any position of the
// stream, built by the model's Framer and opened by siw/proto; one octet may be
// damaged. And siw_mpa_mulpdu() against its formula in 64 bits.
//
// Input: flags, EMSS, position, damage, ULPDU lengths.
#include "builder.h"
#include "fuzz.h"
#include "proto.h"

namespace siw {
namespace {

constexpr size_t kMostFpdus = 4;

uint64_t Mulpdu(uint64_t emss, bool markers) {
  const uint64_t overhead =
      6 + emss % 4 + (markers ? 4 * ((emss + 511) / 512) : 0);
  const uint64_t rest = emss > overhead ? emss - overhead : 0;
  return std::clamp<uint64_t>(rest, 128, 64768);
}

// No two octets near each other are the same.
Bytes Payload(size_t n) {
  Bytes out(n);
  for (size_t i = 0; i < n; ++i)
    out[i] = static_cast<uint8_t>(i * 37 + i / 256);
  return out;
}

class Reader {
 public:
  Reader(const Framer& framer, siw_mpa_rx rx)
      : stream_(framer.stream()), rx_(rx) {}

  // The octets of the next FPDU; the same for any number of octets at hand.
  uint32_t Need() const {
    const ByteSpan rest = ByteSpan(stream_).subspan(at_);
    const Exact peek(rest.first(std::min<size_t>(rest.size(), 6)));
    const uint32_t need = siw_mpa_rx_need(&rx_, peek.data(), peek.size());
    const size_t lead = rx_.markers && rx_.pos % 512 == 0 ? 4 : 0;
    for (size_t n = 0; n < peek.size(); ++n) {
      const Exact less(ByteSpan(peek.data(), n));
      const uint32_t want = n < lead + 2 ? 0 : need;
      FUZZ_CHECK(siw_mpa_rx_need(&rx_, less.data(), n) == want);
    }
    return need;
  }
  siw_fault Open(uint32_t need, Bytes* out) {
    FUZZ_CHECK(need <= stream_.size() - at_);
    const Exact fpdu(ByteSpan(stream_).subspan(at_, need));
    uint8_t* ulpdu;
    uint16_t ulpdu_len;
    const uint32_t pos = rx_.pos;
    const siw_fault fault =
        siw_mpa_rx_open(&rx_, fpdu.data(), need, &ulpdu, &ulpdu_len);
    if (fault) {
      FUZZ_CHECK(rx_.pos == pos);
      return fault;
    }
    FUZZ_CHECK(rx_.pos == pos + need);
    out->assign(ulpdu, ulpdu + ulpdu_len);
    at_ += need;
    return SIW_OK;
  }
  void Damage(size_t at, uint8_t by) { stream_[at] ^= by; }
  size_t at() const { return at_; }

 private:
  Bytes stream_;
  siw_mpa_rx rx_;
  size_t at_ = 0;
};

// What one damaged octet outside the length field leads to.
siw_fault Expected(const Framer& framer, const siw_mpa_rx& rx, size_t at,
                   uint8_t by) {
  if (rx.crc) return SIW_FAULT_MPA_CRC;
  for (const size_t marker : framer.marker_offsets()) {
    if (at == marker + 2) return SIW_FAULT_MPA_MARKER;
    if (at == marker + 3 && by & 0xfc) return SIW_FAULT_MPA_MARKER;
  }
  return SIW_OK;
}

}  // namespace
}  // namespace siw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  Source source(data, size);
  const uint8_t flags = source.U8();
  const uint32_t emss = flags & 8 ? source.U32() : source.U16();
  FUZZ_CHECK(siw_mpa_mulpdu(emss, flags & 1) == Mulpdu(emss, flags & 1));

  siw_mpa_rx rx = {};
  rx.markers = flags & 1;
  rx.crc = !(flags & 2);
  rx.pos = 4u * source.U16();
  if (flags & 4) rx.pos = -rx.pos;
  const size_t damage_at = source.U16();
  const uint8_t damage = source.U8();
  Framer framer(rx.markers, rx.crc, rx.pos);
  std::vector<Bytes> ulpdus;
  while (ulpdus.size() < kMostFpdus && !source.empty()) {
    // Long ones take long: only if the input insists.
    const uint16_t len = source.U16() & (flags & 16 ? 0xffff : 0x3ff);
    ulpdus.push_back(Payload(len));
    framer.Add(ulpdus.back());
  }

  Reader reader(framer, rx);
  for (size_t i = 0; i < ulpdus.size(); ++i) {
    const uint32_t need = reader.Need();
    if (ulpdus[i].size() > SIW_MPA_MULPDU_MAX) {
      FUZZ_CHECK(need > SIW_MPA_RX_MAX);
      return 0;
    }
    FUZZ_CHECK(need >= 8 && need <= SIW_MPA_RX_MAX);
    siw_fault want = SIW_OK;
    const size_t at = reader.at() + damage_at;
    const size_t head = framer.fpdu_offsets()[i];
    const bool in_length = at == head || at == head + 1;
    if (i == 0 && damage && damage_at < need && !in_length) {
      reader.Damage(at, damage);
      want = Expected(framer, rx, at, damage);
    }
    Bytes got;
    const siw_fault fault = reader.Open(need, &got);
    FUZZ_CHECK(fault == want);
    if (fault) return 0;
    // A damaged octet of payload comes as it is.
    FUZZ_CHECK(got.size() == ulpdus[i].size());
    size_t different = 0;
    for (size_t n = 0; n < got.size(); ++n) different += got[n] != ulpdus[i][n];
    FUZZ_CHECK(different <= (i == 0 && damage ? 1u : 0u));
  }
  return 0;
}
