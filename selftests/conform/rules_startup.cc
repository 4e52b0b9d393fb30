// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// MPA start-up: RFC 5044 section 7.1, RFC 6581.
#include <fmt/format.h>

#include "selftests/conform/rules.h"

namespace siw::conform {
namespace {

constexpr uint8_t kRtrAll = SIW_RTR_SEND | SIW_RTR_WRITE | SIW_RTR_READ;

// A Request that nobody takes: closed, the application hears nothing, and the
// next one is served.
void ExpectRefused(Stage& s, const std::string& scene, ByteSpan octets) {
  s.Scene(scene);
  if (!s.Listen() || !s.Dial() || !s.Put(octets)) return;
  s.ExpectClosed(kSoonMs);
  s.ExpectNoEvent(kNeverMs);
  if (!s.Dial() || !s.Put(StartupFrame(PlainRequest()))) return;
  s.AwaitRequest();
}

// A Reply that ends the attempt.
void ExpectReplyRefused(Stage& s, const std::string& scene, ByteSpan octets) {
  s.Scene(scene);
  if (!s.Connect({}) || !s.Put(octets)) return;
  s.ExpectClosed(kSoonMs);
  // A close may be taken for a peer of revision 1, which is worth a try.
  const auto event = s.NextEvent(200);
  if (!event) return;
  std::string name = event->Text("event");
  if (name == "none" && s.AcceptAgain()) {
    s.socket().Reset();
    const auto later = s.NextEvent(2 * kSoonMs);
    if (!later) return;
    name = later->Text("event");
  }
  if (name != "CONNECT_ERROR" && name != "UNREACHABLE" && name != "REJECTED")
    s.Fail("the application is told " + name);
}

// Both directions talk: a Send each way.
bool Talks(Stage& s, uint32_t msn, uint64_t receive) {
  if (!s.ExpectAlive(msn, receive) || !s.Command("set 40000 68656c6c6f") ||
      !s.Command("post send 77 40000 5"))
    return false;
  const auto got = s.Receive(SIW_RDMAP_SEND);
  if (!got) return false;
  const ByteSpan payload = got->payload();
  return Bytes(payload.begin(), payload.end()) == Text("hello") ||
         s.Fail("another payload than was sent");
}

void RequestForm(Stage& s) {
  Application app;
  app.ird = 6;
  app.ord = 3;
  app.pdata = Pattern(100, 8);
  if (!s.Connect(app)) return;
  const Frame& frame = s.request();
  if (frame.octets[SIW_MPA_OFF_FLAGS] & 0x0f) s.Fail("reserved bits are set");
  if (frame.octets[SIW_MPA_OFF_FLAGS] & SIW_MPA_F_REJECT) s.Fail("R is set");
  if (!frame.setup.crc) s.Fail("CRC is not the default");
  if (frame.setup.markers) s.Note("asks for Markers");
  if (frame.pdata != app.pdata) s.Fail("other private data");
  if (frame.setup.enhanced && frame.setup.rev != 2)
    s.Fail("S is set in another revision than 2");
  if (frame.setup.enhanced &&
      (frame.setup.ird != app.ird || frame.setup.ord != app.ord))
    s.Fail(fmt::format("IRD {} and ORD {}", frame.setup.ird, frame.setup.ord));
  if (frame.setup.enhanced && frame.setup.p2p && !frame.setup.rtr)
    s.Fail("A without an RTR kind");
  s.ExpectSilence();
}

void ReplyForm(Stage& s) {
  Application app;
  app.pdata = Pattern(50, 2);
  if (!s.RespondUp(app, PlainRequest())) return;
  const Frame& frame = s.reply();
  if (frame.octets[SIW_MPA_OFF_FLAGS] & 0x1f) s.Fail("reserved bits are set");
  if (frame.setup.rev != 1) s.Fail("the revision is not that of the Request");
  if (frame.pdata != app.pdata) s.Fail("other private data");
  s.ExpectSilence();
}

void KeyInRequest(Stage& s) {
  for (size_t i = 0; i < SIW_MPA_KEY_LEN; ++i) {
    Bytes frame = StartupFrame(PlainRequest());
    frame[i] ^= 0x20;
    ExpectRefused(s, fmt::format("octet {} of the key", i), frame);
  }
  siw_mpa_setup reply = PlainRequest();
  reply.kind = SIW_MPA_REPLY;
  ExpectRefused(s, "a Reply at a responder", StartupFrame(reply));
}

void KeyInReply(Stage& s) {
  for (const size_t i : {0, 9, 15}) {
    Bytes frame = RawFrame(true, 0x50, 2, FromHex("80048004"));
    frame[i] ^= 0x01;
    ExpectReplyRefused(s, fmt::format("octet {} of the key", i), frame);
  }
}

void BothInitiators(Stage& s) {
  ExpectReplyRefused(s, "a Request where a Reply is due",
                     RawFrame(false, 0x50, 2, FromHex("80048004")));
}

void RevisionInRequest(Stage& s) {
  for (const uint8_t rev : {0, 3, 4, 255})
    ExpectRefused(s, fmt::format("revision {}", rev),
                  RawFrame(false, SIW_MPA_F_CRC, rev, {}));
}

void RevisionInReply(Stage& s) {
  for (const uint8_t rev : {0, 3, 255})
    ExpectReplyRefused(s, fmt::format("revision {}", rev),
                       RawFrame(true, SIW_MPA_F_CRC, rev, {}));
}

void PdLengthInRequest(Stage& s) {
  ExpectRefused(s, "PD_Length 513",
                RawFrame(false, SIW_MPA_F_CRC, 1, Bytes(513)));
  Bytes frame = RawFrame(false, SIW_MPA_F_CRC, 1, Bytes(100));
  frame[SIW_MPA_OFF_PD_LEN] = frame[SIW_MPA_OFF_PD_LEN + 1] = 0xff;
  ExpectRefused(s, "PD_Length 65535", frame);
  frame = RawFrame(false, SIW_MPA_F_CRC, 1, Bytes(10));
  frame.push_back(0);
  ExpectRefused(s, "an octet behind the frame", frame);
  for (size_t n = 0; n < 4; ++n)
    ExpectRefused(
        s, fmt::format("S with {} octets", n),
        RawFrame(false, SIW_MPA_F_CRC | SIW_MPA_F_ENHANCED, 2, Bytes(n)));
}

void PdLengthInReply(Stage& s) {
  ExpectReplyRefused(s, "PD_Length 513",
                     RawFrame(true, SIW_MPA_F_CRC, 1, Bytes(513)));
  ExpectReplyRefused(
      s, "S with 3 octets",
      RawFrame(true, SIW_MPA_F_CRC | SIW_MPA_F_ENHANCED, 2, Bytes(3)));
}

void PdSizes(Stage& s) {
  for (const size_t len : {0, 1, 3, 4, 5, 252, 255, 256, 511, 512}) {
    s.Scene(fmt::format("private data of {} octets", len));
    const Bytes pdata = Pattern(len, 3);
    if (!s.Listen() || !s.Dial() ||
        !s.Put(RawFrame(false, SIW_MPA_F_CRC, 1, pdata)))
      return;
    const auto event = s.NextEvent();
    if (!event) return;
    if (event->Text("event") != "CONNECT_REQUEST") {
      s.Fail("not taken: " + event->Text("event"));
      continue;
    }
    const Bytes got = event->Octets("pdata");
    // rdma_cm counts private data in eight bits.
    if (len <= 255 && got != pdata) s.Fail("other private data");
  }
}

void ReservedBits(Stage& s) {
  s.Scene("in a Request of revision 1");
  if (!s.Listen() || !s.Dial() ||
      !s.Put(RawFrame(false, SIW_MPA_F_CRC | SIW_MPA_F_REJECT | 0x1f, 1,
                      Text("ab"))) ||
      !s.AwaitRequest() || !s.SetUp({}) || !s.Accept({}) ||
      !s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished())
    return;
  Talks(s, 1, 0);
  s.Scene("in a Reply");
  if (!s.Connect({})) return;
  Bytes frame = StartupFrame([&] {
    siw_mpa_setup reply = s.request().setup;
    reply.kind = SIW_MPA_REPLY;
    std::swap(reply.ird, reply.ord);
    return reply;
  }());
  frame[SIW_MPA_OFF_FLAGS] |= 0x0f;
  if (s.Put(frame)) s.AwaitEstablished();
}

// Markers: every FPDU is built again by the model, so that each Marker's place
// and pointer is looked at; here they have to be there.
void SendMuch(Stage& s, uint32_t first_receive) {
  const Bytes data = Pattern(9000, 5);
  if (!s.Command("set 40000 " + ToHex(data))) return;
  Bytes got;
  if (!s.Command(fmt::format("post send 1 40000 {}", data.size()))) return;
  for (bool last = false; !last;) {
    const auto seg = s.Receive(SIW_RDMAP_SEND);
    if (!seg) return;
    Append(got, seg->payload());
    last = seg->seg.last;
  }
  if (got != data) s.Fail("another payload than was sent");
  for (int i = 0; i < 60; ++i) {
    if (!s.Command(
            fmt::format("post write {} 40000 {} 0x1000 7", 2 + i, i % 9)) ||
        !s.Receive(SIW_RDMAP_WRITE))
      return;
  }
  const size_t due = (s.received_octets() + 511) / 512;
  if (s.markers_seen() != due)
    s.Fail(fmt::format("{} Markers in {} octets, want {}", s.markers_seen(),
                       s.received_octets(), due));
  s.ExpectAlive(1, first_receive);
}

void MarkersToInitiator(Stage& s) {
  siw_mpa_setup request = PlainRequest();
  request.markers = true;
  if (!s.RespondUp({}, request) || !s.Send(WriteUlpdu(0, 0, {})) ||
      !s.AwaitEstablished())
    return;
  SendMuch(s, 0);
}

void MarkersToResponder(Stage& s) {
  if (s.Connect({}) && s.ReplyWell(true)) SendMuch(s, 0);
}

void NoMarkers(Stage& s) {
  if (!s.RespondFull() || !s.Command("post send 1 40000 5000")) return;
  for (bool last = false; !last;) {
    const auto seg = s.Receive(SIW_RDMAP_SEND);
    if (!seg) return;
    last = seg->seg.last;
  }
  s.Scene("as initiator");
  if (s.ConnectFull()) Talks(s, 1, 0);
}

void CrcStays(Stage& s) {
  siw_mpa_setup request = PlainRequest();
  request.crc = false;
  s.Scene("C=0 in the Request");
  if (!s.RespondUp({}, request)) return;
  if (!s.reply().setup.crc) {
    s.Skip("the peer agrees to go without CRC");
    return;
  }
  if (!s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished() || !Talks(s, 1, 0))
    return;
  Bytes fpdu = Fpdu(SendUlpdu(2, Text("data")));
  fpdu.back() ^= 1;
  if (s.Put(fpdu)) s.ExpectTerminate({2, 0, 2}, {});
  s.Scene("C=0 in the Reply");
  if (!s.Connect({})) return;
  if (!s.request().setup.crc) s.Fail("C=0 is the default");
  siw_mpa_setup reply = s.request().setup;
  reply.kind = SIW_MPA_REPLY;
  reply.crc = false;
  std::swap(reply.ird, reply.ord);
  if (!s.Put(StartupFrame(reply)) || !s.AwaitEstablished()) return;
  if (reply.p2p && !s.Receive()) return;
  if (!Talks(s, 1, 0)) return;
  if (s.Put(fpdu)) s.ExpectTerminate({2, 0, 2}, {});
}

void ResponderWaitsForRequest(Stage& s) {
  const Bytes frame = StartupFrame(PlainRequest());
  if (!s.Listen() || !s.Dial() || !s.ExpectSilence()) return;
  if (!s.Put(ByteSpan(frame).first(19)) || !s.ExpectSilence() ||
      !s.ExpectNoEvent())
    return;
  if (!s.Put(ByteSpan(frame).subspan(19)) || !s.AwaitRequest()) return;
  s.ExpectSilence();
}

void ResponderSaysNothingFirst(Stage& s) {
  for (const bool markers : {false, true}) {
    s.Scene(markers ? "with Markers" : "without Markers");
    siw_mpa_setup request = PlainRequest();
    request.markers = markers;
    if (!s.RespondUp({}, request)) return;
    // The provider may refuse to post yet; nothing may leave in any case.
    s.Try("post send 1 40000 100");
    if (!s.ExpectSilence(300) || !s.Send(WriteUlpdu(0, 0, {})) ||
        !s.AwaitEstablished())
      return;
    s.Receive(SIW_RDMAP_SEND);
  }
}

void InitiatorWaitsForReply(Stage& s) {
  if (!s.Connect({})) return;
  s.Try("post send 1 40000 100");
  if (!s.ExpectSilence(300) || !s.ExpectNoEvent()) return;
  if (s.ReplyWell()) s.Receive(SIW_RDMAP_SEND);
}

void RequestTimesOut(Stage& s) {
  s.Scene("silence");
  if (!s.Listen() || !s.Dial()) return;
  s.ExpectClosed(60000);
  s.ExpectNoEvent();
  s.Scene("half a frame");
  const Bytes frame = StartupFrame(PlainRequest());
  if (!s.Listen() || !s.Dial() || !s.Put(ByteSpan(frame).first(17))) return;
  s.ExpectClosed(60000);
  s.ExpectNoEvent();
}

void ReplyTimesOut(Stage& s) {
  if (!s.Connect({})) return;
  s.ExpectClosed(60000);
  const auto event = s.NextEvent(60000);
  if (event && event->Text("event") != "UNREACHABLE" &&
      event->Text("event") != "CONNECT_ERROR")
    s.Fail("the application is told " + event->Text("event"));
}

void UlpRejects(Stage& s) {
  for (const bool enhanced : {false, true}) {
    for (const size_t len : {0, 3, 100, 255}) {
      s.Scene(fmt::format("revision {}, {} octets", enhanced ? 2 : 1, len));
      const Bytes pdata = Pattern(len, 4);
      const siw_mpa_setup request =
          enhanced ? EnhancedRequest(4, 4) : PlainRequest();
      Frame reply;
      if (!s.Listen() || !s.Dial() || !s.Put(StartupFrame(request)) ||
          !s.AwaitRequest() ||
          !s.Command("reject " + (len ? ToHex(pdata) : std::string("-"))) ||
          !s.AwaitFrame(SIW_MPA_REPLY, &reply))
        return;
      if (!reply.setup.reject) s.Fail("R is not set");
      if (reply.setup.enhanced != enhanced) s.Fail("S is not as asked");
      if (reply.pdata != pdata) s.Fail("other private data");
      // The Reply came through whole; TCP is the application's, and the Verbs
      // give it none: whether it is closed now is open.
      if (s.socket().AwaitEnd(kNeverMs) == End::kReset)
        s.Fail("RST behind the Reply");
    }
  }
}

void Rejected(Stage& s) {
  for (const size_t len : {0, 100}) {
    s.Scene(fmt::format("{} octets", len));
    if (!s.Connect({})) return;
    siw_mpa_setup reply = s.request().setup;
    reply.kind = SIW_MPA_REPLY;
    reply.reject = true;
    const Bytes pdata = Pattern(len, 6);
    if (!s.Put(StartupFrame(reply, pdata))) return;
    const auto event = s.NextEvent();
    if (!event) return;
    if (event->Text("event") != "REJECTED")
      s.Fail("the application is told " + event->Text("event"));
    else if (event->Octets("pdata") != pdata)
      s.Fail("other private data");
    // No FPDU, no Terminate.
    Bytes extra;
    s.socket().AwaitEnd(300, &extra);
    if (!extra.empty()) s.Fail("octets behind a rejection");
  }
}

void FallBack(Stage& s) {
  for (const bool reset : {false, true}) {
    s.Scene(reset ? "after RST" : "after FIN");
    if (!s.Connect({})) return;
    if (s.request().setup.rev != 2) {
      s.Skip("the Request is not of revision 2");
      return;
    }
    reset ? s.socket().Reset() : s.socket().Close();
    if (!s.AcceptAgain() || !s.ReadRequest()) return;
    if (s.request().setup.rev != 1) s.Fail("not revision 1");
    if (s.ReplyWell()) Talks(s, 1, 0);
  }
}

void CutRequests(Stage& s) {
  const Bytes frame = RawFrame(false, SIW_MPA_F_CRC, 1, Text("12345678"));
  if (!s.Listen()) return;
  for (size_t n = 0; n < frame.size(); ++n) {
    if (!s.Dial() || !s.Put(ByteSpan(frame).first(n))) return;
    n % 2 ? s.socket().Reset() : s.socket().Close();
  }
  s.ExpectNoEvent(300);
  if (s.Dial() && s.Put(frame)) s.AwaitRequest();
}

void FirstFpduRightBehindTheReply(Stage& s) {
  // It may lie in the socket before the receiver is there.
  for (int i = 0; i < 10; ++i) {
    s.Scene(fmt::format("round {}", i));
    if (!s.RespondUp({}, PlainRequest()) ||
        !s.Put(Join(Fpdu(SendUlpdu(1, Text("one"))),
                    Fpdu(SendUlpdu(2, Text("two"))))) ||
        !s.AwaitEstablished())
      return;
    s.ExpectReceived(0, Text("one"));
    s.ExpectReceived(1, Text("two"));
  }
}

// RFC 6581

void PlainReplies(Stage& s) {
  s.Scene("revision 1");
  if (!s.RespondUp({}, PlainRequest())) return;
  if (s.reply().setup.rev != 1) s.Fail("another revision");
  s.Scene("revision 1, S set");
  if (!s.Listen() || !s.Dial() ||
      !s.Put(RawFrame(false, SIW_MPA_F_CRC | SIW_MPA_F_ENHANCED, 1,
                      FromHex("80010001"))))
    return;
  const auto event = s.NextEvent();
  if (!event) return;
  if (event->Octets("pdata") != FromHex("80010001"))
    s.Fail("S means something in revision 1");
  if (!s.SetUp({}) || !s.Accept({})) return;
  if (s.reply().setup.rev != 1 || s.reply().setup.pd_len)
    s.Fail("not the plain form");
  s.Scene("revision 2, S clear");
  siw_mpa_setup request = PlainRequest();
  request.rev = 2;
  if (!s.RespondUp({}, request)) return;
  if (s.reply().setup.enhanced || s.reply().octets.size() != SIW_MPA_HDR_LEN)
    s.Fail("not the plain form");
}

void EnhancedReplies(Stage& s) {
  if (!s.RespondUp({}, EnhancedRequest(4, 4))) return;
  if (s.reply().setup.rev != 2 || !s.reply().setup.enhanced)
    s.Fail("not the enhanced form");
}

void DepthsInReply(Stage& s) {
  static constexpr unsigned kDepths[] = {0, 1, 2, 7, 16, 100};
  for (const unsigned ird : kDepths) {
    for (const unsigned ord : kDepths) {
      s.Scene(fmt::format("IRD {} ORD {}", ird, ord));
      Application app;
      app.ird = 8;
      app.ord = 8;
      if (!s.RespondUp(app, EnhancedRequest(static_cast<uint16_t>(ird),
                                            static_cast<uint16_t>(ord))))
        return;
      const siw_mpa_setup& reply = s.reply().setup;
      if (reply.ord > ird) s.Fail(fmt::format("ORD {}", reply.ord));
      if (reply.ord < std::min(ird, app.ord))
        s.Note(fmt::format("ORD {} is lower than it could be", reply.ord));
      if (reply.ird < std::min(ord, app.ird) || reply.ird > app.ird)
        s.Fail(fmt::format("IRD {}", reply.ird));
    }
  }
}

void DepthsNotNegotiated(Stage& s) {
  if (!s.RespondUp({}, EnhancedRequest(0x3fff, 0x3fff))) return;
  if (s.reply().setup.ird != 0x3fff || s.reply().setup.ord != 0x3fff)
    s.Fail(fmt::format("the Reply has IRD {:x} ORD {:x}", s.reply().setup.ird,
                       s.reply().setup.ord));
  if (!s.Send(WriteUlpdu(0, 0, {})) || !s.AwaitEstablished()) return;
  // The local depths hold: four Reads are taken.
  for (uint32_t i = 1; i <= 4; ++i) {
    if (!s.Send(ReadUlpdu(i, {0x77, 0x10, 8, s.stag("main"), s.at(kTagged)})) ||
        !s.Receive(SIW_RDMAP_READ_RSP))
      return;
  }
  // Four Reads leave before any is answered.
  for (int i = 0; i < 5; ++i)
    s.Command(fmt::format("post read {} 40000 8 0x1000 7", i));
  for (int i = 0; i < 4; ++i)
    if (!s.Receive(SIW_RDMAP_READ_REQ)) return;
  s.ExpectSilence();
}

void DepthsNotNegotiatedByResponder(Stage& s) {
  Application app;
  app.ird = app.ord = 3;
  if (!s.Connect(app)) return;
  siw_mpa_setup reply = s.request().setup;
  if (!reply.enhanced) return s.Skip("the Request is not enhanced");
  reply.kind = SIW_MPA_REPLY;
  reply.ird = reply.ord = 0x3fff;
  if (!s.Put(StartupFrame(reply)) || !s.AwaitEstablished() ||
      (reply.p2p && !s.Receive()))
    return;
  // Three Reads at once are served.
  Bytes stream;
  for (uint32_t msn = 1; msn <= 3; ++msn)
    Append(stream, Fpdu(ReadUlpdu(
                       msn, {0x77, 0x10, 8, s.stag("main"), s.at(kTagged)})));
  if (!s.Put(stream)) return;
  for (int i = 0; i < 3; ++i)
    if (!s.Receive(SIW_RDMAP_READ_RSP)) return;
  // And three leave before any is answered.
  for (int i = 0; i < 4; ++i)
    s.Command(fmt::format("post read {} 40000 8 0x1000 7", i));
  for (int i = 0; i < 3; ++i)
    if (!s.Receive(SIW_RDMAP_READ_REQ)) return;
  s.ExpectSilence();
}

void ExpectDepthsOfReply(Stage& s, bool reject) {
  if (!s.Connect({})) return;
  siw_mpa_setup reply = s.request().setup;
  if (!reply.enhanced) return s.Skip("the Request is not enhanced");
  reply.kind = SIW_MPA_REPLY;
  reply.reject = reject;
  reply.ird = 3;
  reply.ord = 2;
  if (!s.Put(StartupFrame(reply))) return;
  const auto event = s.NextEvent();
  if (!event) return;
  const uint64_t ird = event->Number("ird"), ord = event->Number("ord");
  if (reject && !ird && !ord)
    return s.Skip("rdma_cm gives no depths with " + event->Text("event"));
  if (ird != 2 || ord != 3)
    s.Fail(fmt::format("{}: responder_resources {}, initiator_depth {}",
                       event->Text("event"), ird, ord));
}

void DepthsToUlp(Stage& s) {
  s.Scene("of a Request");
  if (!s.Listen() || !s.Dial() || !s.Put(StartupFrame(EnhancedRequest(6, 3))))
    return;
  const auto request = s.NextEvent();
  if (!request) return;
  // rdma_cm gives what the peer issues as responder_resources.
  if (request->Number("ird") != 3 || request->Number("ord") != 6)
    s.Fail(fmt::format("the event has {} and {}", request->Text("ird"),
                       request->Text("ord")));
  s.Scene("of a Reply");
  ExpectDepthsOfReply(s, false);
}

void DepthsOfRejection(Stage& s) { ExpectDepthsOfReply(s, true); }

void OrdFollowsReply(Stage& s) {
  if (!s.Connect({})) return;
  siw_mpa_setup reply = s.request().setup;
  if (!reply.enhanced) return s.Skip("the Request is not enhanced");
  reply.kind = SIW_MPA_REPLY;
  reply.ird = reply.ord = 1;
  if (!s.Put(StartupFrame(reply)) || !s.AwaitEstablished() ||
      (reply.p2p && !s.Receive()))
    return;
  for (int i = 0; i < 3; ++i)
    s.Command(fmt::format("post read {} {} 16 0x1000 0x42", i, 40000 + 16 * i));
  for (uint32_t i = 0; i < 3; ++i) {
    const auto got = s.Receive(SIW_RDMAP_READ_REQ);
    if (!got || !s.ExpectSilence()) return;
    siw_read_req ask;
    siw_read_req_decode(&ask, got->payload().data());
    s.Send(ResponseUlpdu(ask.sink_stag, ask.sink_to, Pattern(16, i)));
    s.ExpectWc("send", i, "SUCCESS");
    s.ExpectMemory(40000 + 16 * i, Pattern(16, i));
  }
}

void IrdInsufficient(Stage& s) {
  Application app;
  app.ird = app.ord = 2;
  if (!s.Connect(app)) return;
  siw_mpa_setup reply = s.request().setup;
  if (!reply.enhanced) return s.Skip("the Request is not enhanced");
  reply.kind = SIW_MPA_REPLY;
  reply.ird = 2;
  reply.ord = 200;
  if (!s.Put(StartupFrame(reply))) return;
  s.ExpectTerminate({2, 0, 6}, {});
  s.ExpectClosed();
  const auto event = s.NextEvent();
  if (event && event->Text("event") == "ESTABLISHED")
    s.Fail("connected nevertheless");
}

void PeerToPeerReplies(Stage& s) {
  for (uint8_t rtr = 0; rtr <= kRtrAll; ++rtr) {
    s.Scene(fmt::format("A=1, RTR kinds {}", rtr));
    if (!s.RespondUp({}, EnhancedRequest(4, 4, true, rtr))) return;
    if (!s.reply().setup.p2p) s.Fail("A is not set");
    if (!s.reply().setup.rtr) s.Fail("no RTR kind");
    for (const uint8_t kind : {SIW_RTR_WRITE, SIW_RTR_READ, SIW_RTR_SEND}) {
      if (!(rtr & kind) || (s.reply().setup.rtr & kind)) continue;
      const std::string what = fmt::format("RTR kind {} is not set", kind);
      s.foreign() ? s.Note(what) : (void)s.Fail(what);
    }
  }
  s.Scene("A=0");
  if (!s.RespondUp({}, EnhancedRequest(4, 4))) return;
  const uint64_t word = GetBe(s.reply().octets, SIW_MPA_HDR_LEN, 4);
  if (word & 0xc000c000) s.Fail("A, B, C or D is set");
  s.Scene("A=0 with B, C and D");
  if (!s.Listen() || !s.Dial() ||
      !s.Put(RawFrame(false, SIW_MPA_F_CRC | SIW_MPA_F_ENHANCED, 2,
                      FromHex("4004c004"))) ||
      !s.AwaitRequest() || !s.SetUp({}) || !s.Accept({}))
    return;
  if (GetBe(s.reply().octets, SIW_MPA_HDR_LEN, 4) & 0xc000c000)
    s.Fail("A, B, C or D is set");
}

void RtrByWrite(Stage& s) {
  if (!s.RespondUp({}, EnhancedRequest(4, 4, true, SIW_RTR_WRITE)) ||
      !s.ExpectNoEvent() || !s.Send(WriteUlpdu(0, 0, {})) ||
      !s.AwaitEstablished())
    return;
  Talks(s, 1, 0);
}

void RtrByRead(Stage& s) {
  if (!s.RespondUp({}, EnhancedRequest(4, 4, true, SIW_RTR_READ))) return;
  if (!(s.reply().setup.rtr & SIW_RTR_READ))
    return s.Skip("the responder does not offer RTR by Read");
  if (!s.Send(ReadUlpdu(1, {0x55, 0x66, 0, 0, 0})) || !s.AwaitEstablished())
    return;
  const auto got = s.Receive(SIW_RDMAP_READ_RSP);
  if (!got) return;
  if (got->seg.stag != 0x55 || got->seg.to != 0x66 || got->seg.len)
    s.Fail("another Read Response");
  if (!Talks(s, 1, 0)) return;
  // The next Read has MSN 2.
  if (s.Send(ReadUlpdu(2, {0x55, 0x66, 4, s.stag("main"), s.at(kTagged)})))
    s.Receive(SIW_RDMAP_READ_RSP);
}

void RtrBySend(Stage& s) {
  if (!s.RespondUp({}, EnhancedRequest(4, 4, true, SIW_RTR_SEND))) return;
  if (!(s.reply().setup.rtr & SIW_RTR_SEND))
    return s.Skip("the responder does not offer RTR by Send");
  if (s.Send(SendUlpdu(1, {})) && s.AwaitEstablished()) s.ExpectAlive(2, 0);
}

// The initiator's RTR message, of a kind that the responder has chosen.
void RtrOfInitiator(Stage& s) {
  for (const uint8_t kind : {SIW_RTR_WRITE, SIW_RTR_READ, SIW_RTR_SEND}) {
    s.Scene(fmt::format("RTR kind {} only", kind));
    if (!s.Connect({})) return;
    siw_mpa_setup reply = s.request().setup;
    if (!reply.p2p) return s.Skip("the initiator asks for no peer-to-peer");
    const bool offered = reply.rtr & kind;
    reply.kind = SIW_MPA_REPLY;
    reply.rtr = kind;
    std::swap(reply.ird, reply.ord);
    // Posted before: it may not overtake the RTR message.
    s.Try("post send 9 40000 10");
    if (!s.Put(StartupFrame(reply))) return;
    if (!offered) {
      s.ExpectTerminate({2, 0, 7}, {});
      s.ExpectClosed();
      continue;
    }
    const auto rtr = s.Receive();
    if (!rtr) return;
    const siw_rdmap_op want = kind == SIW_RTR_WRITE  ? SIW_RDMAP_WRITE
                              : kind == SIW_RTR_READ ? SIW_RDMAP_READ_REQ
                                                     : SIW_RDMAP_SEND;
    if (rtr->seg.op != want) s.Fail("an RTR message of another kind");
    if (want == SIW_RDMAP_READ_REQ) {
      siw_read_req ask;
      siw_read_req_decode(&ask, rtr->payload().data());
      if (ask.len) s.Fail("a Read RTR of some octets");
      s.Send(ResponseUlpdu(ask.sink_stag, ask.sink_to, {}));
    } else if (!rtr->payload().empty()) {
      s.Fail("an RTR message with a payload");
    }
    s.AwaitEstablished();
    s.ExpectAlive(1, 0);
  }
}

void RtrNoMatch(Stage& s) {
  if (!s.Connect({})) return;
  siw_mpa_setup reply = s.request().setup;
  if (!reply.p2p) return s.Skip("the initiator asks for no peer-to-peer");
  reply.kind = SIW_MPA_REPLY;
  // Of an initiator that has all three, none is what remains.
  reply.rtr = kRtrAll & ~reply.rtr;
  std::swap(reply.ird, reply.ord);
  if (!s.Put(StartupFrame(reply))) return;
  s.ExpectTerminate({2, 0, 7}, {});
  s.ExpectClosed();
  const auto event = s.NextEvent();
  if (event && event->Text("event") == "ESTABLISHED")
    s.Fail("connected nevertheless");
}

}  // namespace

void AddStartupRules(Tests* tests) {
  const Tests rules = {
      {"5044-7.1.1-request-form", "the Request that an initiator sends",
       RequestForm},
      {"5044-7.1.1-reply-form", "the Reply that a responder sends", ReplyForm},
      {"5044-7.1.1-key-request", "a wrong key in a Request is closed",
       KeyInRequest},
      {"5044-7.1.1-key-reply", "a wrong key in a Reply is closed", KeyInReply},
      {"5044-7.1.1-rev-request", "an unknown revision in a Request is closed",
       RevisionInRequest},
      {"5044-7.1.1-rev-reply", "an unknown revision in a Reply is closed",
       RevisionInReply},
      {"5044-7.1.1-pd-length-request", "a PD_Length that cannot be, Request",
       PdLengthInRequest},
      {"5044-7.1.1-pd-length-reply", "a PD_Length that cannot be, Reply",
       PdLengthInReply},
      {"5044-7.1.1-pd-sizes", "private data of 0 to 512 octets", PdSizes},
      {"5044-7.1.1-reserved", "reserved bits and R in a Request are ignored",
       ReservedBits},
      {"5044-7.1.1-markers-responder", "M=1 in the Request: Markers come back",
       MarkersToInitiator},
      {"5044-7.1.1-markers-initiator", "M=1 in the Reply: Markers come back",
       MarkersToResponder},
      {"5044-7.1.1-no-markers", "M=0: no Markers", NoMarkers},
      {"5044-4.4-crc-stays", "C=0 of the peer does not turn CRC off", CrcStays},
      {"5044-7.1.2-responder-waits", "nothing is sent before a whole Request",
       ResponderWaitsForRequest},
      {"5044-7.1.2-responder-silent",
       "a responder sends no FPDU and no Marker before it got an FPDU",
       ResponderSaysNothingFirst},
      {"5044-7.1.2-initiator-waits",
       "an initiator sends nothing more before "
       "the Reply",
       InitiatorWaitsForReply},
      {"5044-7.1.2-both-initiators", "two initiators are found out",
       BothInitiators},
      {"5044-7.1.2-request-timeout", "waiting for a Request ends",
       RequestTimesOut},
      {"5044-7.1.2-reply-timeout", "waiting for a Reply ends", ReplyTimesOut},
      {"5044-7.1.2-reject", "the application refuses: Reply with R=1",
       UlpRejects},
      {"5044-7.1.2-rejected", "a Reply with R=1 is told to the application",
       Rejected},
      {"5044-7.1.2-cut", "Requests cut short by FIN and RST", CutRequests},
      {"5044-7.1.2-first-fpdu", "FPDUs right behind the Reply are not lost",
       FirstFpduRightBehindTheReply},
      {"6581-6-plain", "a Request without enhanced data gets such a Reply",
       PlainReplies},
      {"6581-10-enhanced", "an enhanced Request gets an enhanced Reply",
       EnhancedReplies},
      {"6581-10-fall-back", "a peer of revision 1 is tried again with it",
       FallBack},
      {"6581-9.1-depths-reply", "IRD and ORD of the Reply", DepthsInReply},
      {"6581-9.1-3fff-request", "0x3fff in a Request changes no depth",
       DepthsNotNegotiated},
      {"6581-9.1-3fff-reply", "0x3fff in a Reply changes no depth",
       DepthsNotNegotiatedByResponder},
      {"6581-9.1-to-ulp", "the peer's depths are told to the application",
       DepthsToUlp},
      {"6581-9.1-to-ulp-reject",
       "the depths of a rejection are told to the application",
       DepthsOfRejection},
      {"6581-9.1-ord-lowered", "ORD is at most the IRD of the Reply",
       OrdFollowsReply},
      {"6581-9.1-ird-insufficient", "an ORD above our IRD: Terminate 2/0/06",
       IrdInsufficient},
      {"6581-9.2-flags", "A, B, C and D of the Reply", PeerToPeerReplies},
      {"6581-9.2-rtr-write", "RTR by Write at the responder", RtrByWrite},
      {"6581-9.2-rtr-read", "RTR by Read at the responder", RtrByRead},
      {"6581-9.2-rtr-send", "RTR by Send at the responder", RtrBySend},
      {"6581-9.2-rtr-initiator", "the initiator sends the RTR agreed on, first",
       RtrOfInitiator},
      {"6581-9.2-rtr-no-match", "no common RTR kind: Terminate 2/0/07",
       RtrNoMatch},
  };
  tests->insert(tests->end(), rules.begin(), rules.end());
}

}  // namespace siw::conform
