// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/write.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace siw::catalogue {
namespace {

constexpr int kSchema = 1;

nlohmann::ordered_json List(Strings list) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const std::string_view item : list) json.push_back(item);
  return json;
}

nlohmann::ordered_json OrNull(std::string_view text) {
  if (text.empty()) return nullptr;
  return text;
}

// A string literal of C++; the compiler takes 64 KiB of it.
std::string Literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n')
      out += "\\n\"\n    \"";
    else if (c == '"' || c == '\\' || c == '?')
      out += fmt::format("\\{}", c);
    else
      out += c;
  }
  return out + "\"";
}

std::string_view SeverityCode(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "kInfo";
    case Severity::kWarning:
      return "kWarning";
    case Severity::kError:
      return "kError";
  }
  return "kError";
}

// Text of roff(7): a backslash, and a dot or quote at the start of a line,
// would be commands.
std::string Roff(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((i == 0 || text[i - 1] == '\n') && (text[i] == '.' || text[i] == '\''))
      out += "\\&";
    if (text[i] == '\\')
      out += "\\e";
    else if (text[i] == '-')
      out += "\\-";
    else if (text[i] != '`')
      out += text[i];
  }
  return out;
}

// A section: paragraphs, lists of "- ", and blocks indented by four blanks.
std::string RoffBody(std::string_view body) {
  std::string out;
  bool in_block = false;
  while (!body.empty()) {
    const size_t end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    const bool block = line.substr(0, 4) == "    ";
    if (block != in_block && !line.empty()) {
      out += block ? ".PP\n.nf\n" : ".fi\n.PP\n";
      in_block = block;
    }
    if (line.empty())
      out += in_block ? "\n" : ".PP\n";
    else if (block)
      out += Roff(line.substr(4)) + "\n";
    else if (line.substr(0, 2) == "- ")
      out += ".IP \\(bu 2\n" + Roff(line.substr(2)) + "\n";
    else
      out += Roff(line.substr(line.find_first_not_of(' '))) + "\n";
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 1);
  }
  if (in_block) out += ".fi\n";
  return out;
}

}  // namespace

std::string Json(CatalogueView entries, std::string_view version) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CatalogueEntry& entry : entries) {
    list.push_back({{"id", entry.id},
                    {"title", entry.title},
                    {"severity", SeverityName(entry.severity)},
                    {"kind", entry.kind},
                    {"origin", entry.origin},
                    {"text", List(entry.texts)},
                    {"term", OrNull(entry.term)},
                    {"direction", OrNull(entry.direction)},
                    {"errno", List(entry.errnos)},
                    {"counter", List(entry.counters)},
                    {"name", List(entry.names)},
                    {"test", entry.test},
                    {"message_id", MessageId(entry.id)},
                    {"cause", entry.cause},
                    {"what_to_do", entry.action},
                    {"how_to_confirm", entry.confirm},
                    {"example", entry.example}});
  }
  const nlohmann::ordered_json root = {
      {"schema", kSchema}, {"version", version}, {"entries", list}};
  return root.dump(2, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string Table(CatalogueView entries) {
  std::string lists;
  std::string table;
  const auto list = [&lists](size_t entry, std::string_view what,
                             Strings items) -> std::string {
    if (items.empty()) return "{}";
    const std::string name = fmt::format("k{}{}", what, entry);
    lists += fmt::format("constexpr std::string_view {}[] = {{\n", name);
    for (const std::string_view item : items)
      lists += fmt::format("    {},\n", Literal(item));
    lists += "};\n";
    return name;
  };
  for (size_t i = 0; i < entries.size(); ++i) {
    const CatalogueEntry& entry = entries[i];
    table += fmt::format(
        "  {{.id = {},\n   .title = {},\n   .severity = Severity::{},\n"
        "   .kind = {},\n   .origin = {},\n   .texts = {},\n   .term = {},\n"
        "   .direction = {},\n   .errnos = {},\n   .counters = {},\n"
        "   .names = {},\n   .test = {},\n   .cause = {},\n   .action = {},\n"
        "   .confirm = {},\n   .example = {}}},\n",
        Literal(entry.id), Literal(entry.title), SeverityCode(entry.severity),
        Literal(entry.kind), Literal(entry.origin),
        list(i, "Texts", entry.texts), Literal(entry.term),
        Literal(entry.direction), list(i, "Errnos", entry.errnos),
        list(i, "Counters", entry.counters), list(i, "Names", entry.names),
        Literal(entry.test), Literal(entry.cause), Literal(entry.action),
        Literal(entry.confirm), Literal(entry.example));
  }
  return fmt::format(
      "// Made by siw-catalogue of docs/errors.\n"
      "#include \"tools/common/catalogue.h\"\n\n"
      "namespace siw {{\nnamespace {{\n\n{}\n"
      "constexpr CatalogueEntry kEntries[] = {{\n{}}};\n\n"
      "}}  // namespace\n\n"
      "CatalogueView Catalogue() {{ return kEntries; }}\n\n"
      "}}  // namespace siw\n",
      lists, table);
}

std::string ManPage(CatalogueView entries, std::string_view version) {
  std::string out = fmt::format(
      ".\\\" SPDX-License-Identifier: GPL-2.0-only\n"
      ".\\\" Made by siw-catalogue of docs/errors.\n"
      ".TH SIW-ERRORS 7 \"\" \"siw {}\" \"Miscellaneous Information Manual\"\n"
      ".SH NAME\n"
      "siw-errors \\- what the messages and failures of siw mean\n"
      ".SH DESCRIPTION\n"
      "Each entry has an id that does not change from one version to the "
      "next.\n"
      "A text in it has fields in braces: {{peer}} stands for any address.\n"
      ".BR siw-explain (8)\n"
      "finds the entry for a line of the kernel log, an id or an error "
      "number.\n",
      version);
  for (const CatalogueEntry& entry : entries) {
    out += fmt::format(".SH {}\n{}\n", Roff(entry.id), Roff(entry.title));
    if (!entry.texts.empty()) {
      out += ".PP\n.nf\n";
      for (const std::string_view text : entry.texts) out += Roff(text) + "\n";
      out += ".fi\n";
    }
    out += ".SS Cause\n" + RoffBody(entry.cause);
    out += ".SS What to do\n" + RoffBody(entry.action);
    out += ".SS How to confirm\n" + RoffBody(entry.confirm);
    out += ".SS Example\n" + RoffBody(entry.example);
  }
  out += ".SH SEE ALSO\n.BR siw (8),\n.BR siw-explain (8),\n.BR siw (7)\n";
  return out;
}

std::string Journald(CatalogueView entries) {
  std::string out = "# Made by siw-catalogue of docs/errors.\n";
  for (const CatalogueEntry& entry : entries) {
    out += fmt::format(
        "\n-- {}\nSubject: {}: {}\nDefined-By: siw\n"
        "Documentation: man:siw-errors(7)\n\n{}\n\n{}\n",
        MessageId(entry.id), entry.id, entry.title, entry.cause, entry.action);
  }
  return out;
}

std::string MessageId(std::string_view id) {
  // Two halves of the 128-bit prime and offset of FNV-1a, without a type of
  // 128 bits: the prime is 2^88 + 0x13b.
  uint64_t high = 0x6c62272e07bb0142;
  uint64_t low = 0x62b821756295c58d;
  for (const unsigned char c : id) {
    low ^= c;
    // (high:low) * (2^88 + 0x13b) mod 2^128
    const uint64_t low_low = (low & 0xffffffff) * 0x13b;
    const uint64_t low_high = (low >> 32) * 0x13b + (low_low >> 32);
    high = high * 0x13b + (low_high >> 32) + (low << 24);
    low = low_high << 32 | (low_low & 0xffffffff);
  }
  return fmt::format("{:016x}{:016x}", high, low);
}

}  // namespace siw::catalogue
