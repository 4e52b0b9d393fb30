// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/entry_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "tools/common/pattern.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace siw::catalogue {
namespace {

constexpr std::string_view kFence = "+++\n";

constexpr std::array<std::string_view, 11> kKinds = {
    "terminate", "startup", "connection", "completion", "event", "verbs",
    "limit",     "link",    "module",     "config",     "tool"};
constexpr std::array<std::string_view, 5> kOrigins = {
    "driver", "kernel", "siw-link", "siw", "user space"};

template <typename Range>
bool OneOf(const Range& range, std::string_view value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

Error At(std::string_view name, std::string_view what) {
  return Error{fmt::format("{}: {}", name, what)};
}

bool IsId(std::string_view id) {
  return id.size() > 4 && id.substr(0, 4) == "SIW-" &&
         id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
             std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

// Reads one key after the other; what is left over at the end is an error.
class FrontMatter {
 public:
  FrontMatter(std::string_view name, toml::table table)
      : name_(name), table_(std::move(table)) {}

  void Text(std::string_view key, std::string* out, bool required) {
    const toml::node* node = table_.get(key);
    if (!node) {
      if (required) Complain(fmt::format("no {}", key));
      return;
    }
    const auto value = node->value<std::string>();
    if (!node->is_string() || !value || value->empty())
      Complain(fmt::format("{} is not a text", key));
    else
      *out = *value;
    table_.erase(key);
  }

  void List(std::string_view key, std::vector<std::string>* out) {
    const toml::node* node = table_.get(key);
    if (!node) return;
    const toml::array* array = node->as_array();
    if (!array || array->empty() || !array->is_homogeneous<std::string>()) {
      Complain(fmt::format("{} is not a list of texts", key));
    } else {
      for (const toml::node& item : *array)
        out->push_back(item.value_or(std::string()));
    }
    table_.erase(key);
  }

  void Complain(std::string what) {
    if (!error_) error_ = At(name_, what);
  }

  std::optional<Error> Finish() {
    for (const auto& [key, value] : table_)
      Complain(fmt::format("unknown key {}", std::string_view(key.str())));
    return error_;
  }

 private:
  std::string_view name_;
  toml::table table_;
  std::optional<Error> error_;
};

void ReadFront(FrontMatter* front, EntryFile* entry) {
  std::string severity;
  front->Text("id", &entry->id, true);
  front->Text("title", &entry->title, true);
  front->Text("severity", &severity, true);
  front->Text("kind", &entry->kind, true);
  front->Text("origin", &entry->origin, true);
  front->Text("term", &entry->term, entry->kind == "terminate");
  front->Text("direction", &entry->direction, entry->kind == "terminate");
  front->Text("test", &entry->test, true);
  front->List("text", &entry->texts);
  front->List("errno", &entry->errnos);
  front->List("counter", &entry->counters);
  front->List("name", &entry->names);

  if (severity == "info")
    entry->severity = Severity::kInfo;
  else if (severity == "warning")
    entry->severity = Severity::kWarning;
  else if (severity != "error")
    front->Complain(fmt::format("severity {}", severity));
  if (!IsId(entry->id)) front->Complain(fmt::format("id {}", entry->id));
  if (!OneOf(kKinds, entry->kind))
    front->Complain(fmt::format("kind {}", entry->kind));
  if (!OneOf(kOrigins, entry->origin))
    front->Complain(fmt::format("origin {}", entry->origin));
  if (!entry->direction.empty() && entry->direction != "sent" &&
      entry->direction != "received")
    front->Complain(fmt::format("direction {}", entry->direction));
  for (const std::string& text : entry->texts) {
    if (!Pattern::Parse(text))
      front->Complain(fmt::format("text {} is not a pattern", text));
  }
}

// The sections in the order they have to come in.
Status ReadSections(std::string_view name, std::string_view body,
                    EntryFile* entry) {
  const std::array<std::pair<std::string_view, std::string*>, 4> sections = {
      {{"\n# Cause\n", &entry->cause},
       {"\n# What to do\n", &entry->action},
       {"\n# How to confirm\n", &entry->confirm},
       {"\n# Example\n", &entry->example}}};
  const std::string text = fmt::format("\n{}", body);
  size_t at = 0;

  for (size_t i = 0; i < sections.size(); ++i) {
    const auto& [heading, out] = sections[i];
    if (text.compare(at, heading.size(), heading) != 0) {
      return At(name, fmt::format("\"{}\" has to come here: {}", Trim(heading),
                                  text.substr(at, 40)));
    }
    at += heading.size();
    size_t end = text.size();
    if (i + 1 < sections.size()) {
      end = text.find(sections[i + 1].first, at - 1);
      if (end == std::string::npos)
        return At(name, fmt::format("no \"{}\"", Trim(sections[i + 1].first)));
    }
    if (end > at) *out = Trim(std::string_view(text).substr(at, end - at));
    if (out->empty())
      return At(name, fmt::format("\"{}\" is empty", Trim(heading)));
    if (out->find("\n# ") != std::string::npos)
      return At(name, "a section that is not one of the four");
    at = end;
  }
  return Done{};
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  if (!file) return Error{path.string() + ": cannot be read"};
  return out.str();
}

}  // namespace

Result<EntryFile> ParseEntry(std::string_view name, std::string_view text) {
  if (text.substr(0, kFence.size()) != kFence)
    return At(name, "does not begin with +++");
  text.remove_prefix(kFence.size());
  const size_t end = text.find("\n+++\n");
  if (end == std::string_view::npos) return At(name, "no +++ after the keys");

  toml::parse_result parsed = toml::parse(text.substr(0, end + 1), name);
  if (!parsed) {
    return At(name,
              fmt::format("line {}: {}", parsed.error().source().begin.line + 1,
                          parsed.error().description()));
  }
  EntryFile entry;
  FrontMatter front(name, std::move(parsed).table());
  ReadFront(&front, &entry);
  if (fmt::format("{}.md", entry.id) != name)
    front.Complain(fmt::format("holds the id {}", entry.id));
  if (const std::optional<Error> error = front.Finish()) return *error;

  const Status sections =
      ReadSections(name, Trim(text.substr(end + kFence.size() + 1)), &entry);
  if (!sections) return sections.error();
  return entry;
}

Result<std::vector<EntryFile>> ReadEntries(const std::filesystem::path& dir) {
  std::vector<EntryFile> entries;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(dir, error)) {
    const std::string name = file.path().filename();
    if (file.path().extension() != ".md" || name == "README.md") continue;
    const Result<std::string> text = ReadFile(file.path());
    if (!text) return text.error();
    Result<EntryFile> entry = ParseEntry(name, *text);
    if (!entry) return entry.error();
    entries.push_back(std::move(*entry));
  }
  if (error) return Error{dir.string() + ": " + error.message()};
  if (entries.empty()) return Error{dir.string() + ": holds no entries"};
  std::sort(entries.begin(), entries.end(),
            [](const EntryFile& a, const EntryFile& b) { return a.id < b.id; });
  return entries;
}

View::View(const std::vector<EntryFile>& files) {
  for (const EntryFile& file : files) {
    entries_.push_back({.id = file.id,
                        .title = file.title,
                        .severity = file.severity,
                        .kind = file.kind,
                        .origin = file.origin,
                        .texts = Keep(file.texts),
                        .term = file.term,
                        .direction = file.direction,
                        .errnos = Keep(file.errnos),
                        .counters = Keep(file.counters),
                        .names = Keep(file.names),
                        .test = file.test,
                        .cause = file.cause,
                        .action = file.action,
                        .confirm = file.confirm,
                        .example = file.example});
  }
}

Strings View::Keep(const std::vector<std::string>& list) {
  lists_.emplace_back(list.begin(), list.end());
  return lists_.back();
}

}  // namespace siw::catalogue
