// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// docs/reference/rfc-conformance.toml: the rules, and what shows that they
// hold.
#ifndef SIW_SELFTESTS_CONFORM_TABLE_H_
#define SIW_SELFTESTS_CONFORM_TABLE_H_

#include <string>
#include <vector>

#include "tools/common/result.h"

namespace siw::conform {

struct Row {
  std::string clause;  // "5041 7.1"
  std::string level;   // MUST, MUST NOT, SHOULD, SHOULD NOT
  std::string binds;
  std::string rule;
  std::vector<std::string> tests;
  std::string verdict;  // pass, not applicable, not met
  std::string remark;

  bool must() const { return level.rfind("MUST", 0) == 0; }
};

Result<std::vector<Row>> ParseTable(const std::string& text,
                                    const std::string& name);
Result<std::vector<Row>> LoadTable(const std::string& path);

// A test of this program, or of a neighbour: "kselftest/siw_mpa: NAME" or
// "unit/Suite.Name".
bool IsForeignTest(const std::string& test);

// What is wrong with the table, a line each. `ids` are the tests of this
// program; those of its neighbours are looked for in `selftests`.
std::vector<std::string> CheckTable(const std::vector<Row>& rows,
                                    const std::vector<std::string>& ids,
                                    const std::string& selftests);

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_TABLE_H_
