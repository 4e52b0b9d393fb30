// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>

#include "builder.h"
#include "bytes.h"
#include "proto.h"

namespace siw {
namespace {

Bytes Pattern(size_t n, uint8_t seed = 1) {
  Bytes out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(seed + 7 * i);
  return out;
}

// Opens the one FPDU at `pos`, a copy of its own.
struct Opened {
  Opened(const siw_mpa_rx& at, ByteSpan stream)
      : rx(at), fpdu(stream.begin(), stream.end()) {
    uint8_t* start;
    uint16_t len;
    fault = siw_mpa_rx_open(&rx, fpdu.data(),
                            static_cast<uint32_t>(fpdu.size()), &start, &len);
    if (!fault) ulpdu.assign(start, start + len);
  }
  siw_mpa_rx rx;
  Bytes fpdu;
  siw_fault fault;
  Bytes ulpdu;
};

TEST(MpaMulpdu, FollowsTheFormulaForEveryEmss) {
  for (uint32_t emss = 0; emss < 140000; ++emss) {
    for (const bool markers : {false, true}) {
      int64_t want = int64_t{emss} - 6 - emss % 4;
      if (markers) want -= 4 * ((int64_t{emss} + 511) / 512);
      want = std::clamp<int64_t>(want, 128, 64768);
      ASSERT_EQ(want, siw_mpa_mulpdu(emss, markers)) << emss;
    }
  }
}

TEST(MpaMulpdu, IsTheMaximumForAbsurdSegmentSizes) {
  for (const uint32_t emss : {1u << 20, 1u << 31, ~0u - 511, ~0u - 5, ~0u}) {
    EXPECT_EQ(64768u, siw_mpa_mulpdu(emss, false));
    EXPECT_EQ(64768u, siw_mpa_mulpdu(emss, true));
  }
}

TEST(MpaMulpdu, LetsAnFpduWithItsMarkersFitTheSegment) {
  for (uint32_t emss = 512; emss < 9100; ++emss) {
    const uint32_t plain = siw_mpa_mulpdu(emss, false);
    EXPECT_LE(siw_mpa_fpdu_len(plain), emss);
    const Bytes ulpdu(siw_mpa_mulpdu(emss, true));
    if (emss % 500) continue;
    for (uint32_t pos = 0; pos < 512; pos += 4) {
      EXPECT_LE(Framer(true, false, pos).Add(ulpdu).stream().size(), emss);
    }
  }
}

TEST(MpaPad, RoundsLengthAndUlpduToFour) {
  for (uint32_t n = 0; n <= 65535; ++n) {
    EXPECT_EQ(0u, (2 + n + siw_mpa_pad(n)) % 4);
    EXPECT_LT(siw_mpa_pad(n), 4u);
    EXPECT_EQ(2 + n + siw_mpa_pad(n) + 4, siw_mpa_fpdu_len(n));
  }
}

TEST(MpaUntilMarker, CountsDownToTheNextMultipleOf512) {
  for (uint32_t pos = 0; pos < 2048; ++pos) {
    EXPECT_EQ((512 - pos % 512) % 512, siw_mpa_until_marker(pos));
    EXPECT_EQ((512 - pos % 512) % 512, siw_mpa_until_marker(pos - 2048));
  }
}

TEST(MpaCrc, AgreesWithTheDefinition) {
  for (size_t n = 0; n < 300; ++n) {
    const Bytes in = Pattern(n);
    EXPECT_EQ(SlowCrc32c(in), ~siw_mpa_crc_add(~0u, in.data(), n));
  }
}

TEST(MpaCrc, FieldIsLowOctetFirst) {
  Bytes field(4);
  siw_mpa_crc_put(field.data(), ~0xe3069283u);
  EXPECT_EQ("839206e3", ToHex(field));
  EXPECT_TRUE(siw_mpa_crc_ok(field.data(), ~0xe3069283u));
  for (int bit = 0; bit < 32; ++bit) {
    EXPECT_FALSE(siw_mpa_crc_ok(field.data(), ~0xe3069283u ^ 1u << bit));
  }
}

TEST(MpaMarkerPut, LeavesTheReservedHalfZero) {
  Bytes marker(4, 0xff);
  siw_mpa_marker_put(marker.data(), 0);
  EXPECT_EQ("00000000", ToHex(marker));
  siw_mpa_marker_put(marker.data(), 0x1fc);
  EXPECT_EQ("000001fc", ToHex(marker));
}

TEST(MpaRxNeed, WaitsUntilTheLengthIsThere) {
  const siw_mpa_rx plain = {.pos = 0, .markers = false, .crc = true};
  const siw_mpa_rx marked = {.pos = 0, .markers = true, .crc = true};
  const Bytes in = FromHex("000000000016");
  for (size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(0u, siw_mpa_rx_need(&plain, in.data(), n));
  }
  for (size_t n = 0; n < SIW_MPA_PEEK_MAX; ++n) {
    EXPECT_EQ(0u, siw_mpa_rx_need(&marked, in.data(), n));
  }
  EXPECT_EQ(8u, siw_mpa_rx_need(&plain, in.data(), 2));
  EXPECT_EQ(32u, siw_mpa_rx_need(&marked, in.data(), SIW_MPA_PEEK_MAX));
}

// Every length that matters at every place a Marker can have relative to it.
TEST(MpaRxNeed, CountsEveryMarkerThatAFramerPutsIn) {
  for (uint32_t pos = 0; pos < 1024; pos += 4) {
    for (size_t n = 0; n < 1100; n += n % 512 < 16 || n % 512 > 480 ? 1 : 37) {
      const Bytes stream = Framer(true, false, pos).Add(Bytes(n)).stream();
      const siw_mpa_rx rx = {.pos = pos, .markers = true, .crc = false};
      ASSERT_EQ(stream.size(),
                siw_mpa_rx_need(&rx, stream.data(), stream.size()))
          << n << " octets at " << pos;
    }
  }
}

TEST(MpaRxNeed, WorksWhereThePositionWraps) {
  const uint32_t pos = ~0u - 1023;
  for (uint32_t by = 0; by < 2048; by += 4) {
    const Bytes stream =
        Framer(true, true, pos + by).Add(Pattern(1400)).stream();
    const siw_mpa_rx rx = {.pos = pos + by, .markers = true, .crc = true};
    EXPECT_EQ(stream.size(),
              siw_mpa_rx_need(&rx, stream.data(), stream.size()));
    EXPECT_EQ(Pattern(1400), Opened(rx, stream).ulpdu);
  }
}

TEST(MpaRxNeed, RefusesExactlyTheLengthsAboveTheLargestMulpdu) {
  for (const bool markers : {false, true}) {
    for (uint32_t pos = 0; pos < 512; pos += 4) {
      const siw_mpa_rx rx = {.pos = pos, .markers = markers, .crc = true};
      for (uint32_t n = 64700; n <= 65535; n += 5) {
        Bytes in(markers && pos == 0 ? 4 : 0);
        PutBe(in, n, 2);
        EXPECT_EQ(n > 64768,
                  siw_mpa_rx_need(&rx, in.data(), in.size()) > SIW_MPA_RX_MAX)
            << n;
        EXPECT_EQ(n <= 64768, siw_mpa_len_ok(static_cast<uint16_t>(n)));
      }
    }
  }
  EXPECT_TRUE(siw_mpa_len_ok(64768));
  EXPECT_FALSE(siw_mpa_len_ok(64769));
}

TEST(MpaRxOpen, FindsTheUlpduBetweenMarkers) {
  for (uint32_t pos = 0; pos < 512; pos += 4) {
    for (const size_t n : {0, 1, 2, 14, 18, 22, 484, 488, 502, 1000, 1550}) {
      const Bytes stream = Framer(true, true, pos).Add(Pattern(n)).stream();
      const Opened opened({.pos = pos, .markers = true, .crc = true}, stream);
      ASSERT_EQ(SIW_OK, opened.fault) << n << " octets at " << pos;
      EXPECT_EQ(Pattern(n), opened.ulpdu);
      EXPECT_EQ(pos + stream.size(), opened.rx.pos);
    }
  }
}

TEST(MpaRxOpen, TakesTheLongestFpdu) {
  for (const bool markers : {false, true}) {
    for (const uint32_t pos : {0, 4, 508}) {
      const Bytes stream =
          Framer(markers, true, pos).Add(Pattern(64768)).stream();
      const siw_mpa_rx rx = {.pos = pos, .markers = markers, .crc = true};
      const uint32_t need = siw_mpa_rx_need(&rx, stream.data(), 6);
      EXPECT_EQ(stream.size(), need);
      EXPECT_LE(need, SIW_MPA_RX_MAX + 0u);
      EXPECT_EQ(Pattern(64768), Opened(rx, stream).ulpdu);
    }
  }
}

TEST(MpaRxOpen, LeavesTheBufferAloneWithoutMarkers) {
  for (size_t n = 0; n < 1100; ++n) {
    const Bytes stream = Fpdu(Pattern(n));
    const Opened opened({.pos = 0, .markers = false, .crc = true}, stream);
    EXPECT_EQ(SIW_OK, opened.fault);
    EXPECT_EQ(stream, opened.fpdu);
    EXPECT_EQ(Pattern(n), opened.ulpdu);
  }
}

TEST(MpaRxOpen, NoticesEverySingleBitFlipByTheCrc) {
  for (const bool markers : {false, true}) {
    const Bytes good = Framer(markers).Add(Pattern(520)).stream();
    const size_t length_at = markers ? 4 : 0;
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
      if (bit / 8 == length_at || bit / 8 == length_at + 1) continue;
      Bytes bad = good;
      bad[bit / 8] ^= 1 << bit % 8;
      const Opened opened({.pos = 0, .markers = markers, .crc = true}, bad);
      ASSERT_EQ(SIW_FAULT_MPA_CRC, opened.fault) << "bit " << bit;
      EXPECT_EQ(bad, opened.fpdu) << "touched before the CRC was good";
      EXPECT_EQ(0u, opened.rx.pos);
    }
  }
}

TEST(MpaRxOpen, DoesNotLookAtTheCrcFieldWhenCrcIsOff) {
  Bytes stream = Fpdu(Pattern(40));
  stream.back() ^= 0xff;
  const Opened opened({.pos = 0, .markers = false, .crc = false}, stream);
  EXPECT_EQ(SIW_OK, opened.fault);
  EXPECT_EQ(Pattern(40), opened.ulpdu);
}

TEST(MpaRxOpen, ChecksEveryMarkersPointerButItsTwoLowBits) {
  Framer framer(true, false);
  framer.Add(Pattern(1550));
  for (const size_t at : framer.marker_offsets()) {
    for (int bit = 0; bit < 16; ++bit) {
      Bytes bad = framer.stream();
      bad[at + 3 - bit / 8] ^= 1 << bit % 8;
      const Opened opened({.pos = 0, .markers = true, .crc = false}, bad);
      EXPECT_EQ(bit < 2 ? SIW_OK : SIW_FAULT_MPA_MARKER, opened.fault)
          << "Marker at " << at << ", bit " << bit;
    }
  }
}

TEST(MpaRxOpen, LeavesTheReservedHalfOfAMarkerUnchecked) {
  Bytes stream = Framer(true, false).Add(Pattern(20)).stream();
  stream[0] = stream[1] = 0xff;
  EXPECT_EQ(SIW_OK,
            Opened({.pos = 0, .markers = true, .crc = false}, stream).fault);
}

TEST(MpaRxOpen, PrefersTheCrcFaultToTheMarkerFault) {
  Bytes stream = Framer(true).Add(Pattern(20)).stream();
  stream[3] ^= 0x10;
  EXPECT_EQ(SIW_FAULT_MPA_CRC,
            Opened({.pos = 0, .markers = true, .crc = true}, stream).fault);
}

}  // namespace
}  // namespace siw
