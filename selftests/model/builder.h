// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Builds segments and streams, right or wrong, without any help of siw/proto.
#ifndef SIW_SELFTESTS_MODEL_BUILDER_H_
#define SIW_SELFTESTS_MODEL_BUILDER_H_

#include <cstdint>
#include <vector>

#include "bytes.h"

namespace siw {

// A bit at a time, as in the definition of CRC32c.
uint32_t SlowCrc32c(ByteSpan octets);

struct UntaggedFields {
  uint8_t op = 3;
  bool last = true;
  bool tagged = false;
  uint32_t inv_stag = 0;
  uint32_t qn = 0;
  uint32_t msn = 1;
  uint32_t mo = 0;
  uint8_t ddp_version = 1;
  uint8_t rdmap_version = 1;
};
Bytes Untagged(const UntaggedFields& fields, ByteSpan payload = {});

struct TaggedFields {
  uint8_t op = 0;
  bool last = true;
  bool tagged = true;
  uint32_t stag = 0;
  uint64_t to = 0;
  uint8_t ddp_version = 1;
  uint8_t rdmap_version = 1;
};
Bytes Tagged(const TaggedFields& fields, ByteSpan payload = {});

struct ReadFields {
  uint32_t msn = 1;
  uint32_t sink_stag = 0x7707;
  uint64_t sink_to = 0;
  uint32_t len = 0;
  uint32_t src_stag = 0;
  uint64_t src_to = 0;
};
Bytes ReadRequest(const ReadFields& fields);

struct AtomicFields {
  uint32_t msn = 1;
  uint32_t aop = 0;
  uint32_t id = 1;
  uint32_t stag = 0;
  uint64_t to = 0;
  uint64_t data = 0;
  uint64_t data_mask = 0;
  uint64_t cmp = 0;
  uint64_t cmp_mask = ~uint64_t{0};
};
Bytes AtomicRequest(const AtomicFields& fields);

// One FPDU, no Markers.
Bytes Fpdu(ByteSpan ulpdu);

// Streams with or without Markers from stream position `start` on.
class Framer {
 public:
  explicit Framer(bool markers, bool crc = true, uint32_t start = 0)
      : markers_(markers), crc_(crc), pos_(start) {}

  Framer& Add(ByteSpan ulpdu);

  const Bytes& stream() const { return stream_; }
  const std::vector<size_t>& fpdu_offsets() const { return fpdus_; }
  const std::vector<size_t>& marker_offsets() const { return markers_at_; }

 private:
  void Word(ByteSpan word);
  void MarkerIfDue();

  bool markers_;
  bool crc_;
  uint32_t pos_;
  bool in_fpdu_ = false;
  uint32_t head_ = 0;
  size_t covered_from_ = 0;
  Bytes stream_;
  std::vector<size_t> fpdus_;
  std::vector<size_t> markers_at_;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_BUILDER_H_
