// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The tests, by their ids: those of single rules are called after the clause,
// those of selftests/vectors after the vector.
#ifndef SIW_SELFTESTS_CONFORM_RULES_H_
#define SIW_SELFTESTS_CONFORM_RULES_H_

#include <functional>
#include <string>
#include <vector>

#include "selftests/conform/stage.h"

namespace siw::conform {

struct Test {
  std::string id;
  std::string title;
  std::function<void(Stage&)> run;
};
using Tests = std::vector<Test>;

void AddStartupRules(Tests* tests);
void AddMpaRules(Tests* tests);
void AddDdpRules(Tests* tests);
void AddRdmapRules(Tests* tests);
// One test for each vector of the file.
Status AddVectors(const std::string& path, Tests* tests);

// All of these.
Result<Tests> AllTests(const std::string& vectors);

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_RULES_H_
