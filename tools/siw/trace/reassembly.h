// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// One direction of a TCP connection: its octets in order, from segments that
// come as a capture has them: out of order, twice, cut short, or not at all.
#ifndef SIW_TOOLS_SIW_TRACE_REASSEMBLY_H_
#define SIW_TOOLS_SIW_TRACE_REASSEMBLY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tools/siw/trace/packet.h"

namespace siw::trace {

// Where a piece of the stream comes from.
struct Origin {
  uint64_t packet = 0;  // as in the capture, from 1
  int64_t time = 0;     // nanoseconds since 1970
};

// The next piece of the stream: octets, or how many of them are missing.
struct Piece {
  std::vector<uint8_t> octets;
  uint32_t missing = 0;  // behind the octets
  bool cut = false;      // they were on the wire, the capture has less
  Origin origin;
};

class Reassembly {
 public:
  // Held back for want of what is before them.
  static constexpr size_t kMostOctets = 512 * 1024;
  static constexpr size_t kMostPieces = 4096;

  // The stream's first octet has this sequence number.
  void Begin(uint32_t sequence);
  bool begun() const { return begun_; }
  uint32_t next() const { return next_; }

  void Add(uint32_t sequence, uint32_t length, OctetSpan octets, Origin origin);

  // Nothing if the next octet has not come, unless `give_up`: then what is
  // missing before the first one held back is given up.
  std::optional<Piece> Take(bool give_up);

  size_t held() const { return octets_held_; }
  size_t pieces() const { return held_.size(); }

 private:
  struct Held {
    std::vector<uint8_t> octets;
    uint32_t length = 0;
    Origin origin;
  };

  bool begun_ = false;
  uint32_t next_ = 0;
  // By the distance from the stream's first octet, which does not wrap.
  uint64_t position_ = 0;
  std::map<uint64_t, Held> held_;
  size_t octets_held_ = 0;
};

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_REASSEMBLY_H_
