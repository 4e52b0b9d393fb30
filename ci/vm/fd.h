// Owned file descriptors.
#ifndef SIW_CI_VM_FD_H_
#define SIW_CI_VM_FD_H_

#include <string_view>
#include <utility>

#include "tools/common/result.h"

namespace siw::vm {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// One end for us, the other to be inherited by a child.
struct FdPair {
  Fd ours;
  Fd theirs;
};

// `type` is SOCK_STREAM or SOCK_DGRAM.
Result<FdPair> SocketPair(int type);

// Writes all of `bytes`, waiting for room.
Status WriteAll(int fd, std::string_view bytes);

}  // namespace siw::vm

#endif  // SIW_CI_VM_FD_H_
