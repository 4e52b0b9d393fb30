// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// FPDUs: RFC 5044 sections 3 to 8.
#include <fmt/format.h>

#include <thread>

#include "selftests/conform/rules.h"

namespace siw::conform {
namespace {

constexpr Code kBadCrc = {2, 0, 2};

// What the device sends is built again by the model, octet for octet: length,
// PAD, CRC. Here come all lengths of PAD.
void FpduForm(Stage& s) {
  if (!s.RespondFull()) return;
  for (uint32_t len = 0; len < 9; ++len) {
    const Bytes data = Pattern(len, len + 1);
    if (len && !s.Command(fmt::format("set 40000 {}", ToHex(data)))) return;
    if (!s.Command(fmt::format("post send {} 40000 {}", len, len))) return;
    const auto got = s.Receive(SIW_RDMAP_SEND);
    if (!got) return;
    if (!got->seg.last ||
        Bytes(got->payload().begin(), got->payload().end()) != data)
      s.Fail(fmt::format("a Send of {} octets", len));
  }
}

void PadIgnored(Stage& s) {
  if (!s.RespondFull()) return;
  for (uint32_t pad = 1; pad <= 3; ++pad) {
    // Length, header and payload of 2 + 18 + n octets.
    const Bytes data = Pattern(4 - pad, pad);
    Bytes fpdu;
    const Bytes ulpdu = SendUlpdu(pad, data);
    PutBe(fpdu, ulpdu.size(), 2);
    Append(fpdu, ulpdu);
    while (fpdu.size() % 4) fpdu.push_back(0xa5);
    const uint32_t crc = SlowCrc32c(fpdu);
    for (int i = 0; i < 4; ++i)
      fpdu.push_back(static_cast<uint8_t>(crc >> (8 * i)));
    if (!s.Put(fpdu)) return;
    s.ExpectReceived(pad - 1, data);
  }
}

void Segmentation(Stage& s) {
  Application app;
  app.receives = {4096, 4096, 4096, 4096};
  for (const Cut cut : kCuts) {
    s.Scene(CutName(cut));
    if (!s.RespondFull(app)) return;
    const Bytes data = Pattern(3000, 7);
    const Bytes stream =
        Join(Fpdu(SendUlpdu(1, Text("first"))),
             Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged), data)),
             Fpdu(SendUlpdu(2, ByteSpan(data).first(1000), false)),
             Fpdu(SendUlpdu(2, ByteSpan(data).subspan(1000), true, 1000)),
             Fpdu(SendUlpdu(3, {})));
    if (!s.Put(stream, cut)) return;
    s.ExpectReceived(0, Text("first"));
    s.ExpectReceived(1, data);
    s.ExpectReceived(2, {});
    s.ExpectMemory(kTagged, data);
  }
}

void CutEverywhere(Stage& s) {
  Application app;
  app.receives.assign(2, 64);
  const Bytes data = Pattern(37, 3);
  if (!s.RespondFull(app)) return;
  const Bytes sample = Fpdu(SendUlpdu(1, data));
  for (size_t cut = 1; cut < sample.size(); ++cut) {
    const auto msn = static_cast<uint32_t>(cut);
    const Bytes fpdu = Fpdu(SendUlpdu(msn, data));
    if (!s.Command("fill 0 8192 238") || !s.Put(ByteSpan(fpdu).first(cut)))
      return;
    std::this_thread::sleep_for(Milliseconds(2));
    if (!s.Put(ByteSpan(fpdu).subspan(cut)) ||
        !s.ExpectReceived((cut - 1) % 2, data) ||
        !s.Command(fmt::format("recv {} {} 64", (cut - 1) % 2,
                               (cut - 1) % 2 * kSlot))) {
      s.Fail(fmt::format("cut at {}", cut));
      return;
    }
  }
}

void ManyInOneSegment(Stage& s) {
  Application app;
  app.receives.assign(8, 64);
  if (!s.RespondFull(app)) return;
  Bytes stream;
  for (uint32_t msn = 1; msn <= 8; ++msn)
    Append(stream, Fpdu(SendUlpdu(msn, Pattern(msn, msn))));
  if (!s.Put(stream)) return;
  for (uint32_t msn = 1; msn <= 8; ++msn)
    s.ExpectReceived(msn - 1, Pattern(msn, msn));
}

void AboveEmss(Stage& s) {
  Application app;
  app.buffer = 1 << 18;
  if (!s.RespondFull(app)) return;
  // The longest ULPDU there is: 64768 octets.
  const Bytes data = Pattern(SIW_MPA_MULPDU_MAX - SIW_DDP_TAGGED_LEN, 9);
  if (s.Send(WriteUlpdu(s.stag("main"), s.at(1 << 17), data)) &&
      s.ExpectAlive(1, 0))
    s.ExpectMemory(1 << 17, data);
}

void BadCrc(Stage& s) {
  for (const Cut cut : kCuts) {
    s.Scene(CutName(cut));
    if (!s.RespondFull()) return;
    Bytes fpdu = Fpdu(SendUlpdu(1, Text("data")));
    fpdu.back() ^= 0x80;
    if (!s.Put(fpdu, cut)) return;
    s.ExpectTerminate(kBadCrc, {});
    s.ExpectFin();
    s.ExpectDead({0, 1, 2, 3});
    s.ExpectUntouched(0, kBuffer);
  }
}

// Each bit of an FPDU is covered, the length's alone excepted: that moves where
// the CRC is looked for.
void EveryBitCovered(Stage& s) {
  const Bytes good = Fpdu(SendUlpdu(1, Text("x")));
  for (size_t octet = 2; octet < good.size(); ++octet) {
    s.Scene(fmt::format("octet {}", octet));
    if (!s.RespondFull()) return;
    Bytes fpdu = good;
    fpdu[octet] ^= static_cast<uint8_t>(1u << octet % 8);
    if (!s.Put(fpdu)) return;
    s.ExpectTerminate(kBadCrc, {});
  }
}

void VerifyBeforePlacing(Stage& s) {
  for (const Cut cut : kCuts) {
    s.Scene(CutName(cut));
    if (!s.RespondFull()) return;
    Bytes fpdu =
        Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged), Pattern(1400, 0x55)));
    fpdu[fpdu.size() - 2] ^= 4;
    if (!s.Put(fpdu, cut)) return;
    s.ExpectTerminate(kBadCrc, {});
    s.ExpectUntouched(0, kBuffer);
  }
}

void NothingAfterAnError(Stage& s) {
  if (!s.RespondFull()) return;
  Bytes stream = Fpdu(SendUlpdu(1, Text("good")));
  Bytes bad = Fpdu(SendUlpdu(2, Text("bad!")));
  bad.back() ^= 1;
  Append(stream, bad);
  Append(stream, Fpdu(SendUlpdu(2, Text("late"))));
  Append(stream, Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged), Text("late"))));
  if (!s.Put(stream)) return;
  s.ExpectReceived(0, Text("good"));
  s.ExpectTerminate(kBadCrc, {});
  s.ExpectFin();
  s.ExpectDead({1, 2, 3});
  s.ExpectUntouched(kSlot, kBuffer - kSlot);
}

// TCP is closed only behind the Terminate, and that by FIN.
void TerminateComesThrough(Stage& s) {
  if (!s.RespondFull()) return;
  Bytes stream;
  for (int i = 0; i < 200; ++i) Append(stream, Bytes(1000, 0xff));
  Bytes bad = Fpdu(SendUlpdu(1, Text("bad!")));
  bad.back() ^= 1;
  // Much behind the bad FPDU must not make TCP reset the Terminate away.
  if (!s.Put(Join(bad, stream))) return;
  s.ExpectTerminate(kBadCrc, {});
  s.ExpectFin();
}

// MULPDU by TCP's segment size; the peer has TCP timestamps on or off.
void Mulpdu(Stage& s) {
  for (const int mss : {88, 100, 256, 536, 548, 1000, 1460}) {
    s.Scene(fmt::format("TCP maximum segment size {}", mss));
    if (!s.RespondUp({}, PlainRequest(), mss) ||
        !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished() ||
        !s.Command("post send 1 40000 8000"))
      return;
    const uint32_t most = siw_mpa_mulpdu(static_cast<uint32_t>(mss), false);
    size_t longest = 0;
    for (bool last = false; !last;) {
      const auto got = s.Receive(SIW_RDMAP_SEND);
      if (!got) return;
      longest = std::max(longest, got->ulpdu.size());
      last = got->seg.last;
    }
    if (longest > most)
      s.Fail(fmt::format("a ULPDU of {}, MULPDU is {}", longest, most));
    if (longest < SIW_MPA_MULPDU_MIN)
      s.Fail(fmt::format("no ULPDU above {}", longest));
    if (longest < siw_mpa_mulpdu(static_cast<uint32_t>(mss - 12), false))
      s.Note(fmt::format("ULPDUs of {} where {} would do", longest, most));
  }
}

// Streams that end between FPDUs and inside of one.
void EndOfStream(Stage& s) {
  const Bytes fpdu = Fpdu(SendUlpdu(1, Text("data")));
  for (const bool reset : {false, true}) {
    for (size_t cut = 0; cut <= fpdu.size(); ++cut) {
      s.Scene(fmt::format("{} behind {} octets", reset ? "RST" : "FIN", cut));
      Application app;
      app.receives = {64, 64};
      if (!s.RespondFull(app) || !s.Put(ByteSpan(fpdu).first(cut))) return;
      if (cut == fpdu.size()) s.ExpectReceived(0, Text("data"));
      reset ? s.socket().Reset() : s.socket().ShutDownWriting();
      if (cut < fpdu.size()) s.ExpectWc("recv", 0, "WR_FLUSH_ERR");
      s.ExpectWc("recv", 1, "WR_FLUSH_ERR");
      s.ExpectEvent("DISCONNECTED");
    }
  }
}

void GracefulClose(Stage& s) {
  s.Scene("of the peer");
  if (!s.RespondFull()) return;
  s.socket().ShutDownWriting();
  s.ExpectEvent("DISCONNECTED");
  s.ExpectFin();
  s.Scene("of the application");
  if (!s.RespondFull() || !s.Command("post send 1 40000 20000") ||
      !s.Command("disconnect"))
    return;
  for (bool last = false; !last;) {
    const auto got = s.Receive(SIW_RDMAP_SEND);
    if (!got) return;
    last = got->seg.last;
  }
  s.ExpectFin();
  s.ExpectWc("send", 1, "SUCCESS");
  s.socket().Close();
  s.ExpectEvent("DISCONNECTED");
}

}  // namespace

void AddMpaRules(Tests* tests) {
  const Tests rules = {
      {"5044-4.1-form", "FPDUs with every length of PAD, as the model has them",
       FpduForm},
      {"5044-4.1-pad", "PAD may hold anything", PadIgnored},
      {"5044-5.1-segmentation", "streams cut in every way", Segmentation},
      {"5044-6-cuts", "an FPDU cut at every octet", CutEverywhere},
      {"5044-5.1-many", "many FPDUs in one TCP segment", ManyInOneSegment},
      {"5044-3-longest", "a ULPDU of 64768 octets", AboveEmss},
      {"5044-4.4-crc", "a bad CRC: Terminate 2/0/02, nothing is placed",
       BadCrc},
      {"5044-4.4-crc-covers", "the CRC covers header, payload and PAD",
       EveryBitCovered},
      {"5044-6-verify", "a Write with a bad CRC changes no octet",
       VerifyBeforePlacing},
      {"5044-8-nothing-after", "after an error nothing more is taken",
       NothingAfterAnError},
      {"5044-8-terminate-first", "TCP is closed behind the Terminate, by FIN",
       TerminateComesThrough},
      {"5044-4.5-mulpdu", "ULPDUs of at most MULPDU, of at least 128", Mulpdu},
      {"5044-8-end-of-stream", "FIN and RST at every octet of an FPDU",
       EndOfStream},
      {"5044-7.2-graceful", "a graceful close, from either end", GracefulClose},
  };
  tests->insert(tests->end(), rules.begin(), rules.end());
}

}  // namespace siw::conform
