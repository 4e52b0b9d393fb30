// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/pcapng.h"

#include <vector>

#include "tools/siw/trace/header.h"

namespace siw::trace {
namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterface = 1;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint16_t kLinkTypeRaw = 101;
constexpr uint16_t kOptComment = 1;
constexpr uint16_t kOptApplication = 4;
constexpr uint16_t kOptResolution = 9;
constexpr uint8_t kNanoseconds = 9;
constexpr size_t kMostComment = 60000;

// Blocks are in the order of this host, which their first one tells.
template <typename T>
void Put(std::vector<uint8_t>* out, T value) {
  const auto* octets = reinterpret_cast<const uint8_t*>(&value);
  out->insert(out->end(), octets, octets + sizeof(value));
}

void PutBe(std::vector<uint8_t>* out, uint32_t value, int octets) {
  for (int i = octets - 1; i >= 0; --i)
    out->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void Pad(std::vector<uint8_t>* out) { out->resize((out->size() + 3) & ~3u); }

void PutOption(std::vector<uint8_t>* out, uint16_t code, OctetSpan value) {
  Put(out, code);
  Put(out, static_cast<uint16_t>(value.size()));
  out->insert(out->end(), value.begin(), value.end());
  Pad(out);
}

OctetSpan Span(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()),
          std::min(text.size(), kMostComment)};
}

uint32_t Sum(OctetSpan octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i)
    sum += i % 2 ? octets[i] : uint32_t{octets[i]} << 8;
  return sum;
}

uint16_t Folded(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void SetBe16(std::vector<uint8_t>* out, size_t at, uint16_t value) {
  (*out)[at] = static_cast<uint8_t>(value >> 8);
  (*out)[at + 1] = static_cast<uint8_t>(value);
}

OctetSpan Address(const Endpoint& endpoint) {
  return OctetSpan(endpoint.address).first(endpoint.ipv6 ? 16 : 4);
}

void PutIp(std::vector<uint8_t>* out, const Endpoint& source,
           const Endpoint& destination, size_t tcp) {
  constexpr uint8_t kTcp = 6;
  constexpr uint8_t kHops = 64;
  if (source.ipv6) {
    PutBe(out, 0x60000000, 4);
    PutBe(out, static_cast<uint32_t>(tcp), 2);
    out->push_back(kTcp);
    out->push_back(kHops);
  } else {
    PutBe(out, 0x4500, 2);
    PutBe(out, static_cast<uint32_t>(20 + tcp), 2);
    PutBe(out, 0, 4);
    out->push_back(kHops);
    out->push_back(kTcp);
    PutBe(out, 0, 2);
  }
  for (const Endpoint* end : {&source, &destination}) {
    const OctetSpan address = Address(*end);
    out->insert(out->end(), address.begin(), address.end());
  }
  if (!source.ipv6) SetBe16(out, 10, Folded(Sum(*out)));
}

// An IP packet of one TCP segment.
std::vector<uint8_t> IpPacket(const Endpoint& source,
                              const Endpoint& destination, uint32_t sequence,
                              uint32_t acknowledged, OctetSpan payload) {
  constexpr size_t kTcpHeader = 20;
  const size_t tcp = kTcpHeader + payload.size();
  std::vector<uint8_t> out;
  PutIp(&out, source, destination, tcp);
  const size_t begin = out.size();
  PutBe(&out, source.port, 2);
  PutBe(&out, destination.port, 2);
  PutBe(&out, sequence, 4);
  PutBe(&out, acknowledged, 4);
  PutBe(&out, 0x5018, 2);  // header of 20 octets, ACK and PSH
  PutBe(&out, 0xffff, 2);
  PutBe(&out, 0, 4);
  out.insert(out.end(), payload.begin(), payload.end());
  const uint64_t sum = uint64_t{Sum(OctetSpan(out).subspan(begin))} +
                       Sum(Address(source)) + Sum(Address(destination)) + 6 +
                       tcp;
  SetBe16(&out, begin + 16, Folded(sum));
  return out;
}

}  // namespace

PcapngWriter::PcapngWriter(FILE* file, const std::string& application)
    : file_(file) {
  std::vector<uint8_t> body;
  Put(&body, uint32_t{0x1a2b3c4d});
  Put(&body, uint16_t{1});
  Put(&body, uint16_t{0});
  Put(&body, int64_t{-1});
  PutOption(&body, kOptApplication, Span(application));
  Put(&body, uint32_t{0});
  Block(kSectionHeader, body);

  body.clear();
  Put(&body, kLinkTypeRaw);
  Put(&body, uint16_t{0});
  Put(&body, uint32_t{0});
  PutOption(&body, kOptResolution, std::vector<uint8_t>{kNanoseconds});
  Put(&body, uint32_t{0});
  Block(kInterface, body);
}

void PcapngWriter::Block(uint32_t type, const std::vector<uint8_t>& body) {
  std::vector<uint8_t> out;
  const auto length = static_cast<uint32_t>(body.size() + 12);
  Put(&out, type);
  Put(&out, length);
  out.insert(out.end(), body.begin(), body.end());
  Put(&out, length);
  fwrite(out.data(), 1, out.size(), file_);
}

void PcapngWriter::Packet(const Endpoint& source, const Endpoint& destination,
                          const Event& event, OctetSpan payload,
                          const std::string& comment) {
  const std::vector<uint8_t> packet = IpPacket(
      source, destination, event.sequence, event.acknowledged, payload);
  const auto time = static_cast<uint64_t>(event.origin.time);
  std::vector<uint8_t> body;
  Put(&body, uint32_t{0});
  Put(&body, static_cast<uint32_t>(time >> 32));
  Put(&body, static_cast<uint32_t>(time));
  Put(&body, static_cast<uint32_t>(packet.size()));
  Put(&body, static_cast<uint32_t>(packet.size()));
  body.insert(body.end(), packet.begin(), packet.end());
  Pad(&body);
  PutOption(&body, kOptComment, Span(comment));
  Put(&body, uint32_t{0});
  Block(kEnhancedPacket, body);
}

// A Request and a Reply of revision 1 that say what is known, or the Request
// alone if the first event is a Reply.
void PcapngWriter::AddStartup(const ConnectionInfo& info, const Event& event,
                              bool reply) {
  const std::string comment = "siw: added, the capture begins behind it";
  const std::vector<uint8_t> request_octets = StartupOctets(false, info.crc);
  const std::vector<uint8_t> reply_octets = StartupOctets(true, info.crc);
  Event made;
  made.origin = event.origin;
  made.sequence = event.forward ? event.sequence : event.acknowledged;
  made.acknowledged = event.forward ? event.acknowledged : event.sequence;
  const uint32_t first = made.sequence;
  made.sequence -= static_cast<uint32_t>(request_octets.size());
  if (reply) made.acknowledged -= static_cast<uint32_t>(reply_octets.size());
  Packet(info.first, info.second, made, request_octets, comment);
  made.sequence = made.acknowledged;
  made.acknowledged = first;
  if (reply) Packet(info.second, info.first, made, reply_octets, comment);
}

void PcapngWriter::Add(const ConnectionInfo& info, const Event& event,
                       const std::string& comment) {
  if (event.octets.empty()) return;
  const auto* startup = std::get_if<StartupEvent>(&event.what);
  if (started_.insert(event.connection).second && !(startup && !startup->reply))
    AddStartup(info, event, !startup);
  if (event.forward)
    Packet(info.first, info.second, event, event.octets, "siw: " + comment);
  else
    Packet(info.second, info.first, event, event.octets, "siw: " + comment);
}

Status PcapngWriter::Finish() {
  if (fflush(file_) != 0 || ferror(file_)) return ErrnoError("--write");
  return Done{};
}

}  // namespace siw::trace
