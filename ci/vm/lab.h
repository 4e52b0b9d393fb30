// Guests on one virtual Ethernet, and the loop that serves them.
#ifndef SIW_CI_VM_LAB_H_
#define SIW_CI_VM_LAB_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ci/vm/vm.h"

namespace siw::vm {

struct Guest {
  std::string name;
  Machine machine;
};

class Lab {
 public:
  // Boots the guests and waits for their agents; starts over, and says so in a
  // line of KTAP, when a guest dies before that and no kernel complained.
  static Result<std::unique_ptr<Lab>> Boot(const std::vector<Guest>& guests,
                                           std::chrono::seconds limit);

  EventLoop& loop() { return loop_; }
  const std::vector<std::unique_ptr<Vm>>& vms() const { return vms_; }
  Vm* Find(std::string_view name) const;

  // Runs a command and returns its exit status.
  Result<int> Run(Vm* vm, std::string_view command, std::chrono::seconds limit,
                  std::function<void(std::string_view)> on_output = nullptr);

 private:
  Status Start(const std::vector<Guest>& guests);
  Status WaitReady(std::chrono::seconds limit);

  EventLoop loop_;  // outlives the guests that are registered with it
  std::vector<std::unique_ptr<Vm>> vms_;
};

// Does a guest reach its initramfs with KVM? An openable /dev/kvm does not say.
bool KvmWorks(const Machine& machine);

}  // namespace siw::vm

#endif  // SIW_CI_VM_LAB_H_
