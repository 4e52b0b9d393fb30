// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What installs packages on this host, and what they are called there.
#ifndef SIW_TOOLS_SIW_STATUS_PACKAGER_H_
#define SIW_TOOLS_SIW_STATUS_PACKAGER_H_

#include <string>
#include <string_view>

#include "tools/common/host.h"

namespace siw {

struct Packager {
  std::string_view tool;
  std::string_view install;  // "apt install"
  std::string_view reinstall;
  std::string_view upgrade;
  std::string_view ours;      // what to upgrade for a new command and module
  std::string_view provider;  // with the provider for user space in it
  std::string (*headers)(const std::string& kernel);  // of that release
};

extern const Packager kApt;

// That of the distribution, as os-release tells it; of another one, what is
// installed; else apt.
const Packager& FindPackager(const Host& host);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_PACKAGER_H_
