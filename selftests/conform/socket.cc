// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

namespace siw::conform {
namespace {

int slowness = 1;

constexpr int kTakeLimitMs = 10000;
constexpr int kDialLimitMs = 5000;
constexpr Milliseconds kPause{2};
constexpr Milliseconds kLongPause{20};
// Octets one by one with a pause each, as long as there are not many.
constexpr size_t kPausedOctets = 128;

sockaddr_in ToSockaddr(const Endpoint& endpoint) {
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_port = htons(endpoint.port);
  inet_pton(AF_INET, endpoint.address.c_str(), &out.sin_addr);
  return out;
}

Endpoint FromSockaddr(const sockaddr_in& from) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text));
  return {text, ntohs(from.sin_port)};
}

bool Ready(int fd, short events, Milliseconds limit) {
  pollfd entry = {fd, events, 0};
  return poll(&entry, 1,
              static_cast<int>(std::max<int64_t>(0, limit.count()))) == 1;
}

Milliseconds Until(std::chrono::steady_clock::time_point end) {
  return std::chrono::duration_cast<Milliseconds>(
      end - std::chrono::steady_clock::now());
}

Fd NewSocket(int mss) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (mss > 0) setsockopt(fd.get(), IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
  return fd;
}

}  // namespace

void SetSlowness(int factor) { slowness = std::max(1, factor); }
Milliseconds Stretched(int ms) { return Milliseconds(int64_t{ms} * slowness); }

void Fd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<Endpoint> ParseEndpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  in_addr ignored;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &ignored) != 1)
    return Error{text + ": not an ADDRESS:PORT with an IPv4 address"};
  const long port = std::strtol(text.c_str() + colon + 1, nullptr, 10);
  if (port < 1 || port > 65535) return Error{text + ": no such port"};
  return Endpoint{text.substr(0, colon), static_cast<uint16_t>(port)};
}

const char* CutName(Cut cut) {
  switch (cut) {
    case Cut::kWhole:
      return "whole";
    case Cut::kOctets:
      return "octet by octet";
    case Cut::kOdd:
      return "in odd pieces";
    case Cut::kLate:
      return "the last octet late";
  }
  return "";
}

Socket::Socket(Fd fd, bool dialed) : fd_(std::move(fd)) {
  const int one = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  sockaddr_in name = {};
  socklen_t len = sizeof(name);
  getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &len);
  trace_.here = FromSockaddr(name);
  len = sizeof(name);
  getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&name), &len);
  trace_.there = FromSockaddr(name);
  trace_.dialed = dialed;
  trace_.since = Clock::now();
}

Result<Socket> Socket::Dial(const Endpoint& to, int mss) {
  Fd fd = NewSocket(mss);
  const timeval limit = {
      static_cast<time_t>(Stretched(kDialLimitMs).count() / 1000), 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const sockaddr_in address = ToSockaddr(to);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)))
    return ErrnoError(to.address + ":" + std::to_string(to.port));
  return Socket(std::move(fd), true);
}

bool Socket::WriteOnce(ByteSpan octets) {
  Note(Exchange::Kind::kOctets, true, octets);
  while (!octets.empty()) {
    if (!Ready(fd_.get(), POLLOUT, Stretched(kTakeLimitMs))) return false;
    const ssize_t n = send(fd_.get(), octets.data(), octets.size(),
                           MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return false;
    octets = octets.subspan(static_cast<size_t>(n));
  }
  return true;
}

bool Socket::Write(ByteSpan octets, Cut cut) {
  static constexpr std::array<size_t, 7> kOddSizes = {1,  3,   7,   17,
                                                      61, 251, 1021};
  if (cut == Cut::kWhole || octets.empty()) return WriteOnce(octets);
  if (cut == Cut::kLate) {
    const bool most = WriteOnce(octets.first(octets.size() - 1));
    std::this_thread::sleep_for(kLongPause);
    return most && WriteOnce(octets.last(1));
  }
  const bool pauses = cut == Cut::kOdd || octets.size() <= kPausedOctets;
  for (size_t i = 0; !octets.empty(); ++i) {
    const size_t want =
        cut == Cut::kOctets ? 1 : kOddSizes[i % kOddSizes.size()];
    const size_t n = std::min(want, octets.size());
    if (!WriteOnce(octets.first(n))) return false;
    octets = octets.subspan(n);
    if (pauses) std::this_thread::sleep_for(kPause);
  }
  return true;
}

Bytes Socket::Read(size_t n, int ms) {
  const auto end = std::chrono::steady_clock::now() + Stretched(ms);
  Bytes out;
  while (out.size() < n && end_ == End::kOpen) {
    if (!Ready(fd_.get(), POLLIN, Until(end))) break;
    Bytes piece(n - out.size());
    const ssize_t got =
        recv(fd_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) {
      end_ = got ? End::kReset : End::kFin;
      Note(got ? Exchange::Kind::kReset : Exchange::Kind::kFin, false);
      break;
    }
    piece.resize(static_cast<size_t>(got));
    Note(Exchange::Kind::kOctets, false, piece);
    Append(out, piece);
  }
  return out;
}

End Socket::AwaitEnd(int ms, Bytes* extra) {
  const auto end = std::chrono::steady_clock::now() + Stretched(ms);
  while (end_ == End::kOpen && Until(end).count() > 0) {
    const Bytes octets = Read(4096, 100);
    if (extra) Append(*extra, octets);
  }
  return end_;
}

void Socket::ShutDownWriting() {
  shutdown(fd_.get(), SHUT_WR);
  Note(Exchange::Kind::kFin, true);
}

void Socket::Close() {
  if (fd_.valid()) Note(Exchange::Kind::kFin, true);
  fd_.Close();
}

void Socket::Reset() {
  const linger at_once = {1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  if (fd_.valid()) Note(Exchange::Kind::kReset, true);
  fd_.Close();
}

void Socket::Note(Exchange::Kind kind, bool sent, ByteSpan octets) {
  // What follows a gap is of no use.
  traced_octets_ += sizeof(Exchange) + octets.size();
  if (traced_octets_ > kTraceMost) traced_ = false;
  if (!traced_) return;
  trace_.exchanges.push_back(
      {kind, sent, Clock::now(), Bytes(octets.begin(), octets.end())});
}

Result<Listener> Listener::Open(const std::string& address, int mss) {
  Listener out;
  out.fd_ = NewSocket(mss);
  sockaddr_in name = ToSockaddr({address, 0});
  socklen_t len = sizeof(name);
  if (bind(out.fd_.get(), reinterpret_cast<sockaddr*>(&name), len) ||
      listen(out.fd_.get(), 16) ||
      getsockname(out.fd_.get(), reinterpret_cast<sockaddr*>(&name), &len))
    return ErrnoError(address);
  out.port_ = ntohs(name.sin_port);
  return out;
}

Result<Socket> Listener::Accept(int ms) {
  if (!Ready(fd_.get(), POLLIN, Stretched(ms)))
    return Error{"nobody connects to port " + std::to_string(port_)};
  Fd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) return ErrnoError("accept");
  return Socket(std::move(fd), false);
}

}  // namespace siw::conform
