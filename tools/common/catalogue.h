// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The error catalogue as the tools see it: a table made from docs/errors.
#ifndef SIW_TOOLS_COMMON_CATALOGUE_H_
#define SIW_TOOLS_COMMON_CATALOGUE_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace siw {

enum class Severity { kInfo, kWarning, kError };
std::string_view SeverityName(Severity severity);

using Strings = std::span<const std::string_view>;

// One file of docs/errors; docs/reference/catalogue.md says what each means.
struct CatalogueEntry {
  std::string_view id;
  std::string_view title;
  Severity severity;
  std::string_view kind;
  std::string_view origin;
  Strings texts;
  std::string_view term;
  std::string_view direction;
  Strings errnos;
  Strings counters;
  Strings names;
  std::string_view test;
  std::string_view cause;
  std::string_view action;
  std::string_view confirm;
  std::string_view example;
};

using CatalogueView = std::span<const CatalogueEntry>;

// Sorted by id.
CatalogueView Catalogue();

// Any case, with or without the leading "SIW-"; null if there is none.
const CatalogueEntry* FindId(CatalogueView catalogue, std::string_view id);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_CATALOGUE_H_
