// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/driver_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "tools/common/pattern.h"

namespace siw::catalogue {
namespace {

constexpr auto kNone = std::string_view::npos;

// printk(), pr_*, and what ends in one of these and has a known beginning.
constexpr std::array<std::string_view, 8> kLevels = {
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "dbg"};
constexpr std::array<std::string_view, 5> kPrefixes = {"pr", "dev", "ibdev",
                                                       "netdev", "net"};

bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool Prints(std::string_view function) {
  if (StartsWith(function, "printk") || StartsWith(function, "NL_SET_ERR_MSG"))
    return true;
  if (function == "WARN" || function == "WARN_ONCE" ||
      function == "WARN_RATELIMIT" || function == "panic")
    return true;
  for (const std::string_view prefix : kPrefixes) {
    for (const std::string_view level : kLevels) {
      if (StartsWith(function, fmt::format("{}_{}", prefix, level)))
        return true;
    }
  }
  return false;
}

// The source with its comments blanked, so that offsets stay.
std::string WithoutComments(std::string_view source) {
  std::string text(source);
  size_t at = 0;
  const auto blank_to = [&text, &at](size_t end) {
    for (end = std::min(end, text.size()); at < end; ++at) {
      if (text[at] != '\n') text[at] = ' ';
    }
  };
  while (at < text.size()) {
    if (text[at] == '"' || text[at] == '\'') {
      const char quote = text[at];
      for (++at; at < text.size() && text[at] != quote; ++at) {
        if (text[at] == '\\') ++at;
      }
      ++at;
    } else if (text.compare(at, 2, "/*") == 0) {
      const size_t end = text.find("*/", at + 2);
      blank_to(end == std::string::npos ? text.size() : end + 2);
    } else if (text.compare(at, 2, "//") == 0) {
      blank_to(text.find('\n', at));
    } else {
      ++at;
    }
  }
  return text;
}

// Past a string or character literal that begins at `at`.
size_t PastLiteral(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// The arguments of a call whose "(" is at `open`.
std::vector<std::string_view> Arguments(std::string_view text, size_t open) {
  std::vector<std::string_view> arguments;
  size_t start = open + 1;
  int depth = 0;
  for (size_t at = open; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = PastLiteral(text, at);
      continue;
    }
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth == 0 || (depth == 1 && c == ',')) {
      arguments.push_back(text.substr(start, at - start));
      start = at + 1;
    }
    if (depth == 0) break;
    ++at;
  }
  return arguments;
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
  };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What the literal that begins at `at` stands for.
std::string Unquote(std::string_view literal) {
  std::string out;
  for (size_t i = 1; i + 1 < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
    } else if (i + 2 < literal.size()) {
      ++i;
      out += literal[i] == 'n' ? '\n' : literal[i] == 't' ? '\t' : literal[i];
    }
  }
  return out;
}

// Every string literal in `text`, adjacent ones joined.
std::vector<std::string> Literals(std::string_view text) {
  std::vector<std::string> found;
  bool adjacent = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const size_t end = PastLiteral(text, at);
      const std::string literal = Unquote(text.substr(at, end - at));
      if (adjacent)
        found.back() += literal;
      else
        found.push_back(literal);
      adjacent = true;
      at = end;
    } else {
      if (!std::isspace(static_cast<unsigned char>(text[at]))) adjacent = false;
      ++at;
    }
  }
  return found;
}

std::string_view WordAt(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsWordChar(text[n])) ++n;
  return text.substr(0, n);
}

// Offsets of `word(` in `text`.
std::vector<size_t> Calls(std::string_view text, std::string_view word) {
  std::vector<size_t> found;
  for (size_t at = text.find(word); at != kNone; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsWordChar(text[at - 1])) && end < text.size() &&
        text[end] == '(')
      found.push_back(at);
  }
  return found;
}

// What a %s of a source file can be.
class Resolver {
 public:
  Resolver(std::string_view text, const NameTable& names)
      : text_(text), names_(names) {}

  // `at` is where `expression` stands. Empty if it cannot be made out.
  std::vector<std::string> Resolve(std::string_view expression, size_t at,
                                   int depth = 0) const {
    expression = Trim(expression);
    const std::string_view word = WordAt(expression);
    if (word.empty() || word.size() == expression.size())
      return word.empty() ? Literals(expression) : Parameter(word, at, depth);
    if (expression[word.size()] == '(') {
      const std::vector<std::string> known = names_(word);
      if (!known.empty()) return known;
    }
    if (expression[word.size()] == '[') return TableOf(word);
    return Literals(expression);
  }

 private:
  // "word[] = { ... }"
  std::vector<std::string> TableOf(std::string_view word) const {
    const size_t at = text_.find(fmt::format("{}[] = {{", word));
    if (at == kNone) return {};
    const size_t end = text_.find("};", at);
    return Literals(text_.substr(at, end - at));
  }

  // A parameter of the function around `at`: what its callers pass.
  std::vector<std::string> Parameter(std::string_view word, size_t at,
                                     int depth) const {
    const size_t body = text_.rfind("\n{", at);
    if (body == kNone || depth > 2) return {};
    const size_t previous =
        std::max(text_.rfind("\n}", body) + 1, text_.rfind(";\n", body) + 1);
    const std::string_view head = text_.substr(previous, body - previous);
    const size_t open = head.find('(');
    if (open == kNone) return {};
    size_t start = open;
    while (start > 0 && IsWordChar(head[start - 1])) --start;
    const std::string_view function = head.substr(start, open - start);

    const std::vector<std::string_view> parameters = Arguments(head, open);
    size_t index = 0;
    while (index < parameters.size() && NameOf(parameters[index]) != word)
      ++index;
    if (index == parameters.size()) return {};

    std::vector<std::string> found;
    for (const size_t call : Calls(text_, function)) {
      if (call == previous + start) continue;
      const std::vector<std::string_view> passed =
          Arguments(text_, call + function.size());
      if (index >= passed.size()) return {};
      for (std::string& text : Resolve(passed[index], call, depth + 1))
        found.push_back(std::move(text));
    }
    return found;
  }

  // "what" of "const char *what"
  static std::string_view NameOf(std::string_view parameter) {
    parameter = Trim(parameter);
    size_t start = parameter.size();
    while (start > 0 && IsWordChar(parameter[start - 1])) --start;
    return parameter.substr(start);
  }

  std::string_view text_;
  const NameTable& names_;
};

struct Format {
  std::vector<MessagePart> parts;  // an empty `text` that is not any is a %s
  std::vector<size_t> strings;     // index of each %s among the conversions
};

// Cuts a format of printk() at its conversions.
Format Cut(std::string_view format) {
  Format cut;
  std::string literal;
  size_t conversion = 0;
  const auto flush = [&cut, &literal] {
    if (!literal.empty()) cut.parts.push_back({false, literal});
    literal.clear();
  };
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      if (format[at] != '\n') literal += format[at];
      continue;
    }
    if (format.substr(at, 2) == "%%") {
      literal += '%';
      ++at;
      continue;
    }
    flush();
    ++at;
    while (at < format.size() &&
           std::string_view("-+ #0123456789.*hlzt").find(format[at]) != kNone)
      ++at;
    if (at < format.size() && format[at] == 's') {
      cut.strings.push_back(conversion);
      cut.parts.push_back({false, ""});
    } else {
      // %pISpc and the like: letters behind the p belong to it.
      while (at + 1 < format.size() && format[at] == 'p' &&
             std::isalpha(static_cast<unsigned char>(format[at + 1]))) {
        size_t end = at + 1;
        while (end < format.size() &&
               std::isalpha(static_cast<unsigned char>(format[end])))
          ++end;
        at = end - 1;
      }
      cut.parts.push_back({true, ""});
    }
    ++conversion;
  }
  flush();
  return cut;
}

// Adjacent literals become one.
Message Joined(const Message& parts) {
  Message joined;
  for (const MessagePart& part : parts) {
    if (!part.is_any && !joined.empty() && !joined.back().is_any)
      joined.back().text += part.text;
    else
      joined.push_back(part);
  }
  return joined;
}

// Every message that comes of putting texts in for each %s.
std::vector<Message> Expand(
    const Format& format, const std::vector<std::vector<std::string>>& texts) {
  std::vector<Message> messages = {{}};
  size_t next = 0;
  for (const MessagePart& part : format.parts) {
    const bool is_text = !part.is_any && part.text.empty();
    std::vector<Message> longer;
    for (const Message& message : messages) {
      if (!is_text) {
        longer.push_back(message);
        longer.back().push_back(part);
        continue;
      }
      for (const std::string& text : texts[next]) {
        longer.push_back(message);
        longer.back().push_back({false, text});
      }
    }
    messages = std::move(longer);
    next += is_text;
  }
  for (Message& message : messages) message = Joined(message);
  return messages;
}

std::string Show(const Message& message) {
  std::string out;
  for (const MessagePart& part : message) out += part.is_any ? "*" : part.text;
  return out;
}

// Stand for a field that takes anything, and for one that takes a word: a
// number or an address. The latter is what a conversion prints.
constexpr char kAny = '\0';
constexpr char kWord = '\1';

bool IsWild(char symbol) { return symbol == kAny || symbol == kWord; }

// Can the field `wild` have this octet, or another field, in it?
bool Takes(char wild, char symbol) {
  return wild == kAny || std::string_view(" (),").find(symbol) == kNone;
}

std::string Symbols(const Message& message) {
  std::string out;
  for (const MessagePart& part : message)
    out += part.is_any ? std::string(1, kWord) : part.text;
  return out;
}

std::string Symbols(const Pattern& pattern) {
  std::string out;
  for (const Piece& piece : pattern.pieces()) {
    if (!piece.is_field)
      out += piece.text;
    else
      out += FieldAccepts(piece.text, "two words") ? kAny : kWord;
  }
  return out;
}

}  // namespace

Result<std::vector<DriverMessage>> FindMessages(std::string_view file,
                                                std::string_view source,
                                                const NameTable& names) {
  const std::string text = WithoutComments(source);
  const Resolver resolver(text, names);
  std::vector<DriverMessage> found;

  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\'') {
      at = PastLiteral(text, at) - 1;
      continue;
    }
    if (!IsWordChar(text[at])) continue;
    const std::string_view word = WordAt(std::string_view(text).substr(at));
    const size_t call = at;
    at += word.size() - 1;
    if (!Prints(word) || at + 1 >= text.size() || text[at + 1] != '(') continue;

    const auto line = 1 + static_cast<int>(std::count(
                              text.begin(), text.begin() + call, '\n'));
    const auto fail = [&](std::string_view what) {
      return Error{fmt::format("{}:{}: {}: {}", file, line, word, what)};
    };
    const std::vector<std::string_view> arguments = Arguments(text, at + 1);
    size_t index = 0;
    while (index < arguments.size() && Literals(arguments[index]).empty())
      ++index;
    if (index == arguments.size()) return fail("no text to look up");
    const std::vector<std::string> formats = Literals(arguments[index]);
    if (formats.size() != 1) return fail("the text is not one literal");

    const Format format = Cut(formats[0]);
    std::vector<std::vector<std::string>> texts;
    for (const size_t conversion : format.strings) {
      if (index + 1 + conversion >= arguments.size())
        return fail("fewer arguments than conversions");
      texts.push_back(
          resolver.Resolve(arguments[index + 1 + conversion], call));
      if (texts.back().empty())
        return fail("a %s that can be anything: name the fault in the text");
    }
    for (Message& message : Expand(format, texts))
      found.push_back({std::string(file), line, std::move(message)});
  }
  return found;
}

bool Unifies(const Message& message, std::string_view pattern) {
  const std::optional<Pattern> parsed = Pattern::Parse(pattern);
  if (!parsed) return false;
  const std::string one = Symbols(message);
  const std::string other = Symbols(*parsed);

  // reach[i][j]: the first i and j symbols can stand for the same text. A
  // field takes one octet or more.
  std::vector<std::vector<bool>> reach(
      one.size() + 1, std::vector<bool>(other.size() + 1, false));
  reach[0][0] = true;
  for (size_t i = 1; i <= one.size(); ++i) {
    for (size_t j = 1; j <= other.size(); ++j) {
      const char x = one[i - 1];
      const char y = other[j - 1];
      if (IsWild(x) && Takes(x, y) && (reach[i - 1][j - 1] || reach[i][j - 1]))
        reach[i][j] = true;
      else if (IsWild(y) && Takes(y, x) &&
               (reach[i - 1][j - 1] || reach[i - 1][j]))
        reach[i][j] = true;
      else
        reach[i][j] = x == y && reach[i - 1][j - 1];
    }
  }
  return reach[one.size()][other.size()];
}

std::vector<std::string> Disagreements(
    const std::vector<DriverMessage>& messages, CatalogueView entries) {
  std::vector<std::string> found;
  for (const DriverMessage& message : messages) {
    const bool known = std::any_of(
        entries.begin(), entries.end(), [&](const CatalogueEntry& entry) {
          return entry.origin == "driver" &&
                 std::any_of(entry.texts.begin(), entry.texts.end(),
                             [&](std::string_view text) {
                               return Unifies(message.message, text);
                             });
        });
    if (!known) {
      found.push_back(fmt::format("{}:{}: docs/errors has no entry for: {}",
                                  message.file, message.line,
                                  Show(message.message)));
    }
  }
  for (const CatalogueEntry& entry : entries) {
    if (entry.origin != "driver") continue;
    for (const std::string_view text : entry.texts) {
      const bool printed = std::any_of(messages.begin(), messages.end(),
                                       [&](const DriverMessage& message) {
                                         return Unifies(message.message, text);
                                       });
      if (!printed) {
        found.push_back(
            fmt::format("{}: the driver never prints: {}", entry.id, text));
      }
    }
  }
  return found;
}

}  // namespace siw::catalogue
