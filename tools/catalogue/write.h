// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What is made of the catalogue.
#ifndef SIW_TOOLS_CATALOGUE_WRITE_H_
#define SIW_TOOLS_CATALOGUE_WRITE_H_

#include <string>
#include <string_view>

#include "tools/common/catalogue.h"

namespace siw::catalogue {

// catalog.json, as docs/reference/catalog.schema.json says.
std::string Json(CatalogueView entries, std::string_view version);

// The C++ source of siw::Catalogue().
std::string Table(CatalogueView entries);

// siw-errors(7).
std::string ManPage(CatalogueView entries, std::string_view version);

// A catalogue file of systemd-journald, see journalctl(1), --catalog.
std::string Journald(CatalogueView entries);

// The MESSAGE_ID of an entry: its id, hashed (FNV-1a, 128 bits).
std::string MessageId(std::string_view id);

}  // namespace siw::catalogue

#endif  // SIW_TOOLS_CATALOGUE_WRITE_H_
