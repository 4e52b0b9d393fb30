// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// TCP sockets that remember what went through them, for the pcap of a failure.
#ifndef SIW_SELFTESTS_CONFORM_SOCKET_H_
#define SIW_SELFTESTS_CONFORM_SOCKET_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "selftests/model/bytes.h"
#include "tools/common/result.h"

namespace siw::conform {

using Clock = std::chrono::system_clock;
using Milliseconds = std::chrono::milliseconds;

// Stretches every time limit of this process, for emulated machines.
void SetSlowness(int factor);
Milliseconds Stretched(int ms);

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// IPv4 alone: that is what the topology of the tests has.
struct Endpoint {
  std::string address;
  uint16_t port = 0;
};
Result<Endpoint> ParseEndpoint(const std::string& text);

// How octets are cut into writes.
enum class Cut {
  kWhole,   // one write
  kOctets,  // octet by octet
  kOdd,     // 1, 3, 7, 17, 61, 251, 1021, 1, ... octets, with pauses
  kLate,    // all but one octet, a long pause, the last octet
};
inline constexpr Cut kCuts[] = {Cut::kWhole, Cut::kOctets, Cut::kOdd,
                                Cut::kLate};
const char* CutName(Cut cut);

// How the other side ended the stream.
enum class End { kOpen, kFin, kReset };

// What happened on a connection, in order.
struct Exchange {
  enum class Kind { kOctets, kFin, kReset };
  Kind kind = Kind::kOctets;
  bool sent = false;
  Clock::time_point when;
  Bytes octets;
};

// How much of a connection is kept, in octets.
inline constexpr size_t kTraceMost = 4 << 20;

struct Trace {
  Endpoint here;
  Endpoint there;
  bool dialed = false;
  Clock::time_point since;
  std::vector<Exchange> exchanges;
};

class Socket {
 public:
  Socket() = default;
  Socket(Fd fd, bool dialed);

  // `mss` lowers what is announced as TCP's maximum segment size.
  static Result<Socket> Dial(const Endpoint& to, int mss = 0);

  bool valid() const { return fd_.valid(); }
  // False if the other side does not take it: closed, or not reading.
  bool Write(ByteSpan octets, Cut cut = Cut::kWhole);
  // Up to `n` octets; fewer if the time is over or the stream ended.
  Bytes Read(size_t n, int ms);
  // Reads, and throws away, until the stream ends. `extra` gets what came.
  End AwaitEnd(int ms, Bytes* extra = nullptr);

  void ShutDownWriting();
  void Close();
  void Reset();
  // For a connection whose octets nobody wants to see again.
  void StopTracing() { traced_ = false; }

  const Trace& trace() const { return trace_; }

 private:
  bool WriteOnce(ByteSpan octets);
  void Note(Exchange::Kind kind, bool sent, ByteSpan octets = {});

  Fd fd_;
  bool traced_ = true;
  size_t traced_octets_ = 0;
  Trace trace_;
  End end_ = End::kOpen;
};

class Listener {
 public:
  static Result<Listener> Open(const std::string& address, int mss = 0);
  uint16_t port() const { return port_; }
  Result<Socket> Accept(int ms);

 private:
  Fd fd_;
  uint16_t port_ = 0;
};

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_SOCKET_H_
