// Reads the fields of a TOML table, and notes each that is missing, is of the
// wrong type, or is none that anybody asked for.
#ifndef SIW_TOOLS_ADVISORY_FIELDS_H_
#define SIW_TOOLS_ADVISORY_FIELDS_H_

// toml++ in one header and without exceptions. Those of its parts have other
// names in each release.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/advisory/problem.h"
#include "tools/advisory/time.h"
#include "tools/common/result.h"

namespace siw::advisory {

// The text of a file, or why it cannot be had.
Result<std::string> ReadFile(const std::string& path);

// Null for a syntax error, which becomes a problem with the number of its line
std::shared_ptr<const toml::table> ParseToml(const std::string& text,
                                             const std::string& file,
                                             Problems* problems);

class Fields {
 public:
  Fields(const toml::table& table, std::string file, std::string prefix,
         Problems* problems)
      : table_(&table),
        file_(std::move(file)),
        prefix_(std::move(prefix)),
        problems_(problems) {}

  bool Has(const std::string& key) const;

  // What has to be there
  std::string Text(const std::string& key);
  Time When(const std::string& key);
  std::vector<std::string> Texts(const std::string& key);
  std::vector<Fields> Tables(const std::string& key);

  // What may be missing
  std::string TextIfAny(const std::string& key);
  std::optional<Fields> TableIfAny(const std::string& key);
  std::vector<std::string> TextsIfAny(const std::string& key);
  std::vector<Fields> TablesIfAny(const std::string& key);

  // One of `values`
  std::string OneOf(const std::string& key,
                    const std::vector<std::string>& values);

  // The names of all fields
  std::vector<std::string> Keys() const;

  // Nobody asked for the others: they are spelt wrong.
  void NothingElse();

  void Wrong(const std::string& key, const std::string& rule);

 private:
  const toml::node* Get(const std::string& key);

  const toml::table* table_;
  std::string file_;
  std::string prefix_;
  Problems* problems_;
  std::set<std::string> asked_;
};

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_FIELDS_H_
