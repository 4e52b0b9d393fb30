#include "tools/advisory/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace siw::advisory {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Time ToTime(const toml::date_time& from) {
  const std::chrono::year_month_day date{std::chrono::year(from.date.year),
                                         std::chrono::month(from.date.month),
                                         std::chrono::day(from.date.day)};
  return Time(std::chrono::sys_days(date) + hours(from.time.hour) +
              minutes(from.time.minute) + seconds(from.time.second) -
              minutes(from.offset->minutes));
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return ErrnoError(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::shared_ptr<const toml::table> ParseToml(const std::string& text,
                                             const std::string& file,
                                             Problems* problems) {
  toml::parse_result parsed = toml::parse(text, file);
  if (parsed)
    return std::make_shared<const toml::table>(std::move(parsed).table());
  problems->push_back(
      {file, fmt::format("line {}", parsed.error().source().begin.line),
       std::string(parsed.error().description())});
  return nullptr;
}

bool Fields::Has(const std::string& key) const { return table_->contains(key); }

const toml::node* Fields::Get(const std::string& key) {
  asked_.insert(key);
  return table_->get(key);
}

void Fields::Wrong(const std::string& key, const std::string& rule) {
  problems_->push_back({file_, prefix_ + key, rule});
}

std::string Fields::TextIfAny(const std::string& key) {
  const toml::node* const node = Get(key);
  if (!node) return "";
  const auto text = node->value_exact<std::string>();
  if (!text || text->empty()) {
    Wrong(key, "has to be a text that is not empty");
    return "";
  }
  return *text;
}

std::string Fields::Text(const std::string& key) {
  if (!Has(key)) Wrong(key, "is missing");
  return TextIfAny(key);
}

Time Fields::When(const std::string& key) {
  const toml::node* const node = Get(key);
  if (!node) {
    Wrong(key, "is missing");
    return {};
  }
  const auto when = node->value_exact<toml::date_time>();
  if (!when || !when->offset) {
    Wrong(key, "has to be a time with its zone: 2027-01-05T16:00:00Z");
    return {};
  }
  return ToTime(*when);
}

std::vector<std::string> Fields::TextsIfAny(const std::string& key) {
  const toml::node* const node = Get(key);
  if (!node) return {};
  const toml::array* const array = node->as_array();
  std::vector<std::string> out;
  if (array)
    for (const toml::node& element : *array)
      out.push_back(element.value_exact<std::string>().value_or(""));
  if (!array || std::count(out.begin(), out.end(), ""))
    Wrong(key, "has to be a list of texts, none of them empty");
  return out;
}

std::vector<std::string> Fields::Texts(const std::string& key) {
  std::vector<std::string> out = TextsIfAny(key);
  if (!Has(key))
    Wrong(key, "is missing");
  else if (out.empty())
    Wrong(key, "is empty");
  return out;
}

std::vector<Fields> Fields::TablesIfAny(const std::string& key) {
  const toml::node* const node = Get(key);
  if (!node) return {};
  const toml::array* const array = node->as_array();
  std::vector<Fields> out;
  if (array)
    for (const toml::node& element : *array)
      if (const toml::table* const table = element.as_table())
        out.emplace_back(*table, file_,
                         fmt::format("{}{}[{}].", prefix_, key, out.size()),
                         problems_);
  if (!array || out.size() != array->size())
    Wrong(key, fmt::format("has to be a list of tables: [[{}]]", key));
  return out;
}

std::vector<Fields> Fields::Tables(const std::string& key) {
  std::vector<Fields> out = TablesIfAny(key);
  const toml::array* const array = table_->get_as<toml::array>(key);
  if (!Has(key) || (array && array->empty()))
    Wrong(key, fmt::format("there is no [[{}]]", key));
  return out;
}

std::optional<Fields> Fields::TableIfAny(const std::string& key) {
  const toml::node* const node = Get(key);
  if (!node) return std::nullopt;
  if (const toml::table* const table = node->as_table())
    return Fields(*table, file_, prefix_ + key + ".", problems_);
  Wrong(key, fmt::format("has to be a table: [{}]", key));
  return std::nullopt;
}

std::string Fields::OneOf(const std::string& key,
                          const std::vector<std::string>& values) {
  const std::string text = Text(key);
  if (!text.empty() &&
      std::find(values.begin(), values.end(), text) == values.end())
    Wrong(key,
          fmt::format("'{}' is none of: {}", text, fmt::join(values, ", ")));
  return text;
}

std::vector<std::string> Fields::Keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : *table_) out.emplace_back(key.str());
  return out;
}

void Fields::NothingElse() {
  for (const std::string& key : Keys())
    if (!asked_.count(key)) Wrong(key, "there is no such field");
}

}  // namespace siw::advisory
