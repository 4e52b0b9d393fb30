// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What a test plays on: a connection to the device under test, the application
// behind it (the counterpart), and a record of what did not hold.
//
// Each Expect...() and each step notes its own failure and returns whether it
// went well, so that a test can stop early with a plain `return`.
#ifndef SIW_SELFTESTS_CONFORM_STAGE_H_
#define SIW_SELFTESTS_CONFORM_STAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "selftests/conform/counterpart.h"
#include "selftests/conform/socket.h"
#include "selftests/model/builder.h"
#include "selftests/model/oracle.h"
#include "selftests/model/proto.h"

namespace siw::conform {

// Each test's own corner of the counterpart's buffer: receives lie in slots of
// 4096 octets from its start on, what is tagged lies from kTagged on.
inline constexpr size_t kBuffer = 65536;
inline constexpr size_t kSlot = 4096;
inline constexpr size_t kTagged = 32768;
inline constexpr uint8_t kUntouched = 0xee;

// How long something may take that should happen at once.
inline constexpr int kSoonMs = 5000;
// How long to wait for something that must not happen.
inline constexpr int kNeverMs = 150;

// What the application brings along.
struct Application {
  unsigned ird = 4;
  unsigned ord = 4;
  size_t buffer = kBuffer;
  std::vector<uint32_t> receives = {64, 64, 64, 64};
  Bytes pdata;
};

// A start-up frame that arrived.
struct Frame {
  siw_mpa_setup setup = {};
  Bytes octets;
  Bytes pdata;
};

// An FPDU that arrived.
struct Segment {
  Bytes ulpdu;
  siw_seg seg = {};
  ByteSpan payload() const { return ByteSpan(ulpdu).subspan(seg.hdr_len); }
};

// Start-up frames as siw/proto encodes them.
siw_mpa_setup PlainRequest();
siw_mpa_setup EnhancedRequest(uint16_t ird, uint16_t ord, bool p2p = false,
                              uint8_t rtr = 0);
Bytes StartupFrame(siw_mpa_setup setup, ByteSpan pdata = {});
// And by hand, right or wrong.
Bytes RawFrame(bool reply, uint8_t flags, uint8_t rev, ByteSpan pdata);

// ULPDUs as siw/proto encodes them.
Bytes SendUlpdu(uint32_t msn, ByteSpan payload, bool last = true,
                uint32_t mo = 0, siw_rdmap_op op = SIW_RDMAP_SEND);
Bytes WriteUlpdu(uint32_t stag, uint64_t to, ByteSpan payload,
                 bool last = true);
Bytes ReadUlpdu(uint32_t msn, const siw_read_req& request);
Bytes ResponseUlpdu(uint32_t stag, uint64_t to, ByteSpan payload,
                    bool last = true);
Bytes TerminateUlpdu(const Code& code);

Bytes Text(const char* text);
Bytes Pattern(size_t len, uint32_t seed);
std::string CodeName(const Code& code);

class Stage {
 public:
  static constexpr size_t kTracesKept = 40;

  // Of more streams than `traces_kept`, those up to that of the first failure
  // are kept; the others set the scene.
  Stage(Counterpart* counterpart, bool foreign,
        size_t traces_kept = kTracesKept)
      : counterpart_(counterpart),
        foreign_(foreign),
        traces_kept_(traces_kept) {}
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // The record.
  bool Fail(std::string what);
  void Skip(std::string why) { skip_ = std::move(why); }
  void Note(std::string what) { notes_.push_back(std::move(what)); }
  const std::vector<std::string>& failures() const { return failures_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::string& skip() const { return skip_; }
  bool failed() const { return !failures_.empty(); }
  const std::vector<Trace>& traces() const { return traces_; }
  // Is the peer another implementation than ours, with its own choice where
  // the RFCs leave room?
  bool foreign() const { return foreign_; }
  // What comes next, as a prefix of failures.
  void Scene(std::string name);

  // The device under test is the responder.
  bool Listen();
  bool Dial(int mss = 0);
  bool Put(ByteSpan octets, Cut cut = Cut::kWhole);
  bool AwaitRequest();
  bool SetUp(const Application& app);
  bool Accept(const Application& app);
  // All of these; then the Reply is in, and the first FPDU may go.
  bool RespondUp(const Application& app, const siw_mpa_setup& request,
                 int mss = 0);
  bool AwaitEstablished();
  // That, an empty Write, and the application is told.
  bool RespondFull(const Application& app = {},
                   const siw_mpa_setup& request = PlainRequest());
  // The stream is over: another one for the same application, with the regions
  // and the memory that it has.
  bool RespondAgain(const Application& app = {});

  // The device under test is the initiator.
  bool Connect(const Application& app, int mss = 0);
  bool AcceptAgain();  // it tries once more
  bool ReadRequest();
  // Answers the Request in kind, and takes the RTR message.
  bool ReplyWell(bool markers = false);
  bool ConnectFull(const Application& app = {});

  // Ends what there is, so that the next connection can start.
  void Finish();

  const Frame& request() const { return request_; }
  const Frame& reply() const { return reply_; }
  bool AwaitFrame(siw_mpa_kind kind, Frame* frame);

  // FPDUs, both ways. What is received is taken apart by siw/proto and then
  // built again by the model: octet for octet, with Markers and CRC.
  bool Send(ByteSpan ulpdu, Cut cut = Cut::kWhole);
  std::optional<Segment> Receive(int ms = kSoonMs);
  // Nothing is as well as a good FPDU.
  std::optional<Segment> TryReceive(int ms);
  // The next one, which has to be this kind.
  std::optional<Segment> Receive(siw_rdmap_op op);
  bool ExpectSilence(int ms = kNeverMs);
  // Each of `accepted` will do when the peer is foreign, the first one else.
  bool ExpectTerminate(const std::vector<Code>& accepted, ByteSpan ulpdu);
  bool ExpectTerminate(const Code& code, ByteSpan ulpdu) {
    return ExpectTerminate(std::vector<Code>{code}, ulpdu);
  }
  // For what may also be left unanswered.
  bool ExpectTerminateOrNothing(const Code& code, ByteSpan ulpdu);
  // FIN, or anything but an open connection.
  bool ExpectFin(int ms = 15000);
  bool ExpectClosed(int ms = 15000);

  // The application.
  std::optional<Answer> Ask(const std::string& command);
  bool Command(const std::string& command) { return Ask(command).has_value(); }
  // A command that may as well be refused.
  bool Try(const std::string& command) {
    return static_cast<bool>(counterpart_->Ask(command));
  }
  std::optional<Answer> NextEvent(int ms = kSoonMs);
  bool ExpectEvent(const std::string& name);
  bool ExpectNoEvent(int ms = kNeverMs);
  // The queue pair's error, as an asynchronous event.
  bool ExpectAsync();
  bool ExpectWc(const std::string& queue, uint64_t id,
                const std::string& status, Answer* answer = nullptr);
  // A completion in error, whatever its status.
  bool ExpectBadWc(const std::string& queue, uint64_t id);
  bool ExpectNoWc(const std::string& queue, int ms = kNeverMs);
  bool ExpectReceived(uint64_t id, ByteSpan payload);
  bool ExpectMemory(size_t offset, ByteSpan octets);
  bool ExpectUntouched(size_t offset, size_t len);
  // The stream lives: a Send of this MSN is delivered to receive `id`.
  bool ExpectAlive(uint32_t msn, uint64_t id);
  // The stream ended in error: told to the application, receives flushed.
  bool ExpectDead(const std::vector<uint64_t>& receives);

  uint32_t stag(const std::string& name) const;
  uint64_t at(size_t offset) const { return addr_ + offset; }
  Socket& socket() { return socket_; }
  size_t markers_seen() const { return markers_seen_; }
  size_t received_octets() const { return received_; }

 private:
  bool Fill(size_t n, int ms);
  void KeepTrace();
  void ForgetStream();

  Counterpart* counterpart_;
  bool foreign_;
  size_t traces_kept_;
  bool used_ = false;  // the counterpart has something to give back
  Socket socket_;
  std::optional<Listener> listener_;
  uint16_t port_ = 0;

  Frame request_;
  Frame reply_;
  bool markers_ = false;  // the device puts Markers into what it sends
  Bytes pending_;         // received and not yet looked at
  size_t received_ = 0;   // octets of full operation
  std::optional<Framer> framer_;
  size_t markers_seen_ = 0;

  Answer objects_;
  uint64_t addr_ = 0;

  std::string scene_;
  std::string skip_;
  std::vector<std::string> failures_;
  std::vector<std::string> notes_;
  std::vector<Trace> traces_;
  bool failure_is_traced_ = false;
};

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_STAGE_H_
