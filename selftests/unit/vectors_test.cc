// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Every vector of selftests/vectors, however the octets come.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

#include "builder.h"
#include "bytes.h"
#include "oracle.h"
#include "proto.h"
#include "receiver.h"
#include "vector_file.h"

namespace siw {
namespace {

using nlohmann::json;

class VectorTest : public testing::TestWithParam<Vector> {
 protected:
  const json& vector() const { return GetParam().json; }
  const json& expect() const { return vector().at("expect"); }
  Bytes octets() const {
    return FromHex(vector().at("octets").get<std::string>());
  }
};

auto OfKind(const char* kind) { return testing::ValuesIn(Vectors(kind)); }
std::string NameOf(const testing::TestParamInfo<Vector>& info) {
  return TestName(info.param.id);
}

TEST(VectorFile, HoldsOnlyKindsThatAreTestedHere) {
  std::map<std::string, int> kinds;
  for (const Vector& vector : Vectors("")) ++kinds[vector.json.at("kind")];
  const std::map<std::string, int> want = {
      {"crc32c", 6},  {"mpa_startup", 24},     {"stream", 111},
      {"mulpdu", 13}, {"marker_positions", 2}, {"ird_ord", 4}};
  EXPECT_EQ(want, kinds);
}

// crc32c

class CrcVector : public VectorTest {};

TEST_P(CrcVector, GivesTheCrcInOneGoAndInPieces) {
  const Bytes in = octets();
  const std::string number = expect().at("crc_u32");
  const auto want =
      static_cast<uint32_t>(std::strtoul(number.c_str(), nullptr, 16));
  EXPECT_EQ(want, ~siw_mpa_crc_add(~0u, in.data(), in.size()));
  for (size_t cut = 0; cut <= in.size(); ++cut) {
    uint32_t crc = siw_mpa_crc_add(~0u, in.data(), cut);
    crc = siw_mpa_crc_add(crc, in.data() + cut, in.size() - cut);
    EXPECT_EQ(want, ~crc) << "cut at " << cut;
  }
  Bytes field(4);
  const uint32_t crc = siw_mpa_crc_add(~0u, in.data(), in.size());
  siw_mpa_crc_put(field.data(), crc);
  EXPECT_EQ(expect().at("crc_wire"), ToHex(field));
  EXPECT_TRUE(siw_mpa_crc_ok(field.data(), crc));
}

INSTANTIATE_TEST_SUITE_P(Vectors, CrcVector, OfKind("crc32c"), NameOf);

// mpa_startup

class StartupVector : public VectorTest {
 protected:
  siw_mpa_kind kind() const {
    return vector().at("frame") == "request" ? SIW_MPA_REQUEST : SIW_MPA_REPLY;
  }
  siw_mpa_verdict Decode(ByteSpan in) {
    const Bytes exact(in.begin(), in.end());
    return siw_mpa_setup_decode(&frame_, kind(), exact.data(), exact.size(),
                                &need_);
  }
  void ExpectFields(const json& fields) {
    EXPECT_EQ(kind(), frame_.kind);
    EXPECT_EQ(fields.at("rev"), frame_.rev);
    EXPECT_EQ(fields.at("M") == 1, frame_.markers);
    EXPECT_EQ(fields.at("C") == 1, frame_.crc);
    EXPECT_EQ(fields.at("R") == 1 && kind() == SIW_MPA_REPLY, frame_.reject);
    EXPECT_EQ(fields.contains("A"), frame_.enhanced);
    const std::string pd = fields.at("ulp_private_data");
    EXPECT_EQ(pd.size() / 2, frame_.pd_len);
    EXPECT_EQ(pd, ToHex(ByteSpan(octets()).subspan(
                      siw_mpa_setup_hdr_len(&frame_), frame_.pd_len)));
    if (!fields.contains("A")) return;
    EXPECT_EQ(fields.at("A") == 1, frame_.p2p);
    EXPECT_EQ(fields.at("IRD"), frame_.ird);
    EXPECT_EQ(fields.at("ORD"), frame_.ord);
    int rtr = 0;
    if (frame_.p2p && fields.at("B") == 1) rtr |= SIW_RTR_SEND;
    if (frame_.p2p && fields.at("Cw") == 1) rtr |= SIW_RTR_WRITE;
    if (frame_.p2p && fields.at("Dr") == 1) rtr |= SIW_RTR_READ;
    EXPECT_EQ(rtr, frame_.rtr);
  }

  siw_mpa_setup frame_ = {};
  size_t need_ = 0;
};

TEST_P(StartupVector, GetsItsVerdict) {
  const Bytes in = octets();
  const siw_mpa_verdict verdict = Decode(in);
  const std::string action = expect().at("action");
  if (action == "wait") {
    EXPECT_EQ(SIW_MPA_WAIT, verdict);
    EXPECT_GT(need_, in.size());
  } else if (action == "close") {
    EXPECT_NE(SIW_MPA_GOOD, verdict);
    EXPECT_NE(SIW_MPA_WAIT, verdict);
  } else {
    ASSERT_EQ(SIW_MPA_GOOD, verdict);
    EXPECT_EQ(in.size(), need_);
    EXPECT_EQ(action == "reject", frame_.reject);
    ExpectFields(vector().at("fields"));
  }
}

TEST_P(StartupVector, GetsTheSameVerdictOctetByOctet) {
  const Bytes in = octets();
  const siw_mpa_verdict whole = Decode(in);
  siw_mpa_verdict verdict = SIW_MPA_WAIT;
  size_t n = 0;
  while (n < in.size() && verdict == SIW_MPA_WAIT) {
    verdict = Decode(ByteSpan(in).first(++n));
    if (verdict == SIW_MPA_WAIT) {
      EXPECT_GT(need_, n);
    }
  }
  // A frame that is whole is not looked beyond; the caller peeks for more.
  if (whole == SIW_MPA_BAD_TRAIL) {
    EXPECT_EQ(SIW_MPA_GOOD, verdict);
    verdict = Decode(ByteSpan(in).first(n + 1));
  }
  EXPECT_EQ(whole, verdict);
}

TEST_P(StartupVector, IsBuiltAgainOctetForOctet) {
  const Bytes in = octets();
  if (Decode(in) != SIW_MPA_GOOD) return;
  // What is not checked on reception is not sent either.
  if (vector().at("fields").at("res") != 0) return;
  if (vector().at("fields").at("S") == 1 && frame_.rev == 1) return;
  Bytes out(siw_mpa_setup_hdr_len(&frame_));
  EXPECT_EQ(out.size(), siw_mpa_setup_encode(out.data(), &frame_));
  Append(out, ByteSpan(in).subspan(out.size()));
  EXPECT_EQ(ToHex(in), ToHex(out));
}

INSTANTIATE_TEST_SUITE_P(Vectors, StartupVector, OfKind("mpa_startup"), NameOf);

// stream

class StreamVector : public VectorTest {
 protected:
  using Feeder = std::function<void(Receiver&, const Bytes&)>;

  // Feeds the stream as `feed` likes and compares everything with the vector.
  void Expect(const std::string& how, const Feeder& feed) {
    SCOPED_TRACE(how);
    Receiver rx(ContextOf(GetParam()));
    feed(rx, octets());
    const std::string action = expect().at("action");
    EXPECT_EQ(expect().value("events", std::vector<std::string>{}),
              rx.events());
    if (action == "terminate") {
      ExpectTerminate(rx);
    } else {
      EXPECT_EQ(SIW_OK, rx.fault()) << siw_fault_name(rx.fault());
      EXPECT_EQ(action == "accept", rx.AtFpduBoundary());
    }
  }

  void ExpectTerminate(const Receiver& rx) {
    ASSERT_NE(SIW_OK, rx.fault());
    const Bytes ulpdu = rx.TerminateUlpdu();
    EXPECT_EQ(expect().at("terminate_ulpdu"), ToHex(ulpdu))
        << siw_fault_name(rx.fault());
    EXPECT_EQ(expect().at("terminate_fpdu"), ToHex(FpduByProto(ulpdu)));
    siw_term term;
    siw_term_decode(&term, ulpdu.data() + SIW_DDP_UNTAGGED_LEN,
                    ulpdu.size() - SIW_DDP_UNTAGGED_LEN);
    EXPECT_EQ(expect().at("layer"), term.layer);
    EXPECT_EQ(expect().at("etype"), term.etype);
    EXPECT_EQ(expect().at("code"), term.code);
    EXPECT_EQ(rx.fault(), siw_term_fault(&term));
  }

  static Bytes FpduByProto(const Bytes& ulpdu) {
    Bytes out;
    PutBe(out, ulpdu.size(), SIW_MPA_LEN_LEN);
    Append(out, ulpdu);
    out.resize(out.size() + siw_mpa_pad(static_cast<uint32_t>(ulpdu.size())));
    const uint32_t crc = siw_mpa_crc_add(~0u, out.data(), out.size());
    out.resize(out.size() + SIW_MPA_CRC_LEN);
    siw_mpa_crc_put(&out[out.size() - SIW_MPA_CRC_LEN], crc);
    EXPECT_EQ(siw_mpa_fpdu_len(static_cast<uint32_t>(ulpdu.size())),
              out.size());
    return out;
  }
};

TEST_P(StreamVector, FedWholeGetsItsVerdict) {
  Expect("whole", [](Receiver& rx, const Bytes& in) { rx.Feed(in); });
}

TEST_P(StreamVector, FedOctetByOctetGetsTheSameVerdict) {
  Expect("octet by octet", [](Receiver& rx, const Bytes& in) {
    for (size_t i = 0; i < in.size(); ++i) rx.Feed(ByteSpan(in).subspan(i, 1));
  });
}

TEST_P(StreamVector, CutAnywhereGetsTheSameVerdict) {
  for (size_t cut = 0; cut <= octets().size(); ++cut) {
    Expect("cut at " + std::to_string(cut), [&](Receiver& rx, const Bytes& in) {
      rx.Feed(ByteSpan(in).first(cut));
      rx.Feed(ByteSpan(in).subspan(cut));
    });
  }
}

TEST_P(StreamVector, InPiecesOfOddSizesGetsTheSameVerdict) {
  for (const size_t size : {2, 3, 5, 7, 13, 31, 127, 511, 513}) {
    Expect("pieces of " + std::to_string(size),
           [&](Receiver& rx, const Bytes& in) {
             for (size_t i = 0; i < in.size(); i += size) {
               rx.Feed(ByteSpan(in).subspan(i, std::min(size, in.size() - i)));
             }
           });
  }
}

TEST_P(StreamVector, IsSeenTheSameWayByTheOracle) {
  Oracle oracle(ContextOf(GetParam()));
  const std::optional<Code> code = oracle.Feed(octets());
  EXPECT_EQ(expect().at("action") == "need_more_octets", oracle.need_more());
  EXPECT_EQ(expect().value("events", std::vector<std::string>{}),
            oracle.events());
  ASSERT_EQ(expect().at("action") == "terminate", code.has_value());
  if (code) {
    EXPECT_EQ(expect().at("terminate_ulpdu"),
              ToHex(TerminateFor(*code, oracle.last_ulpdu())));
  }
}

INSTANTIATE_TEST_SUITE_P(Vectors, StreamVector, OfKind("stream"), NameOf);

// mulpdu

class MulpduVector : public VectorTest {};

TEST_P(MulpduVector, GivesTheMulpdu) {
  const uint32_t emss = vector().at("emss");
  const uint32_t mulpdu = siw_mpa_mulpdu(emss, false);
  EXPECT_EQ(expect().at("without_markers"), mulpdu);
  EXPECT_EQ(expect().at("with_markers"), siw_mpa_mulpdu(emss, true));
  EXPECT_EQ(expect().at("tagged_payload"), mulpdu - SIW_DDP_TAGGED_LEN);
  EXPECT_EQ(expect().at("untagged_payload"), mulpdu - SIW_DDP_UNTAGGED_LEN);
}

INSTANTIATE_TEST_SUITE_P(Vectors, MulpduVector, OfKind("mulpdu"), NameOf);

// marker_positions

class MarkerVector : public VectorTest {};

TEST_P(MarkerVector, GivesTheSequenceNumbersOfMarkers) {
  const uint32_t first = vector().at("first_sequence");
  uint32_t pos = 0;  // counts from the first octet of full operation
  for (const json& at : expect().at("markers_at")) {
    EXPECT_EQ(0u, siw_mpa_until_marker(pos));
    EXPECT_EQ(at.get<uint32_t>(), first + pos);
    pos += SIW_MPA_MARKER_LEN;
    pos += siw_mpa_until_marker(pos);
  }
}

INSTANTIATE_TEST_SUITE_P(Vectors, MarkerVector, OfKind("marker_positions"),
                         NameOf);

// ird_ord

class DepthVector : public VectorTest {};

TEST_P(DepthVector, AgreesOnTheDepths) {
  const json& limit = vector().at("responder_limit");
  siw_mpa_setup req = {};
  req.kind = SIW_MPA_REQUEST;
  req.rev = 2;
  req.crc = true;
  req.enhanced = true;
  req.ird = vector().at("request").at("IRD");
  req.ord = vector().at("request").at("ORD");
  siw_mpa_setup reply;
  siw_mpa_setup_reply(&reply, &req, true, SIW_RTR_WRITE | SIW_RTR_READ,
                      limit.at("IRD"), limit.at("ORD"));
  EXPECT_EQ(expect().at("reply").at("IRD"), reply.ird);
  EXPECT_EQ(expect().at("reply").at("ORD"), reply.ord);
  uint16_t ird, ord;
  uint8_t rtr;
  EXPECT_EQ(SIW_OK, siw_mpa_setup_conclude(&req, &reply, &ird, &ord, &rtr));
  EXPECT_EQ(expect().at("initiator_after").at("IRD"), ird);
  EXPECT_EQ(expect().at("initiator_after").at("ORD"), ord);
  EXPECT_EQ(0, rtr);
}

INSTANTIATE_TEST_SUITE_P(Vectors, DepthVector, OfKind("ird_ord"), NameOf);

}  // namespace
}  // namespace siw
