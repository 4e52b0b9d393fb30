// One QEMU guest: its kernel console and its agent.
//
// The agent (ci/images/agent) runs shell commands, one at a time. On the wire a
// command is its text and a NUL; the answer is the command's output, NUL, the
// exit status in decimal, NUL. After boot the agent answers once, with status 0
// and no output.
#ifndef SIW_CI_VM_VM_H_
#define SIW_CI_VM_VM_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ci/vm/event_loop.h"
#include "ci/vm/fd.h"
#include "ci/vm/kernel_log.h"
#include "ci/vm/process.h"
#include "tools/common/result.h"

namespace siw::vm {

struct Machine {
  std::string arch = "amd64";  // as Debian calls it
  // tcg, kvm, or icount: tcg whose guest time counts instructions, 1 ns each;
  // icount-octets: on a CPU whose copies count each octet
  std::string accel = "tcg";
  std::string kernel;
  std::string initrd;
  std::string root;     // read-only disk image
  std::string payload;  // second read-only disk image, may be empty
  std::string append;   // more kernel command line
  // EFI with Secure Boot, and its variables, which the guest may write; empty:
  // QEMU starts the kernel itself
  std::string firmware;
  std::string variables;
  std::string log_dir;  // console and QEMU logs, which grow
  int cpus = 2;
  int memory_mb = 1024;
};

// The guest's end of a virtual Ethernet.
struct Link {
  std::string netdev;  // value of -netdev without its id
  std::string mac;
  int inherit = -1;
};

struct Agent {
  std::function<void(std::string_view)> on_output;
  std::function<void(int)> on_exit;
};

class Vm {
 public:
  static Result<std::unique_ptr<Vm>> Start(EventLoop* loop, std::string name,
                                           const Machine& machine,
                                           const Link* link);
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;
  ~Vm();

  const std::string& name() const { return name_; }
  bool alive() const { return alive_; }
  bool busy() const { return static_cast<bool>(agent_.on_exit); }
  int console_fd() const { return console_.get(); }

  // The first console line that reports kernel trouble, what the console says
  // of the kernel's end, and its last lines; the first two may be empty.
  const std::string& trouble() const { return trouble_; }
  const std::string& ending() const { return ending_; }
  std::string ConsoleTail() const;
  std::function<void(std::string_view)> on_trouble;
  // While set, console bytes go here as well.
  std::function<void(std::string_view)> on_console;

  // Hands a command to the idle agent. If the guest dies, on_exit never comes.
  Status Send(std::string_view command, Agent agent);
  // The answer to the boot.
  void ExpectReady(std::function<void(int)> ready);
  // Nobody waits for the running command any more; the agent stays busy.
  void Forget();

  void Kill();

 private:
  Vm(EventLoop* loop, std::string name, Process qemu, Fd console, Fd agent,
     Fd log);

  void Register();
  void ReadConsole();
  void TakeConsole(std::string_view bytes);
  void ReadAgent();
  void Answer(std::string_view bytes);
  void Die();

  EventLoop* loop_;
  std::string name_;
  Process qemu_;
  Fd console_;
  Fd agent_fd_;
  Fd log_;
  bool alive_ = true;
  LineSplitter lines_;
  Tail tail_{kTailLines};
  size_t console_bytes_ = 0;
  std::string trouble_;
  std::string ending_;
  Agent agent_;
  std::optional<std::string>
      exit_status_;  // digits so far, after the first NUL
};

}  // namespace siw::vm

#endif  // SIW_CI_VM_VM_H_
