// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

#include "builder.h"
#include "bytes.h"
#include "oracle.h"
#include "proto.h"

namespace siw {
namespace {

// The table of RFC 5040 section 4.8 with its companions, once more by hand.
constexpr struct {
  siw_fault fault;
  Code code;
} kCodes[] = {
    {SIW_FAULT_RDMAP_LOCAL, {0, 0, 0x00}},
    {SIW_FAULT_RDMAP_STAG, {0, 1, 0x00}},
    {SIW_FAULT_RDMAP_BOUNDS, {0, 1, 0x01}},
    {SIW_FAULT_RDMAP_ACCESS, {0, 1, 0x02}},
    {SIW_FAULT_RDMAP_PD, {0, 1, 0x03}},
    {SIW_FAULT_RDMAP_WRAP, {0, 1, 0x04}},
    {SIW_FAULT_RDMAP_INVALIDATE, {0, 1, 0x09}},
    {SIW_FAULT_RDMAP_VERSION, {0, 2, 0x05}},
    {SIW_FAULT_RDMAP_OPCODE, {0, 2, 0x06}},
    {SIW_FAULT_RDMAP_STREAM, {0, 2, 0x07}},
    {SIW_FAULT_RDMAP_UNSPECIFIED, {0, 2, 0xff}},
    {SIW_FAULT_DDP_LOCAL, {1, 0, 0x00}},
    {SIW_FAULT_DDP_STAG, {1, 1, 0x00}},
    {SIW_FAULT_DDP_BOUNDS, {1, 1, 0x01}},
    {SIW_FAULT_DDP_PD, {1, 1, 0x02}},
    {SIW_FAULT_DDP_WRAP, {1, 1, 0x03}},
    {SIW_FAULT_DDP_T_VERSION, {1, 1, 0x04}},
    {SIW_FAULT_DDP_QN, {1, 2, 0x01}},
    {SIW_FAULT_DDP_NO_BUFFER, {1, 2, 0x02}},
    {SIW_FAULT_DDP_MSN, {1, 2, 0x03}},
    {SIW_FAULT_DDP_MO, {1, 2, 0x04}},
    {SIW_FAULT_DDP_TOO_LONG, {1, 2, 0x05}},
    {SIW_FAULT_DDP_U_VERSION, {1, 2, 0x06}},
    {SIW_FAULT_MPA_LOST, {2, 0, 0x01}},
    {SIW_FAULT_MPA_CRC, {2, 0, 0x02}},
    {SIW_FAULT_MPA_MARKER, {2, 0, 0x03}},
    {SIW_FAULT_MPA_FRAME, {2, 0, 0x04}},
    {SIW_FAULT_MPA_LOCAL, {2, 0, 0x05}},
    {SIW_FAULT_MPA_IRD, {2, 0, 0x06}},
    {SIW_FAULT_MPA_RTR, {2, 0, 0x07}},
};
static_assert(std::size(kCodes) == SIW_FAULTS - 1);

siw_term Filled(siw_fault fault, const Bytes& ulpdu) {
  const Bytes exact(ulpdu.begin(), ulpdu.end());
  siw_term term;
  siw_term_fill(&term, fault, exact.data(), exact.size(),
                static_cast<uint16_t>(exact.size()));
  return term;
}

Bytes Encoded(const siw_term& term) {
  Bytes out(SIW_TERM_ULPDU_MAX);
  out.resize(siw_term_encode(out.data(), &term));
  return out;
}

siw_term Decoded(const Bytes& body) {
  const Bytes exact(body.begin(), body.end());
  siw_term term;
  siw_term_decode(&term, exact.data(), exact.size());
  return term;
}

Bytes Body(const Bytes& ulpdu) {
  return Bytes(ulpdu.begin() + SIW_DDP_UNTAGGED_LEN, ulpdu.end());
}

siw_term Plain(uint8_t layer, uint8_t etype, uint8_t code) {
  siw_term term = {};
  term.layer = layer;
  term.etype = etype;
  term.code = code;
  return term;
}

// Segments that a Terminate may have to quote, whole and too short.
std::vector<Bytes> Culprits() {
  return {
      {},
      {0x41},
      Bytes(13, 0xff),
      Tagged({.stag = 0x1101, .to = 0x10000}, Bytes(4, 0xee)),
      Untagged({.op = SIW_RDMAP_SEND}, Bytes(40, 0xdd)),
      ReadRequest({.len = 4096, .src_stag = 0x1101, .src_to = 0x10000}),
      Untagged({.op = SIW_RDMAP_READ_REQ, .qn = 1}, Bytes(27)),
      Untagged({.op = SIW_RDMAP_READ_REQ, .qn = 1}, Bytes(29)),
      AtomicRequest({.stag = 0x1101}),
  };
}

TEST(FaultName, IsThereForEveryFaultAndUniqueWithinALayer) {
  std::set<std::string> names;
  for (int fault = 0; fault < SIW_FAULTS; ++fault) {
    const char* name = siw_fault_name(static_cast<siw_fault>(fault));
    ASSERT_NE(nullptr, name) << fault;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(FaultName, IsSafeForANumberOutOfRange) {
  EXPECT_STREQ(siw_fault_name(SIW_FAULT_RDMAP_UNSPECIFIED),
               siw_fault_name(SIW_FAULTS));
}

TEST(TermFill, UsesTheCodesOfTheRfcs) {
  for (const auto& row : kCodes) {
    const siw_term term = Filled(row.fault, {});
    EXPECT_EQ(row.code, (Code{term.layer, term.etype, term.code}))
        << siw_fault_name(row.fault);
  }
}

TEST(TermFill, QuotesWhatTheOracleQuotes) {
  for (const auto& row : kCodes) {
    for (const Bytes& culprit : Culprits()) {
      EXPECT_EQ(ToHex(TerminateFor(row.code, culprit)),
                ToHex(Encoded(Filled(row.fault, culprit))))
          << siw_fault_name(row.fault) << " in " << ToHex(culprit);
    }
  }
}

TEST(TermFill, NeedsNoMoreOfTheUlpduThanItQuotes) {
  const Bytes culprit = ReadRequest({.len = 1});
  siw_term term;
  siw_term_fill(&term, SIW_FAULT_RDMAP_STAG, culprit.data(), culprit.size(),
                60000);
  EXPECT_EQ(60000, term.seg_len);
  EXPECT_EQ(SIW_READ_REQ_LEN, term.read_len);
  siw_term_fill(&term, SIW_FAULT_RDMAP_STAG, culprit.data(), 18, 60000);
  EXPECT_EQ(18, term.hdr_len);
  EXPECT_EQ(0, term.read_len);
  siw_term_fill(&term, SIW_FAULT_RDMAP_STAG, culprit.data(), culprit.size(),
                17);
  EXPECT_EQ(0, term.hdr_len);
}

TEST(TermFill, QuotesNothingWithoutAUlpdu) {
  for (const auto& row : kCodes) {
    siw_term term;
    const uint8_t octet = 0;
    for (const uint8_t* ulpdu :
         {static_cast<const uint8_t*>(nullptr), &octet}) {
      siw_term_fill(&term, row.fault, ulpdu, 0, 0);
      EXPECT_FALSE(term.m);
      EXPECT_EQ(0, term.hdr_len);
      EXPECT_EQ(0, term.read_len);
      EXPECT_EQ(22u, Encoded(term).size());
    }
  }
}

TEST(TermEncode, IsUndoneByDecode) {
  for (const auto& row : kCodes) {
    for (const Bytes& culprit : Culprits()) {
      const siw_term in = Filled(row.fault, culprit);
      const siw_term out = Decoded(Body(Encoded(in)));
      EXPECT_EQ(in.layer, out.layer);
      EXPECT_EQ(in.etype, out.etype);
      EXPECT_EQ(in.code, out.code);
      EXPECT_EQ(in.m, out.m);
      EXPECT_EQ(in.seg_len, out.seg_len);
      EXPECT_EQ(in.hdr_len, out.hdr_len);
      EXPECT_EQ(in.read_len, out.read_len);
      EXPECT_EQ(0, memcmp(in.hdr, out.hdr, sizeof(in.hdr)));
      EXPECT_EQ(0, memcmp(in.read, out.read, sizeof(in.read)));
      EXPECT_EQ(row.fault, siw_term_fault(&out));
    }
  }
}

TEST(TermEncode, HasASegmentLengthWithEitherOfMAndD) {
  siw_term term = Plain(1, 1, 0);
  term.seg_len = 14;
  EXPECT_EQ("11000000", ToHex(Body(Encoded(term))));
  term.m = true;
  EXPECT_EQ("11008000000e", ToHex(Body(Encoded(term))));
  term.m = false;
  term.hdr_len = SIW_DDP_TAGGED_LEN;
  EXPECT_EQ("11004000000e" + ToHex(Bytes(SIW_DDP_TAGGED_LEN)),
            ToHex(Body(Encoded(term))));
}

TEST(TermEncode, NeverExceedsItsMaximum) {
  siw_term term = {};
  term.m = true;
  term.hdr_len = sizeof(term.hdr);
  term.read_len = sizeof(term.read);
  EXPECT_EQ(size_t{SIW_TERM_ULPDU_MAX}, Encoded(term).size());
}

TEST(TermDecode, SurvivesEveryTruncation) {
  for (const Bytes& culprit : Culprits()) {
    const Bytes body = Body(Encoded(Filled(SIW_FAULT_RDMAP_STAG, culprit)));
    for (size_t n = 0; n <= body.size(); ++n) {
      const siw_term term = Decoded(Bytes(body.begin(), body.begin() + n));
      EXPECT_EQ(n < 2 ? SIW_FAULT_RDMAP_UNSPECIFIED : SIW_FAULT_RDMAP_STAG,
                siw_term_fault(&term))
          << n;
      EXPECT_LE(6u + term.hdr_len + term.read_len, std::max<size_t>(n, 6));
    }
  }
}

TEST(TermDecode, TakesOneWithoutACodeForAnUnspecifiedError) {
  for (const Bytes& body : {Bytes{}, Bytes{0x11}}) {
    const siw_term term = Decoded(body);
    EXPECT_EQ((Code{0, 2, 0xff}), (Code{term.layer, term.etype, term.code}));
    EXPECT_FALSE(term.m);
    EXPECT_EQ(0, term.hdr_len);
    EXPECT_EQ(0, term.read_len);
  }
}

TEST(TermDecode, SurvivesEverySingleBitFlip) {
  const Bytes body =
      Body(Encoded(Filled(SIW_FAULT_RDMAP_STAG, ReadRequest({.len = 1}))));
  for (size_t bit = 0; bit < 8 * body.size(); ++bit) {
    Bytes bad = body;
    bad[bit / 8] ^= 1 << bit % 8;
    const siw_term term = Decoded(bad);
    EXPECT_NE(SIW_OK, siw_term_fault(&term));
    EXPECT_TRUE(term.hdr_len == 0 || term.hdr_len == 14 || term.hdr_len == 18);
    EXPECT_TRUE(term.read_len == 0 || term.read_len == 28);
  }
}

TEST(TermDecode, ReadsAHeaderOnlyIfAnnounced) {
  const Bytes header = Tagged({.stag = 1});
  for (const uint8_t flags : {0x00, 0x80, 0x40, 0x20, 0xc0, 0xa0, 0xe0}) {
    const Bytes body =
        Join(Bytes{0x11, 0x00, flags, 0, 0, 14}, header, Bytes(28));
    const siw_term term = Decoded(body);
    EXPECT_EQ(flags & 0x80 ? 14 : 0, term.seg_len);
    EXPECT_EQ(flags & 0x40 ? 14 : 0, term.hdr_len);
    EXPECT_EQ((flags & 0x60) == 0x60 ? 28 : 0, term.read_len);
  }
}

TEST(TermDecode, ReadsASegmentLengthThatStandsAlone) {
  const siw_term term = Decoded({0x11, 0x00, 0x80, 0, 0x12, 0x34});
  EXPECT_TRUE(term.m);
  EXPECT_EQ(0x1234, term.seg_len);
  EXPECT_EQ(0, term.hdr_len);
}

TEST(TermFault, FindsEveryFaultByItsCode) {
  for (const auto& row : kCodes) {
    const siw_term term = Plain(row.code.layer, row.code.etype, row.code.code);
    EXPECT_EQ(row.fault, siw_term_fault(&term));
  }
}

TEST(TermFault, TakesWhatOtherImplementationsSend) {
  const struct {
    siw_term term;
    siw_fault fault;
  } want[] = {
      {Plain(0, 2, 0x09), SIW_FAULT_RDMAP_INVALIDATE},
      {Plain(0, 2, 0x08), SIW_FAULT_RDMAP_STREAM},
      {Plain(2, 3, 0x02), SIW_FAULT_MPA_CRC},
      {Plain(2, 3, 0x06), SIW_FAULT_MPA_IRD},
      {Plain(0, 0, 0x77), SIW_FAULT_RDMAP_LOCAL},
      {Plain(1, 0, 0x01), SIW_FAULT_DDP_LOCAL},
  };
  for (const auto& row : want) {
    EXPECT_EQ(row.fault, siw_term_fault(&row.term));
  }
}

TEST(TermFault, KnowsNoOtherCode) {
  int known = 0;
  for (int layer = 0; layer < 16; ++layer) {
    for (int etype = 0; etype < 16; ++etype) {
      for (int code = 0; code < 256; ++code) {
        const siw_term term = Plain(layer, etype, code);
        const siw_fault fault = siw_term_fault(&term);
        EXPECT_NE(SIW_OK, fault);
        EXPECT_LT(fault, SIW_FAULTS);
        known += fault != SIW_FAULT_RDMAP_UNSPECIFIED;
      }
    }
  }
  // All but one of the table, two aliases, seven MPA codes with error type 3,
  // 255 more codes for each of the two local catastrophic errors.
  EXPECT_EQ(int{SIW_FAULTS} - 2 + 2 + 7 + 2 * 255, known);
}

}  // namespace
}  // namespace siw
