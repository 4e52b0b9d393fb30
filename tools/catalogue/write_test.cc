// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/write.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

namespace siw::catalogue {
namespace {

using nlohmann::json;

json Read(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, false);
}

bool IsOf(const json& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

bool IsOfAny(const json& value, const json& types) {
  if (types.is_string()) return IsOf(value, types);
  for (const json& type : types) {
    if (IsOf(value, type)) return true;
  }
  return false;
}

// As much of JSON Schema as our schema uses; a word it does not know fails.
void Validate(const json& root, const json& schema, const json& value,
              const std::string& where) {
  for (const auto& [word, rule] : schema.items()) {
    if (word == "type") {
      EXPECT_TRUE(IsOfAny(value, rule)) << where << " is not " << rule;
    } else if (word == "const") {
      EXPECT_EQ(rule, value) << where;
    } else if (word == "enum") {
      EXPECT_NE(rule.end(), std::find(rule.begin(), rule.end(), value))
          << where << ": " << value;
    } else if (word == "pattern") {
      if (!value.is_string()) continue;
      EXPECT_TRUE(std::regex_search(value.get<std::string>(),
                                    std::regex(rule.get<std::string>())))
          << where << ": " << value;
    } else if (word == "minLength") {
      if (!value.is_string()) continue;
      EXPECT_GE(value.get<std::string>().size(), rule.get<size_t>()) << where;
    } else if (word == "required") {
      for (const json& key : rule)
        EXPECT_TRUE(value.contains(key.get<std::string>()))
            << where << " has no " << key;
    } else if (word == "properties") {
      for (const auto& [key, inner] : rule.items()) {
        if (value.contains(key))
          Validate(root, inner, value.at(key), where + "/" + key);
      }
    } else if (word == "additionalProperties") {
      EXPECT_EQ(json(false), rule);
      for (const auto& [key, inner] : value.items())
        EXPECT_TRUE(schema.at("properties").contains(key))
            << where << ": " << key;
    } else if (word == "items") {
      for (size_t i = 0; i < value.size(); ++i)
        Validate(root, rule, value[i], where + "/" + std::to_string(i));
    } else if (word == "$ref") {
      Validate(root,
               root.at(json::json_pointer(rule.get<std::string>().substr(1))),
               value, where);
    } else if (word != "$schema" && word != "$id" && word != "title" &&
               word != "description" && word != "$defs") {
      ADD_FAILURE() << "the schema says " << word;
    }
  }
}

TEST(Write, JsonIsOfThePublishedSchema) {
  const json schema = Read(SIW_TREE "/docs/reference/catalog.schema.json");
  ASSERT_TRUE(schema.is_object());
  const json catalog = Read(SIW_CATALOG_JSON);
  ASSERT_TRUE(catalog.is_object());
  Validate(schema, schema, catalog, "");
  EXPECT_EQ(Catalogue().size(), catalog["entries"].size());
}

TEST(Write, MessageIdsAreFnv1a) {
  // The hash of nothing, and of "foobar", as FNV publishes them.
  EXPECT_EQ("6c62272e07bb014262b821756295c58d", MessageId(""));
  EXPECT_EQ("343e1662793c64bf6f0d3597ba446f18", MessageId("foobar"));
}

TEST(Write, MessageIdsDiffer) {
  std::set<std::string> ids;
  for (const CatalogueEntry& entry : Catalogue())
    ids.insert(MessageId(entry.id));
  EXPECT_EQ(Catalogue().size(), ids.size());
}

TEST(Write, JournaldEntriesHaveTheirHeaders) {
  const std::string text = Journald(Catalogue().first(1));
  EXPECT_EQ(0u, text.find("# Made by siw-catalogue of docs/errors.\n\n-- " +
                          MessageId(Catalogue()[0].id) + "\nSubject: "));
  // An empty line ends the headers; none may come before.
  EXPECT_LT(text.find("Documentation: "), text.find("\n\n", text.find("--")));
}

TEST(Write, ManPageHasNoStrayRequest) {
  const std::string page = ManPage(Catalogue(), "1");
  const std::set<std::string> known = {".TH", ".SH", ".SS", ".PP",  ".nf",
                                       ".fi", ".BR", ".IP", ".\\\""};
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || (line[0] != '.' && line[0] != '\'')) continue;
    EXPECT_EQ(1u, known.count(line.substr(0, line.find(' ')))) << line;
  }
  for (const CatalogueEntry& entry : Catalogue()) {
    std::string id(entry.id);
    id = std::regex_replace(id, std::regex("-"), "\\-");
    EXPECT_NE(std::string::npos, page.find(".SH " + id + "\n")) << id;
  }
}

}  // namespace
}  // namespace siw::catalogue
