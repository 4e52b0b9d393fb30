// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What was decoded, as a capture: each frame and FPDU in a TCP segment of its
// own, with what it says as a comment, and start-up frames where the capture
// began too late for them. So Wireshark decodes all of it.
#ifndef SIW_TOOLS_SIW_TRACE_PCAPNG_H_
#define SIW_TOOLS_SIW_TRACE_PCAPNG_H_

#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "tools/common/result.h"
#include "tools/siw/trace/decode.h"

namespace siw::trace {

class PcapngWriter {
 public:
  // The file stays the caller's.
  PcapngWriter(FILE* file, const std::string& application);

  void Add(const ConnectionInfo& info, const Event& event,
           const std::string& comment);
  Status Finish();

 private:
  void Block(uint32_t type, const std::vector<uint8_t>& body);
  void Packet(const Endpoint& source, const Endpoint& destination,
              const Event& event, OctetSpan payload,
              const std::string& comment);
  void AddStartup(const ConnectionInfo& info, const Event& event, bool reply);

  FILE* file_;
  std::set<size_t> started_;  // connections with start-up frames
};

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_PCAPNG_H_
