// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/explain/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace siw {
namespace {

std::string Ids(const Explanation& explanation) {
  std::string ids;
  for (const LineMatch& match : explanation.matches)
    ids += (ids.empty() ? "" : " ") + std::string(match.entry->id);
  return ids;
}

std::string Ids(std::string_view text) {
  return Ids(Explain(Catalogue(), text));
}

TEST(Explain, FindsAnIdInAnyForm) {
  for (const char* id : {"SIW-MPA-KEY", "siw-mpa-key", "MPA-KEY", " mpa-key\n"})
    EXPECT_EQ("SIW-MPA-KEY", Ids(id)) << id;
}

TEST(Explain, FindsACodeBothWays) {
  for (const char* code : {"1/1/00", "1/1/0", "1/1/0x00"})
    EXPECT_EQ("SIW-TERM-1100-RCVD SIW-TERM-1100-SENT", Ids(code)) << code;
  EXPECT_EQ("", Ids("1/1/99"));
}

TEST(Explain, FindsNamesOfStatusesEventsAndCounters) {
  EXPECT_EQ("SIW-WC-FLUSH", Ids("IBV_WC_WR_FLUSH_ERR"));
  EXPECT_EQ("SIW-WC-FLUSH", Ids("work request flushed error"));
  EXPECT_EQ("SIW-EVENT-CQ-OVERFLOW", Ids("ibv_event_cq_err"));
  EXPECT_EQ("SIW-COUNT-CRC", Ids("rx_crc_error"));
}

TEST(Explain, FindsAnErrnoByNumberAndName) {
  const std::string refused = Ids(ExplainErrno(Catalogue(), "111"));
  EXPECT_EQ("SIW-CONN-REFUSED", refused);
  for (const char* text : {"-111", "ECONNREFUSED", "econnrefused"})
    EXPECT_EQ(refused, Ids(ExplainErrno(Catalogue(), text))) << text;
  for (const char* text : {"-", "--5", "--2147483648"})
    EXPECT_EQ(text, ExplainErrno(Catalogue(), text).query);
  EXPECT_EQ("", Ids(ExplainErrno(Catalogue(), "no")));
  EXPECT_EQ("", Ids(ExplainErrno(Catalogue(), "0")));
  EXPECT_EQ("", Ids(ExplainErrno(Catalogue(), "99999999999999999999")));
}

TEST(Explain, MakesWhatItCanOfALineOfAnotherDriver) {
  const Explanation explanation = Explain(
      Catalogue(), "siw: QP [12]: peer reports layer 1, type 1, code 0x2");
  EXPECT_EQ("SIW-TERM-1102-RCVD SIW-TERM-1102-SENT", Ids(explanation));
  ASSERT_TRUE(explanation.foreign);
  EXPECT_EQ("1/1/02", explanation.foreign->term);
}

TEST(Explain, SaysThatAKnownLineIsOfTheInBoxDriver) {
  const char* line =
      "[  110.312998] siw: got TERMINATE. layer 1, type 1, code 0";
  const Explanation explanation = Explain(Catalogue(), line);
  EXPECT_EQ("SIW-TERM-1100-RCVD", Ids(explanation));
  EXPECT_FALSE(explanation.foreign);
  const std::string text = ExplanationText(explanation);
  EXPECT_NE(std::string::npos, text.find("of the in-box driver")) << text;
  EXPECT_NE(std::string::npos, text.find("siw explain SIW-MOD-INBOX")) << text;
  const auto json =
      nlohmann::json::parse(ExplanationJson(explanation), nullptr, false);
  EXPECT_EQ(true, json["matches"][0]["in_box"]);

  const std::string ours = ExplanationText(Explain(
      Catalogue(),
      "siw0: QP 7, local 192.0.2.1:2, peer 192.0.2.2:1: stream ended by peer: "
      "tagged: invalid STag (1/1/00)"));
  EXPECT_EQ(0u, ours.find("SIW-TERM-1100-RCVD"));
  EXPECT_EQ(std::string::npos, ours.find("of the in-box driver")) << ours;
}

TEST(Explain, SaysOfAnUnknownLineWhoseItIsAndWhereToLook) {
  const Explanation inbox = Explain(Catalogue(), "[    1.0] siw: some news");
  EXPECT_EQ("", Ids(inbox));
  ASSERT_TRUE(inbox.foreign);
  std::string text = ExplanationText(inbox);
  EXPECT_NE(std::string::npos, text.find("of the in-box driver")) << text;
  EXPECT_NE(std::string::npos, text.find("  modinfo -n siw\n")) << text;
  EXPECT_EQ(std::string::npos, text.find("What it says")) << text;
  EXPECT_EQ(std::string::npos, text.find("SIW-TOOL-UNKNOWN")) << text;
  const auto json =
      nlohmann::json::parse(ExplanationJson(inbox), nullptr, false);
  EXPECT_EQ(true, json["foreign"]["in_box"]);

  text = ExplanationText(
      Explain(Catalogue(), "[    1.0] infiniband iwp0s3: some news"));
  EXPECT_NE(std::string::npos, text.find("RDMA core")) << text;
  EXPECT_NE(std::string::npos, text.find("  device iwp0s3\n")) << text;
  EXPECT_NE(std::string::npos, text.find("  modinfo -n siw\n")) << text;
}

TEST(Explain, TreatsWordsAsWordsEvenIfOneIsSiw) {
  const Explanation explanation = Explain(Catalogue(), "siw port mapper");
  EXPECT_FALSE(explanation.foreign);
  ASSERT_FALSE(explanation.similar.empty());
  EXPECT_EQ("SIW-IWPMD", explanation.similar[0]->id);
}

TEST(Explain, ReadsWhatProgramsPrint) {
  const std::pair<const char*, const char*> lines[] = {
      // rping
      {"cma event RDMA_CM_EVENT_REJECTED, error -111", "SIW-CONN-REFUSED"},
      {"cma event RDMA_CM_EVENT_UNREACHABLE, error -110",
       "SIW-CONN-REPLY-TIMEOUT SIW-CONN-TCP-TIMEOUT"},
      {"cq completion failed status 5", "SIW-WC-FLUSH"},
      // perftest
      {" Failed status 12: wr_id 0 syndrom 0x0", "SIW-WC-RETRY"},
      // libibverbs' examples, and the kernel
      {"Failed status remote access error (10) for wr_id 1",
       "SIW-WC-REM-ACCESS"},
      {"nvme nvme0: RECV for CQE 0xffff0000 failed with status WR flushed (5)",
       "SIW-WC-FLUSH"},
      // our samples
      {"rpc: the peer has closed the connection", "SIW-CONN-ENDED"},
      // ibv_rc_pingpong, and perftest without -R
      {"Failed to modify QP to RTS", "SIW-VERBS-QP-STATE"},
      {" Unable to Connect the HCA's through the link", "SIW-VERBS-QP-STATE"},
      // perror(3)
      {"rdma_listen: Address already in use", "SIW-LISTEN-IN-USE"},
      {"rdma_connect failed: -111", "SIW-CONN-REFUSED"},
      {"connect: errno = 111", "SIW-CONN-REFUSED"},
  };
  for (const auto& [line, ids] : lines) {
    const Explanation explanation = Explain(Catalogue(), line);
    EXPECT_EQ(ids, Ids(explanation)) << line;
    EXPECT_FALSE(explanation.foreign) << line;
  }
}

TEST(Explain, ReadsWhatTracepointsSayWentWrong) {
  const std::string before = "  kworker/0:1-9  [000] .....  123.456789: ";
  const std::pair<const char*, const char*> lines[] = {
      {"siw_conn_failed: dev=1 qpn=7 local=192.0.2.1:4791 peer=192.0.2.2:39218 "
       "cause=timeout_first err=-110",
       "SIW-CONN-FIRST-FPDU"},
      {"siw_conn_failed: dev=1 qpn=0 local=192.0.2.1:4791 peer=192.0.2.2:39218 "
       "cause=timeout_request err=-110",
       "SIW-CONN-NO-REQUEST"},
      {"siw_terminate_received: dev=1 qpn=7 code=1/1/00", "SIW-TERM-1100-RCVD"},
      {"siw_terminate_sent: dev=1 qpn=7 code=1/2/02", "SIW-TERM-1202-SENT"},
  };
  for (const auto& [line, ids] : lines) {
    EXPECT_EQ(ids, Ids(Explain(Catalogue(), before + line))) << line;
    EXPECT_EQ(ids, Ids(Explain(Catalogue(), line))) << line;
  }
}

TEST(Explain, AnErrorNumberThatNoNamedEntryHasDropsNone) {
  EXPECT_EQ(Ids("RDMA_CM_EVENT_ADDR_ERROR"),
            Ids("cma event RDMA_CM_EVENT_ADDR_ERROR, error -110"));
}

TEST(Explain, ANumberOfSomethingElseIsNoStatus) {
  for (const char* line :
       {"exit status 10", "completion of 10", "wr_id status 22",
        "my_wc status_5", "the status 5 of wcs", "unflushed WR flushedly",
        "error 111", "failed: -0", "rdma_connect failed: -1111"})
    EXPECT_EQ("", Ids(line)) << line;
  EXPECT_EQ("", Ids("status" + std::string(1 << 20, ' ') + "5 wc"));
}

TEST(Explain, OfEntriesWithAnErrorNumberTheOneInTheLinesWordsIsFirst) {
  const std::pair<const char*, const char*> lines[] = {
      {"ibv_reg_mr: Cannot allocate memory", "SIW-LIMIT-MEMLOCK "},
      {"ibv_reg_mr failed: Invalid argument", "SIW-VERBS-MR-"},
      {"rdma_bind_addr: Permission denied", "SIW-LISTEN-DENIED "},
      {"rdma_listen: Cannot assign requested address", "SIW-LISTEN-ADDRESS "},
      {"rpcrdma: connection to 192.0.2.1 closed (-103)", "SIW-CONN-ABORTED"},
      {"Connect rejected: status -104 (reset by remote host).",
       "SIW-CONN-REJECTED "},
  };
  for (const auto& [line, first] : lines)
    EXPECT_EQ(0u, Ids(line).find(first)) << line << ": " << Ids(line);
}

TEST(Explain, SuggestsWhatIsSimilar) {
  const Explanation explanation = Explain(Catalogue(), "port mapper");
  EXPECT_EQ("", Ids(explanation));
  ASSERT_FALSE(explanation.similar.empty());
  EXPECT_EQ("SIW-IWPMD", explanation.similar[0]->id);
  EXPECT_TRUE(Explain(Catalogue(), "xyzzy").similar.empty());
}

TEST(Explain, SuggestsByTheWordsThatAreRare) {
  const auto first = [](std::string_view line) -> std::string_view {
    const Explanation explanation = Explain(Catalogue(), line);
    return explanation.similar.empty() ? "" : explanation.similar[0]->id;
  };
  EXPECT_EQ("SIW-COUNT-CRC", first("siw: QP [5]: rx CRC mismatch"));
  EXPECT_EQ("SIW-LIMIT-MEMLOCK", first("siw: cannot pin, memlock limit"));
}

TEST(Explain, TextHidesWhatATerminalWouldObey) {
  const std::string text =
      ExplanationText(Explain(Catalogue(), "\x1b[31mxyzzy"));
  EXPECT_EQ(std::string::npos, text.find('\x1b'));
  // CSI of ISO 8859, by itself and in UTF-8
  EXPECT_EQ("SIW-TOOL-UNKNOWN: The catalogue does not know this: ?2J ??2J\n",
            ExplanationText(Explain(Catalogue(),
                                    "\x9b"
                                    "2J \xc2\x9b"
                                    "2J")));
}

TEST(Explain, JsonSurvivesOctetsThatAreNoText) {
  const std::string json =
      ExplanationJson(Explain(Catalogue(), "\xff\xfe siw \x80"));
  EXPECT_FALSE(nlohmann::json::parse(json, nullptr, false).is_discarded());
}

TEST(Explain, JsonHidesWhatATerminalWouldObey) {
  const std::string json =
      ExplanationJson(Explain(Catalogue(), "\x1b[31m \x7f \xc2\x9b"));
  EXPECT_NE(std::string::npos, json.find("\\u001b[31m \\u007f \\u009b"))
      << json;
  EXPECT_EQ(std::string::npos, json.find_first_of("\x1b\x7f\xc2\x9b"));
}

TEST(Explain, JsonHasTheFieldsOfTheLine) {
  const auto json = nlohmann::json::parse(
      ExplanationJson(Explain(Catalogue(),
                              "siw0: local 192.0.2.1:2, peer 192.0.2.2:1: MPA "
                              "Request refused: wrong key, not MPA")),
      nullptr, false);
  EXPECT_EQ("SIW-MPA-KEY", json["matches"][0]["id"]);
  EXPECT_EQ("192.0.2.2:1", json["matches"][0]["fields"]["peer"]);
  EXPECT_EQ("Request", json["matches"][0]["fields"]["frame"]);
  EXPECT_EQ("siw0", json["matches"][0]["fields"]["device"]);
}

TEST(ExplainLog, CountsTheSameMessageOfADevice) {
  const std::string fault =
      ": local 192.0.2.1:2, peer 192.0.2.2:1: MPA Request refused: unknown "
      "revision";
  const auto findings = ExplainLog(
      LineMatcher(Catalogue()),
      {"siw0" + fault, "siw1" + fault, "usb 1-1: new device", "siw0" + fault});
  ASSERT_EQ(2u, findings.size());
  EXPECT_EQ(1u, findings[0].count);
  EXPECT_EQ(2u, findings[1].count);
  EXPECT_EQ("SIW-MPA-REV", findings[1].match.entry->id);
}

TEST(ExplainLog, KnowsLinesOfTheInBoxDriver) {
  const LineMatcher matcher(Catalogue());
  const std::string line = "siw: got TERMINATE. layer 1, type 2, code 2";
  const auto findings = ExplainLog(matcher, {line, line});
  ASSERT_EQ(1u, findings.size());
  const std::string text = LogText(findings);
  EXPECT_NE(std::string::npos,
            text.find(", says the in-box driver (2 times)\n"))
      << text;
  EXPECT_EQ("", ForeignText(matcher, {line}));
}

TEST(ExplainLog, TellsThatThereAreLinesOfAnotherSiw) {
  const LineMatcher matcher(Catalogue());
  EXPECT_EQ("", ForeignText(matcher, {"siw0: Port: 1 Link DOWN"}));
  EXPECT_EQ(0u,
            ForeignText(matcher, {"siw: some news"}).find("1 of another siw"));
  const std::string known =
      "siw0: local 192.0.2.1:2, peer 192.0.2.2:1: MPA Request refused: unknown "
      "revision";
  EXPECT_EQ("", ForeignText(matcher, {known, "usb 1-1: error -71", "siw"}));
  const std::string text = ForeignText(
      matcher, {"siw: QP [1]: error 5", known, "siw: QP [2]: \x1b error 6"});
  EXPECT_EQ(0u, text.find("2 of another siw"));
  EXPECT_NE(std::string::npos, text.find("\n  siw: QP [2]: ? error 6\n"));
}

}  // namespace
}  // namespace siw
