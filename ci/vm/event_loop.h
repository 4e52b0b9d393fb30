// Calls a handler for each readable descriptor, in the order of registration.
#ifndef SIW_CI_VM_EVENT_LOOP_H_
#define SIW_CI_VM_EVENT_LOOP_H_

#include <chrono>
#include <functional>
#include <list>

namespace siw::vm {

using Clock = std::chrono::steady_clock;

class EventLoop {
 public:
  using Handler = std::function<void()>;

  void Add(int fd, Handler handler);
  void Remove(int fd);

  // Waits until a descriptor is readable, at most until `deadline`.
  void Turn(Clock::time_point deadline);

 private:
  struct Entry {
    int fd;
    Handler handler;
  };

  bool Has(int fd) const;

  std::list<Entry> entries_;
};

}  // namespace siw::vm

#endif  // SIW_CI_VM_EVENT_LOOP_H_
