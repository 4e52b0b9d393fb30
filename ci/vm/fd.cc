#include "ci/vm/fd.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace siw::vm {

Fd::~Fd() { Close(); }

void Fd::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Result<FdPair> SocketPair(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
    return ErrnoError("socketpair");
  return FdPair{Fd(ends[0]), Fd(ends[1])};
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return ErrnoError("write");
    }
  }
  return Done{};
}

}  // namespace siw::vm
