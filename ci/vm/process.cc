#include "ci/vm/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace siw::vm {
namespace {

[[noreturn]] void Exec(const std::vector<std::string>& argv,
                       const ProcessOptions& options) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int fd : options.inherit) fcntl(fd, F_SETFD, 0);
  for (const auto& [name, value] : options.environment)
    setenv(name.c_str(), value.c_str(), 1);
  if (options.close_stdin) dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  if (!options.output_file.empty()) {
    const int log = open(options.output_file.c_str(),
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
  }
  std::vector<char*> words;
  for (const std::string& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

}  // namespace

Result<Process> Process::Spawn(const std::vector<std::string>& argv,
                               const ProcessOptions& options) {
  const pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) Exec(argv, options);
  Fd watch(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  Process process(pid, std::move(watch));
  if (!process.watch_.valid()) return ErrnoError("pidfd_open");
  return process;
}

Process::~Process() {
  if (pid_ < 0) return;
  Kill();
  TryWait();
}

std::optional<int> Process::TryWait() {
  int status;
  if (status_ || waitpid(pid_, &status, WNOHANG) != pid_) return status_;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

void Process::Kill() {
  if (status_) return;
  kill(pid_, SIGKILL);
  int status;
  if (waitpid(pid_, &status, 0) == pid_) status_ = 128 + SIGKILL;
}

}  // namespace siw::vm
