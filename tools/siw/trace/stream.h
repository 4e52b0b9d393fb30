// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Events for tests.
#ifndef SIW_TOOLS_SIW_TRACE_STREAM_H_
#define SIW_TOOLS_SIW_TRACE_STREAM_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/siw/trace/live_line.h"
#include "tools/siw/trace/requests.h"

namespace siw::trace {

// A stream of events, in the words of the driver.
class Stream {
 public:
  explicit Stream(RequestFilter filter = {})
      : requests_(
            std::move(filter),
            [this](const Request& request) { told.push_back(request); },
            [this](int64_t, uint32_t, const std::string& text) {
              notes.push_back(text);
            }) {}

  Stream& At(int64_t time, const std::string& event) {
    const std::string line =
        "  x-1  [000] ..... " + std::to_string(time / 1000000) + "." +
        std::to_string(1000000 + time % 1000000).substr(1) + ": " + event;
    const auto parsed = ParseLiveLine(line);
    EXPECT_TRUE(parsed) << line;
    if (parsed) requests_.Add(*parsed);
    return *this;
  }
  const std::vector<Request>& Finish() {
    requests_.Finish();
    return told;
  }
  Requests& requests() { return requests_; }

  std::vector<Request> told;
  std::vector<std::string> notes;

 private:
  Requests requests_;
};

using Steps = std::array<std::optional<int64_t>, kSteps>;

// In their order, 0: none; without kAcked.
inline Steps Times(std::vector<int64_t> times) {
  times.insert(times.begin() + std::min<ptrdiff_t>(kAcked, std::ssize(times)),
               0);
  Steps steps;
  for (size_t i = 0; i < times.size(); ++i) {
    if (times[i] > 0) steps[i] = times[i];
  }
  return steps;
}

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_STREAM_H_
