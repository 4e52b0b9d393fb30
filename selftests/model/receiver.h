// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A receiver around siw/proto: it keeps the octets and counts the buffers, as
// the driver does, and leaves each decision to siw/proto.
#ifndef SIW_SELFTESTS_MODEL_RECEIVER_H_
#define SIW_SELFTESTS_MODEL_RECEIVER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"
#include "context.h"
#include "placement.h"
#include "proto.h"

namespace siw {

class Receiver {
 public:
  explicit Receiver(const Context& context);

  // Takes the next octets of the stream, any number of them. Returns why the
  // stream has to end, if it has; then and later nothing is taken any more.
  siw_fault Feed(ByteSpan octets);

  siw_fault fault() const { return fault_; }
  // False if the stream stops inside an FPDU.
  bool AtFpduBoundary() const { return carry_.empty(); }
  const std::vector<std::string>& events() const { return events_; }
  const std::vector<Placement>& placements() const { return placements_; }

  // The answer to a fault.
  Bytes TerminateUlpdu() const;

 private:
  struct Region {
    siw_region region;
    bool same_pd;
  };

  siw_fault TakeFpdu(Bytes fpdu);
  siw_fault TakeUlpdu(ByteSpan ulpdu);
  siw_fault TakeTagged(const siw_seg& seg, ByteSpan body);
  siw_fault TakeReadResponse(const siw_seg& seg);
  siw_fault TakeUntagged(const siw_seg& seg, ByteSpan body);
  siw_fault TakeSend(const siw_seg& seg, ByteSpan body);
  siw_fault Deliver(const siw_seg& seg, uint32_t len);
  siw_fault TakeReadRequest(const siw_seg& seg, ByteSpan body);
  siw_fault TakeAtomicRequest(const siw_seg& seg, ByteSpan body);
  siw_fault TakeAtomicResponse(const siw_seg& seg, ByteSpan body);
  siw_fault TakeTerminate(const siw_seg& seg, ByteSpan body);
  siw_fault CheckAccess(uint32_t stag, uint64_t to, uint32_t len, uint32_t want,
                        siw_layer layer);
  uint32_t FreeBuffers(uint32_t qn) const;
  Region* Find(uint32_t stag);
  void Place(const siw_seg& seg, ByteSpan body);
  void Event(std::string event) { events_.push_back(std::move(event)); }

  siw_mpa_rx mpa_;
  siw_ddp_rx ddp_;
  bool atomics_on_;
  uint32_t ird_;
  std::deque<uint32_t> buffers_;
  std::optional<uint32_t> room_;  // of the message in progress
  std::deque<siw_read_sink> reads_;
  std::deque<uint32_t> atomics_;
  std::map<uint32_t, Region> regions_;  // by STag index

  Bytes carry_;
  siw_fault fault_ = SIW_OK;
  Bytes refused_;  // the ULPDU that caused fault_
  bool terminated_ = false;
  bool dropping_ = false;
  std::vector<std::string> events_;
  std::vector<Placement> placements_;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_RECEIVER_H_
