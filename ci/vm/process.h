// A child process that does not outlive its owner.
#ifndef SIW_CI_VM_PROCESS_H_
#define SIW_CI_VM_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ci/vm/fd.h"
#include "tools/common/result.h"

namespace siw::vm {

struct ProcessOptions {
  std::vector<int> inherit;  // descriptors the child keeps, same numbers
  std::vector<std::pair<std::string, std::string>> environment;
  bool close_stdin = false;
  std::string output_file;  // gets stdout and stderr, if not empty
};

class Process {
 public:
  static Result<Process> Spawn(const std::vector<std::string>& argv,
                               const ProcessOptions& options);

  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        watch_(std::move(other.watch_)),
        status_(other.status_) {}
  ~Process();

  // Readable once the process has ended.
  int watch_fd() const { return watch_.get(); }

  // The exit status (128 + signal if killed), once it has ended.
  std::optional<int> TryWait();
  void Kill();

 private:
  Process(pid_t pid, Fd watch) : pid_(pid), watch_(std::move(watch)) {}

  pid_t pid_;
  Fd watch_;
  std::optional<int> status_;
};

}  // namespace siw::vm

#endif  // SIW_CI_VM_PROCESS_H_
