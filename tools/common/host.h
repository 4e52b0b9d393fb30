// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Files of the host: sysfs, procfs and what packages leave behind.
#ifndef SIW_TOOLS_COMMON_HOST_H_
#define SIW_TOOLS_COMMON_HOST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/common/result.h"

namespace siw {

class Host {
 public:
  // Tests give a directory that stands for "/".
  explicit Host(std::string root = "") : root_(std::move(root)) {}

  // The file without the blanks at its end.
  Result<std::string> Read(const std::string& path) const;
  // The same, empty if it cannot be read.
  std::string ReadOrEmpty(const std::string& path) const;
  bool Exists(const std::string& path) const;
  bool MayReadAndWrite(const std::string& path) const;
  // Names in a directory, sorted; none if there is no such directory.
  std::vector<std::string> List(const std::string& path) const;
  // The same, but an error if there is one that cannot be read.
  Result<std::vector<std::string>> Names(const std::string& path) const;
  // What a program prints, whose arguments are as a shell takes them; nothing
  // if there is no such program.
  std::string Output(const std::string& path,
                     const std::string& arguments) const;

 private:
  std::string root_;
};

// The lines of a text, without their ends.
std::vector<std::string> Lines(std::string_view text);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_HOST_H_
