// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The state of a receiver before the first octet of a stream.
#ifndef SIW_SELFTESTS_MODEL_CONTEXT_H_
#define SIW_SELFTESTS_MODEL_CONTEXT_H_

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace siw {

struct ContextRegion {
  uint32_t pd = 1;
  uint64_t to = 0;
  uint64_t len = 0;
  bool remote_read = false;
  bool remote_write = false;
  bool atomic = false;
  bool valid = true;
  bool shared = false;
  bool other_stream = false;
};

struct ContextRead {
  uint32_t sink_stag = 0;
  uint64_t sink_to = 0;
  uint32_t len = 0;
  uint32_t done = 0;
};

struct Context {
  bool markers = false;
  bool crc = true;
  bool atomics = true;
  uint32_t pd = 1;
  uint32_t ird = 2;
  std::array<uint32_t, 4> next_msn = {1, 1, 1, 1};
  std::vector<uint32_t> receive_buffers = {4096, 4096, 4096, 4096};
  std::vector<ContextRead> outstanding_reads;
  std::vector<uint32_t> outstanding_atomics;
  std::map<uint32_t, ContextRegion> stags;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_MODEL_CONTEXT_H_
