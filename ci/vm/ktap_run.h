// Judges a kernel console on which KUnit runs.
#ifndef SIW_CI_VM_KTAP_RUN_H_
#define SIW_CI_VM_KTAP_RUN_H_

#include <istream>
#include <vector>

#include "ci/vm/ktap.h"

namespace siw::vm {

// Reads the console to its end, or until it is flooded, and prints KTAP to
// standard output as the tests conclude. Trouble of the kernel counts wherever
// it is, other lines from the first KTAP document on.
std::vector<TestCase> ReadConsole(std::istream& console);

}  // namespace siw::vm

#endif  // SIW_CI_VM_KTAP_RUN_H_
