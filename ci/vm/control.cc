#include "ci/vm/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace siw::vm {
namespace {

using std::chrono::seconds;

constexpr size_t kRequestStrings = 3;

// Binds or connects, which take the same arguments.
template <typename Call>
Result<Fd> UnixSocket(const std::string& path, Call call) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return Error{path + ": too long for a socket's name"};
  path.copy(address.sun_path, path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("socket");
  if (call(fd.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) < 0)
    return ErrnoError(path);
  return fd;
}

// The strings that are ended by NUL.
std::vector<std::string> Strings(std::string_view bytes) {
  std::vector<std::string> strings;
  size_t end;
  while ((end = bytes.find('\0')) != std::string_view::npos) {
    strings.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return strings;
}

}  // namespace

ControlServer::ControlServer(Lab* lab, Fd listener, std::string path)
    : lab_(lab), listener_(std::move(listener)), path_(std::move(path)) {
  lab_->loop().Add(listener_.get(), [this] { Accept(); });
}

Result<std::unique_ptr<ControlServer>> ControlServer::Listen(
    Lab* lab, const std::string& path) {
  unlink(path.c_str());
  auto listener = UnixSocket(path, bind);
  if (!listener) return listener.error();
  if (listen(listener->get(), 16) < 0) return ErrnoError(path);
  return std::unique_ptr<ControlServer>(
      new ControlServer(lab, std::move(*listener), path));
}

ControlServer::~ControlServer() {
  lab_->loop().Remove(listener_.get());
  for (Client& client : clients_) {
    lab_->loop().Remove(client.fd.get());
    if (client.vm) client.vm->Forget();
  }
  unlink(path_.c_str());
}

void ControlServer::Accept() {
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) return;
  Client* client = &clients_.emplace_back();
  client->fd = std::move(fd);
  lab_->loop().Add(client->fd.get(), [this, client] { Read(client); });
}

void ControlServer::Read(Client* client) {
  std::array<char, 4096> buffer;
  const ssize_t n = read(client->fd.get(), buffer.data(), buffer.size());
  if (n <= 0) {
    // The client was interrupted. A guest it kept busy stays so until the
    // command ends; nobody listens to the rest.
    if (client->vm) client->vm->Forget();
    Finish(client, kGivenUp, "");
    return;
  }
  if (client->vm) return;
  client->request.append(buffer.data(), static_cast<size_t>(n));
  const auto words = Strings(client->request);
  if (words.size() == kRequestStrings) Begin(client, words);
}

void ControlServer::Begin(Client* client,
                          const std::vector<std::string>& words) {
  Vm* vm = lab_->Find(words[0]);
  if (!vm) {
    Finish(client, kGivenUp, "there is no host " + words[0] + "\n");
    return;
  }
  const auto sent = vm->Send(
      words[2], {[client](std::string_view bytes) {
                   (void)!WriteAll(client->fd.get(), bytes).ok();
                 },
                 [this, client](int status) { Finish(client, status, ""); }});
  if (!sent) {
    Finish(client, kGivenUp, sent.error().message + "\n");
    return;
  }
  client->vm = vm;
  client->deadline = Clock::now() + seconds(std::atoi(words[1].c_str()));
}

void ControlServer::Finish(Client* client, int status, std::string_view why) {
  const std::string answer = fmt::format("{}{}{}{}", why, '\0', status, '\0');
  (void)!WriteAll(client->fd.get(), answer).ok();
  lab_->loop().Remove(client->fd.get());
  clients_.remove_if([client](const Client& c) { return &c == client; });
}

void ControlServer::Expire() {
  for (auto next = clients_.begin(); next != clients_.end();) {
    Client* client = &*next++;
    Vm* vm = client->vm;
    if (!vm || (vm->alive() && Clock::now() < client->deadline)) continue;
    vm->Forget();
    Finish(client, kGivenUp,
           fmt::format("host {} {}; its console ends with\n{}", vm->name(),
                       vm->alive() ? "does not answer" : "died",
                       vm->ConsoleTail()));
  }
}

Result<int> RunOnHost(const std::string& path, const std::string& host,
                      const std::string& command, seconds limit) {
  auto fd = UnixSocket(path, connect);
  if (!fd) return fd.error();
  const std::string request = fmt::format("{}{}{}{}{}{}", host, '\0',
                                          limit.count(), '\0', command, '\0');
  if (auto sent = WriteAll(fd->get(), request); !sent) return sent.error();
  std::string status;
  bool output = true;
  std::array<char, 4096> buffer;
  ssize_t n;
  while ((n = read(fd->get(), buffer.data(), buffer.size())) > 0) {
    std::string_view bytes(buffer.data(), static_cast<size_t>(n));
    if (output) {
      const size_t end = bytes.find('\0');
      if (auto out = WriteAll(STDOUT_FILENO, bytes.substr(0, end)); !out)
        return out.error();
      if (end == std::string_view::npos) continue;
      output = false;
      bytes.remove_prefix(end + 1);
    }
    status += bytes;
  }
  if (status.empty()) return Error{host + ": the lab went away"};
  return std::atoi(status.c_str());
}

}  // namespace siw::vm
