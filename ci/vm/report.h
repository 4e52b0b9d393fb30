// Results for people and machines: KTAP and JUnit XML.
#ifndef SIW_CI_VM_REPORT_H_
#define SIW_CI_VM_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "ci/vm/ktap.h"

namespace siw::vm {

struct Totals {
  size_t passed = 0;
  size_t failed = 0;
  size_t skipped = 0;
};

Totals Count(const std::vector<TestCase>& cases);

// One KTAP result line, with the reason and the log of a failure before it.
std::string KtapLine(size_t number, const TestCase& test);

struct Suite {
  std::string name;
  std::vector<TestCase> cases;
};

std::string JunitXml(const std::vector<Suite>& suites);

// For XML and HTML, in text and in quoted attributes.
std::string EscapeXml(std::string_view text);

}  // namespace siw::vm

#endif  // SIW_CI_VM_REPORT_H_
