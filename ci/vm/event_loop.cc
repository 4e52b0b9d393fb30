#include "ci/vm/event_loop.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace siw::vm {

void EventLoop::Add(int fd, Handler handler) {
  entries_.push_back({fd, std::move(handler)});
}

void EventLoop::Remove(int fd) {
  std::erase_if(entries_, [fd](const Entry& entry) { return entry.fd == fd; });
}

bool EventLoop::Has(int fd) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [fd](const Entry& entry) { return entry.fd == fd; });
}

void EventLoop::Turn(Clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  std::vector<pollfd> polled;
  std::vector<Handler> handlers;
  for (const Entry& entry : entries_) {
    polled.push_back({entry.fd, POLLIN, 0});
    handlers.push_back(entry.handler);
  }
  const int timeout = static_cast<int>(std::clamp<int64_t>(
      left.count(), 0,
      std::chrono::milliseconds(std::chrono::hours(1)).count()));
  if (poll(polled.data(), polled.size(), timeout) <= 0) return;
  // A handler may remove another one: ask again before each call.
  for (size_t i = 0; i < polled.size(); ++i)
    if (polled[i].revents && Has(polled[i].fd)) handlers[i]();
}

}  // namespace siw::vm
