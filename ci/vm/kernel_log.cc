#include "ci/vm/kernel_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace siw::vm {
namespace {

constexpr std::array<std::string_view, 29> kTrouble = {
    "WARNING: ",
    "BUG: ",
    "BUG kmalloc",
    "kernel BUG at",
    "Oops: ",
    "Oops[#",
    "Internal error: ",
    "Kernel panic",
    // Of a program it is "general protection fault ip:".
    "general protection fault:",
    "general protection fault,",
    "unable to handle",
    "divide error",
    "stack segment",
    "KASAN: ",
    "KCSAN: ",
    "UBSAN: ",
    "new suspected memory leaks",
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    "possible circular locking",
    "possible recursive locking",
    "possible irq lock inversion",
    "suspicious RCU usage",
    "blocked for more than",
    "soft lockup",
    "self-detected stall",
    "detected stalls on",
    "unregister_netdevice: waiting",
};

// Of a memory cgroup it is "Memory cgroup out of memory:".
constexpr std::array<std::string_view, 3> kOutOfMemory = {
    "Out of memory: ",
    "Out of memory (",
    "deadlocked on memory",
};

constexpr size_t kLongestLine = 4 << 10;

template <typename Signs>
bool HoldsAny(std::string_view line, const Signs& signs) {
  return std::any_of(signs.begin(), signs.end(), [line](std::string_view sign) {
    return line.find(sign) != std::string_view::npos;
  });
}

}  // namespace

bool IsKernelTrouble(std::string_view line) { return HoldsAny(line, kTrouble); }

std::string_view EndOfKernel(std::string_view line) {
  if (HoldsAny(line, kOutOfMemory)) return "the kernel ran out of memory";
  if (line.find("Kernel panic") != std::string_view::npos)
    return "the kernel panicked";
  return "";
}

std::string FloodReason() {
  return fmt::format("the console is flooded: {} MiB", kConsoleLimit >> 20);
}

std::vector<std::string> LineSplitter::Feed(std::string_view bytes) {
  std::vector<std::string> lines;
  for (const char byte : bytes) {
    if (byte != '\n' && byte != '\r') partial_.push_back(byte);
    if (byte == '\n' || partial_.size() == kLongestLine)
      lines.push_back(std::exchange(partial_, {}));
  }
  return lines;
}

void Tail::Add(std::string line) {
  lines_.push_back(std::move(line));
  if (lines_.size() > limit_) lines_.pop_front();
}

std::string Tail::Text() const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text;
}

}  // namespace siw::vm
