// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Segments: RFC 5041.
#include <fmt/format.h>

#include "selftests/conform/rules.h"
#include "selftests/conform/shots.h"

namespace siw::conform {
namespace {

constexpr uint32_t kReceive = 64;

Bytes Raw(const UntaggedFields& fields, const char* payload = "data") {
  return Untagged(fields, Text(payload));
}

void UntaggedSegments(Stage& s) {
  if (!s.RespondFull()) return;
  const Bytes data = Pattern(10000, 1);
  if (!s.Command("set 32768 " + ToHex(data))) return;
  for (uint32_t msn = 1; msn <= 3; ++msn) {
    const size_t size = msn == 2 ? 0 : data.size();
    if (!s.Command(fmt::format("post send {} 32768 {}", msn, size))) return;
    Bytes got;
    for (bool last = false; !last;) {
      const auto seg = s.Receive(SIW_RDMAP_SEND);
      if (!seg) return;
      if (seg->seg.tagged || seg->seg.qn || seg->seg.msn != msn ||
          seg->seg.mo != got.size() || seg->seg.stag)
        s.Fail(fmt::format("header {}", ToHex(ByteSpan(seg->ulpdu).first(18))));
      Append(got, seg->payload());
      last = seg->seg.last;
      if (last != (got.size() == size)) s.Fail("L is not on the last segment");
    }
    if (got != Bytes(data.begin(), data.begin() + static_cast<long>(size)))
      s.Fail("another payload than was sent");
  }
}

void TaggedSegments(Stage& s) {
  if (!s.RespondFull()) return;
  const Bytes data = Pattern(10000, 1);
  if (!s.Command("set 32768 " + ToHex(data))) return;
  const uint64_t to = 0x1122334455667788;
  for (const size_t size : {size_t{0}, size_t{1}, data.size()}) {
    if (!s.Command(
            fmt::format("post write 1 32768 {} {} {}", size, to, 0xabcdef01u)))
      return;
    Bytes got;
    size_t segments = 0;
    for (bool last = false; !last; ++segments) {
      const auto seg = s.Receive(SIW_RDMAP_WRITE);
      if (!seg) return;
      if (size &&
          (seg->seg.stag != 0xabcdef01 || seg->seg.to != to + got.size()))
        s.Fail(fmt::format("header {}", ToHex(ByteSpan(seg->ulpdu).first(14))));
      Append(got, seg->payload());
      last = seg->seg.last;
      if (last != (got.size() == size)) s.Fail("L is not on the last segment");
    }
    if (size < 2 && segments != 1) s.Fail("more than one segment");
    if (got != Bytes(data.begin(), data.begin() + static_cast<long>(size)))
      s.Fail("another payload than was sent");
  }
}

void SubmissionOrder(Stage& s) {
  if (!s.RespondFull()) return;
  static constexpr const char* kPosts[] = {
      "post send 0 40000 3000", "post write 1 40000 3000 0x1000 7",
      "post send 2 40000 0", "post write 3 40000 5 0x2000 7",
      "post send 4 40000 5"};
  static constexpr siw_rdmap_op kOps[] = {SIW_RDMAP_SEND, SIW_RDMAP_WRITE,
                                          SIW_RDMAP_SEND, SIW_RDMAP_WRITE,
                                          SIW_RDMAP_SEND};
  for (const char* post : kPosts)
    if (!s.Command(post)) return;
  for (const siw_rdmap_op op : kOps) {
    for (bool last = false; !last;) {
      const auto seg = s.Receive(op);
      if (!seg) return;
      last = seg->seg.last;
    }
  }
  for (uint64_t id = 0; id < 5; ++id) s.ExpectWc("send", id, "SUCCESS");
}

void ZeroLength(Stage& s) {
  if (!s.RespondFull()) return;
  // Tagged: STag and TO are not looked at.
  for (const uint32_t stag : {0u, 0xffffffffu, s.stag("other")})
    if (!s.Send(WriteUlpdu(stag, ~uint64_t{0}, {}))) return;
  // Untagged: a buffer each.
  if (!s.Send(SendUlpdu(1, {})) || !s.Send(SendUlpdu(2, {}))) return;
  s.ExpectReceived(0, {});
  s.ExpectReceived(1, {});
  s.ExpectAlive(3, 2);
  s.ExpectUntouched(kTagged, kBuffer - kTagged);
}

void DeliveredOnceInOrder(Stage& s) {
  Application app;
  app.receives.assign(8, 4096);
  if (!s.RespondFull(app)) return;
  const Bytes data = Pattern(4096, 2);
  Bytes stream;
  for (uint32_t msn = 1; msn <= 8; ++msn) {
    // Some of several segments, with empty ones and Writes between.
    const size_t size = msn * 500;
    const size_t half = size / 2;
    Append(stream, Fpdu(SendUlpdu(msn, ByteSpan(data).first(half), false)));
    Append(stream, Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged + msn),
                                   ByteSpan(data).first(1))));
    Append(stream,
           Fpdu(SendUlpdu(msn, {}, false, static_cast<uint32_t>(half))));
    Append(stream,
           Fpdu(SendUlpdu(msn, ByteSpan(data).subspan(half, size - half), true,
                          static_cast<uint32_t>(half))));
  }
  if (!s.Put(stream, Cut::kOdd)) return;
  for (uint32_t msn = 1; msn <= 8; ++msn)
    s.ExpectReceived(msn - 1, ByteSpan(data).first(msn * 500));
  s.ExpectNoWc("recv");
}

void NotDeliveredBeforeItsEnd(Stage& s) {
  if (!s.RespondFull() || !s.Send(SendUlpdu(1, Text("half"), false)) ||
      !s.ExpectNoWc("recv", 300) ||
      !s.Send(SendUlpdu(1, Text("done"), true, 4)))
    return;
  s.ExpectReceived(0, Text("halfdone"));
}

void Reserved(Stage& s) {
  if (!s.RespondFull()) return;
  Bytes ulpdu = SendUlpdu(1, Text("data"));
  ulpdu[0] |= 0x3c;
  ulpdu[1] |= 0x30;
  for (int i = 2; i < 6; ++i) ulpdu[static_cast<size_t>(i)] = 0xa5;
  if (!s.Send(ulpdu)) return;
  s.ExpectReceived(0, Text("data"));
  ulpdu = WriteUlpdu(s.stag("main"), s.at(kTagged), Text("data"));
  ulpdu[0] |= 0x3c;
  ulpdu[1] |= 0x30;
  if (s.Send(ulpdu) && s.ExpectAlive(2, 1))
    s.ExpectMemory(kTagged, Text("data"));
}

void Versions(Stage& s) {
  Shoot(s, [](Stage& stage) {
    std::vector<Shot> out;
    for (const uint8_t version : {0, 2, 3}) {
      out.push_back({fmt::format("untagged, version {}", version),
                     {1, 2, 6},
                     {},
                     Raw({.ddp_version = version})});
      out.push_back({fmt::format("tagged, version {}", version),
                     {1, 1, 4},
                     {},
                     Tagged({.stag = stage.stag("main"),
                             .to = stage.at(kTagged),
                             .ddp_version = version},
                            Text("data"))});
    }
    return out;
  });
}

void ShortSegments(Stage& s) {
  Shoot(s, [](Stage& stage) {
    std::vector<Shot> out;
    const Bytes untagged = SendUlpdu(1, {});
    const Bytes tagged = WriteUlpdu(stage.stag("main"), stage.at(0), {});
    for (const size_t len : {0, 1, 2, 13, 14, 17})
      out.push_back(
          {fmt::format("untagged, {} octets", len),
           {1, 0, 0},
           {},
           Bytes(untagged.begin(), untagged.begin() + static_cast<long>(len)),
           {{2, 0, 3}}});
    for (const size_t len : {2, 6, 13})
      out.push_back(
          {fmt::format("tagged, {} octets", len),
           {1, 0, 0},
           {},
           Bytes(tagged.begin(), tagged.begin() + static_cast<long>(len)),
           {{2, 0, 3}}});
    return out;
  });
}

void QueueNumbers(Stage& s) {
  Shoot(s, [](Stage&) {
    return std::vector<Shot>{
        {"QN 4", {1, 2, 1}, {}, Raw({.qn = 4})},
        {"QN 2^31", {1, 2, 1}, {}, Raw({.qn = 0x80000000})},
        {"QN 2^32-1", {1, 2, 1}, {}, Raw({.qn = 0xffffffff})},
        {"Send on queue 1", {0, 2, 6}, {}, Raw({.qn = 1}), {{1, 2, 1}}},
        {"Send on queue 2", {0, 2, 6}, {}, Raw({.qn = 2}), {{1, 2, 1}}},
    };
  });
}

void MsnOutOfRange(Stage& s) {
  const Bytes first = SendUlpdu(1, Text("data"));
  Shoot(s, [&first](Stage&) {
    return std::vector<Shot>{
        {"one ahead", {1, 2, 3}, {}, Raw({.msn = 2})},
        {"last buffer", {1, 2, 3}, {}, Raw({.msn = 4})},
        {"behind the last buffer", {1, 2, 2}, {}, Raw({.msn = 5}), {{1, 2, 3}}},
        {"0", {1, 2, 3}, {}, Raw({.msn = 0})},
        {"again", {1, 2, 3}, {first}, first},
        {"another inside a message",
         {1, 2, 3},
         {SendUlpdu(1, Text("data"), false)},
         Raw({.msn = 2}),
         {{1, 0, 0}}},
    };
  });
}

void NoBuffer(Stage& s) {
  Application app;
  app.receives = {};
  Shoot(
      s,
      [](Stage&) {
        return std::vector<Shot>{
            {"Send", {1, 2, 2}, {}, SendUlpdu(1, Text("data"))},
            {"empty Send", {1, 2, 2}, {}, SendUlpdu(1, {})},
        };
      },
      app);
}

void MessageOffsets(Stage& s) {
  const Bytes first = SendUlpdu(1, Text("data"), false);
  Shoot(s, [&first](Stage&) {
    return std::vector<Shot>{
        {"gap", {1, 2, 4}, {first}, Raw({.mo = 8})},
        {"back", {1, 2, 4}, {first}, Raw({.mo = 0})},
        {"overlap", {1, 2, 4}, {first}, Raw({.mo = 3})},
        {"of a first segment", {1, 2, 4}, {}, Raw({.mo = 4})},
        {"2^32-2", {1, 2, 4}, {}, Raw({.mo = 0xfffffffe})},
    };
  });
}

void TooLong(Stage& s) {
  Shoot(s, [](Stage&) {
    const Bytes data = Pattern(kReceive + 1, 1);
    return std::vector<Shot>{
        {"one octet", {1, 2, 5}, {}, SendUlpdu(1, data), {{1, 2, 2}}},
        {"not last", {1, 2, 5}, {}, SendUlpdu(1, data, false), {{1, 2, 2}}},
        {"second segment",
         {1, 2, 5},
         {SendUlpdu(1, ByteSpan(data).first(kReceive), false)},
         SendUlpdu(1, ByteSpan(data).first(1), true, kReceive),
         {{1, 2, 2}}},
    };
  });
}

void TaggedStag(Stage& s) {
  Shoot(s, [](Stage& stage) {
    const uint64_t to = stage.at(kTagged);
    const Bytes data = Text("data");
    const Code code = {1, 1, 0};
    const std::vector<Code> also = {{0, 1, 0}};
    const uint32_t stag = stage.stag("main");
    return std::vector<Shot>{
        {"unknown", code, {}, WriteUlpdu(0x00abcd00, to, data), also},
        {"0", code, {}, WriteUlpdu(0, to, data), also},
        {"2^32-1", code, {}, WriteUlpdu(0xffffffff, to, data), also},
        {"another key", code, {}, WriteUlpdu(stag ^ 1, to, data), also},
        {"another index", code, {}, WriteUlpdu(stag ^ 0x100, to, data), also},
    };
  });
}

void TaggedBounds(Stage& s) {
  Shoot(s, [](Stage& stage) {
    const uint32_t stag = stage.stag("main");
    const Code code = {1, 1, 1};
    const Bytes two = Text("ab");
    const Bytes one = Text("a");
    return std::vector<Shot>{
        {"one below", code, {}, WriteUlpdu(stag, stage.at(0) - 1, one)},
        {"from one below", code, {}, WriteUlpdu(stag, stage.at(0) - 1, two)},
        {"one above", code, {}, WriteUlpdu(stag, stage.at(kBuffer), one)},
        {"to one above",
         code,
         {},
         WriteUlpdu(stag, stage.at(kBuffer) - 1, two)},
        {"4 GiB above",
         code,
         {},
         WriteUlpdu(stag, stage.at(0) + (1ull << 32), one)},
        {"TO 0", code, {}, WriteUlpdu(stag, 0, one)},
    };
  });
}

void TaggedBoundsInside(Stage& s) {
  if (!s.RespondFull()) return;
  const uint32_t stag = s.stag("main");
  if (!s.Send(WriteUlpdu(stag, s.at(kBuffer) - 1, Text("z"))) ||
      !s.Send(WriteUlpdu(stag, s.at(kTagged), Text("a"))) ||
      !s.ExpectAlive(1, 0))
    return;
  s.ExpectMemory(kBuffer - 1, Text("z"));
  s.ExpectMemory(kTagged, Text("a"));
  s.ExpectUntouched(kTagged + 1, kBuffer - kTagged - 2);
}

void TaggedWrap(Stage& s) {
  Shoot(s, [](Stage& stage) {
    const uint32_t stag = stage.stag("main");
    const Bytes data(16);
    return std::vector<Shot>{
        {"past 2^64",
         {1, 1, 3},
         {},
         WriteUlpdu(stag, -uint64_t{8}, data),
         {{0, 1, 4}, {1, 1, 1}}},
        {"one past 2^64",
         {1, 1, 3},
         {},
         WriteUlpdu(stag, -uint64_t{15}, data),
         {{0, 1, 4}, {1, 1, 1}}},
    };
  });
}

void TaggedPd(Stage& s) {
  Shoot(s, [](Stage& stage) {
    return std::vector<Shot>{
        {"Write",
         {1, 1, 2},
         {},
         WriteUlpdu(stage.stag("other"), stage.at(kTagged), Text("data")),
         {{0, 1, 3}}},
    };
  });
}

void TaggedRights(Stage& s) {
  Shoot(s, [](Stage& stage) {
    return std::vector<Shot>{
        {"Write",
         {0, 1, 2},
         {},
         WriteUlpdu(stage.stag("ro"), stage.at(kTagged), Text("data")),
         {{1, 1, 0}}},
    };
  });
}

void Revoked(Stage& s) {
  s.Scene("before a message");
  if (!s.RespondFull()) return;
  const auto mr = s.Ask("mr own 32768 4096 lrw");
  if (!mr) return;
  const auto stag = static_cast<uint32_t>(mr->Number("stag"));
  if (!s.Send(WriteUlpdu(stag, s.at(kTagged), Text("ok"))) ||
      !s.ExpectAlive(1, 0) || !s.Command("dereg own"))
    return;
  Bytes bad = WriteUlpdu(stag, s.at(kTagged), Text("no"));
  if (s.Send(bad)) s.ExpectTerminate({{1, 1, 0}, {0, 1, 0}}, bad);
  s.ExpectMemory(kTagged, Text("ok"));
  s.Scene("between two segments");
  if (!s.RespondFull()) return;
  const auto again = s.Ask("mr own 32768 4096 lrw");
  if (!again) return;
  const auto other = static_cast<uint32_t>(again->Number("stag"));
  if (!s.Send(WriteUlpdu(other, s.at(kTagged), Text("ok"), false)) ||
      !s.ExpectAlive(1, 0) || !s.Command("dereg own"))
    return;
  bad = WriteUlpdu(other, s.at(kTagged + 2), Text("no"));
  if (s.Send(bad)) s.ExpectTerminate({{1, 1, 0}, {0, 1, 0}}, bad);
  s.ExpectMemory(kTagged, Text("ok"));
  s.ExpectUntouched(kTagged + 2, 100);
}

// What follows a bad segment is dropped, and not answered.
void DropsTheRest(Stage& s) {
  if (!s.RespondFull()) return;
  const Bytes bad = Raw({.qn = 4});
  Bytes stream = Fpdu(bad);
  for (uint32_t msn = 1; msn <= 4; ++msn) {
    Append(stream, Fpdu(SendUlpdu(msn, Text("late"))));
    Append(stream,
           Fpdu(WriteUlpdu(s.stag("main"), s.at(kTagged), Text("late"))));
    Append(stream, Fpdu(Raw({.qn = 5})));
  }
  if (!s.Put(stream)) return;
  s.ExpectTerminate({1, 2, 1}, bad);
  s.ExpectFin();
  s.ExpectDead({0, 1, 2, 3});
  s.ExpectUntouched(0, kBuffer);
}

// A bad second part leaves the first, and nothing of itself.
void CeasesPlacing(Stage& s) {
  if (!s.RespondFull()) return;
  const Bytes good =
      WriteUlpdu(s.stag("main"), s.at(kBuffer - 4), Text("good"), false);
  const Bytes bad = WriteUlpdu(s.stag("main"), s.at(kBuffer), Text("bad!"));
  if (!s.Send(good) || !s.Send(bad)) return;
  s.ExpectTerminate({1, 1, 1}, bad);
  s.ExpectMemory(kBuffer - 4, Text("good"));
  s.ExpectUntouched(kTagged, kBuffer - kTagged - 4);
}

// The end of one direction.  RFC 5041 has it that what is under way in the
// other SHOULD go on; what comes of it is noted.
void HalfClose(Stage& s) {
  Application app;
  app.buffer = 1 << 20;
  if (!s.RespondFull(app) ||
      !s.Command(fmt::format("post send 1 0 {}", app.buffer)))
    return;
  s.socket().ShutDownWriting();
  Bytes got;
  if (s.socket().AwaitEnd(15000, &got) == End::kOpen) s.Fail("TCP stays open");
  size_t at = 0;
  while (got.size() - at >= 2) {
    const size_t len =
        siw_mpa_fpdu_len(static_cast<uint32_t>(GetBe(got, at, 2)));
    if (len > got.size() - at) break;
    at += len;
  }
  if (at != got.size()) s.Note("the stream ends inside an FPDU");
  if (got.size() < app.buffer)
    s.Note(fmt::format("{} octets came, {} and more were due", got.size(),
                       app.buffer));
  s.ExpectEvent("DISCONNECTED");
}

// After a graceful close was asked for, the application gets errors.
void ClosedRefusesWork(Stage& s) {
  if (!s.RespondFull() || !s.Command("disconnect")) return;
  s.ExpectFin();
  s.socket().Close();
  s.ExpectEvent("DISCONNECTED");
  if (s.Command("post send 5 40000 4")) s.ExpectBadWc("send", 5);
}

void BufferTakenAway(Stage& s) {
  if (!s.RespondFull()) return;
  // A receive into memory that is not the application's to write: the buffer
  // is taken away while the receive is posted.
  const Bytes bad = SendUlpdu(1, Text("data"));
  if (!s.Command("dereg main") || !s.Send(bad)) return;
  s.ExpectTerminate(std::vector<Code>{{1, 0, 0}, {0, 0, 0}}, bad);
  s.ExpectBadWc("recv", 0);
  s.ExpectUntouched(0, kBuffer);
}

}  // namespace

void AddDdpRules(Tests* tests) {
  const Tests rules = {
      {"5041-5.2-untagged", "segments of untagged messages", UntaggedSegments},
      {"5041-5.2-tagged", "segments of tagged messages", TaggedSegments},
      {"5041-5.3-order", "messages leave in the order of submission",
       SubmissionOrder},
      {"5041-5.2-zero-length", "messages without payload", ZeroLength},
      {"5041-5.3-deliver", "messages are delivered once and in order",
       DeliveredOnceInOrder},
      {"5041-5.4-last", "no delivery before the last segment",
       NotDeliveredBeforeItsEnd},
      {"5041-4.1-reserved", "reserved bits are not looked at", Reserved},
      {"5041-4.1-version", "another DDP version", Versions},
      {"5041-4.4-header", "segments shorter than their header", ShortSegments},
      {"5041-7.1-qn", "a queue that does not exist", QueueNumbers},
      {"5041-7.1-msn", "an MSN out of range", MsnOutOfRange},
      {"5041-7.1-buffer", "no buffer for a message", NoBuffer},
      {"5041-7.1-mo", "an MO out of range", MessageOffsets},
      {"5041-7.1-length", "a message too long for its buffer", TooLong},
      {"5041-7.1-stag", "an STag that is not valid", TaggedStag},
      {"5041-7.1-bounds", "a TO out of bounds", TaggedBounds},
      {"5041-7.1-inside", "a TO just inside", TaggedBoundsInside},
      {"5041-7.1-wrap", "a TO that wraps", TaggedWrap},
      {"5041-8.2-pd", "an STag of another protection domain", TaggedPd},
      {"5041-8.3-rights", "an STag without remote write", TaggedRights},
      {"5041-8.3-revoke", "an STag that was revoked", Revoked},
      {"5041-7.1-drop", "what follows an error is dropped", DropsTheRest},
      {"5041-7.1-cease", "nothing of a bad segment is placed", CeasesPlacing},
      {"5041-6.2.1-half-close", "the peer closes its direction", HalfClose},
      {"5041-6.2.1-closed", "work after a close returns an error",
       ClosedRefusesWork},
      {"5041-7.1-local", "a receive buffer that was taken away",
       BufferTakenAway},
  };
  tests->insert(tests->end(), rules.begin(), rules.end());
}

}  // namespace siw::conform
