// Runs a command that prints KTAP in one guest and judges the whole run.
#ifndef SIW_CI_VM_TEST_RUN_H_
#define SIW_CI_VM_TEST_RUN_H_

#include <chrono>
#include <string>
#include <vector>

#include "ci/vm/ktap.h"
#include "ci/vm/vm.h"

namespace siw::vm {

struct TestLimits {
  std::chrono::seconds boot{120};
  std::chrono::seconds test{120};  // between two result lines
  std::chrono::seconds total{1800};
};

// Prints KTAP to standard output as the tests conclude. `name` is the host.
std::vector<TestCase> RunTests(const Machine& machine, const std::string& name,
                               const std::string& command,
                               const TestLimits& limits);

}  // namespace siw::vm

#endif  // SIW_CI_VM_TEST_RUN_H_
