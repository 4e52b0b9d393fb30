#include "tools/advisory/command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace siw::advisory {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

[[noreturn]] void Execute(const std::vector<std::string>& argv,
                          const std::string& dir, int out) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  if (dup2(out, STDOUT_FILENO) >= 0 && chdir(dir.c_str()) == 0)
    execvp(arguments[0], arguments.data());
  _exit(127);
}

std::string ReadAll(int fd) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n > 0)
      out.append(buffer, static_cast<size_t>(n));
    else if (n == 0 || errno != EINTR)
      return out;
  }
}

}  // namespace

Result<std::string> RunCommand(const std::vector<std::string>& argv,
                               const std::string& dir) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return ErrnoError("pipe");
  Fd in(ends[0]), out(ends[1]);
  const pid_t child = fork();
  if (child < 0) return ErrnoError("fork");
  if (child == 0) Execute(argv, dir, out.get());
  out.Close();
  std::string said = ReadAll(in.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return said;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return Error{argv[0] + ": cannot be run"};
  return Error{argv[0] + ": failed"};
}

}  // namespace siw::advisory
