// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// `siw top` on a terminal.
#ifndef SIW_TOOLS_SIW_TOP_SCREEN_H_
#define SIW_TOOLS_SIW_TOP_SCREEN_H_

#include <functional>
#include <string>

#include "tools/common/result.h"
#include "tools/siw/top/view.h"

namespace siw::top {

// What keys change.
struct Settings {
  SortKey key = SortKey::kRate;
  bool reverse = false;
  bool paused = false;
  bool typing = false;  // of a filter
  std::string filter;
};

// What a key does; false: leave.
bool TakeKey(int key, Settings* settings);

// Until a key ends it: a view each `milliseconds`.
Status Run(const std::function<View()>& next, int milliseconds,
           Settings settings);

}  // namespace siw::top

#endif  // SIW_TOOLS_SIW_TOP_SCREEN_H_
