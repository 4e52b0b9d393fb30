// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// selftests/vectors/vectors.json in C, for the driver's KUnit tests.
#ifndef SIW_SELFTESTS_UNIT_VECTORS_INC_H_
#define SIW_SELFTESTS_UNIT_VECTORS_INC_H_

#include <string>

namespace siw {

// The text of siw/tests/vectors.inc.
std::string VectorsInc();

}  // namespace siw

#endif  // SIW_SELFTESTS_UNIT_VECTORS_INC_H_
