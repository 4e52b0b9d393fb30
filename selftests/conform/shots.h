// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Segments that must be refused.
#ifndef SIW_SELFTESTS_CONFORM_SHOTS_H_
#define SIW_SELFTESTS_CONFORM_SHOTS_H_

#include <functional>
#include <string>
#include <vector>

#include "selftests/conform/stage.h"

namespace siw::conform {

struct Shot {
  std::string name;
  Code code;
  std::vector<Bytes> before;  // good ULPDUs that set the scene
  Bytes ulpdu;
  std::vector<Code> also = {};  // what other implementations say to it
};

// Each on a connection of its own: the Terminate octet for octet, FIN, what the
// application is told, and the memory, of which nothing may change.
void Shoot(Stage& s, const std::function<std::vector<Shot>(Stage&)>& make,
           const Application& app = {});

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_SHOTS_H_
