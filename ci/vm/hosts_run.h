// Boots several hosts and runs a host-side script that commands them.
#ifndef SIW_CI_VM_HOSTS_RUN_H_
#define SIW_CI_VM_HOSTS_RUN_H_

#include <chrono>
#include <string>
#include <vector>

#include "ci/vm/lab.h"

namespace siw::vm {

// The script finds the lab's socket here.
inline constexpr const char* kSocketVariable = "SIW_VM_SOCKET";

struct HostsPlan {
  std::vector<Guest> hosts;
  std::string log_dir;              // hosts.ktap and a socket
  std::vector<std::string> script;  // argv
  std::string shell;                // then leave the user on this host
  std::chrono::seconds boot{180};
};

// The script's exit status; 1 if a kernel complained. What the kernels did is
// in hosts.ktap of the log directory.
Result<int> RunHosts(const HostsPlan& plan);

}  // namespace siw::vm

#endif  // SIW_CI_VM_HOSTS_RUN_H_
