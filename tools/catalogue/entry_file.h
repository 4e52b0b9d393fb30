// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The files of docs/errors: TOML front matter between lines of "+++", then four
// sections. docs/reference/catalogue.md describes the format.
#ifndef SIW_TOOLS_CATALOGUE_ENTRY_FILE_H_
#define SIW_TOOLS_CATALOGUE_ENTRY_FILE_H_

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/catalogue.h"
#include "tools/common/result.h"

namespace siw::catalogue {

struct EntryFile {
  std::string id;
  std::string title;
  Severity severity = Severity::kError;
  std::string kind;
  std::string origin;
  std::vector<std::string> texts;
  std::string term;
  std::string direction;
  std::vector<std::string> errnos;
  std::vector<std::string> counters;
  std::vector<std::string> names;
  std::string test;
  std::string cause;
  std::string action;
  std::string confirm;
  std::string example;
};

// `name` is the file's name, for messages and for the id it has to hold.
Result<EntryFile> ParseEntry(std::string_view name, std::string_view text);

// Every *.md of a directory but README.md, sorted by id.
Result<std::vector<EntryFile>> ReadEntries(const std::filesystem::path& dir);

// The same entries as the tools see them; owns the lists they point into.
class View {
 public:
  explicit View(const std::vector<EntryFile>& files);
  CatalogueView entries() const { return entries_; }

 private:
  Strings Keep(const std::vector<std::string>& list);

  std::deque<std::vector<std::string_view>> lists_;
  std::vector<CatalogueEntry> entries_;
};

}  // namespace siw::catalogue

#endif  // SIW_TOOLS_CATALOGUE_ENTRY_FILE_H_
