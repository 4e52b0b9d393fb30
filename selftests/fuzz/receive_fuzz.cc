// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The whole receive engine: octets in, events, placements, verdict and
// Terminate out, siw/proto (through the Receiver) against the slow Oracle, in
// pieces of any size.
//
// Input: see stream_case.h. Plain mutation would not get past the CRC, so the
// mutator changes ULPDUs and builds the FPDUs around them anew; sometimes it
// leaves the octets as they come, so that framing gets its share.
#include <iterator>
#include <random>

#include "agreement.h"
#include "builder.h"
#include "fuzz.h"
#include "stream_case.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace siw {
namespace {

constexpr size_t kMostUlpdus = 12;
constexpr size_t kTaggedHdr = 14, kUntaggedHdr = 18;
constexpr uint8_t kOps = 12;

bool IsTagged(uint8_t op) { return op == 0 || op == 2; }
uint32_t QueueOf(uint8_t op) {
  if (op == 1 || op == 10) return 1;
  if (op == 7) return 2;
  return op == 11 ? 3 : 0;
}

class Mutator {
 public:
  Mutator(StreamCase in, unsigned seed)
      : random_(seed),
        case_(std::move(in)),
        ulpdus_(Ulpdus(case_.stream, case_.context.markers)) {}

  Bytes Run() {
    do {
      Below(6) ? ChangeUlpdus() : ChangeContext();
    } while (Below(3) == 0);
    Reframe();
    return EncodeCase(case_);
  }

  // The first ULPDUs of this case, then the last ones of another.
  Bytes Cross(const StreamCase& other) {
    const std::vector<Bytes> more = Ulpdus(other.stream, other.context.markers);
    ulpdus_.resize(Below(ulpdus_.size() + 1));
    const size_t from = Below(more.size() + 1);
    ulpdus_.insert(ulpdus_.end(), more.begin() + from, more.end());
    Reframe();
    return EncodeCase(case_);
  }

 private:
  uint32_t Below(size_t n) { return static_cast<uint32_t>(random_() % n); }
  uint32_t Pick(std::initializer_list<uint32_t> from) {
    return from.begin()[Below(from.size())];
  }

  void Reframe() {
    if (ulpdus_.size() > kMostUlpdus) ulpdus_.resize(kMostUlpdus);
    Bytes& stream = case_.stream;
    stream = Framed(ulpdus_, case_.context);
    if (stream.empty()) return;
    if (Below(24) == 0) stream.resize(Below(stream.size()));
    if (stream.empty()) return;
    if (Below(24) == 0) stream[Below(stream.size())] ^= 1 << Below(8);
  }

  void ChangeContext() {
    Context& context = case_.context;
    switch (Below(9)) {
      case 0:
        context.markers = !context.markers;
        break;
      case 1:
        context.crc = !context.crc;
        break;
      case 2:
        context.atomics = !context.atomics;
        break;
      case 3:
        context.ird = Below(4);
        break;
      case 4:
        context.receive_buffers.resize(Below(5), 4096);
        for (uint32_t& room : context.receive_buffers) {
          if (Below(3) == 0) room = Pick({0, 1, 8, 24, 100, 1000, 65535});
        }
        break;
      case 5:
        context.outstanding_reads.resize(Below(4));
        for (ContextRead& read : context.outstanding_reads) {
          if (Below(2)) continue;
          read = {.sink_stag = Stag(), .sink_to = Offset(), .len = Length()};
        }
        break;
      case 6:
        context.outstanding_atomics.resize(Below(4));
        for (uint32_t& id : context.outstanding_atomics) id = Below(3);
        break;
      case 7:
        context.next_msn[Below(4)] = Pick({1, 1, 0, ~0u, 0x7fffffff});
        break;
      default:
        case_.pieces.assign(Below(4), 0);
        for (uint16_t& piece : case_.pieces) {
          piece = static_cast<uint16_t>(1 + Below(Below(2) ? 16 : 1100));
        }
    }
  }

  void ChangeUlpdus() {
    if (ulpdus_.empty()) {
      ulpdus_.push_back(NextSegment());
      return;
    }
    const size_t i = Below(ulpdus_.size());
    Bytes& ulpdu = ulpdus_[i];
    switch (Below(12)) {
      case 0:
        ulpdus_.erase(ulpdus_.begin() + i);
        break;
      case 1:
        ulpdus_.insert(ulpdus_.begin() + i, Bytes(ulpdu));
        break;
      case 2:
        std::swap(ulpdu, ulpdus_[Below(ulpdus_.size())]);
        break;
      case 3:
        ulpdu.resize(Below(2) ? Below(80) : ulpdu.size() + 1 + Below(4));
        break;
      case 4:
        ChangeField(ulpdu);
        break;
      case 5:
        ChangeOctets(ulpdu);
        break;
      case 6:
      case 7:
        Split(i);
        break;
      case 8:
        // What follows a refused segment is never seen.
        ulpdus_.resize(i);
        ulpdus_.push_back(NextSegment());
        break;
      default:
        ulpdus_.push_back(NextSegment());
    }
  }

  // Two segments of one message instead of one.
  void Split(size_t i) {
    Bytes first = ulpdus_[i];
    const bool tagged = !first.empty() && first[0] & 0x80;
    const size_t header = tagged ? kTaggedHdr : kUntaggedHdr;
    if (first.size() < header) return;
    const size_t n = Below(first.size() - header + 1);
    Bytes second(first.begin(), first.begin() + header);
    second.insert(second.end(), first.begin() + header + n, first.end());
    first.resize(header + n);
    first[0] &= 0xbf;
    const int width = tagged ? 8 : 4;
    const size_t at = header - width;  // TO or MO
    Bytes offset;
    PutBe(offset, GetBe(second, at, width) + n, width);
    std::copy(offset.begin(), offset.end(), second.begin() + at);
    ulpdus_[i] = second;
    ulpdus_.insert(ulpdus_.begin() + i, first);
  }

  static void ChangeOctets(Bytes& ulpdu) {
    const size_t n = ulpdu.size();
    ulpdu.resize(n + 32);
    ulpdu.resize(LLVMFuzzerMutate(ulpdu.data(), n, ulpdu.size()));
  }

  // A field of a header gets a value near what it was, or a telling one.
  void ChangeField(Bytes& ulpdu) {
    static constexpr struct {
      size_t at;
      int width;
    } kTagged[] = {{0, 1}, {1, 1}, {2, 4}, {6, 8}},
      kUntagged[] = {{0, 1},  {1, 1},  {2, 4},  {6, 4},  {10, 4}, {14, 4},
                     {18, 4}, {22, 8}, {30, 4}, {34, 4}, {38, 8}};
    const bool tagged = !ulpdu.empty() && ulpdu[0] & 0x80;
    const auto [at, width] = tagged ? kTagged[Below(std::size(kTagged))]
                                    : kUntagged[Below(std::size(kUntagged))];
    if (ulpdu.size() < at + width) return;
    Bytes value;
    const uint64_t old = GetBe(ulpdu, at, width);
    switch (Below(4)) {
      case 0:
        PutBe(value, old + Pick({1, ~0u, 8, 4096}), width);
        break;
      case 1:
        PutBe(value, old ^ uint64_t{1} << Below(8 * width), width);
        break;
      case 2:
        PutBe(value, width == 8 ? Offset() : Stag(), width);
        break;
      default:
        PutBe(value, Length(), width);
    }
    std::copy(value.begin(), value.end(), ulpdu.begin() + at);
  }

  uint32_t Stag() {
    const auto& stags = case_.context.stags;
    if (stags.empty() || Below(8) == 0) return 0x1101;
    return std::next(stags.begin(), Below(stags.size()))->first;
  }
  uint64_t Offset() {
    const auto& stags = case_.context.stags;
    if (stags.empty() || Below(8) == 0) return Pick({0, 0x10000});
    const ContextRegion& region =
        std::next(stags.begin(), Below(stags.size()))->second;
    return region.to + Pick({0, 8, 4096}) + (Below(2) ? 0 : region.len) -
           Pick({0, 0, 1, 8, 100});
  }
  uint32_t Length() {
    return Pick({0, 1, 7, 8, 12, 28, 52, 484, 488, 508, 1000, 4096});
  }

  // Mostly that of the message in progress, if there is one.
  uint8_t NextOp() {
    for (auto it = ulpdus_.rbegin(); it != ulpdus_.rend(); ++it) {
      if (it->size() < kTaggedHdr || Below(4) == 0) break;
      if (!((*it)[0] & 0x40)) return (*it)[1] % 16 % kOps;
    }
    return static_cast<uint8_t>(Below(kOps));
  }

  // What a peer would send next, as far as that is easy to tell.
  Bytes NextSegment() {
    const uint8_t op = NextOp();
    const bool last = Below(4) != 0;
    Bytes payload(Length() % 1024);
    for (size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<uint8_t>(i * 37);
    }
    if (IsTagged(op)) {
      uint32_t stag = Stag();
      uint64_t to = Offset();
      const auto& reads = case_.context.outstanding_reads;
      if (op == 2 && !reads.empty()) {
        stag = reads[0].sink_stag;
        to = reads[0].sink_to;
        if (Below(2)) payload.resize(reads[0].len % 2048);
      }
      return Tagged({.op = op, .last = last, .stag = stag, .to = to}, payload);
    }
    uint32_t msn, mo;
    After(QueueOf(op), msn, mo);
    if (op == 1) {
      return ReadRequest({.msn = msn,
                          .len = Length(),
                          .src_stag = Stag(),
                          .src_to = Offset()});
    }
    if (op == 10) {
      return AtomicRequest(
          {.msn = msn, .aop = Pick({0, 2}), .stag = Stag(), .to = Offset()});
    }
    if (op == 8 || op == 9) payload.resize(8);
    if (op == 11) payload.assign(12, 0);
    return Untagged({.op = op,
                     .last = last || op > 6,
                     .inv_stag = Stag(),
                     .qn = QueueOf(op),
                     .msn = msn,
                     .mo = mo},
                    payload);
  }

  // MSN and MO that come after what is there on a queue.
  void After(uint32_t qn, uint32_t& msn, uint32_t& mo) const {
    msn = case_.context.next_msn[qn];
    mo = 0;
    for (const Bytes& ulpdu : ulpdus_) {
      if (ulpdu.size() < kUntaggedHdr || ulpdu[0] & 0x80) continue;
      if (GetBe(ulpdu, 6, 4) != qn) continue;
      const bool last = ulpdu[0] & 0x40;
      mo = last ? 0 : mo + static_cast<uint32_t>(ulpdu.size() - kUntaggedHdr);
      msn += last;
    }
  }

  std::mt19937 random_;
  StreamCase case_;
  std::vector<Bytes> ulpdus_;
};

size_t Store(const Bytes& from, uint8_t* data, size_t max_size) {
  if (from.size() > max_size) return 0;
  std::copy(from.begin(), from.end(), data);
  return from.size();
}

}  // namespace
}  // namespace siw

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t max_size, unsigned seed) {
  using namespace siw;
  if (seed % 8) {
    Mutator mutator(DecodeCase(ByteSpan(data, size)), seed);
    const size_t n = Store(mutator.Run(), data, max_size);
    if (n) return n;
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1,
                                            const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_size,
                                            unsigned seed) {
  using namespace siw;
  Mutator mutator(DecodeCase(ByteSpan(data1, size1)), seed);
  return Store(mutator.Cross(DecodeCase(ByteSpan(data2, size2))), out,
               max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace siw;
  const StreamCase in = DecodeCase(ByteSpan(data, size));
  const std::string difference = Disagreement(in.context, in.stream, in.pieces);
  if (difference.empty()) return 0;
  std::fprintf(stderr, "%s\nstream: %s\n", difference.c_str(),
               ToHex(in.stream).c_str());
  std::abort();
}
