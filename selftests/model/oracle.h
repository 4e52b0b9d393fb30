// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A slow second opinion on whole streams, written from the RFCs in the manner
// of vectors/iwarp_ref.py. It shares no code with siw/proto.
#ifndef SIW_SELFTESTS_MODEL_ORACLE_H_
#define SIW_SELFTESTS_MODEL_ORACLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"
#include "context.h"
#include "placement.h"

namespace siw {

// Layer, error type and code of a Terminate.
struct Code {
  uint8_t layer = 0;
  uint8_t etype = 0;
  uint8_t code = 0;
  bool operator==(const Code&) const = default;
};

// The Terminate ULPDU for `code`, found in `ulpdu` (empty: in none).
Bytes TerminateFor(const Code& code, ByteSpan ulpdu);

class Oracle {
 public:
  explicit Oracle(Context context) : ctx_(std::move(context)) {}

  // The whole stream at once; a second call is not possible. Nothing: every
  // octet was taken, or more would have to come.
  std::optional<Code> Feed(ByteSpan stream);

  bool need_more() const { return need_more_; }
  const std::vector<std::string>& events() const { return events_; }
  const std::vector<Placement>& placements() const { return placements_; }
  const Bytes& last_ulpdu() const { return ulpdu_; }

 private:
  using Verdict = std::optional<Code>;

  struct Message {
    uint8_t op;
    uint32_t got;
    uint32_t room;
  };
  struct FpduWalk {
    Bytes body;                                        // length, ULPDU and PAD
    Bytes covered;                                     // by the CRC
    std::vector<std::pair<size_t, uint32_t>> markers;  // offset, FPDUPTR
    size_t head = 0;
  };

  Verdict TakeFpdu(ByteSpan stream);
  bool Walk(ByteSpan stream, FpduWalk& walk, Bytes& crc, bool& too_long);
  bool TakeWord(ByteSpan stream, FpduWalk& walk, Bytes& word);
  Verdict Ddp();
  Verdict Write(uint32_t stag, uint64_t to, size_t len);
  Verdict ReadResponse(bool last, uint32_t stag, uint64_t to, size_t len);
  Verdict UntaggedSegment(uint8_t op, bool last);
  Verdict Queue(uint32_t qn, uint8_t op, bool last);
  Verdict Send(uint8_t op, bool last, uint32_t mo, ByteSpan data);
  Verdict Invalidate(uint32_t stag);
  Verdict Request(uint8_t op, bool last, uint32_t mo, ByteSpan data);
  Verdict AtomicResponse(bool last, uint32_t mo, ByteSpan data);
  Verdict Region(uint32_t stag, uint64_t to, uint64_t len,
                 bool ContextRegion::*right, bool ddp);
  void Place(bool tagged, uint32_t buffer, uint64_t offset, size_t header);

  Context ctx_;
  size_t pos_ = 0;
  std::optional<Message> message_;
  std::optional<uint8_t> tagged_op_;
  Bytes ulpdu_;
  bool dead_ = false;
  bool silent_ = false;
  bool need_more_ = false;
  std::vector<std::string> events_;
  std::vector<Placement> placements_;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_ORACLE_H_
