// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw/proto, driven by the Receiver, against the slow Oracle: on streams no
// vector foresaw, both have to say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agreement.h"
#include "builder.h"
#include "bytes.h"
#include "proto.h"
#include "receiver.h"
#include "vector_file.h"

namespace siw {
namespace {

TEST(MpaRx, VerdictDoesNotDependOnChunking) {
  const Bytes stream = Join(Fpdu(Untagged({}, Bytes(14, 0x5a))),
                            Fpdu(Untagged({.msn = 2}, Bytes(33, 0xa5))));
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Receiver rx{Context()};
    EXPECT_EQ(SIW_OK, rx.Feed(ByteSpan(stream).first(cut))) << "cut at " << cut;
    EXPECT_EQ(SIW_OK, rx.Feed(ByteSpan(stream).subspan(cut)))
        << "cut at " << cut;
    EXPECT_TRUE(rx.AtFpduBoundary()) << "cut at " << cut;
  }
}

TEST(Model, AgreesOnEverySingleBitFlipInAVector) {
  // Every octet a decoder looks at, and one more
  constexpr size_t kBits = 8 * (SIW_MPA_LEN_LEN + SIW_ULPDU_HDR_MAX + 1);
  for (const Vector& vector : Vectors("stream")) {
    const Bytes good = FromHex(vector.json.at("octets").get<std::string>());
    Context context = ContextOf(vector);
    context.crc = false;  // else the flip ends there
    for (const size_t at :
         vector.json.value("fpdu_offsets", std::vector<size_t>{0})) {
      const size_t end = std::min(8 * (good.size() - at), kBits);
      for (size_t bit = 0; bit < end; ++bit) {
        Bytes bad = good;
        bad[at + bit / 8] ^= 1 << bit % 8;
        ASSERT_EQ("", Disagreement(context, bad))
            << vector.id << ", FPDU at " << at << ", bit " << bit;
      }
    }
  }
}

TEST(Model, AgreesOnEveryTruncationOfAVector) {
  for (const Vector& vector : Vectors("stream")) {
    const Bytes whole = FromHex(vector.json.at("octets").get<std::string>());
    const Context context = ContextOf(vector);
    for (size_t n = 0; n < whole.size(); n += 3) {
      const Bytes stream(whole.begin(), whole.begin() + n);
      ASSERT_EQ("", Disagreement(context, stream))
          << vector.id << ", " << n << " octets";
    }
  }
}

// Streams of segments that are mostly right, so that they get far, and
// sometimes wrong in any field.
class Mixer {
 public:
  explicit Mixer(uint32_t seed) : random_(seed), base_(Base()) {}

  Context MakeContext() {
    Context context = base_;
    context.markers = OneIn(3);
    context.atomics = !OneIn(8);
    context.ird = Below(5);
    context.receive_buffers.clear();
    for (uint32_t n = Below(6); n; --n) {
      context.receive_buffers.push_back(Pick({0, 16, 100, 4096}));
    }
    for (uint32_t n = Below(4); n; --n) {
      context.outstanding_reads.push_back({.sink_stag = Stag(),
                                           .sink_to = Offset(),
                                           .len = Pick({0, 16, 700}),
                                           .done = 0});
    }
    for (uint32_t n = Below(3); n; --n) {
      context.outstanding_atomics.push_back(Below(4));
    }
    if (OneIn(6)) context.next_msn[0] = ~0u - Below(2);
    return context;
  }

  Bytes MakeStream(const Context& context) {
    left_ = context;
    read_done_ = mo_ = 0;
    busy_ = false;
    Framer framer(context.markers);
    for (uint32_t n = 1 + Below(8); n; --n) framer.Add(Segment());
    Bytes stream = framer.stream();
    if (OneIn(20)) stream[Below(stream.size())] ^= 1 << Below(8);
    if (OneIn(20)) stream.resize(Below(stream.size()));
    return stream;
  }

 private:
  static Context Base() {
    Context context;
    for (const Vector& vector : Vectors("stream")) {
      if (!vector.json.at("context").contains("stags")) {
        context.stags = ContextOf(vector).stags;
        break;
      }
    }
    context.outstanding_reads.clear();
    return context;
  }

  uint32_t Below(size_t n) { return static_cast<uint32_t>(random_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  uint32_t Pick(std::initializer_list<uint32_t> from) {
    return from.begin()[Below(from.size())];
  }
  // Nearly always `right`.
  uint32_t Mostly(uint32_t right) {
    if (!OneIn(60)) return right;
    return Pick({0, 1, 2, right + 1, right - 1, right ^ 0x80000000, ~0u});
  }
  uint32_t Stag() {
    if (!OneIn(12)) return 0x1101;
    auto it = base_.stags.begin();
    std::advance(it, Below(base_.stags.size()));
    return it->first ^ (OneIn(6) ? 1u << Below(32) : 0);
  }
  uint64_t Offset() {
    if (!OneIn(12)) return 0x10000 + Below(4096) / 8 * 8;
    return Pick({0, 0xffff, 0x11ffc, 0x12000, 4095}) +
           (OneIn(2) ? ~uint64_t{0} - 4096 : 0);
  }
  uint32_t Length() { return Pick({0, 1, 4, 8, 16, 28, 52, 200, 508, 1000}); }
  // No two octets near each other are the same, so that one misplaced shows.
  static Bytes Payload(uint32_t n) {
    Bytes out(n);
    for (uint32_t i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(i * 37);
    return out;
  }
  bool Last(bool usual = true) { return OneIn(8) ? !usual : usual; }

  Bytes Segment() {
    Bytes ulpdu = Legal();
    if (OneIn(25)) ulpdu[Below(ulpdu.size())] ^= 1 << Below(8);
    if (OneIn(60)) ulpdu.resize(Below(ulpdu.size() + 1));
    if (OneIn(60)) ulpdu.push_back(0);
    return ulpdu;
  }

  Bytes Legal() {
    switch (busy_ ? 0 : Below(8)) {
      case 0:
      case 1:
        return SendSegment();
      case 2:
      case 3:
        return Tagged({.op = 0, .last = Last(), .stag = Stag(), .to = Offset()},
                      Payload(Length()));
      case 4:
        return ReadResponse();
      case 5:
        return ReadRequest({.msn = Mostly(left_.next_msn[1]++),
                            .len = Length(),
                            .src_stag = Stag(),
                            .src_to = Offset()});
      case 6:
        return AtomicRequest({.msn = Mostly(left_.next_msn[1]++),
                              .aop = Pick({0, 2, 0, 2, 0, 2, 1}),
                              .stag = Stag(),
                              .to = Offset()});
      default:
        return Rare();
    }
  }

  Bytes SendSegment() {
    if (!busy_) {
      op_ = static_cast<uint8_t>(3 + Below(4));
      mo_ = 0;
    }
    const uint32_t len = OneIn(4) ? Length() : Below(16);
    const bool last = Last();
    const Bytes ulpdu = Untagged({.op = op_,
                                  .last = last,
                                  .inv_stag = Stag(),
                                  .msn = Mostly(left_.next_msn[0]),
                                  .mo = Mostly(mo_)},
                                 Payload(len));
    mo_ += len;
    busy_ = !last;
    left_.next_msn[0] += last;
    return ulpdu;
  }

  Bytes ReadResponse() {
    if (left_.outstanding_reads.empty()) return Tagged({.op = 2});
    ContextRead& read = left_.outstanding_reads.front();
    const uint32_t rest = read.len - read_done_;
    const uint32_t len = OneIn(4) ? rest / 2 : rest;
    const Bytes ulpdu = Tagged({.op = 2,
                                .last = Last(len == rest),
                                .stag = Mostly(read.sink_stag),
                                .to = read.sink_to + read_done_},
                               Payload(len));
    read_done_ += len;
    if (len == rest) {
      left_.outstanding_reads.erase(left_.outstanding_reads.begin());
      read_done_ = 0;
    }
    return ulpdu;
  }

  Bytes Rare() {
    if (OneIn(3)) {
      return Untagged({.op = static_cast<uint8_t>(8 + Below(2)),
                       .msn = Mostly(left_.next_msn[0]++)},
                      Bytes(Mostly(8) % 64));
    }
    if (OneIn(2)) {
      Bytes body;
      PutBe(body, Below(4), 4);
      body.resize(12);
      return Untagged({.op = 11, .qn = 3, .msn = Mostly(left_.next_msn[3]++)},
                      body);
    }
    return Untagged({.op = 7, .last = Last(), .qn = 2, .mo = Mostly(0)},
                    Bytes(Below(8)));
  }

  std::mt19937 random_;
  const Context base_;
  Context left_;
  uint32_t read_done_ = 0;
  uint32_t mo_ = 0;
  uint8_t op_ = 3;
  bool busy_ = false;
};

TEST(Model, AgreesOnRandomStreams) {
  Mixer mixer(5040);
  for (int i = 0; i < 12000; ++i) {
    const Context context = mixer.MakeContext();
    const Bytes stream = mixer.MakeStream(context);
    ASSERT_EQ("", Disagreement(context, stream))
        << "stream " << i << ": " << ToHex(stream);
  }
}

// The comparison is worth something only if the streams get everywhere.
TEST(Model, RandomStreamsReachEveryFaultOfAReceiver) {
  Mixer mixer(5041);
  std::vector<int> seen(SIW_FAULTS);
  for (int i = 0; i < 12000; ++i) {
    const Context context = mixer.MakeContext();
    Receiver rx(context);
    ++seen[rx.Feed(mixer.MakeStream(context))];
  }
  for (int fault = SIW_OK; fault <= SIW_FAULT_MPA_MARKER; ++fault) {
    if (fault == SIW_FAULT_RDMAP_LOCAL || fault == SIW_FAULT_MPA_LOST ||
        fault == SIW_FAULT_MPA_MARKER) {
      continue;  // not found in a stream, or only without a CRC
    }
    EXPECT_GT(seen[fault], 0) << siw_fault_name(static_cast<siw_fault>(fault));
  }
}

}  // namespace
}  // namespace siw
