// What a console says, and whether the kernel is in trouble.
#ifndef SIW_CI_VM_KERNEL_LOG_H_
#define SIW_CI_VM_KERNEL_LOG_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace siw::vm {

// So many lines of a console are shown when it ends badly.
inline constexpr size_t kTailLines = 50;

// Does this console line report a kernel warning, oops, lock or memory error?
bool IsKernelTrouble(std::string_view line);

// Splits a byte stream into lines, without the line ends.
class LineSplitter {
 public:
  // The lines completed by `bytes`.
  std::vector<std::string> Feed(std::string_view bytes);

  const std::string& partial() const { return partial_; }

 private:
  std::string partial_;
};

// The last lines of something long.
class Tail {
 public:
  explicit Tail(size_t limit) : limit_(limit) {}

  void Add(std::string line);
  std::string Text() const;

 private:
  size_t limit_;
  std::deque<std::string> lines_;
};

}  // namespace siw::vm

#endif  // SIW_CI_VM_KERNEL_LOG_H_
