// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw-catalogue: makes what users and tools read of docs/errors.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "tools/catalogue/entry_file.h"
#include "tools/catalogue/write.h"

namespace siw::catalogue {
namespace {

int Fail(const Error& error) {
  fmt::print(stderr, "siw-catalogue: {}\n", error.message);
  return 1;
}

Status WriteFile(const std::string& path, const std::string& text) {
  if (path.empty()) return Done{};
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Error{path + ": cannot be written"};
  return Done{};
}

int Main(int argc, char** argv) {
  CLI::App app{
      "Makes catalog.json, siw-errors(7), the table of the siw tool "
      "and a journald catalogue of docs/errors"};
  std::string errors, version, json, table, man, journald;
  app.add_option("--errors", errors, "directory of entries")->required();
  app.add_option("--version-of", version, "version to name")->required();
  app.add_option("--json", json, "file to write");
  app.add_option("--table", table, "file to write");
  app.add_option("--man", man, "file to write");
  app.add_option("--journald", journald, "file to write");
  CLI11_PARSE(app, argc, argv);

  const Result<std::vector<EntryFile>> files = ReadEntries(errors);
  if (!files) return Fail(files.error());
  const View view(*files);
  const CatalogueView entries = view.entries();
  for (const Status& status : {WriteFile(json, Json(entries, version)),
                               WriteFile(table, Table(entries)),
                               WriteFile(man, ManPage(entries, version)),
                               WriteFile(journald, Journald(entries))}) {
    if (!status) return Fail(status.error());
  }
  return 0;
}

}  // namespace
}  // namespace siw::catalogue

int main(int argc, char** argv) { return siw::catalogue::Main(argc, argv); }
