// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Messages: RFC 5040, and what RFC 7306 adds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "selftests/conform/rules.h"
#include "selftests/conform/shots.h"

namespace siw::conform {
namespace {

constexpr uint32_t kSinkStag = 0xcafe01;
constexpr uint64_t kSinkTo = 0xfedcba9876543210;

siw_read_req ReadOf(Stage& s, uint32_t len, size_t offset = kTagged) {
  return {kSinkStag, kSinkTo, len, s.stag("main"), s.at(offset)};
}

// A whole Read Response, which has to be the answer to `ask`.
bool ReceiveResponse(Stage& s, const siw_read_req& ask, ByteSpan want) {
  Bytes got;
  for (bool last = false; !last;) {
    const auto seg = s.Receive(SIW_RDMAP_READ_RSP);
    if (!seg) return false;
    if (seg->seg.stag != ask.sink_stag ||
        (ask.len && seg->seg.to != ask.sink_to + got.size()))
      return s.Fail(
          fmt::format("Sink STag {:x}, TO {:x}", seg->seg.stag, seg->seg.to));
    Append(got, seg->payload());
    last = seg->seg.last;
    if (last != (got.size() >= ask.len))
      return s.Fail("L is not on the last segment");
  }
  return got == Bytes(want.begin(), want.end()) ||
         s.Fail("other data than lie there");
}

// The Read Request that comes next.
std::optional<siw_read_req> TakeReadRequest(Stage& s, uint32_t msn) {
  const auto got = s.Receive(SIW_RDMAP_READ_REQ);
  if (!got) return std::nullopt;
  if (got->ulpdu.size() != SIW_DDP_UNTAGGED_LEN + SIW_READ_REQ_LEN ||
      got->seg.qn != 1 || got->seg.msn != msn || got->seg.mo || got->seg.stag ||
      !got->seg.last) {
    s.Fail("a Read Request " + ToHex(got->ulpdu));
    return std::nullopt;
  }
  siw_read_req ask;
  siw_read_req_decode(&ask, got->payload().data());
  return ask;
}

void ControlOctets(Stage& s) {
  if (!s.RespondFull()) return;
  struct Row {
    const char* post;
    uint16_t control;
    uint32_t invalidate;
  };
  static constexpr Row kRows[] = {
      {"post send 1 40000 4", 0x4143, 0},
      {"post send_se 2 40000 4", 0x4145, 0},
      {"post send_inv 3 40000 4 0 0x1234567", 0x4144, 0x1234567},
      {"post send_se_inv 4 40000 4 0 0x89abcdef", 0x4146, 0x89abcdef},
      {"post write 5 40000 4 0x1000 7", 0xc140, 0},
      {"post read 6 40000 4 0x1000 7", 0x4141, 0},
  };
  for (const Row& row : kRows) {
    if (!s.Command(row.post)) return;
    const auto got = s.Receive();
    if (!got) return;
    const uint64_t control = GetBe(got->ulpdu, 0, 2);
    if (control != row.control)
      s.Fail(fmt::format("{}: control octets {:04x}", row.post, control));
    if (!got->seg.tagged && GetBe(got->ulpdu, 2, 4) != row.invalidate)
      s.Fail(fmt::format("{}: Invalidate STag {:08x}", row.post,
                         GetBe(got->ulpdu, 2, 4)));
  }
}

void ReadRequestForm(Stage& s) {
  if (!s.RespondFull() ||
      !s.Command("post read 1 40000 16 0x123456789abcdef0 0x42"))
    return;
  const auto ask = TakeReadRequest(s, 1);
  if (!ask) return;
  if (ask->len != 16 || ask->src_stag != 0x42 ||
      ask->src_to != 0x123456789abcdef0)
    s.Fail("not what was asked to read");
  if (!s.Send(ResponseUlpdu(ask->sink_stag, ask->sink_to, Pattern(16, 1))))
    return;
  s.ExpectWc("send", 1, "SUCCESS");
  s.ExpectMemory(40000, Pattern(16, 1));
  s.ExpectUntouched(40016, 1000);
}

void SinkIsCopied(Stage& s) {
  if (!s.RespondFull() || !s.Command("set 32768 " + ToHex(Pattern(5000, 1))))
    return;
  uint32_t msn = 0;
  for (const uint32_t stag : {0u, 1u, 0xffffffffu, s.stag("other")}) {
    for (const uint64_t to : {uint64_t{0}, kSinkTo, ~uint64_t{0} - 5000}) {
      const siw_read_req ask = {stag, to, 5000, s.stag("main"), s.at(kTagged)};
      if (!s.Send(ReadUlpdu(++msn, ask)) ||
          !ReceiveResponse(s, ask, Pattern(5000, 1)))
        return;
    }
  }
}

void ZeroLengthRead(Stage& s) {
  if (!s.RespondFull()) return;
  uint32_t msn = 0;
  for (const uint32_t stag : {0u, 0xffffffffu, s.stag("wo"), s.stag("other")}) {
    const siw_read_req ask = {9, 8, 0, stag, ~uint64_t{0}};
    if (!s.Send(ReadUlpdu(++msn, ask)) || !ReceiveResponse(s, ask, {})) return;
  }
  s.ExpectNoWc("recv");
}

void ReadResponseOrder(Stage& s) {
  if (!s.RespondFull() || !s.Command("set 32768 " + ToHex(Pattern(4000, 2))))
    return;
  Bytes stream;
  std::vector<siw_read_req> asked;
  for (uint32_t msn = 1; msn <= 4; ++msn) {
    siw_read_req ask = ReadOf(s, 5 - msn ? (5 - msn) * 1000 : 0);
    ask.sink_stag = msn;
    asked.push_back(ask);
    Append(stream, Fpdu(ReadUlpdu(msn, ask)));
  }
  if (!s.Put(stream)) return;
  for (const siw_read_req& ask : asked)
    if (!ReceiveResponse(s, ask, ByteSpan(Pattern(4000, 2)).first(ask.len)))
      return;
}

// A Read is processed behind what came before it.
void ReadSeesEarlierWrites(Stage& s) {
  if (!s.RespondFull()) return;
  for (uint32_t msn = 1; msn <= 20; ++msn) {
    const Bytes data = Pattern(300, msn);
    const siw_read_req ask = ReadOf(s, 300);
    if (!s.Put(Join(Fpdu(WriteUlpdu(ask.src_stag, ask.src_to, data)),
                    Fpdu(ReadUlpdu(msn, ask)))) ||
        !ReceiveResponse(s, ask, data))
      return;
  }
}

void ReadNotBeforeItIsWhole(Stage& s) {
  if (!s.RespondFull()) return;
  const siw_read_req ask = ReadOf(s, 4);
  const Bytes fpdu = Fpdu(ReadUlpdu(1, ask));
  if (!s.Put(ByteSpan(fpdu).first(fpdu.size() - 1)) || !s.ExpectSilence(300) ||
      !s.Put(ByteSpan(fpdu).last(1)))
    return;
  ReceiveResponse(s, ask, Bytes(4, kUntouched));
}

void ReadRequestRefused(Stage& s) {
  Shoot(s, [](Stage& stage) {
    const auto read = [&](uint32_t stag, uint64_t to, uint32_t len) {
      return ReadUlpdu(1, {kSinkStag, kSinkTo, len, stag, to});
    };
    const uint32_t stag = stage.stag("main");
    const uint64_t to = stage.at(kTagged);
    return std::vector<Shot>{
        {"unknown STag", {0, 1, 0}, {}, read(0x00abcd00, to, 4)},
        {"STag 0", {0, 1, 0}, {}, read(0, to, 4)},
        {"another key", {0, 1, 0}, {}, read(stag ^ 0x80, to, 4)},
        {"another PD", {0, 1, 3}, {}, read(stage.stag("other"), to, 4)},
        {"no remote read", {0, 1, 2}, {}, read(stage.stag("wo"), to, 4)},
        {"one below", {0, 1, 1}, {}, read(stag, stage.at(0) - 1, 1)},
        {"from one below", {0, 1, 1}, {}, read(stag, stage.at(0) - 1, 2)},
        {"one above", {0, 1, 1}, {}, read(stag, stage.at(kBuffer), 1)},
        {"to one above", {0, 1, 1}, {}, read(stag, stage.at(1), kBuffer)},
        {"4 GiB", {0, 1, 1}, {}, read(stag, stage.at(0), 0xffffffff)},
        {"past 2^64", {0, 1, 4}, {}, read(stag, -uint64_t{8}, 16)},
    };
  });
}

void ReadRequestForms(Stage& s) {
  Shoot(s, [](Stage& stage) {
    const Bytes good = ReadUlpdu(1, ReadOf(stage, 4));
    Bytes on_queue_0 = good, msn = good, mo = good, tagged = good;
    on_queue_0[9] = 0;
    msn[13] = 2;
    mo[17] = 28;
    tagged[0] |= 0x80;
    return std::vector<Shot>{
        {"27 octets",
         {0, 2, 0xff},
         {},
         Bytes(good.begin(), good.end() - 1),
         {{1, 0, 0}, {2, 0, 3}}},
        {"no octets",
         {0, 2, 0xff},
         {},
         Bytes(good.begin(), good.begin() + 18),
         {{1, 0, 0}, {2, 0, 3}}},
        {"32 octets", {1, 2, 5}, {}, Join(good, Bytes(4)), {{0, 2, 0xff}}},
        {"on queue 0", {0, 2, 6}, {}, on_queue_0, {{1, 2, 1}}},
        {"MSN 2", {1, 2, 3}, {}, msn},
        {"MO 28", {1, 2, 4}, {}, mo},
        {"tagged", {0, 2, 6}, {}, tagged, {{1, 0, 0}}},
    };
  });
}

void OpcodesAndVersions(Stage& s) {
  Shoot(s, [](Stage& stage) {
    std::vector<Shot> out;
    for (const uint8_t op : {0xc, 0xd, 0xe, 0xf})
      out.push_back({fmt::format("opcode {:x}", op),
                     {0, 2, 6},
                     {},
                     Untagged({.op = op}, Text("data"))});
    for (const uint8_t version : {0, 2, 3}) {
      out.push_back({fmt::format("version {}, Send", version),
                     {0, 2, 5},
                     {},
                     Untagged({.rdmap_version = version}, Text("data"))});
      out.push_back({fmt::format("version {}, Write", version),
                     {0, 2, 5},
                     {},
                     Tagged({.stag = stage.stag("main"),
                             .to = stage.at(kTagged),
                             .rdmap_version = version},
                            Text("data"))});
    }
    out.push_back(
        {"Send tagged",
         {0, 2, 6},
         {},
         Tagged({.op = 3, .stag = stage.stag("main"), .to = stage.at(kTagged)},
                Text("data")),
         {{1, 0, 0}}});
    out.push_back({"Write untagged",
                   {0, 2, 6},
                   {},
                   Untagged({.op = 0}, Text("data")),
                   {{1, 0, 0}}});
    out.push_back({"Read Response untagged",
                   {0, 2, 6},
                   {},
                   Untagged({.op = 2}, Text("data")),
                   {{1, 0, 0}}});
    out.push_back({"opcode changes",
                   {0, 2, 6},
                   {SendUlpdu(1, Text("data"), false)},
                   SendUlpdu(1, Text("data"), true, 4, SIW_RDMAP_SEND_SE)});
    return out;
  });
}

void WriteIsNotDelivered(Stage& s) {
  if (!s.RespondFull() ||
      !s.Send(WriteUlpdu(s.stag("main"), s.at(kTagged), Pattern(500, 1))) ||
      !s.ExpectNoWc("recv", 300))
    return;
  s.ExpectMemory(kTagged, Pattern(500, 1));
  // No receive is used up.
  for (uint32_t msn = 1; msn <= 4; ++msn) s.ExpectAlive(msn, msn - 1);
}

void SendKinds(Stage& s) {
  if (!s.RespondFull()) return;
  s.Send(SendUlpdu(1, Text("plain")));
  s.Send(SendUlpdu(2, Text("solicited"), true, 0, SIW_RDMAP_SEND_SE));
  s.Send(SendUlpdu(3, {}));
  s.Send(SendUlpdu(4, Text("last")));
  s.ExpectReceived(0, Text("plain"));
  s.ExpectReceived(1, Text("solicited"));
  s.ExpectReceived(2, {});
  s.ExpectReceived(3, Text("last"));
}

void InvalidateRefused(Stage& s) {
  Shoot(s, [](Stage& stage) {
    std::vector<Shot> out;
    for (const uint8_t op : {4, 6}) {
      const auto shot = [&](const char* name, uint32_t stag) {
        out.push_back({fmt::format("{}, opcode {}", name, op),
                       {0, 1, 9},
                       {},
                       Untagged({.op = op, .inv_stag = stag}, {}),
                       {{0, 2, 9}}});
      };
      shot("unknown", 0x00abcd00);
      shot("0", 0);
      shot("another PD", stage.stag("other"));
      shot("another key", stage.stag("main") ^ 1);
      // An ordinary region may be used by all streams of its PD.
      shot("shared", stage.stag("main"));
    }
    return out;
  });
}

// The stream ends, and the region is as good for the next one.
void InvalidateRefusedKeepsRegion(Stage& s) {
  if (!s.RespondFull()) return;
  const uint32_t stag = s.stag("main");
  const Bytes bad = Untagged({.op = 4, .inv_stag = stag}, {});
  if (!s.Send(bad) ||
      !s.ExpectTerminate(std::vector<Code>{{0, 1, 9}, {0, 2, 9}}, bad) ||
      !s.ExpectFin())
    return;
  // What became of the receives is another test's matter.
  for (std::string id; id != "none";) {
    const auto wc = s.Ask("wc recv 300");
    if (!wc) return;
    id = wc->Text("id");
  }
  if (!s.RespondAgain() ||
      !s.Send(WriteUlpdu(stag, s.at(kTagged), Text("still"))) ||
      !s.ExpectAlive(1, 0))
    return;
  s.ExpectMemory(kTagged, Text("still"));
}

void CompletionOrder(Stage& s) {
  if (!s.RespondFull() || !s.Command("post read 1 40000 16 0x1000 7") ||
      !s.Command("post send 2 41000 4") ||
      !s.Command("post write 3 41000 4 0x1000 7"))
    return;
  const auto ask = TakeReadRequest(s, 1);
  if (!ask || !s.Receive(SIW_RDMAP_SEND) || !s.Receive(SIW_RDMAP_WRITE) ||
      !s.ExpectNoWc("send", 300))
    return;
  // The Read is not complete before its last octet is there.
  if (!s.Send(
          ResponseUlpdu(ask->sink_stag, ask->sink_to, Pattern(8, 1), false)) ||
      !s.ExpectNoWc("send", 300) ||
      !s.Send(ResponseUlpdu(ask->sink_stag, ask->sink_to + 8,
                            ByteSpan(Pattern(16, 1)).subspan(8))))
    return;
  for (uint64_t id = 1; id <= 3; ++id) s.ExpectWc("send", id, "SUCCESS");
}

// DDP has not completed what MPA has not taken: there is more than the buffers
// of both TCPs hold, and nobody reads.
void NotCompleteBeforeSent(Stage& s) {
  constexpr size_t kMuch = 8 << 20;
  constexpr uint64_t kLast = 3;
  Application app;
  app.buffer = kMuch;
  if (!s.RespondFull(app)) return;
  for (uint64_t id = 0; id <= kLast; ++id)
    if (!s.Command(fmt::format("post send {} 0 {}", id, kMuch))) return;
  uint64_t next = 0;
  for (bool none = false; !none;) {
    const auto wc = s.Ask("wc send 1000");
    if (!wc) return;
    none = wc->Text("id") == "none";
    if (none) continue;
    if (wc->Number("id") != next || wc->Text("status") != "SUCCESS")
      return (void)s.Fail("completion " + wc->Text("id") + " " +
                          wc->Text("status"));
    if (next++ == kLast) return (void)s.Fail("complete, and nobody has read");
  }
  size_t octets = 0;
  while (const size_t n = s.socket().Read(1 << 20, 1000).size()) octets += n;
  if (octets < (kLast + 1) * kMuch)
    s.Fail(fmt::format("{} octets came", octets));
  for (; next <= kLast; ++next) s.ExpectWc("send", next, "SUCCESS");
}

void FencedSendWaits(Stage& s) {
  if (!s.RespondFull() || !s.Command("post read 1 40000 16 0x1000 7") ||
      !s.Command("post send 2 41000 4 0 0 fence"))
    return;
  const auto ask = TakeReadRequest(s, 1);
  if (!ask || !s.ExpectSilence(300) ||
      !s.Send(ResponseUlpdu(ask->sink_stag, ask->sink_to, Pattern(16, 1))))
    return;
  s.Receive(SIW_RDMAP_SEND);
  s.ExpectWc("send", 1, "SUCCESS");
  s.ExpectWc("send", 2, "SUCCESS");
}

void OrdIsKept(Stage& s) {
  Application app;
  app.ord = 2;
  if (!s.RespondUp(app, EnhancedRequest(4, 4)) ||
      !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished())
    return;
  for (int i = 0; i < 5; ++i)
    if (!s.Command(fmt::format("post read {} {} 8 0x1000 7", i, 40000 + 8 * i)))
      return;
  std::vector<siw_read_req> open;
  for (uint32_t msn = 1; msn <= 2; ++msn) {
    const auto ask = TakeReadRequest(s, msn);
    if (!ask) return;
    open.push_back(*ask);
  }
  for (uint32_t msn = 3; msn <= 7; ++msn) {
    if (msn <= 6 && !s.ExpectSilence(100)) return;
    if (open.empty()) break;
    if (!s.Send(
            ResponseUlpdu(open[0].sink_stag, open[0].sink_to, Pattern(8, msn))))
      return;
    open.erase(open.begin());
    if (msn > 5) continue;
    const auto ask = TakeReadRequest(s, msn);
    if (!ask) return;
    open.push_back(*ask);
  }
  for (uint64_t id = 0; id < 5; ++id) s.ExpectWc("send", id, "SUCCESS");
}

void IrdIsServed(Stage& s) {
  Application app;
  app.ird = 4;
  if (!s.RespondUp(app, EnhancedRequest(4, 4)) ||
      !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished())
    return;
  const unsigned ird = s.reply().setup.ird;
  if (ird < 4) s.Fail(fmt::format("IRD {} in the Reply", ird));
  for (uint32_t round = 0; round < 5; ++round) {
    Bytes stream;
    for (uint32_t i = 1; i <= 4; ++i)
      Append(stream, Fpdu(ReadUlpdu(4 * round + i, ReadOf(s, 2000))));
    if (!s.Put(stream)) return;
    for (int i = 0; i < 4; ++i)
      if (!ReceiveResponse(s, ReadOf(s, 2000), Bytes(2000, kUntouched))) return;
  }
}

// More Reads than IRD: nobody takes the responses, so the first stay open.
void IrdExceeded(Stage& s) {
  Application app;
  app.ird = app.ord = 2;
  app.buffer = 8 << 20;
  if (!s.RespondUp(app, EnhancedRequest(2, 2)) ||
      !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished())
    return;
  Bytes stream;
  const unsigned ird = s.reply().setup.ird;
  for (uint32_t i = 1; i <= ird + 20; ++i)
    Append(stream, Fpdu(ReadUlpdu(i, ReadOf(s, 8 << 20, 0))));
  if (!s.Put(stream)) return;
  s.ExpectAsync();
  std::optional<Segment> got;
  do {
    got = s.Receive(2 * kSoonMs);
  } while (got && got->seg.op == SIW_RDMAP_READ_RSP);
  if (!got) return;
  const uint64_t word = got->seg.op == SIW_RDMAP_TERMINATE
                            ? GetBe(got->payload(), 0, 4) >> 16
                            : 0;
  const bool well =
      word == 0x1202 || (s.foreign() && (word == 0x1203 || word == 0x0207));
  if (!well) s.Fail("want the Terminate 1/2/02, got " + ToHex(got->ulpdu));
}

void ResponseRefused(Stage& s) {
  struct Row {
    const char* name;
    uint32_t stag_xor;
    int64_t to_add;
    bool last;
    size_t len;
    Code code;
  };
  static constexpr Row kRows[] = {
      {"another STag", 0x100, 0, true, 16, {1, 1, 0}},
      {"another key", 1, 0, true, 16, {1, 1, 0}},
      {"TO too low", 0, -1, true, 16, {1, 1, 1}},
      {"TO too high", 0, 1, true, 16, {1, 1, 1}},
      {"an octet too long", 0, 0, true, 17, {1, 1, 1}},
      {"too long, not last", 0, 0, false, 17, {1, 1, 1}},
      {"an octet too short", 0, 0, true, 15, {1, 1, 1}},
      {"empty", 0, 0, true, 0, {1, 1, 1}},
  };
  for (const Row& row : kRows) {
    s.Scene(row.name);
    if (!s.RespondFull() || !s.Command("post read 1 40000 16 0x1000 7")) return;
    const auto ask = TakeReadRequest(s, 1);
    if (!ask) return;
    const Bytes bad =
        ResponseUlpdu(ask->sink_stag ^ row.stag_xor,
                      ask->sink_to + static_cast<uint64_t>(row.to_add),
                      Bytes(row.len), row.last);
    if (!s.Send(bad)) return;
    s.ExpectTerminate(row.code, bad);
    s.ExpectBadWc("send", 1);
    s.ExpectUntouched(0, 40000);
    s.ExpectUntouched(40016, 1000);
  }
}

void ResponseUnasked(Stage& s) {
  Shoot(s, [](Stage& stage) {
    return std::vector<Shot>{
        {"Read Response",
         {0, 2, 6},
         {},
         ResponseUlpdu(stage.stag("main"), stage.at(kTagged), Text("data")),
         {{1, 0, 0}}}};
  });
}

void ResponseTwice(Stage& s) {
  if (!s.RespondFull() || !s.Command("post read 1 40000 16 0x1000 7")) return;
  const auto ask = TakeReadRequest(s, 1);
  if (!ask) return;
  const Bytes response =
      ResponseUlpdu(ask->sink_stag, ask->sink_to, Pattern(16, 1));
  const Bytes second =
      ResponseUlpdu(ask->sink_stag, ask->sink_to, Pattern(16, 2));
  if (!s.Put(Join(Fpdu(response), Fpdu(second)))) return;
  s.ExpectWc("send", 1, "SUCCESS");
  s.ExpectTerminate(std::vector<Code>{{0, 2, 6}, {1, 0, 0}}, second);
  s.ExpectMemory(40000, Pattern(16, 1));
}

// Both are wrong: the Terminate is about the first, and there is one only.
void FirstErrorWins(Stage& s) {
  if (!s.RespondFull()) return;
  const Bytes first = WriteUlpdu(s.stag("main"), s.at(kBuffer), Text("data"));
  const Bytes second = Untagged({.qn = 7}, Text("data"));
  Bytes third = Fpdu(SendUlpdu(1, Text("data")));
  third.back() ^= 1;
  if (!s.Put(Join(Fpdu(first), Fpdu(second), third))) return;
  s.ExpectTerminate({1, 1, 1}, first);
  s.ExpectFin();
  s.ExpectDead({0, 1, 2, 3});
}

// Nothing behind a Terminate, though there was work to do.
void NothingBehindTerminate(Stage& s) {
  Application app;
  app.buffer = 1 << 16;
  if (!s.RespondFull(app)) return;
  for (int i = 0; i < 4; ++i)
    if (!s.Command(fmt::format("post send {} 0 {}", i, app.buffer))) return;
  const Bytes bad = Untagged({.qn = 4}, Text("data"));
  if (!s.Send(bad)) return;
  std::optional<Segment> got;
  do {
    got = s.Receive();
  } while (got && got->seg.op == SIW_RDMAP_SEND);
  if (!got) return;
  if (got->ulpdu != TerminateFor({1, 2, 1}, bad))
    s.Fail("want the Terminate 1/2/01, got " + ToHex(got->ulpdu));
  s.ExpectFin();
  s.ExpectAsync();
}

// The Terminate waits behind much that was sent before, and the peer reads
// slowly, but it reads.
void TerminateToASlowReader(Stage& s) {
  constexpr auto kSlowly = std::chrono::seconds(12);
  Application app;
  app.buffer = 1 << 20;
  if (!s.RespondFull(app)) return;
  for (int i = 0; i < 8; ++i)
    if (!s.Command(fmt::format("post send {} 0 {}", i, app.buffer))) return;
  // TCP's buffers grow meanwhile: the Terminate will have much before it.
  constexpr size_t kQuickly = 1 << 21;
  Bytes got = s.socket().Read(kQuickly, 2 * kSoonMs);
  const Bytes bad = Untagged({.qn = 4}, Text("data"));
  if (got.size() < kQuickly) s.Fail("the peer stops sending");
  if (s.failed() || !s.Send(bad)) return;
  const auto begin = std::chrono::steady_clock::now();
  while (s.socket().AwaitEnd(0) == End::kOpen) {
    const Bytes piece = s.socket().Read(1448, kSoonMs);
    if (piece.empty()) break;
    Append(got, piece);
    if (std::chrono::steady_clock::now() - begin < kSlowly)
      std::this_thread::sleep_for(Milliseconds(20));
  }
  const Bytes want = Fpdu(TerminateFor({1, 2, 1}, bad));
  if (got.size() < want.size() ||
      !std::equal(want.begin(), want.end(), got.end() - want.size()))
    s.Fail(fmt::format("no Terminate behind {} octets", got.size()));
}

void TerminateForm(Stage& s) {
  // With no headers, with a DDP header of either kind, with all three.
  if (!s.RespondFull()) return;
  const Bytes bad = ReadUlpdu(1, {kSinkStag, kSinkTo, 4, 1, 2});
  if (!s.Send(bad)) return;
  const auto got = s.Receive(SIW_RDMAP_TERMINATE);
  if (!got) return;
  if (got->seg.qn != 2 || got->seg.msn != 1 || got->seg.mo || !got->seg.last ||
      got->seg.stag)
    s.Fail("header " + ToHex(ByteSpan(got->ulpdu).first(18)));
  siw_term term;
  siw_term_decode(&term, got->payload().data(), got->payload().size());
  if (!term.m || term.seg_len != bad.size()) s.Fail("no DDP Segment Length");
  if (term.hdr_len != SIW_DDP_UNTAGGED_LEN || term.read_len != SIW_READ_REQ_LEN)
    s.Fail("the terminated headers are not there");
  if (GetBe(got->payload(), 2, 2) & 0x1fff) s.Fail("reserved bits are set");
}

void TerminateReceived(Stage& s) {
  static constexpr Code kCodes[] = {
      {0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {0, 1, 2}, {0, 1, 3}, {0, 2, 5},
      {1, 0, 0}, {1, 1, 0}, {1, 2, 2}, {2, 0, 2}, {2, 0, 6}, {7, 9, 0xab}};
  for (const Code& code : kCodes) {
    s.Scene(CodeName(code));
    if (!s.RespondFull() || !s.Command("post read 9 40000 16 0x1000 7") ||
        !s.Receive(SIW_RDMAP_READ_REQ) ||
        !s.Send(code.layer == 7
                    ? Untagged({.op = 7, .qn = 2}, Bytes{0x79, 0xab, 0, 0})
                    : TerminateUlpdu(code)))
      return;
    s.ExpectBadWc("send", 9);
    s.ExpectDead({0, 1, 2, 3});
    // Never answered with another.
    s.ExpectFin();
  }
}

// There is a place for it whatever the application has posted.
void TerminateWithoutReceives(Stage& s) {
  Application app;
  app.receives = {};
  if (!s.RespondFull(app) || !s.Send(TerminateUlpdu({0, 1, 2}))) return;
  s.ExpectDead({});
  s.ExpectFin();
}

// What cannot be made is reported in its place, with no headers.
void LocalError(Stage& s) {
  for (const char* op : {"send 1 40000 4", "write 1 40000 4 0x1000 7",
                         "read 1 40000 4 0x1000 7"}) {
    s.Scene(op);
    // The counterpart posts with the key of "main": another one has its name.
    if (!s.RespondFull() || !s.Command("dereg main") ||
        !s.Command("mr main 0 4096 lrw") ||
        !s.Command(fmt::format("post {}", op)))
      return;
    s.ExpectTerminate({0, 0, 0}, {});
    s.ExpectFin();
    s.ExpectBadWc("send", 1);
    s.ExpectEvent("DISCONNECTED");
  }
}

// A Terminate is never answered by one, says RFC 5040 section 5.4; a segment
// that is none by its queue may be.  The stream ends in any case.
void TerminateOnItsQueue(Stage& s) {
  for (const uint32_t qn : {0, 1, 3}) {
    s.Scene(fmt::format("queue {}", qn));
    const Bytes bad = Untagged({.op = 7, .qn = qn}, Bytes(4));
    if (!s.RespondFull() || !s.Send(bad)) return;
    s.ExpectTerminateOrNothing({0, 2, 6}, bad);
    s.ExpectFin();
    for (uint64_t id = 0; id < 4; ++id) s.ExpectWc("recv", id, "WR_FLUSH_ERR");
    s.ExpectEvent("DISCONNECTED");
    s.ExpectUntouched(0, kBuffer);
  }
}

void DataBehindTerminate(Stage& s) {
  if (!s.RespondFull()) return;
  Bytes stream = Fpdu(TerminateUlpdu({0, 0, 0}));
  for (uint32_t msn = 1; msn <= 4; ++msn) {
    Append(stream, Fpdu(SendUlpdu(msn, Text("late"))));
    Append(stream,
           Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged), Text("late"))));
  }
  if (!s.Put(stream)) return;
  s.ExpectDead({0, 1, 2, 3});
  s.ExpectUntouched(0, kBuffer);
  s.ExpectFin();
}

void AbortiveTeardown(Stage& s) {
  if (!s.RespondFull() || !s.Command("post read 9 40000 16 0x1000 7") ||
      !s.Receive(SIW_RDMAP_READ_REQ))
    return;
  s.socket().Reset();
  s.ExpectBadWc("send", 9);
  for (uint64_t id = 0; id < 4; ++id) s.ExpectWc("recv", id, "WR_FLUSH_ERR");
  s.ExpectEvent("DISCONNECTED");
}

void ApplicationAborts(Stage& s) {
  if (!s.RespondFull() || !s.Command("error")) return;
  for (uint64_t id = 0; id < 4; ++id) s.ExpectWc("recv", id, "WR_FLUSH_ERR");
  s.ExpectClosed();
}

void StagsAreHardToGuess(Stage& s) {
  if (!s.RespondFull()) return;
  std::vector<uint32_t> indexes;
  for (int i = 0; i < 10; ++i) {
    const auto mr = s.Ask(fmt::format("mr m{} 0 4096 lrw", i));
    if (!mr) return;
    indexes.push_back(static_cast<uint32_t>(mr->Number("stag")) >> 8);
  }
  std::set<uint32_t> steps;
  uint32_t low = ~0u, high = 0;
  for (size_t i = 0; i < indexes.size(); ++i) {
    low = std::min(low, indexes[i]);
    high = std::max(high, indexes[i]);
    if (i) steps.insert(indexes[i] - indexes[i - 1]);
  }
  if (steps.size() + 1 < indexes.size()) s.Fail("STags at even distances");
  if (high - low < 1u << 20) s.Fail("STags close to each other");
  // Made again, it is another.
  if (!s.Command("dereg m0")) return;
  const auto again = s.Ask("mr again 0 4096 lrw");
  if (again && again->Number("stag") >> 8 == indexes[0])
    s.Fail("an STag is used again at once");
}

// An implementation without RFC 7306 refuses what it adds.
void ExtensionsRefused(Stage& s) {
  Shoot(s, [](Stage& stage) {
    return std::vector<Shot>{
        {"Immediate Data", {0, 2, 6}, {}, Untagged({.op = 8}, Bytes(8))},
        {"Immediate Data with SE",
         {0, 2, 6},
         {},
         Untagged({.op = 9}, Bytes(8))},
        {"Atomic Request",
         {0, 2, 6},
         {},
         AtomicRequest(
             {.stag = stage.stag("main"), .to = stage.at(kTagged), .data = 1})},
        {"Atomic Response",
         {0, 2, 6},
         {},
         Untagged({.op = 11, .qn = 3}, Bytes(12))},
    };
  });
}

}  // namespace

void AddRdmapRules(Tests* tests) {
  const Tests rules = {
      {"5040-4.1-control", "opcodes, versions and reserved bits sent",
       ControlOctets},
      {"5040-4.4-request", "the Read Request of an initiator", ReadRequestForm},
      {"5040-4.4-sink", "Sink STag and TO come back uninterpreted",
       SinkIsCopied},
      {"5040-4.8-form", "the Terminate with all its headers", TerminateForm},
      {"5040-5.1-write", "a Write is placed and not delivered",
       WriteIsNotDelivered},
      {"5040-5.2.1-zero", "a Read of no octets is not validated",
       ZeroLengthRead},
      {"5040-5.2.2-order", "Read Responses in the order of the Requests",
       ReadResponseOrder},
      {"5040-5.3-send", "each Send uses a buffer, in order", SendKinds},
      {"5040-5.3-invalidate", "an STag that may not be invalidated",
       InvalidateRefused},
      {"5040-5.3-invalidate-keeps", "such an STag stays as it was",
       InvalidateRefusedKeepsRegion},
      {"5040-5.4-received", "a Terminate is told and not answered",
       TerminateReceived},
      {"5040-5.4-no-receive", "a Terminate where no receive is posted",
       TerminateWithoutReceives},
      {"5040-5.4-queue", "a Terminate on another queue", TerminateOnItsQueue},
      {"5040-5.4-behind", "what follows a Terminate is dropped",
       DataBehindTerminate},
      {"5040-5.4-last", "nothing is sent behind a Terminate",
       NothingBehindTerminate},
      {"5040-6.2.1-slow", "a Terminate to a peer that reads slowly",
       TerminateToASlowReader},
      {"5040-5.5-completion", "completions in the order of submission",
       CompletionOrder},
      {"5040-5.5-sent", "no Send is complete before TCP has taken it",
       NotCompleteBeforeSent},
      {"5040-5.5-fence", "a fenced Send waits for the Read", FencedSendWaits},
      {"5040-5.5-read-behind-write", "a Read sees the Writes before it",
       ReadSeesEarlierWrites},
      {"5040-5.5-read-whole", "a Read is not served before it is whole",
       ReadNotBeforeItIsWhole},
      {"5040-6.1-ord", "no more Reads out than ORD", OrdIsKept},
      {"5040-6.1-ird", "as many Reads are served as IRD says", IrdIsServed},
      {"5040-6.1-ird-exceeded", "more Reads than IRD", IrdExceeded},
      {"5040-6.2.2-reset", "RST: all work ends in error", AbortiveTeardown},
      {"5040-6.2.2-abort", "the application aborts", ApplicationAborts},
      {"5040-7.1-first", "the first of several errors is reported",
       FirstErrorWins},
      {"5040-7.1-local", "work that cannot be done: Terminate 0/0/00",
       LocalError},
      {"5040-7.2-opcode", "opcode, version and T bit", OpcodesAndVersions},
      {"5040-7.2-read-access", "Read Requests that may not be",
       ReadRequestRefused},
      {"5040-7.2-read-form", "Read Requests of another form", ReadRequestForms},
      {"5040-7.2-response", "Read Responses that were not asked for so",
       ResponseRefused},
      {"5040-7.2-response-none", "a Read Response that nobody asked for",
       ResponseUnasked},
      {"5040-7.2-response-twice", "a Read Response that comes twice",
       ResponseTwice},
      {"5040-8.1.1-stags", "STags are hard to guess", StagsAreHardToGuess},
      {"7306-refused", "opcodes of RFC 7306 without support for them",
       ExtensionsRefused},
  };
  tests->insert(tests->end(), rules.begin(), rules.end());
}

}  // namespace siw::conform
