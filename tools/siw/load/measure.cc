// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_alg.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <thread>

#include "tools/common/peer.h"
#include "tools/siw/load/load_facts.h"

namespace siw::load {
namespace {

using Clock = std::chrono::steady_clock;

// AF_ALG takes 16 pages at a time.
constexpr size_t kCrcBlock = 65536;
// More than caches hold.
constexpr size_t kCopyBlock = 32 << 20;
constexpr size_t kTcpBlock = 256 << 10;
constexpr int kPeerWait = 3000;  // milliseconds

double Since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pair {
  Fd one;
  Fd other;
};

// Both ends of a TCP connection over lo.
Result<Pair> Connect() {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&in);
  socklen_t length = sizeof(in);
  if (!listener.ok() || bind(listener.get(), address, length) < 0 ||
      listen(listener.get(), 1) < 0 ||
      getsockname(listener.get(), address, &length) < 0)
    return ErrnoError("127.0.0.1");
  Fd one(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!one.ok() || connect(one.get(), address, length) < 0)
    return ErrnoError("127.0.0.1");
  Fd other(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!other.ok()) return ErrnoError("127.0.0.1");
  for (const Fd* fd : {&one, &other}) {
    const int on = 1;
    setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return Pair{std::move(one), std::move(other)};
}

double Middle(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Writes an octet and waits for it to come back.
bool Bounce(int fd) {
  char octet = 'x';
  return write(fd, &octet, 1) == 1 && read(fd, &octet, 1) == 1;
}

}  // namespace

Rate MeasureCrc(Milliseconds how_long) {
  const Fd hash(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_alg name = {};
  name.salg_family = AF_ALG;
  std::memcpy(name.salg_type, "hash", 5);
  std::memcpy(name.salg_name, "crc32c", 7);
  if (!hash.ok() ||
      bind(hash.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) < 0)
    return ErrnoError("the kernel's crc32c (AF_ALG)");
  const Fd work(accept4(hash.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!work.ok()) return ErrnoError("the kernel's crc32c (AF_ALG)");
  const std::vector<char> block(kCrcBlock, 'x');
  size_t done = 0;
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < how_long) {
    const ssize_t n = send(work.get(), block.data(), block.size(), MSG_MORE);
    if (n <= 0) return ErrnoError("the kernel's crc32c (AF_ALG)");
    done += static_cast<size_t>(n);
  }
  return static_cast<double>(done) / Since(begin);
}

std::string CrcDriver(const Host& host) {
  std::string best;
  long best_priority = -1;
  std::string name;
  std::string driver;
  for (const std::string& line : Lines(host.ReadOrEmpty("/proc/crypto"))) {
    std::istringstream words(line);
    std::string key;
    std::string colon;
    std::string value;
    words >> key >> colon >> value;
    if (key == "name") name = value;
    if (key == "driver") driver = value;
    if (key != "priority" || name != "crc32c") continue;
    const long priority = std::strtol(value.c_str(), nullptr, 10);
    if (priority > best_priority) best = driver;
    best_priority = std::max(priority, best_priority);
  }
  return best;
}

Rate MeasureCopy(Milliseconds how_long) {
  std::vector<char> from(kCopyBlock, 'x');
  std::vector<char> to(kCopyBlock, 'y');
  size_t done = 0;
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < how_long) {
    // Changed each time, so that no copy is left out.
    from[done % kCopyBlock]++;
    std::memcpy(to.data(), from.data(), kCopyBlock);
    done += kCopyBlock;
    std::swap(from, to);
  }
  return static_cast<double>(done) / Since(begin);
}

Rate MeasureTcp(Milliseconds how_long) {
  Result<Pair> pair = Connect();
  if (!pair) return pair.error();
  std::atomic<size_t> received = 0;
  const int sink = pair->other.get();
  std::thread reader([sink, &received] {
    std::vector<char> block(kTcpBlock);
    ssize_t n = 0;
    while ((n = read(sink, block.data(), block.size())) > 0)
      received += static_cast<size_t>(n);
  });
  const std::vector<char> block(kTcpBlock, 'x');
  const Clock::time_point begin = Clock::now();
  bool ok = true;
  while (ok && Clock::now() - begin < how_long)
    ok = send(pair->one.get(), block.data(), block.size(), MSG_NOSIGNAL) > 0;
  const int error = errno;
  shutdown(pair->one.get(), SHUT_WR);
  reader.join();
  const double seconds = Since(begin);
  errno = error;
  if (!ok) return ErrnoError("127.0.0.1");
  return static_cast<double>(received) / seconds;
}

Result<RoundTrips> MeasureWake(int rounds, Milliseconds idle) {
  Result<Pair> pair = Connect();
  if (!pair) return pair.error();
  const int echo = pair->other.get();
  std::thread echoer([echo] {
    char octet = 0;
    while (read(echo, &octet, 1) == 1 && write(echo, &octet, 1) == 1) {
    }
  });
  const int fd = pair->one.get();
  const auto series = [&](Milliseconds pause) {
    std::vector<double> took;
    for (int i = 0; i < rounds; ++i) {
      if (pause.count() > 0) std::this_thread::sleep_for(pause);
      const Clock::time_point begin = Clock::now();
      if (!Bounce(fd)) return -1.0;
      took.push_back(Since(begin) * 1e6);
    }
    return Middle(std::move(took));
  };
  RoundTrips trips;
  trips.at_once = series(Milliseconds(0));
  trips.after_idle = series(idle);
  shutdown(fd, SHUT_RDWR);
  echoer.join();
  if (trips.at_once < 0 || trips.after_idle < 0)
    return Error{"127.0.0.1: the connection ended"};
  return trips;
}

Result<std::vector<double>> MeasurePeer(const std::string& host,
                                        const std::string& port, int rounds) {
  const Result<Addresses> list = Resolve(host, port);
  if (!list) return Error{host + ": " + list.error().message};
  const addrinfo& to = **list;
  std::vector<double> took;
  for (int i = 0; i < rounds; ++i) {
    const Fd fd(
        socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.ok()) return ErrnoError(host);
    const Clock::time_point begin = Clock::now();
    int error = 0;
    if (connect(fd.get(), to.ai_addr, to.ai_addrlen) < 0) {
      if (errno != EINPROGRESS) return ErrnoError(host);
      pollfd wait = {fd.get(), POLLOUT, 0};
      if (poll(&wait, 1, kPeerWait) <= 0) return Error{host + ": no answer"};
      socklen_t length = sizeof(error);
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    }
    took.push_back(Since(begin) * 1e6);
    errno = error;
    if (error != 0) return ErrnoError(host);
  }
  return took;
}

std::optional<uint32_t> HeldBack(const std::string& netdev) {
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_coalesce coalesce = {};
  coalesce.cmd = ETHTOOL_GCOALESCE;
  ifreq request = {};
  netdev.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  request.ifr_data = reinterpret_cast<char*>(&coalesce);
  if (!fd.ok() || ioctl(fd.get(), SIOCETHTOOL, &request) < 0) return {};
  return coalesce.rx_coalesce_usecs;
}

uint64_t MostSendBuffer(const Host& host) {
  std::istringstream words(host.ReadOrEmpty("/proc/sys/net/ipv4/tcp_wmem"));
  uint64_t least = 0;
  uint64_t usual = 0;
  uint64_t most = 0;
  words >> least >> usual >> most;
  return most;
}

}  // namespace siw::load
