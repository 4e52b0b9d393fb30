// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Frames and headers by siw/proto, as events have them.
#ifndef SIW_TOOLS_SIW_TRACE_HEADER_H_
#define SIW_TOOLS_SIW_TRACE_HEADER_H_

#include "tools/siw/trace/decode.h"

namespace siw::trace {

enum class Frame { kWait, kForeign, kGood, kBad };

// Is there a Request (or Reply) at the front? `need` is its length, once known.
Frame ParseStartup(OctetSpan octets, bool reply, StartupEvent* startup,
                   size_t* need);

// Header and body of a whole ULPDU into `fpdu`.
void ParseUlpdu(OctetSpan ulpdu, FpduEvent* fpdu);

// Can this be the front of an FPDU without Markers, by lengths and header?
// `strict` asks also for what a receiver ignores and a sender keeps to.
bool IsLikelyFpdu(OctetSpan octets, bool strict);
// Octets that IsLikelyFpdu() looks at.
constexpr size_t kLikelyOctets = 20;

// A Request or Reply of revision 1 without private data.
std::vector<uint8_t> StartupOctets(bool reply, bool crc);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_HEADER_H_
