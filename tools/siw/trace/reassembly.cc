// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/reassembly.h"

#include <algorithm>
#include <utility>

namespace siw::trace {

void Reassembly::Begin(uint32_t sequence) {
  *this = {};
  begun_ = true;
  next_ = sequence;
}

void Reassembly::Add(uint32_t sequence, uint32_t length, OctetSpan octets,
                     Origin origin) {
  if (!begun_) Begin(sequence);
  uint32_t ahead = sequence - next_;
  octets = octets.first(std::min<size_t>(octets.size(), length));
  if (ahead >= 0x80000000u) {
    // It begins with what is known already.
    const uint32_t known = next_ - sequence;
    if (known >= length) return;
    octets = octets.subspan(std::min<size_t>(known, octets.size()));
    length -= known;
    ahead = 0;
  }
  if (length == 0) return;
  Held& held = held_[position_ + ahead];
  if (held.octets.size() >= octets.size() && held.length >= length) return;
  octets_held_ -= held.octets.size();
  octets_held_ += octets.size();
  held = {{octets.begin(), octets.end()}, length, origin};
}

std::optional<Piece> Reassembly::Take(bool give_up) {
  while (!held_.empty()) {
    const auto first = held_.begin();
    const uint64_t at = first->first;
    if (at > position_) {
      if (!give_up && octets_held_ <= kMostOctets &&
          held_.size() <= kMostPieces)
        return {};
      const auto missing = static_cast<uint32_t>(at - position_);
      position_ = at;
      next_ += missing;
      return Piece{{}, missing, false, first->second.origin};
    }
    Held held = std::move(first->second);
    held_.erase(first);
    octets_held_ -= held.octets.size();
    const uint64_t known = position_ - at;
    if (known >= held.length) continue;
    const auto skip =
        static_cast<ptrdiff_t>(std::min<uint64_t>(known, held.octets.size()));
    held.octets.erase(held.octets.begin(), held.octets.begin() + skip);
    const uint32_t length = held.length - static_cast<uint32_t>(known);
    position_ += length;
    next_ += length;
    const uint32_t missing = length - static_cast<uint32_t>(held.octets.size());
    return Piece{std::move(held.octets), missing, missing > 0, held.origin};
  }
  return {};
}

}  // namespace siw::trace
