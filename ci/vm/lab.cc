#include "ci/vm/lab.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace siw::vm {
namespace {

using std::chrono::seconds;

constexpr seconds kProbeLimit{8};
// The emulator may lose a guest before its agent answers.
constexpr int kBoots = 3;
// Under TCG a CPU may run into the int3 of a code patch that another CPU has
// just completed, and panics: that is the emulator's fault, too.
constexpr std::string_view kEmulatorsOops = "Oops: int3:";
// Printed by ci/images/initramfs-init.
constexpr std::string_view kInitramfsMarker = "siw-initramfs";

bool InTrouble(const Vm& vm) {
  if (vm.trouble().find(kEmulatorsOops) != std::string::npos) return false;
  return !vm.trouble().empty() || !vm.ending().empty();
}

// The logs of a guest are of all its boots.
void ForgetLogs(const Guest& guest) {
  for (const char* kind : {".console", ".qemu"})
    unlink((guest.machine.log_dir + "/" + guest.name + kind).c_str());
}

// Two guests are joined back to back, more meet in a multicast group on the
// loopback device.
Result<std::vector<Link>> MakeLinks(size_t count, FdPair* wire) {
  std::vector<Link> links(count);
  for (size_t i = 0; i < count; ++i) {
    links[i].mac = fmt::format("52:54:00:73:69:{:02x}", i + 1);
    links[i].netdev =
        fmt::format("socket,mcast=230.115.105.119:{},localaddr=127.0.0.1",
                    20000 + getpid() % 20000);
  }
  if (count != 2) return links;
  auto pair = SocketPair(SOCK_DGRAM);
  if (!pair) return pair.error();
  *wire = std::move(*pair);
  links[0].inherit = wire->ours.get();
  links[1].inherit = wire->theirs.get();
  for (Link& link : links)
    link.netdev = fmt::format("dgram,local.type=fd,local.str={}", link.inherit);
  return links;
}

}  // namespace

Status Lab::Start(const std::vector<Guest>& guests) {
  FdPair wire;
  const auto links = MakeLinks(guests.size(), &wire);
  if (!links) return links.error();
  for (size_t i = 0; i < guests.size(); ++i) {
    const Link* link = guests.size() > 1 ? &(*links)[i] : nullptr;
    auto vm = Vm::Start(&loop_, guests[i].name, guests[i].machine, link);
    if (!vm) return vm.error();
    vms_.push_back(std::move(*vm));
  }
  return Done{};
}

Status Lab::WaitReady(seconds limit) {
  const auto deadline = Clock::now() + limit;
  size_t waiting = vms_.size();
  for (auto& vm : vms_) vm->ExpectReady([&waiting](int) { --waiting; });
  while (waiting > 0) {
    loop_.Turn(deadline);
    for (auto& vm : vms_) {
      if (vm->alive() && (!vm->busy() || Clock::now() < deadline)) continue;
      std::string why = fmt::format("host {} ", vm->name());
      why += vm->alive() ? fmt::format("did not boot in {} s", limit.count())
                         : "died before it was up";
      if (!vm->ending().empty()) why += ": " + vm->ending();
      if (!vm->trouble().empty()) why += "; kernel: " + vm->trouble();
      return Error{why + "\nits console ends with\n" + vm->ConsoleTail()};
    }
  }
  return Done{};
}

Result<std::unique_ptr<Lab>> Lab::Boot(const std::vector<Guest>& guests,
                                       seconds limit) {
  for (const Guest& guest : guests) ForgetLogs(guest);
  for (int left = kBoots;;) {
    auto lab = std::make_unique<Lab>();
    if (auto started = lab->Start(guests); !started) return started.error();
    const auto ready = lab->WaitReady(limit);
    if (ready) return lab;
    const std::string& why = ready.error().message;
    const auto& vms = lab->vms_;
    const bool died = std::any_of(vms.begin(), vms.end(),
                                  [](const auto& vm) { return !vm->alive(); });
    const bool trouble = std::any_of(
        vms.begin(), vms.end(), [](const auto& vm) { return InTrouble(*vm); });
    if (!died || trouble || --left == 0) return ready.error();
    fmt::print("# {}, boots once more\n", why.substr(0, why.find('\n')));
  }
}

Vm* Lab::Find(std::string_view name) const {
  const auto vm =
      std::find_if(vms_.begin(), vms_.end(),
                   [name](const auto& vm) { return vm->name() == name; });
  return vm == vms_.end() ? nullptr : vm->get();
}

Result<int> Lab::Run(Vm* vm, std::string_view command, seconds limit,
                     std::function<void(std::string_view)> on_output) {
  const auto deadline = Clock::now() + limit;
  std::optional<int> status;
  const auto sent = vm->Send(
      command, {std::move(on_output), [&status](int rc) { status = rc; }});
  if (!sent) return sent.error();
  while (!status) {
    if (!vm->alive()) return Error{"the guest died"};
    if (Clock::now() >= deadline) {
      vm->Forget();
      return Error{fmt::format("no answer in {} s", limit.count())};
    }
    loop_.Turn(deadline);
  }
  return *status;
}

bool KvmWorks(const Machine& machine) {
  if (access("/dev/kvm", R_OK | W_OK) != 0) return false;
  Machine probe = machine;
  probe.accel = "kvm";
  ForgetLogs({"kvm-probe", probe});
  EventLoop loop;
  auto vm = Vm::Start(&loop, "kvm-probe", probe, nullptr);
  if (!vm) return false;
  std::string said;
  (*vm)->on_console = [&said](std::string_view bytes) { said += bytes; };
  const auto deadline = Clock::now() + kProbeLimit;
  while ((*vm)->alive() && Clock::now() < deadline) {
    loop.Turn(deadline);
    if (said.find(kInitramfsMarker) != std::string::npos) return true;
  }
  return false;
}

}  // namespace siw::vm
