// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/advisory/advisory.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tools/advisory/fixture.h"
#include "tools/siw/status/fixture.h"

namespace siw {
namespace {

using Json = nlohmann::json;

// A good host, with what `siw-advisory osv` makes of the examples as what its
// packages shipped.
class AdvisoryTest : public testing::Test {
 protected:
  AdvisoryTest() { FillGood(&root_); }

  void ShipNothing() { root_.MakeDirectory(kShipped); }
  void ShipExamples() {
    advisory::Source source;
    source.publisher = advisory::TheRules().publisher;
    for (const char* id : {"SIW-2026-9001", "SIW-2026-9002", "SIW-2026-9003"})
      source.advisories.push_back(advisory::Parsed(id));
    ASSERT_TRUE(advisory::WriteOsv(source, root_ / kShipped));
  }
  void Add(const std::string& json) {
    root_.Put(std::string(kAdvisories) + "/x_SIW-2027-0001.json", json);
  }

  Facts Gathered() const {
    Facts facts = Gather(root_.host(), nullptr);
    facts.command = "0.1.0";
    facts.module.version = "0.1.0";
    return facts;
  }

  // "component version how: ids", one line each, and the exit code
  static std::string Verdict(const Facts& facts) {
    const auto verdicts = CheckParts(facts);
    std::string out;
    for (const PartVerdict& verdict : verdicts) {
      out += verdict.part.component + " " + verdict.part.version + " " +
             std::string(verdict.part.how) + ":";
      if (!verdict.affected_by) out += " unknown";
      for (const KnownAdvisory* known :
           verdict.affected_by.value_or(std::vector<const KnownAdvisory*>()))
        out += " " + known->id;
      out += "\n";
    }
    return out + std::to_string(CheckExit(facts.advisories, verdicts));
  }

  Root root_;
};

TEST_F(AdvisoryTest, NothingAffectsAHostThatKnowsOfNone) {
  ShipNothing();
  const Facts facts = Gathered();
  EXPECT_EQ(
      "siw-dkms 0.1.0 installed:\nsiw-dkms 0.1.0 loaded:\n"
      "siw 0.1.0 installed:\n0",
      Verdict(facts));
  EXPECT_EQ(kExitGood, ListExit(facts.advisories));
  EXPECT_EQ(
      "advisories: 0 in /etc/siw/advisories, 0 in /usr/share/siw/advisories\n",
      ListText(facts.advisories));
}

TEST_F(AdvisoryTest, WhatIsNotShippedIsNotHeldForNone) {
  const Facts facts = Gathered();
  EXPECT_EQ(kExitBlind, CheckExit(facts.advisories, CheckParts(facts)));
  EXPECT_EQ(kExitBlind, ListExit(facts.advisories));
  EXPECT_NE(std::string::npos,
            ListText(facts.advisories).find("no directory in /usr/share"));
}

TEST_F(AdvisoryTest, ReadsWhatTheGeneratorWrites) {
  ShipExamples();
  Facts facts = Gathered();
  ASSERT_EQ(3u, facts.advisories.shipped);
  EXPECT_EQ(
      "siw-dkms 0.1.0 installed: SIW-2026-9001\n"
      "siw-dkms 0.1.0 loaded: SIW-2026-9001\nsiw 0.1.0 installed:\n1",
      Verdict(facts));
  const std::string text = CheckText(facts, CheckParts(facts));
  EXPECT_NE(std::string::npos,
            text.find("siw-dkms 0.1.0, loaded: affected by\n"
                      "  SIW-2026-9001  high      A Read Response may be placed"
                      " behind its buffer\n"
                      "    siw-dkms from 0.1.0 on, fixed in 0.1.4\n"
                      "    siw-dkms from 0.2.0 on, fixed in 0.2.1\n"
                      "  next: apt install siw siw-dkms\n"))
      << text;
  // Fixed on disk, and not what runs
  facts.module.dkms_version = "0.1.4";
  EXPECT_EQ(
      "siw-dkms 0.1.4 installed:\n"
      "siw-dkms 0.1.0 loaded: SIW-2026-9001\nsiw 0.1.0 installed:\n1",
      Verdict(facts));
  facts.module.version = "0.1.4";
  EXPECT_EQ(kExitGood, CheckExit(facts.advisories, CheckParts(facts)));
  facts.module.version = "0.2.0~rc1";
  EXPECT_EQ(
      "siw-dkms 0.1.4 installed:\n"
      "siw-dkms 0.2.0~rc1 loaded: SIW-2026-9001 SIW-2026-9003\n"
      "siw 0.1.0 installed:\n1",
      Verdict(facts));
}

TEST_F(AdvisoryTest, ListsEachWithItsRanges) {
  ShipExamples();
  const AdvisoryFacts facts = Gathered().advisories;
  const std::string text = ListText(facts);
  for (const char* line :
       {"SIW-2026-9001  high      A Read Response may be placed behind its "
        "buffer\n  siw-dkms from 0.1.0 on, fixed in 0.1.4\n"
        "  siw-dkms from 0.2.0 on, fixed in 0.2.1\n",
        "  Withdrawn: ", "  siw-dkms from 0.2.0 on, no fix\n",
        "0 in /etc/siw/advisories, 3 in /usr/share/siw/advisories\n"})
    EXPECT_NE(std::string::npos, text.find(line)) << line << "in\n" << text;
  EXPECT_EQ(kExitGood, ListExit(facts));
}

// What became known after the release is what the administrator adds.
TEST_F(AdvisoryTest, TheLaterRevisionOfTwoCounts) {
  const std::string shipped = "/usr/share/siw/advisories/a.json";
  const auto at = [](const std::string& when) {
    return Osv(kTwoLines, R"("modified": ")" + when + R"(", )");
  };
  const std::string withdrawn = Osv(
      kTwoLines,
      R"("modified": "2027-02-02T00:00:00Z", "withdrawn": "2027-02-02T00:00:00Z", )");
  root_.Put(shipped, at("2027-02-01T00:00:00Z"));
  Add(withdrawn);
  EXPECT_EQ(1u, Gathered().advisories.known.size());
  EXPECT_EQ(0u, Gathered().advisories.known[0].affected.size());
  root_.Put(shipped, withdrawn);
  Add(at("2027-02-01T00:00:00Z"));
  EXPECT_EQ(0u, Gathered().advisories.known[0].affected.size());
  Add(at("2027-02-03T00:00:00Z"));
  EXPECT_EQ(2u, Gathered().advisories.known[0].affected.size());
}

TEST_F(AdvisoryTest, KnowsTheProvider) {
  ShipNothing();
  Add(R"({"id": "x_SIW-2027-0001", "affected": [{"database_specific":
      {"component": "siw-provider"}, "ranges": [{"type": "SEMVER",
      "events": [{"introduced": "0.1.0"}]}]}]})");
  Facts facts = Gathered();
  EXPECT_EQ(kExitGood, CheckExit(facts.advisories, CheckParts(facts)));
  root_.Put("/etc/os-release", "ID=fedora");
  facts = Gathered();
  facts.packages["siw-provider"] = "0.1.0+rdmav34";
  EXPECT_NE(std::string::npos, CheckText(facts, CheckParts(facts))
                                   .find("next: dnf upgrade siw-provider\n"));
  EXPECT_EQ(
      "siw-dkms 0.1.0 installed:\nsiw-dkms 0.1.0 loaded:\n"
      "siw 0.1.0 installed:\n"
      "siw-provider 0.1.0+rdmav34 installed: SIW-2027-0001\n1",
      Verdict(facts));
}

TEST_F(AdvisoryTest, AVersionThatIsNotOursIsNotHeldForGood) {
  ShipNothing();
  Facts facts = Gathered();
  facts.module.version = "";
  EXPECT_EQ(
      "siw-dkms 0.1.0 installed:\nsiw-dkms  loaded: unknown\n"
      "siw 0.1.0 installed:\n3",
      Verdict(facts));
  EXPECT_NE(std::string::npos,
            CheckText(facts, CheckParts(facts))
                .find("siw-dkms without a version, loaded: no version of"));
  facts.module.out_of_tree = false;
  EXPECT_EQ("siw-dkms 0.1.0 installed:\nsiw 0.1.0 installed:\n0",
            Verdict(facts));
  EXPECT_NE(
      std::string::npos,
      CheckText(facts, CheckParts(facts)).find("is the kernel's own: so are"));
}

TEST_F(AdvisoryTest, TakesThePackageWhereDkmsHasNone) {
  ShipNothing();
  Facts facts = Gathered();
  facts.module = {};
  EXPECT_EQ("siw-dkms 0.1.0 installed:\nsiw 0.1.0 installed:\n0",
            Verdict(facts));
  facts.packages.clear();
  EXPECT_EQ("siw 0.1.0 installed:\n0", Verdict(facts));
}

TEST_F(AdvisoryTest, AnUnreadOneLeavesItOpenButForWhatAffects) {
  ShipNothing();
  root_.Put(std::string(kAdvisories) + "/b.json", "{");
  Facts facts = Gathered();
  EXPECT_EQ(kExitBlind, CheckExit(facts.advisories, CheckParts(facts)));
  EXPECT_EQ(kExitBlind, ListExit(facts.advisories));
  EXPECT_NE(std::string::npos,
            ListText(facts.advisories)
                .find("unread: /etc/siw/advisories: b.json: no JSON\n"));
  Add(Osv(kTwoLines));
  facts = Gathered();
  EXPECT_EQ(kExitFound, CheckExit(facts.advisories, CheckParts(facts)));
}

// A file in the place of the directory stands for one that may not be read:
// root may read all.
TEST_F(AdvisoryTest, ADirectoryThatCannotBeReadIsTold) {
  ShipNothing();
  root_.Put(kAdvisories, "no directory");
  const Facts facts = Gathered();
  ASSERT_EQ(1u, facts.advisories.unread.size());
  EXPECT_EQ(kAdvisories, facts.advisories.unread[0].directory);
  EXPECT_EQ(kExitBlind, CheckExit(facts.advisories, CheckParts(facts)));
}

TEST_F(AdvisoryTest, SaysItForPrograms) {
  ShipExamples();
  root_.Put(std::string(kAdvisories) + "/b.json", "{");
  const Facts facts = Gathered();
  const Json check = Json::parse(CheckJson(facts, CheckParts(facts)));
  EXPECT_EQ(1, check["schema"]);
  EXPECT_EQ(Json::parse(R"({"component": "siw-dkms", "version": "0.1.0",
                            "how": "loaded", "verdict": "affected",
                            "affected_by": ["SIW-2026-9001"],
                            "next": "apt install siw siw-dkms"})"),
            check["parts"][1]);
  EXPECT_EQ(nullptr, check["parts"][2]["next"]);
  EXPECT_EQ("not affected", check["parts"][2]["verdict"]);
  EXPECT_EQ(false, check["module_is_the_kernels"]);
  EXPECT_EQ(3, check["sources"]["shipped"]);
  EXPECT_EQ(0, check["sources"]["added"]);
  EXPECT_EQ("b.json: no JSON", check["sources"]["unread"][0]["why"]);
  const Json list = Json::parse(ListJson(facts.advisories));
  ASSERT_EQ(3u, list["advisories"].size());
  const Json& first = list["advisories"][0];
  EXPECT_EQ("SIW-2026-9001", first["id"]);
  EXPECT_EQ("high", first["severity"]);
  EXPECT_EQ("2026-10-16T09:00:00Z", first["modified"]);
  EXPECT_EQ("/usr/share/siw/advisories/x_SIW-2026-9001.json", first["file"]);
  EXPECT_EQ(Json::parse(R"({"component": "siw-dkms", "introduced": "0.1.0",
                            "fixed": "0.1.4"})"),
            first["affected"][0]);
  EXPECT_EQ(nullptr, first["withdrawn"]);
  EXPECT_EQ("2026-10-20T09:00:00Z", list["advisories"][1]["withdrawn"]);
  EXPECT_EQ(nullptr, list["advisories"][2]["affected"][0]["fixed"]);
}

}  // namespace
}  // namespace siw
