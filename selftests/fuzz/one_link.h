// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A directory that stands for "/" of a host with one link, siw0 on eth0.
#ifndef SIW_SELFTESTS_FUZZ_ONE_LINK_H_
#define SIW_SELFTESTS_FUZZ_ONE_LINK_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "fuzz.h"
#include "tools/common/host.h"

namespace siw {

class OneLink {
 public:
  OneLink() {
    char name[] = "/tmp/siw-fuzz-XXXXXX";
    FUZZ_CHECK(mkdtemp(name));
    root_ = name;
    Put("/sys/class/infiniband/siw0/ports/1/hw_counters/rx_straddle", "1");
    Put("/sys/class/infiniband/siw0/ports/1/gid_attrs/ndevs/0", "eth0");
    Put("/sys/class/net/eth0/ifindex", "2");
  }
  ~OneLink() {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }
  OneLink(const OneLink&) = delete;
  OneLink& operator=(const OneLink&) = delete;

  void Put(const std::string& path, std::string_view text) const {
    const std::filesystem::path file(root_ + path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  void Remove(const std::string& path) const {
    std::filesystem::remove(root_ + path);
  }
  Host host() const { return Host(root_); }

 private:
  std::string root_;
};

}  // namespace siw

#endif  // SIW_SELFTESTS_FUZZ_ONE_LINK_H_
