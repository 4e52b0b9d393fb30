// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#ifndef SIW_SELFTESTS_UNIT_LIBSIW_H_
#define SIW_SELFTESTS_UNIT_LIBSIW_H_

#include <vector>

extern "C" {
#include "queue.h"
}

namespace siw {

// The other side of a send queue: takes an element as the driver does.
template <typename Element>
class Consumer {
 public:
  explicit Consumer(std::vector<Element>& ring) : ring_(ring) {}

  bool Take(Element& element) {
    Element& slot = ring_[next_ % ring_.size()];
    if (!(__atomic_load_n(&slot.flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID))
      return false;
    element = slot;
    __atomic_store_n(&slot.flags, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ++next_;
    return true;
  }

 private:
  std::vector<Element>& ring_;
  uint64_t next_ = 0;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_UNIT_LIBSIW_H_
