// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Writes a seed for the fuzz targets from each vector it says something to:
//   siw_fuzz_seeds DIRECTORY
// makes DIRECTORY/TARGET/VECTOR files.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "builder.h"
#include "bytes.h"
#include "fault.h"
#include "stream_case.h"
#include "vector_file.h"

namespace siw {
namespace {

constexpr size_t kUntaggedHdr = 18;

class Seeds {
 public:
  explicit Seeds(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  void FromStream(const Vector& vector) {
    const Context context = ContextOf(vector);
    const Bytes stream = FromHex(vector.json.at("octets").get<std::string>());
    const std::string& id = vector.id;
    Write("receive", id, EncodeCase({context, {}, stream}));
    Write("receive", id + "-pieces", EncodeCase({context, {3, 1, 97}, stream}));
    for (const uint8_t flags : {1, 3, 7}) {
      Write("capture", id + "-" + std::to_string(flags),
            Join(Bytes{flags, 6}, stream));
    }
    Write("capture", id + "-packet", Join(Bytes{0, 3}, Packet(stream)));
    int n = 0;
    for (const Bytes& ulpdu : Ulpdus(stream, context.markers)) {
      FromUlpdu(id + "-" + std::to_string(n++), ulpdu);
    }
    const nlohmann::json& expect = vector.json.at("expect");
    if (expect.contains("terminate_ulpdu")) {
      const Bytes ulpdu = FromHex(expect["terminate_ulpdu"].get<std::string>());
      Write("terminate", id, Join(Bytes(3), Behind(ulpdu)));
    }
  }

  void FromStartup(const Vector& vector) {
    const uint8_t kind = vector.json.at("frame") == "reply";
    Write("startup_frame", vector.id,
          Join(Bytes{kind},
               FromHex(vector.json.at("octets").get<std::string>())));
  }

  // Both sides in revision 2, CRC, peer-to-peer or not.
  void FromDepths(const Vector& vector) {
    for (const uint8_t p2p : {0, 16}) {
      Bytes seed;
      for (const char* side : {"request", "responder_limit"}) {
        const nlohmann::json& depths = vector.json.at(side);
        Append(seed, Bytes{static_cast<uint8_t>(4 | 8 | p2p), 6});
        PutBe(seed, depths.at("IRD").get<uint64_t>(), 2);
        PutBe(seed, depths.at("ORD").get<uint64_t>(), 2);
        PutBe(seed, 4, 2);
      }
      Write("startup", vector.id + (p2p ? "-p2p" : ""), seed);
    }
  }

  void FromMulpdu(const Vector& vector) {
    const uint64_t emss = vector.json.at("emss");
    for (const uint8_t flags : {0, 1, 3}) {
      Bytes seed = {flags};
      PutBe(seed, emss, 2);
      PutBe(seed, 0, 5);  // position and damage
      for (const uint64_t len : {emss, uint64_t{14}}) PutBe(seed, len, 2);
      Write("frame", vector.id + "-" + std::to_string(flags), seed);
    }
  }

 private:
  static Bytes Behind(const Bytes& ulpdu) {
    const size_t n = std::min(ulpdu.size(), kUntaggedHdr);
    return Bytes(ulpdu.begin() + n, ulpdu.end());
  }

  // An IPv4 packet of one TCP segment, as the target `capture` takes it.
  static Bytes Packet(const Bytes& payload) {
    Bytes ip = {0x45, 0};
    PutBe(ip, 40 + payload.size(), 2);
    PutBe(ip, 0, 4);
    Append(ip, Bytes{64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2});
    Append(ip, Bytes{0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10});
    PutBe(ip, 0, 6);
    Bytes out;
    PutBe(out, 40 + payload.size(), 2);
    PutBe(out, 0, 2);
    return Join(out, ip, payload);
  }

  void FromUlpdu(const std::string& id, const Bytes& ulpdu) {
    Bytes start = ulpdu;
    start.resize(std::min<size_t>(start.size(), 64));
    Write("ddp_header", id, Join(Bytes{1, 0, 0}, start));
    Write("terminate", id, Join(Bytes{SIW_FAULT_RDMAP_STAG - 1, 0, 0}, start));
    if (ulpdu.size() < 2) return;
    const uint8_t op = ulpdu[1] & 0xf;
    if (op == SIW_RDMAP_READ_REQ) {
      Write("read_request", id, Join(Bytes{3}, Behind(ulpdu)));
    }
    if (op == SIW_RDMAP_ATOMIC_REQ || op == SIW_RDMAP_ATOMIC_RSP) {
      Write("atomic", id, Join(Bytes{1, 12}, Bytes(12), Behind(ulpdu)));
    }
    if (op == SIW_RDMAP_WRITE && ulpdu.size() > 14) FromWrite(id, ulpdu);
  }

  void FromWrite(const std::string& id, const Bytes& write) {
    const auto stag = static_cast<uint32_t>(GetBe(write, 2, 4));
    const auto found = StandardStags().find(stag);
    if (found == StandardStags().end()) return;
    Bytes seed = {0, 14, 2};
    PutBe(seed, stag, 4);
    PutBe(seed, found->second.to, 8);
    PutBe(seed, found->second.len, 8);
    PutBe(seed, GetBe(write, 6, 8), 8);
    PutBe(seed, write.size() - 14, 4);
    Write("access", id, seed);
  }

  void Write(const std::string& target, const std::string& name,
             const Bytes& seed) {
    const std::filesystem::path directory = directory_ / target;
    std::filesystem::create_directories(directory);
    std::ofstream file(directory / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }

  std::filesystem::path directory_;
};

}  // namespace
}  // namespace siw

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: siw_fuzz_seeds DIRECTORY\n");
    return 2;
  }
  using namespace siw;
  Seeds seeds(argv[1]);
  for (const Vector& vector : Vectors("stream")) seeds.FromStream(vector);
  for (const Vector& vector : Vectors("mpa_startup")) {
    seeds.FromStartup(vector);
  }
  for (const Vector& vector : Vectors("ird_ord")) seeds.FromDepths(vector);
  for (const Vector& vector : Vectors("mulpdu")) seeds.FromMulpdu(vector);
  return 0;
}
