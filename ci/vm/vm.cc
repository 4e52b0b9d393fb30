#include "ci/vm/vm.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace siw::vm {
namespace {

constexpr std::string_view kAppend =
    "loglevel=5 panic=-1 oops=panic mitigations=off random.trust_cpu=on "
    "net.ifnames=0";

struct Arch {
  std::string_view name;
  const char* qemu;
  const char* machine;
  const char* cpu;      // the most that is emulated
  const char* counted;  // the same, where each instruction does one word
  const char* append;   // kernel command line
};

// Pointer authentication with the architecture's own algorithm is slow to
// emulate. With fast string instructions the kernel copies by `rep movsb`, of
// which each octet counts as an instruction. KASAN asks cpu_feature_enabled()
// whether page tables have five levels, which for a moment of the boot, in
// identify_cpu(), is not known: an interrupt then gets a report.
constexpr Arch kArchs[] = {
    {"amd64", "qemu-system-x86_64", "q35", "max,la57=off",
     "max,erms=off,fsrm=off", "console=ttyS0 tsc=reliable"},
    {"arm64", "qemu-system-aarch64", "virt", "max,pauth-impdef=on",
     "max,pauth-impdef=on", "console=ttyAMA0"},
};

const Arch* FindArch(std::string_view name) {
  for (const Arch& arch : kArchs)
    if (arch.name == name) return &arch;
  return nullptr;
}

using Args = std::vector<std::string>;

void Add(Args* args, std::initializer_list<std::string> more) {
  args->insert(args->end(), more);
}

void AddDisk(Args* args, const std::string& id, const std::string& file) {
  if (file.empty()) return;
  Add(args, {"-drive",
             fmt::format("file={},format=raw,if=none,id={},readonly=on,"
                         "file.locking=off",
                         file, id),
             "-device", fmt::format("virtio-blk-pci,drive={}", id)});
}

// OVMF keeps its variables to itself by system management mode, from which it
// cannot resume after a suspend to memory.
void AddFirmware(Args* args, const Machine& machine) {
  if (machine.firmware.empty()) return;
  Add(args,
      {"-machine", "smm=on", "-global", "ICH9-LPC.disable_s3=1", "-global",
       "driver=cfi.pflash01,property=secure,value=on", "-drive",
       fmt::format("if=pflash,unit=0,format=raw,readonly=on,file={}",
                   machine.firmware),
       "-drive",
       fmt::format("if=pflash,unit=1,format=raw,file={}", machine.variables)});
}

// How the guest's instructions are run, and on what CPU.
Args AccelArgs(const Arch& arch, std::string_view accel) {
  if (accel == "kvm") return {"-accel", "kvm", "-cpu", "host"};
  if (accel == "icount" || accel == "icount-octets")
    return {"-accel",  "tcg,thread=single",
            "-cpu",    accel == "icount" ? arch.counted : arch.cpu,
            "-icount", "shift=0,align=off,sleep=off"};
  return {"-accel", "tcg,thread=multi", "-cpu", arch.cpu};
}

Args QemuArgs(const Arch& arch, const std::string& name, const Machine& machine,
              const Link* link, int console, int agent) {
  Args args = {arch.qemu, "-name", name, "-machine", arch.machine};
  AddFirmware(&args, machine);
  for (std::string& arg : AccelArgs(arch, machine.accel))
    args.push_back(std::move(arg));
  Add(&args, {"-smp", fmt::format("{}", machine.cpus), "-m",
              fmt::format("{}M", machine.memory_mb)});
  Add(&args, {"-nodefaults", "-no-reboot", "-display", "none"});
  Add(&args, {"-chardev", fmt::format("socket,id=console,fd={}", console),
              "-serial", "chardev:console"});
  Add(&args, {"-chardev", fmt::format("socket,id=agent,fd={}", agent),
              "-device", "virtio-serial-pci", "-device",
              "virtserialport,chardev=agent,name=siw.agent"});
  Add(&args, {"-device", "virtio-rng-pci"});
  AddDisk(&args, "root", machine.root);
  AddDisk(&args, "payload", machine.payload);
  if (link)
    Add(&args, {"-netdev", link->netdev + ",id=net", "-device",
                fmt::format("virtio-net-pci,netdev=net,mac={}", link->mac)});
  Add(&args, {"-kernel", machine.kernel, "-initrd", machine.initrd, "-append",
              fmt::format("{0} {1} ci.host={2} systemd.hostname={2} {3}",
                          arch.append, kAppend, name, machine.append)});
  return args;
}

// Reads what is there; false at the end of the stream.
template <typename Sink>
bool Drain(int fd, Sink sink) {
  std::array<char, 4096> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n > 0) sink(std::string_view(buffer.data(), static_cast<size_t>(n)));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

Vm::Vm(EventLoop* loop, std::string name, Process qemu, Fd console, Fd agent,
       Fd log)
    : loop_(loop),
      name_(std::move(name)),
      qemu_(std::move(qemu)),
      console_(std::move(console)),
      agent_fd_(std::move(agent)),
      log_(std::move(log)) {}

Result<std::unique_ptr<Vm>> Vm::Start(EventLoop* loop, std::string name,
                                      const Machine& machine,
                                      const Link* link) {
  const Arch* arch = FindArch(machine.arch);
  if (!arch) return Error{"no machine for architecture " + machine.arch};
  auto console = SocketPair(SOCK_STREAM);
  if (!console) return console.error();
  auto agent = SocketPair(SOCK_STREAM);
  if (!agent) return agent.error();
  const std::string log = fmt::format("{}/{}", machine.log_dir, name);
  Fd console_log(open((log + ".console").c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!console_log.valid()) return ErrnoError(log + ".console");

  ProcessOptions options;
  options.inherit = {console->theirs.get(), agent->theirs.get()};
  if (link && link->inherit >= 0) options.inherit.push_back(link->inherit);
  options.close_stdin = true;
  options.output_file = log + ".qemu";
  auto qemu =
      Process::Spawn(QemuArgs(*arch, name, machine, link, console->theirs.get(),
                              agent->theirs.get()),
                     options);
  if (!qemu) return qemu.error();
  std::unique_ptr<Vm> vm(
      new Vm(loop, std::move(name), std::move(*qemu), std::move(console->ours),
             std::move(agent->ours), std::move(console_log)));
  vm->Register();
  return vm;
}

Vm::~Vm() {
  on_trouble = nullptr;
  on_console = nullptr;
  Die();
}

// The console comes first, so that trouble is seen before the result line of
// the test that caused it.
void Vm::Register() {
  loop_->Add(console_.get(), [this] { ReadConsole(); });
  loop_->Add(agent_fd_.get(), [this] { ReadAgent(); });
}

void Vm::ReadConsole() {
  const bool open = Drain(
      console_.get(), [this](std::string_view bytes) { TakeConsole(bytes); });
  if (!open || console_bytes_ > kConsoleLimit) Die();
}

void Vm::TakeConsole(std::string_view bytes) {
  // A user who works there is no flood.
  if (!on_console) console_bytes_ += bytes.size();
  if (console_bytes_ > kConsoleLimit) {
    ending_ = FloodReason();
    return;
  }
  (void)!write(log_.get(), bytes.data(), bytes.size());
  if (on_console) on_console(bytes);
  for (std::string& line : lines_.Feed(bytes)) {
    if (const std::string_view end = EndOfKernel(line); !end.empty())
      ending_ = end;
    if (IsKernelTrouble(line)) {
      if (trouble_.empty()) trouble_ = line;
      if (on_trouble) on_trouble(line);
    }
    tail_.Add(std::move(line));
  }
}

void Vm::ReadAgent() {
  if (!Drain(agent_fd_.get(),
             [this](std::string_view bytes) { Answer(bytes); }))
    Die();
}

void Vm::Answer(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\0');
    const std::string_view part = bytes.substr(0, end);
    if (exit_status_) {
      exit_status_->append(part);
    } else if (!part.empty() && agent_.on_output) {
      agent_.on_output(part);
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (!exit_status_) {
      exit_status_.emplace();
      continue;
    }
    const int status = std::atoi(exit_status_->c_str());
    exit_status_.reset();
    const Agent finished = std::exchange(agent_, {});
    if (finished.on_exit) finished.on_exit(status);
  }
}

Status Vm::Send(std::string_view command, Agent agent) {
  if (!alive_) return Error{fmt::format("host {} is down", name_)};
  if (busy())
    return Error{fmt::format("host {} is running another command", name_)};
  agent_ = std::move(agent);
  return WriteAll(agent_fd_.get(), std::string(command) + '\0');
}

void Vm::ExpectReady(std::function<void(int)> ready) {
  agent_ = {nullptr, std::move(ready)};
}

void Vm::Forget() {
  if (busy()) agent_ = {nullptr, [](int) {}};
}

std::string Vm::ConsoleTail() const {
  return tail_.Text() + lines_.partial() + "\n";
}

void Vm::Die() {
  if (!alive_) return;
  alive_ = false;
  loop_->Remove(console_.get());
  loop_->Remove(agent_fd_.get());
  qemu_.Kill();
  // What it said last is in the socket yet.
  pollfd said{console_.get(), POLLIN, 0};
  while (console_bytes_ <= kConsoleLimit && poll(&said, 1, 0) > 0 &&
         Drain(console_.get(),
               [this](std::string_view bytes) { TakeConsole(bytes); })) {
  }
}

void Vm::Kill() { Die(); }

}  // namespace siw::vm
