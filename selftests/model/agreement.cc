// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "agreement.h"

#include <algorithm>
#include <optional>

#include "oracle.h"
#include "receiver.h"

namespace siw {
namespace {

void FeedInPieces(Receiver& rx, ByteSpan stream,
                  const std::vector<uint16_t>& pieces) {
  if (pieces.empty()) {
    rx.Feed(stream);
    return;
  }
  for (size_t i = 0; !stream.empty(); ++i) {
    const size_t piece = pieces[i % pieces.size()];
    const size_t n = std::clamp<size_t>(piece, 1, stream.size());
    rx.Feed(stream.first(n));
    stream = stream.subspan(n);
  }
}

std::string Listed(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events) out += "[" + event + "]";
  return out;
}

std::string Listed(const std::vector<Placement>& placements) {
  std::string out;
  for (const Placement& placement : placements) {
    out += (placement.tagged ? "[stag " : "[msn ") +
           std::to_string(placement.buffer) + "+" +
           std::to_string(placement.offset) + ": " + ToHex(placement.octets) +
           "]";
  }
  return out;
}

std::string Differs(const char* what, const std::string& receiver,
                    const std::string& oracle) {
  return std::string(what) + ": receiver " + receiver + ", oracle " + oracle;
}

}  // namespace

std::string Disagreement(const Context& context, ByteSpan stream,
                         const std::vector<uint16_t>& pieces) {
  Receiver rx(context);
  Oracle oracle(context);
  FeedInPieces(rx, stream, pieces);
  const std::optional<Code> code = oracle.Feed(stream);
  if (oracle.events() != rx.events()) {
    return Differs("events", Listed(rx.events()), Listed(oracle.events()));
  }
  if (oracle.placements() != rx.placements()) {
    return Differs("placements", Listed(rx.placements()),
                   Listed(oracle.placements()));
  }
  if (code.has_value() != (rx.fault() != SIW_OK)) {
    return Differs("verdict", siw_fault_name(rx.fault()),
                   code ? ToHex(TerminateFor(*code, {})) : "no fault");
  }
  if (code) {
    const Bytes want = TerminateFor(*code, oracle.last_ulpdu());
    if (rx.TerminateUlpdu() == want) return "";
    return Differs("Terminate", ToHex(rx.TerminateUlpdu()), ToHex(want));
  }
  if (oracle.need_more() == rx.AtFpduBoundary()) {
    return Differs("end of stream",
                   rx.AtFpduBoundary() ? "at a boundary" : "inside an FPDU",
                   oracle.need_more() ? "inside an FPDU" : "at a boundary");
  }
  return "";
}

}  // namespace siw
