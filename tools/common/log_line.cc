// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "tools/common/text.h"

namespace siw {
namespace {

// No message is longer; what is behind it is not looked at.
constexpr size_t kLongest = 1024;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  return text.substr(0, kLongest);
}

// A message begins at the beginning, or behind "siw0: ", "] " or "-;".
bool MayBegin(std::string_view line, size_t at) {
  if (at == 0) return true;
  const char before = line[at - 1];
  return before == ' ' || before == ';' || before == '>';
}

// "siw0" of "...: siw0: MESSAGE", where `at` is the message.
std::string_view DeviceBefore(std::string_view line, size_t at) {
  std::string_view head = line.substr(0, at);
  if (head.size() < 3 || head.substr(head.size() - 2) != ": ") return {};
  head.remove_suffix(2);
  const size_t blank = head.find_last_of(" ;>]");
  const std::string_view word =
      blank == std::string_view::npos ? head : head.substr(blank + 1);
  if (word == "kernel" || word == "siw" || word.find('[') != word.npos)
    return {};
  return word;
}

bool HasField(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& field) { return field.name == name; });
}

// What the in-box driver says of a Terminate it received, for one `text` of
// what ours says: "... (1/2/02)" is "layer 1, type 2, code 2", where a number
// without 0x is taken for a decimal one. Seen in the kernel log of
// 7.3.4+deb13-amd64 (1/1/00), and quoted in a change of cifs of July 2025 that
// 6.12.y has (1/2/02).
std::vector<std::string> InboxTerminates(std::string_view text) {
  const size_t open = text.rfind('(');
  if (open == std::string_view::npos || text.back() != ')') return {};
  text = text.substr(open + 1, text.size() - open - 2);
  const size_t first = text.find('/');
  const size_t last = text.rfind('/');
  if (first == last) return {};
  const std::string layer(text.substr(0, first));
  const std::string type(text.substr(first + 1, last - first - 1));
  std::string code(text.substr(last + 1));
  if (!code.starts_with("{"))
    code = std::to_string(std::strtoul(code.c_str(), nullptr, 16));

  std::vector<std::string> types = {type};
  // Of MPA type 0 is that of RFC 5044, and type 3 that of old adapters.
  if (type == "{type}" && layer == "2") types = {"0", "3"};
  std::vector<std::string> texts;
  for (const std::string& one : types)
    texts.push_back("siw: got TERMINATE. layer " + layer + ", type " + one +
                    ", code " + code);
  return texts;
}

// What else the in-box driver says, and the entry that has its cause. Seen in
// the kernel log of 7.3.4+deb13-amd64, which answered conformance tests, if
// nothing else is said.
struct InboxText {
  std::string_view text;
  std::string_view id;
};
constexpr std::array<InboxText, 8> kInboxTexts = {{
    // ENFILE of the RDMA core. Seen in the kernel log of a report of syzbot to
    // linux-rdma of June 2026, of a kernel of that month.
    {"siw: device registration error -23", "SIW-LINK-NAME"},
    {"siw: crc error. in: {received}, own {computed}, op {opcode}",
     "SIW-TERM-2002-SENT"},
    {"siw: received unknown packet type {opcode}", "SIW-TERM-0206-SENT"},
    // It does not say whether the segment was tagged; ours would.
    {"siw: received ddp version unsupported {version}", "SIW-TERM-1206-SENT"},
    {"siw: short mpa_len {length} for opcode {opcode} (hdr_len {header})",
     "SIW-TERM-1000-SENT"},
    {"siw: [QP {qp}]: invalid ddp qn {queue} for send", "SIW-TERM-1201-SENT"},
    {"siw: [QP {qp}]: send msn: {msn} != {expected}", "SIW-TERM-1203-SENT"},
    {"siw: [QP {qp}], send mo: {mo} != {expected}", "SIW-TERM-1204-SENT"},
}};

// Does the message begin with "siw: ", behind what logs put in front?
bool IsInbox(std::string_view line) {
  constexpr std::string_view kStart = "siw: ";
  for (size_t at = line.find(kStart); at != std::string_view::npos;
       at = line.find(kStart, at + 1)) {
    if (at == 0 || line[at - 1] == ';' || line[at - 1] == '>') return true;
    if (at > 1 && line[at - 1] == ' ' &&
        std::string_view(":]>").find(line[at - 2]) != std::string_view::npos)
      return true;
  }
  return false;
}

bool IsName(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) {
    return IsWordChar(c) || c == '-' || c == '.';
  });
}

// The device of "... infiniband NAME: ..." or "... siw0: ...".
void FindDevice(std::string_view line, ForeignLine* found) {
  std::string_view before;
  while (!line.empty()) {
    const size_t blank = line.find(' ');
    std::string_view word = line.substr(0, blank);
    const bool colon = word.size() > 1 && word.back() == ':';
    if (colon) word.remove_suffix(1);
    if (colon && IsName(word)) {
      found->core = before.ends_with("infiniband");
      // "siw-link: " and the like are programs of the package.
      if (found->core || (word != "siw" && !word.starts_with("siw-") &&
                          word.find("siw") != std::string_view::npos)) {
        found->fields.push_back({"device", std::string(word)});
        return;
      }
    }
    before = word;
    if (blank == std::string_view::npos) return;
    line.remove_prefix(blank + 1);
  }
}

// The number behind `word`, past blanks and "[:=#,"; hexadecimal with 0x.
std::optional<unsigned long> NumberAfter(const std::string& text,
                                         std::string_view word) {
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1)) {
    if (at > 0 && IsWordChar(text[at - 1])) continue;
    size_t start = at + word.size();
    while (start < text.size() && std::string_view(" [:=#,-").find(
                                      text[start]) != std::string_view::npos)
      ++start;
    if (start < text.size() &&
        std::isdigit(static_cast<unsigned char>(text[start])))
      return std::strtoul(text.c_str() + start, nullptr, 0);
  }
  return {};
}

}  // namespace

LineMatcher::LineMatcher(CatalogueView catalogue) {
  for (const CatalogueEntry& entry : catalogue) {
    for (const std::string_view text : entry.texts) {
      Add(&entry, text, false);
      if (entry.direction != "received") continue;
      for (const std::string& inbox : InboxTerminates(text))
        Add(&entry, inbox, true);
    }
  }
  for (const InboxText& known : kInboxTexts) {
    if (const CatalogueEntry* entry = FindId(catalogue, known.id))
      Add(entry, known.text, true);
  }
}

void LineMatcher::Add(const CatalogueEntry* entry, std::string_view text,
                      bool inbox) {
  std::optional<Pattern> pattern = Pattern::Parse(text);
  if (pattern) texts_.push_back({entry, std::move(*pattern), inbox});
}

std::vector<LineMatch> LineMatcher::BestMatches(std::string_view line) const {
  std::vector<LineMatch> best;
  size_t weight = 0;

  line = Trim(line);
  for (const Text& text : texts_) {
    if (text.pattern.weight() < weight) continue;
    for (size_t at = 0; at < line.size(); ++at) {
      if (!MayBegin(line, at)) continue;
      std::optional<Fields> fields = text.pattern.Match(line.substr(at));
      if (!fields) continue;
      if (text.pattern.weight() > weight) best.clear();
      weight = text.pattern.weight();
      const std::string_view device = DeviceBefore(line, at);
      if (!device.empty() && !HasField(*fields, "device"))
        fields->insert(fields->begin(), {"device", std::string(device)});
      best.push_back({text.entry, std::move(*fields), text.inbox});
      break;
    }
  }
  return best;
}

std::optional<LineMatch> LineMatcher::Match(std::string_view line) const {
  std::vector<LineMatch> best = BestMatches(line);
  if (best.empty()) return {};
  return std::move(best.front());
}

std::optional<ForeignLine> ReadForeignLine(std::string_view line) {
  line = Trim(line);
  const std::string lower = Lower(line);
  // udev gives devices of iWARP names that begin with "iw".
  if (lower.find("siw") == std::string::npos &&
      lower.find("iwarp") == std::string::npos &&
      lower.find("infiniband iw") == std::string::npos)
    return {};

  ForeignLine found;
  found.inbox = IsInbox(line);
  FindDevice(line, &found);
  const auto add = [&found](std::string name, std::string value) {
    found.fields.push_back({std::move(name), std::move(value)});
  };
  for (const std::string_view word : {"qp", "qpn", "qp id", "qp [id"}) {
    if (const auto qp = NumberAfter(lower, word)) {
      add("qp", std::to_string(*qp));
      break;
    }
  }
  for (const std::string_view word : {"error", "err", "rv", "ret", "status"}) {
    const auto number = NumberAfter(lower, word);
    if (number && *number > 0 && *number < 4096) {
      add("errno", std::to_string(*number));
      break;
    }
  }
  if (!HasField(found.fields, "errno")) {
    // "(-104)", or "failed: -104" and no more
    size_t at = lower.find("(-");
    if (at == std::string::npos) {
      at = lower.rfind(" -");
      if (at != std::string::npos &&
          lower.find_first_not_of("0123456789", at + 2) != std::string::npos)
        at = std::string::npos;
    }
    if (at != std::string::npos) {
      const unsigned long number =
          std::strtoul(lower.c_str() + at + 2, nullptr, 10);
      if (number > 0 && number < 4096) add("errno", std::to_string(number));
    }
  }
  const auto layer = NumberAfter(lower, "layer");
  auto type = NumberAfter(lower, "etype");
  if (!type) type = NumberAfter(lower, "type");
  auto code = NumberAfter(lower, "ecode");
  if (!code) code = NumberAfter(lower, "code");
  if (layer && type && code && *layer < 16 && *type < 16 && *code < 256)
    found.term = fmt::format("{}/{}/{:02x}", *layer, *type, *code);
  return found;
}

}  // namespace siw
