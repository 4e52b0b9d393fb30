// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace siw::conform {
namespace {

constexpr std::string_view kKselftest = "kselftest/";
constexpr std::string_view kUnit = "unit/";
constexpr std::string_view kKunit = "kunit/";

constexpr std::array<std::string_view, 4> kLevels = {"MUST", "MUST NOT",
                                                     "SHOULD", "SHOULD NOT"};
constexpr std::array<std::string_view, 3> kVerdicts = {"pass", "not applicable",
                                                       "not met"};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

bool StartsWith(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

template <typename Range>
bool OneOf(const Range& range, const std::string& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

bool KselftestExists(const std::string& test, const std::string& selftests) {
  const size_t colon = test.find(": ");
  if (colon == std::string::npos) return false;
  const std::string program =
      test.substr(kKselftest.size(), colon - kKselftest.size());
  const std::string file = selftests + "/kselftest/" + program;
  const std::string name = test.substr(colon + 2);
  return ReadFile(file + ".c").find('"' + name + '"') != std::string::npos ||
         ReadFile(file).find("\nrun '" + name + "' ") != std::string::npos;
}

bool UnitTestExists(const std::string& test, const std::string& selftests) {
  const std::string name = test.substr(kUnit.size());
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return false;
  const std::string want =
      fmt::format("({}, {})", name.substr(0, dot), name.substr(dot + 1));
  std::error_code error;
  std::filesystem::directory_iterator files(selftests + "/unit", error);
  return std::any_of(begin(files), end(files), [&want](const auto& file) {
    return file.path().extension() == ".cc" &&
           ReadFile(file.path()).find(want) != std::string::npos;
  });
}

bool KunitTestExists(const std::string& test, const std::string& selftests) {
  const std::string name = test.substr(kKunit.size());
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return false;
  const std::string suite = ".name = \"" + name.substr(0, dot) + '"';
  const std::string want = "KUNIT_CASE(" + name.substr(dot + 1) + ")";
  std::error_code error;
  std::filesystem::directory_iterator files(selftests + "/../siw/tests", error);
  return std::any_of(begin(files), end(files), [&](const auto& file) {
    const std::string text = ReadFile(file.path());
    return text.find(suite) != std::string::npos &&
           text.find(want) != std::string::npos;
  });
}

}  // namespace

bool IsForeignTest(const std::string& test) {
  return StartsWith(test, kKselftest) || StartsWith(test, kUnit) ||
         StartsWith(test, kKunit);
}

Result<std::vector<Row>> ParseTable(const std::string& text,
                                    const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed)
    return Error{fmt::format("{}: line {}: {}", name,
                             parsed.error().source().begin.line,
                             parsed.error().description())};
  const toml::array* rows = parsed.table()["row"].as_array();
  if (!rows) return Error{name + ": no rows"};
  std::vector<Row> out;
  for (const toml::node& node : *rows) {
    const toml::table* from = node.as_table();
    if (!from) return Error{name + ": a row that is no table"};
    const auto text_of = [from](const char* key) {
      return (*from)[key].value_or(std::string());
    };
    Row row = {text_of("clause"),
               text_of("level"),
               text_of("binds"),
               text_of("rule"),
               {},
               text_of("verdict"),
               text_of("remark")};
    if (const toml::array* tests = (*from)["tests"].as_array())
      for (const toml::node& test : *tests)
        row.tests.push_back(test.value_or(std::string()));
    out.push_back(std::move(row));
  }
  return out;
}

Result<std::vector<Row>> LoadTable(const std::string& path) {
  if (!std::filesystem::exists(path))
    return Error{path + ": there is no such file"};
  return ParseTable(ReadFile(path), path);
}

std::vector<std::string> CheckTable(const std::vector<Row>& rows,
                                    const std::vector<std::string>& ids,
                                    const std::string& selftests) {
  std::vector<std::string> out;
  std::set<std::string> used;
  for (const Row& row : rows) {
    const auto wrong = [&](const std::string& what) {
      out.push_back(fmt::format("{} ({}): {}", row.clause, row.rule, what));
    };
    if (row.clause.empty() || row.rule.empty() || row.binds.empty())
      wrong("clause, rule or binds is missing");
    if (!OneOf(kLevels, row.level)) wrong("no such level: " + row.level);
    if (!OneOf(kVerdicts, row.verdict))
      wrong("no such verdict: " + row.verdict);
    if (row.verdict == "pass" && row.tests.empty())
      wrong("passes without a test");
    if (row.verdict != "pass" && row.remark.empty())
      wrong("does not pass, and no remark says why");
    for (const std::string& test : row.tests) {
      used.insert(test);
      const bool there =
          StartsWith(test, kKselftest) ? KselftestExists(test, selftests)
          : StartsWith(test, kUnit)    ? UnitTestExists(test, selftests)
          : StartsWith(test, kKunit)   ? KunitTestExists(test, selftests)
                                       : OneOf(ids, test);
      if (!there) wrong("no such test: " + test);
    }
  }
  for (const std::string& id : ids)
    if (!StartsWith(id, "vector-") && !used.count(id))
      out.push_back("no row names the test " + id);
  return out;
}

}  // namespace siw::conform
