// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The catalogue of this tree and the rest of this tree: they say the same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tools/advisory/test_ids.h"
#include "tools/catalogue/driver_messages.h"
#include "tools/catalogue/entry_file.h"
#include "tools/common/errno_name.h"
#include "tools/common/log_line.h"

extern "C" {
#include "fault.h"
}

namespace siw::catalogue {
namespace {

namespace fs = std::filesystem;

const fs::path kTree = SIW_TREE;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> Names(std::string_view function) {
  std::vector<std::string> names;
  if (function != "siw_fault_name") return names;
  for (int fault = SIW_OK + 1; fault < SIW_FAULTS; ++fault)
    names.push_back(siw_fault_name(static_cast<enum siw_fault>(fault)));
  return names;
}

std::vector<DriverMessage> MessagesOfTheDriver() {
  std::vector<DriverMessage> all;
  for (const fs::path& dir : {kTree / "siw", kTree / "siw/proto"}) {
    for (const auto& file : fs::directory_iterator(dir)) {
      if (file.path().extension() != ".c" && file.path().extension() != ".h")
        continue;
      auto found = FindMessages(fs::relative(file.path(), kTree).string(),
                                ReadFile(file), Names);
      EXPECT_TRUE(found) << (found ? "" : found.error().message);
      if (found) all.insert(all.end(), found->begin(), found->end());
    }
  }
  return all;
}

// The message of siw_log_fault() in siw/log.c.
std::string FaultLine(const char* by, enum siw_fault fault,
                      const struct siw_term& term, const char* stag = "") {
  return fmt::format(
      "siw0: QP 7, local 192.0.2.1:4791, peer 192.0.2.2:39218: stream ended by "
      "{}: {} ({}/{}/{:02x}){}",
      by, siw_fault_name(fault), term.layer, term.etype, term.code, stag);
}

constexpr const char* kWithAndWithoutStag[] = {"", ", STag 0x5a1b2c00"};

std::string BestOf(const LineMatcher& matcher, const std::string& line) {
  const std::vector<LineMatch> best = matcher.BestMatches(line);
  std::string ids;
  for (const LineMatch& match : best)
    ids += (ids.empty() ? "" : " ") + std::string(match.entry->id);
  return ids;
}

TEST(Agreement, EveryMessageOfTheDriverHasAnEntryAndTheOtherWayRound) {
  const std::vector<DriverMessage> messages = MessagesOfTheDriver();
  EXPECT_GE(messages.size(), 2u);
  for (const std::string& text : Disagreements(messages, Catalogue()))
    ADD_FAILURE() << text;
}

TEST(Agreement, ANewMessageIsNoticed) {
  std::vector<DriverMessage> messages = MessagesOfTheDriver();
  const auto added = FindMessages(
      "siw/new.c", "ibdev_warn(dev, \"QP %u fell over\\n\", n);", Names);
  ASSERT_TRUE(added);
  messages.insert(messages.end(), added->begin(), added->end());
  EXPECT_EQ(1u, Disagreements(messages, Catalogue()).size());
}

TEST(Agreement, EachMessageWithoutNumbersHasOneEntry) {
  const LineMatcher matcher(Catalogue());
  size_t checked = 0;
  for (const DriverMessage& message : MessagesOfTheDriver()) {
    std::string line = "siw0: ";
    for (const MessagePart& part : message.message)
      line += part.is_any ? "192.0.2.2:39218" : part.text;
    if (line.find("MPA") == std::string::npos ||
        line.find("stream ended") != std::string::npos)
      continue;
    EXPECT_EQ(1u, matcher.BestMatches(line).size()) << line;
    ++checked;
  }
  EXPECT_EQ(10u, checked);
}

TEST(Agreement, EachTerminateSentHasOneEntryWithItsCode) {
  const LineMatcher matcher(Catalogue());
  for (int i = SIW_OK + 1; i < SIW_FAULTS; ++i) {
    const auto fault = static_cast<enum siw_fault>(i);
    struct siw_term term;
    siw_term_fill(&term, fault, nullptr, 0, 0);
    const std::string code =
        fmt::format("{}/{}/{:02x}", term.layer, term.etype, term.code);
    for (const char* stag : kWithAndWithoutStag) {
      const std::string line = FaultLine("us", fault, term, stag);
      const auto best = matcher.BestMatches(line);
      ASSERT_EQ(1u, best.size()) << line;
      EXPECT_EQ(code, best[0].entry->term) << line;
      EXPECT_EQ("sent", best[0].entry->direction) << line;
    }
  }
}

TEST(Agreement, EachTerminateReceivedHasOneEntry) {
  const LineMatcher matcher(Catalogue());
  std::set<std::string> reached;
  for (int layer = 0; layer < 4; ++layer) {
    for (int etype = 0; etype < 5; ++etype) {
      for (int code = 0; code < 256; ++code) {
        struct siw_term term = {};
        term.layer = static_cast<uint8_t>(layer);
        term.etype = static_cast<uint8_t>(etype);
        term.code = static_cast<uint8_t>(code);
        for (const char* stag : kWithAndWithoutStag) {
          const std::string line =
              FaultLine("peer", siw_term_fault(&term), term, stag);
          const auto best = matcher.BestMatches(line);
          ASSERT_EQ(1u, best.size()) << line << ": " << BestOf(matcher, line);
          EXPECT_EQ("received", best[0].entry->direction) << line;
          reached.emplace(best[0].entry->id);
          // What the in-box driver says of the same Terminate
          const std::string inbox =
              fmt::format("siw: got TERMINATE. layer {}, type {}, code {}",
                          layer, etype, code);
          EXPECT_EQ(best[0].entry->id, BestOf(matcher, inbox)) << inbox;
        }
      }
    }
  }
  for (const CatalogueEntry& entry : Catalogue()) {
    if (entry.direction != "received") continue;
    EXPECT_EQ(1u, reached.count(std::string(entry.id))) << entry.id;
  }
}

TEST(Agreement, EveryRegisteredCodeIsThereBothWays) {
  std::set<std::string> codes;
  for (const CatalogueEntry& entry : Catalogue()) {
    if (!entry.term.empty() && entry.term != "any")
      codes.insert(fmt::format("{} {}", entry.term, entry.direction));
  }
  EXPECT_EQ(2u * 34, codes.size());
}

TEST(Agreement, ExamplesOfTextsAreThoseTexts) {
  const LineMatcher matcher(Catalogue());
  for (const CatalogueEntry& entry : Catalogue()) {
    if (entry.texts.empty()) continue;
    const std::string example(entry.example);
    const size_t start = example.find_first_not_of(' ');
    const std::string line = example.substr(start, example.find('\n') - start);
    EXPECT_EQ(std::string(entry.id), BestOf(matcher, line)) << line;
  }
}

// A string of a shell script; what is $name, ${...}, $(...) or rpm's %{...} in
// it may be anything.
Message ShellMessage(std::string_view text) {
  Message message = {{false, ""}};
  for (size_t i = 0; i < text.size();) {
    const bool rpm = text.substr(i, 2) == "%{";
    if (text[i] != '$' && !rpm) {
      message.back().text += text[i++];
      continue;
    }
    if (text[++i] == '(') {
      i = text.find(')', i) + 1;
    } else if (text[i] == '{') {
      i = text.find('}', i) + 1;
    } else {
      while (i < text.size() && (std::isalnum(text[i]) || text[i] == '_')) ++i;
    }
    message.push_back({true, ""});
    message.push_back({false, ""});
  }
  std::erase_if(message, [](const MessagePart& part) {
    return !part.is_any && part.text.empty();
  });
  return message;
}

// The messages of the siw-link script: each `note "..."`.
TEST(Agreement, EveryMessageOfSiwLinkHasAnEntryAndTheOtherWayRound) {
  std::istringstream script(ReadFile(kTree / "packaging/debian/siw-link"));
  std::vector<Message> messages;
  for (std::string line; std::getline(script, line);) {
    const size_t at = line.find("note \"");
    if (at == std::string::npos) continue;
    const std::string text = line.substr(at + 6, line.rfind('"') - at - 6);
    messages.push_back(ShellMessage("siw-link: " + text));
  }
  EXPECT_GE(messages.size(), 5u);
  for (const Message& message : messages) {
    size_t known = 0;
    for (const CatalogueEntry& entry : Catalogue()) {
      if (entry.origin != "siw-link") continue;
      for (const std::string_view text : entry.texts)
        known += Unifies(message, text);
    }
    EXPECT_EQ(1u, known) << message[0].text << "...";
  }
  for (const CatalogueEntry& entry : Catalogue()) {
    if (entry.origin != "siw-link") continue;
    for (const std::string_view text : entry.texts) {
      EXPECT_TRUE(std::any_of(
          messages.begin(), messages.end(),
          [&](const Message& message) { return Unifies(message, text); }))
          << entry.id << ": " << text;
    }
  }
}

// What the packages of the module say when there is none: an echo, whose
// strings may be on more than one line.
TEST(Agreement, EveryMissingModuleThatAPackageTellsOfHasAnEntry) {
  size_t messages = 0;
  for (const char* path :
       {"packaging/debian/siw-dkms.postinst", "packaging/rpm/siw.spec"}) {
    const std::string script = ReadFile(kTree / path);
    const std::string begin = "echo \"siw-dkms: no module for ";
    for (size_t at = script.find(begin); at != std::string::npos;
         at = script.find(begin, at + 1)) {
      const size_t from = at + 6;
      std::string text = script.substr(from, script.find(" >&2", at) - from);
      text = std::regex_replace(text, std::regex("\" *\\\\?\n? *\""), " ");
      text.erase(text.rfind('"'));
      const Message message = ShellMessage(text);
      EXPECT_TRUE(std::any_of(Catalogue().begin(), Catalogue().end(),
                              [&](const CatalogueEntry& entry) {
                                return std::any_of(
                                    entry.texts.begin(), entry.texts.end(),
                                    [&](std::string_view pattern) {
                                      return Unifies(message, pattern);
                                    });
                              }))
          << path << ": " << text;
      ++messages;
    }
  }
  EXPECT_EQ(4u, messages);
}

TEST(Agreement, EveryCounterIsOneOfTheDriver) {
  const std::string stats = ReadFile(kTree / "siw/stats.c");
  for (const CatalogueEntry& entry : Catalogue()) {
    for (const std::string_view counter : entry.counters) {
      EXPECT_NE(std::string::npos, stats.find(fmt::format("\"{}\"", counter)))
          << entry.id << ": " << counter;
    }
  }
}

TEST(Agreement, EveryErrnoHasANumber) {
  for (const CatalogueEntry& entry : Catalogue()) {
    for (const std::string_view name : entry.errnos)
      EXPECT_TRUE(ErrnoNumber(name)) << entry.id << ": " << name;
  }
}

// Words of the driver's sources that begin so.
std::set<std::string> WordsOfTheDriver(const std::string& start) {
  std::set<std::string> words;
  for (const auto& file : fs::directory_iterator(kTree / "siw")) {
    if (file.path().extension() != ".c") continue;
    const std::string text = ReadFile(file);
    for (size_t at = text.find(start); at != std::string::npos;
         at = text.find(start, at + 1)) {
      const size_t end =
          text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at + 1);
      words.insert(text.substr(at, end - at));
    }
  }
  return words;
}

TEST(Agreement, EveryErrnoOfTheDriverIsInAnEntry) {
  std::set<std::string> known;
  for (const CatalogueEntry& entry : Catalogue())
    known.insert(entry.errnos.begin(), entry.errnos.end());
  for (const std::string& word : WordsOfTheDriver("-E")) {
    const std::string name = word.substr(1);
    // "Not yet", and "the next netlink message": nobody outside hears of it.
    if (name == "EAGAIN" || name == "EINPROGRESS" || name == "EMSGSIZE" ||
        !ErrnoNumber(name))
      continue;
    EXPECT_EQ(1u, known.count(name)) << name;
  }
}

TEST(Agreement, EveryStatusAndEventOfTheDriverIsInAnEntry) {
  std::set<std::string> known;
  for (const CatalogueEntry& entry : Catalogue())
    known.insert(entry.names.begin(), entry.names.end());
  std::set<std::string> words = WordsOfTheDriver("IB_EVENT_");
  for (const std::string& word : WordsOfTheDriver("IB_WC_")) {
    if (word.size() > 4 && word.substr(word.size() - 4) == "_ERR")
      words.insert(word);
  }
  EXPECT_GE(words.size(), 14u);
  for (const std::string& word : words) {
    // As user space has it: IBV_ for IB_
    EXPECT_EQ(1u, known.count("IBV_" + word.substr(3))) << word;
  }
}

constexpr const char* kOfIds = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

// The id, and not the beginning of a longer one
bool HasId(const std::string& text, std::string_view id) {
  for (size_t at = text.find(id); at != std::string::npos;
       at = text.find(id, at + 1)) {
    if (text.find_first_of(kOfIds, at + id.size()) != at + id.size())
      return true;
  }
  return false;
}

// The text of a test of the tools; empty if there is none.
std::string UnitTest(const std::string& suite, const std::string& name) {
  const std::string head = fmt::format("({}, {}) {{\n", suite, name);
  for (const auto& file : fs::recursive_directory_iterator(kTree / "tools")) {
    if (file.path().extension() != ".cc") continue;
    const std::string text = ReadFile(file);
    const size_t at = text.find(head);
    if (at != std::string::npos)
      return text.substr(at, text.find("\n}\n", at) - at);
  }
  return "";
}

// Is there a test of that name, and is it about this id? The names are those of
// docs/reference/catalogue.md.
bool IsTestOf(std::string_view id, const std::string& test) {
  const auto has = [](const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
  };
  const std::string kind = test.substr(0, test.find('/'));
  if (kind == "kselftest") {
    const size_t colon = test.find(": ");
    if (colon == std::string::npos) return false;
    const fs::path program = kTree / "selftests" / test.substr(0, colon);
    const std::string name = test.substr(colon + 2);
    return has(ReadFile(program.string() + ".c"), '"' + name + '"') ||
           has(ReadFile(program), fmt::format(" | {} | {}\n", id, name));
  }
  if (kind == "kunit") return advisory::TestIds(kTree.string()).Exists(test);
  if (kind == "unit") {
    const size_t dot = test.find('.');
    return dot != std::string::npos &&
           HasId(UnitTest(test.substr(5, dot - 5), test.substr(dot + 1)), id);
  }
  return HasId(ReadFile(kTree / test), id);
}

TEST(Agreement, EveryIdHasATestOrSaysWhyNot) {
  for (const CatalogueEntry& entry : Catalogue()) {
    const std::string test(entry.test);
    if (test.starts_with("none: ")) continue;
    EXPECT_TRUE(IsTestOf(entry.id, test)) << entry.id << ": " << test;
  }
}

TEST(Agreement, ATestThatIsNotThereIsNoticed) {
  EXPECT_TRUE(IsTestOf("SIW-LINK-NONE", "kselftest/siw_doctor: no link"));
  for (const char* test :
       {"none", "kselftest/siw_doctor: no link", "kselftest/siw_doctor: a line",
        "kselftest/siw_cm: IPv", "kselftest/x", "kunit/siw_mr.is_none",
        "unit/Load.MeasuresThisHost", "unit/Load.None", "unit/Load",
        "tools/siw/exit_codes_test.sh", "tools/none.sh"})
    EXPECT_FALSE(IsTestOf("SIW-CONF-LINE", test)) << test;
  EXPECT_FALSE(IsTestOf("SIW-TOOL", "tools/siw/exit_codes_test.sh"));
}

// Every id that a text, a finding or a document names is one.
TEST(Agreement, EveryIdThatIsNamedExists) {
  const auto check = [](const std::string& where, std::string_view text) {
    for (size_t at = text.find("SIW-"); at != std::string_view::npos;
         at = text.find("SIW-", at + 1)) {
      const size_t end = text.find_first_not_of(kOfIds, at);
      const std::string_view id = text.substr(at, end - at);
      // SIW-2027-0001 is an advisory.
      if (id.find_first_of("0123456789") == 4) continue;
      EXPECT_NE(nullptr, FindId(Catalogue(), id)) << where << ": " << id;
    }
  };
  for (const CatalogueEntry& entry : Catalogue()) {
    for (const std::string_view text :
         {entry.cause, entry.action, entry.confirm, entry.example})
      check(std::string(entry.id), text);
  }
  check("findings.cc", ReadFile(kTree / "tools/siw/status/findings.cc"));
  check("net_findings.cc", ReadFile(kTree / "tools/siw/net/net_findings.cc"));
  check("load_findings.cc",
        ReadFile(kTree / "tools/siw/load/load_findings.cc"));
}

TEST(Agreement, TheTableOfTheToolIsWhatTheFilesSay) {
  const auto files = ReadEntries(kTree / "docs/errors");
  ASSERT_TRUE(files) << files.error().message;
  const View view(*files);
  ASSERT_EQ(view.entries().size(), Catalogue().size());
  for (size_t i = 0; i < Catalogue().size(); ++i) {
    const CatalogueEntry& one = Catalogue()[i];
    const CatalogueEntry& other = view.entries()[i];
    EXPECT_EQ(other.id, one.id);
    EXPECT_EQ(other.title, one.title);
    EXPECT_EQ(other.cause, one.cause);
    EXPECT_EQ(other.action, one.action);
    EXPECT_EQ(other.confirm, one.confirm);
    EXPECT_EQ(other.example, one.example);
    EXPECT_TRUE(std::equal(other.texts.begin(), other.texts.end(),
                           one.texts.begin(), one.texts.end()));
  }
}

}  // namespace
}  // namespace siw::catalogue
