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
// A console that says more is flooded.
inline constexpr size_t kConsoleLimit = 16 << 20;

// Does this console line report a kernel warning, oops, lock or memory error?
bool IsKernelTrouble(std::string_view line);

// What this line says of the kernel's end, or nothing. Running out of memory is
// no trouble by itself, a test may do that to itself: it explains an end.
std::string_view EndOfKernel(std::string_view line);

// The reason of a run that ended for kConsoleLimit.
std::string FloodReason();

// Splits a byte stream into lines, without the line ends. One that is too long
// comes in pieces.
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
