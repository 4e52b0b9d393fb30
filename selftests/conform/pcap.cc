// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/pcap.h"

#include <arpa/inet.h>

#include <algorithm>
#include <fstream>

namespace siw::conform {
namespace {

constexpr size_t kMss = 1460;
constexpr uint8_t kFin = 0x01;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kPsh = 0x08;
constexpr uint8_t kAck = 0x10;

void PutLe(Bytes& out, uint32_t value, int width) {
  for (int i = 0; i < width; ++i)
    out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

Bytes AddressOctets(const std::string& address) {
  Bytes out(4);
  inet_pton(AF_INET, address.c_str(), out.data());
  return out;
}

uint16_t InternetChecksum(ByteSpan octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i)
    sum += i % 2 ? octets[i] : static_cast<uint32_t>(octets[i]) << 8;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void SetBe16(Bytes& out, size_t at, uint16_t value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}

// One direction's view of a connection.
struct Side {
  Endpoint name;
  uint32_t seq;
  uint8_t ether;  // the last octet of its Ethernet address
};

class Writer {
 public:
  explicit Writer(Bytes* out) : out_(out) {}

  void Play(const Trace& trace) {
    Side here = {trace.here, 1000, 1};
    Side there = {trace.there, 5000, 2};
    Side& active = trace.dialed ? here : there;
    Side& passive = trace.dialed ? there : here;
    Segment(trace.since, active, passive, kSyn, {});
    Segment(trace.since, passive, active, kSyn | kAck, {});
    Segment(trace.since, active, passive, kAck, {});
    for (const Exchange& exchange : trace.exchanges)
      Play(exchange, exchange.sent ? here : there,
           exchange.sent ? there : here);
  }

 private:
  void Play(const Exchange& exchange, Side& from, Side& to) {
    switch (exchange.kind) {
      case Exchange::Kind::kFin:
        return Segment(exchange.when, from, to, kFin | kAck, {});
      case Exchange::Kind::kReset:
        return Segment(exchange.when, from, to, kRst | kAck, {});
      case Exchange::Kind::kOctets:
        break;
    }
    for (ByteSpan rest = exchange.octets; !rest.empty();) {
      const size_t n = std::min(rest.size(), kMss);
      Segment(exchange.when, from, to, kPsh | kAck, rest.first(n));
      rest = rest.subspan(n);
    }
  }

  void Segment(Clock::time_point when, Side& from, Side& to, uint8_t flags,
               ByteSpan payload) {
    const Bytes source = AddressOctets(from.name.address);
    const Bytes target = AddressOctets(to.name.address);
    Bytes tcp;
    PutBe(tcp, from.name.port, 2);
    PutBe(tcp, to.name.port, 2);
    PutBe(tcp, from.seq, 4);
    PutBe(tcp, flags & kAck ? to.seq : 0, 4);
    PutBe(tcp, 0x5000u | flags, 2);
    PutBe(tcp, 0xffff, 2);
    PutBe(tcp, 0, 4);
    Append(tcp, payload);
    Bytes pseudo = Join(source, target);
    PutBe(pseudo, 6, 2);
    PutBe(pseudo, tcp.size(), 2);
    SetBe16(tcp, 16, InternetChecksum(Join(pseudo, tcp)));

    Bytes ip;
    PutBe(ip, 0x4500, 2);
    PutBe(ip, 20 + tcp.size(), 2);
    PutBe(ip, 0x00004000, 4);
    PutBe(ip, 0x40060000, 4);
    Append(ip, source);
    Append(ip, target);
    SetBe16(ip, 10, InternetChecksum(ip));

    Bytes frame = {2, 0, 0, 0, 0, to.ether, 2, 0, 0, 0, 0, from.ether, 8, 0};
    Append(frame, ip);
    Append(frame, tcp);
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
                        when.time_since_epoch())
                        .count();
    PutLe(*out_, static_cast<uint32_t>(us / 1000000), 4);
    PutLe(*out_, static_cast<uint32_t>(us % 1000000), 4);
    PutLe(*out_, static_cast<uint32_t>(frame.size()), 4);
    PutLe(*out_, static_cast<uint32_t>(frame.size()), 4);
    Append(*out_, frame);
    from.seq += static_cast<uint32_t>(payload.size());
    if (flags & (kSyn | kFin)) ++from.seq;
  }

  Bytes* out_;
};

}  // namespace

Bytes PcapOf(const std::vector<Trace>& traces) {
  Bytes out;
  PutLe(out, 0xa1b2c3d4, 4);
  PutLe(out, 2, 2);
  PutLe(out, 4, 2);
  PutLe(out, 0, 4);
  PutLe(out, 0, 4);
  PutLe(out, 0x40000, 4);
  PutLe(out, 1, 4);  // Ethernet
  Writer writer(&out);
  for (const Trace& trace : traces) writer.Play(trace);
  return out;
}

Status WritePcap(const std::string& path, const std::vector<Trace>& traces) {
  const Bytes octets = PcapOf(traces);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(octets.data()),
             static_cast<std::streamsize>(octets.size()));
  file.close();
  if (!file) return Error{path + ": cannot be written"};
  return Done{};
}

}  // namespace siw::conform
