#include "ci/vm/hosts_run.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "ci/vm/control.h"
#include "ci/vm/report.h"

namespace siw::vm {
namespace {

using std::chrono::seconds;

// A login shell on the guest's console, with job control.
constexpr const char* kConsoleShell =
    "stty -F /dev/ttyS0 sane rows {} cols {}; cd /root; "
    "TERM={} setsid -c -w bash -l </dev/ttyS0 >/dev/ttyS0 2>&1";

// The user's terminal passes every key to the guest while this lives.
class RawTerminal {
 public:
  RawTerminal() {
    saved_ = tcgetattr(STDIN_FILENO, &old_) == 0;
    termios raw = old_;
    cfmakeraw(&raw);
    if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &old_);
  }

 private:
  termios old_ = {};
  bool saved_;
};

std::string ShellCommand() {
  winsize size = {24, 80, 0, 0};
  ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
  const char* term = std::getenv("TERM");
  return fmt::format(kConsoleShell, size.ws_row, size.ws_col,
                     term ? term : "vt100");
}

Result<int> Shell(Lab* lab, Vm* vm) {
  const RawTerminal raw;
  EventLoop& loop = lab->loop();
  vm->on_console = [](std::string_view bytes) {
    (void)!WriteAll(STDOUT_FILENO, bytes).ok();
  };
  loop.Add(STDIN_FILENO, [&loop, vm] {
    std::array<char, 256> keys;
    const ssize_t n = read(STDIN_FILENO, keys.data(), keys.size());
    if (n <= 0) {
      loop.Remove(STDIN_FILENO);
      (void)!WriteAll(vm->console_fd(), "\x04").ok();
      return;
    }
    (void)!WriteAll(vm->console_fd(),
                    std::string_view(keys.data(), static_cast<size_t>(n)))
        .ok();
  });
  auto status = lab->Run(vm, ShellCommand(), std::chrono::hours(24 * 365));
  loop.Remove(STDIN_FILENO);
  vm->on_console = nullptr;
  return status;
}

Result<int> RunScript(Lab* lab, const HostsPlan& plan) {
  const std::string path =
      fmt::format("{}/lab-{}.sock", plan.log_dir, getpid());
  auto server = ControlServer::Listen(lab, path);
  if (!server) return server.error();
  ProcessOptions options;
  options.environment = {{kSocketVariable, path}};
  auto script = Process::Spawn(plan.script, options);
  if (!script) return script.error();
  lab->loop().Add(script->watch_fd(), [] {});
  while (!script->TryWait()) {
    lab->loop().Turn(Clock::now() + seconds(1));
    (*server)->Expire();
  }
  lab->loop().Remove(script->watch_fd());
  return *script->TryWait();
}

TestCase Failure(std::string name, std::string reason, std::string log) {
  TestCase test;
  test.name = "hosts/" + std::move(name);
  test.verdict = Verdict::kFail;
  test.reason = std::move(reason);
  test.log = std::move(log);
  return test;
}

// The guests end here, so that their consoles have been read.
std::vector<TestCase> JudgeKernels(const Lab& lab) {
  std::vector<TestCase> cases;
  for (const auto& vm : lab.vms()) {
    std::string why;
    if (!vm->alive()) why = vm->ending().empty() ? "died" : vm->ending();
    vm->Kill();
    if (!vm->trouble().empty())
      why += (why.empty() ? "kernel: " : "; kernel: ") + vm->trouble();
    TestCase test;
    test.name = "hosts/kernel of " + vm->name();
    if (!why.empty()) {
      const std::string tail = "the console ends with\n" + vm->ConsoleTail();
      fmt::print(stderr, "siw-vm: host {}: {}; {}", vm->name(), why, tail);
      test = Failure("kernel of " + vm->name(), why, tail);
    }
    cases.push_back(std::move(test));
  }
  return cases;
}

Status WriteKtap(const std::string& path, const std::vector<TestCase>& cases) {
  std::ofstream file(path);
  file << "KTAP version 1\n1.." << cases.size() << "\n";
  for (size_t i = 0; i < cases.size(); ++i) file << KtapLine(i + 1, cases[i]);
  file.close();
  if (!file) return Error{path + ": cannot be written"};
  return Done{};
}

}  // namespace

Result<int> RunHosts(const HostsPlan& plan) {
  const std::string ktap = plan.log_dir + "/hosts.ktap";
  auto lab = Lab::Boot(plan.hosts, plan.boot);
  if (!lab) {
    const std::string& why = lab.error().message;
    const Status written =
        WriteKtap(ktap, {Failure("boot", why.substr(0, why.find('\n')), why)});
    return written ? lab.error() : written.error();
  }
  auto status = RunScript(lab->get(), plan);
  if (!status) return status;
  if (*status == 0 && !plan.shell.empty()) {
    Vm* vm = (*lab)->Find(plan.shell);
    if (!vm) return Error{"there is no host " + plan.shell};
    status = Shell(lab->get(), vm);
    if (!status) return status;
  }
  const std::vector<TestCase> cases = JudgeKernels(**lab);
  const Status written = WriteKtap(ktap, cases);
  if (!written) return written.error();
  if (Count(cases).failed > 0 && *status == 0) return 1;
  return status;
}

}  // namespace siw::vm
