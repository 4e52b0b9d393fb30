// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/catalogue.h"

#include <algorithm>
#include <cctype>

namespace siw {
namespace {

constexpr std::string_view kPrefix = "SIW-";

bool SameLetters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::toupper(x) == std::toupper(y);
                    });
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

const CatalogueEntry* FindId(CatalogueView catalogue, std::string_view id) {
  for (const CatalogueEntry& entry : catalogue) {
    if (SameLetters(entry.id, id) ||
        SameLetters(entry.id.substr(kPrefix.size()), id))
      return &entry;
  }
  return nullptr;
}

}  // namespace siw
