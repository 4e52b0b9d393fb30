// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/host.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace siw {
namespace {

std::error_code ReadNames(const std::string& path,
                          std::vector<std::string>* names) {
  std::error_code error;
  // A directory of sysfs can go while it is read.
  for (std::filesystem::directory_iterator at(path, error), end;
       !error && at != end; at.increment(error))
    names->push_back(at->path().filename());
  std::sort(names->begin(), names->end());
  return error;
}

}  // namespace

Result<std::string> Host::Read(const std::string& path) const {
  errno = 0;
  std::ifstream file(root_ + path, std::ios::binary);
  std::ostringstream out;
  if (!file) return ErrnoError(path);
  out << file.rdbuf();
  if (file.bad() || (out.fail() && errno != 0)) return ErrnoError(path);
  std::string text = out.str();
  text.erase(text.find_last_not_of(" \t\n") + 1);
  return text;
}

std::string Host::ReadOrEmpty(const std::string& path) const {
  Result<std::string> text = Read(path);
  return text ? std::move(*text) : std::string();
}

bool Host::Exists(const std::string& path) const {
  std::error_code error;
  return std::filesystem::exists(root_ + path, error);
}

bool Host::MayReadAndWrite(const std::string& path) const {
  return access((root_ + path).c_str(), R_OK | W_OK) == 0;
}

std::vector<std::string> Host::List(const std::string& path) const {
  std::vector<std::string> names;
  ReadNames(root_ + path, &names);
  return names;
}

Result<std::vector<std::string>> Host::Names(const std::string& path) const {
  std::vector<std::string> names;
  const std::error_code error = ReadNames(root_ + path, &names);
  if (error && error != std::errc::no_such_file_or_directory)
    return Error{path + ": " + error.message()};
  return names;
}

std::string Host::Output(const std::string& path,
                         const std::string& arguments) const {
  if (!Exists(path)) return "";
  const std::string command = root_ + path + " " + arguments + " 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"),
                                                   pclose);
  std::string text;
  char buffer[4096];
  size_t n;
  while (pipe && (n = fread(buffer, 1, sizeof(buffer), pipe.get())) > 0)
    text.append(buffer, n);
  return text;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace siw
