// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "tools/siw/trace/trace.h"

namespace siw::trace {
namespace {

TEST(TraceFiles, AreTheirOwnersIfTheyAreNew) {
  const std::string file = testing::TempDir() + "siw-trace-new";
  remove(file.c_str());
  const mode_t mask = umask(0);
  const auto files = OpenTraceFiles("/dev/null", file);
  umask(mask);
  ASSERT_TRUE(files);
  struct stat stat = {};
  EXPECT_EQ(0, fstat(fileno(files->write), &stat));
  EXPECT_EQ(0600u, stat.st_mode & 0777);
  fclose(files->capture);
  fclose(files->write);
  remove(file.c_str());
}

TEST(TraceFiles, AreNotWrittenOverWhileTheyAreRead) {
  const std::string file = testing::TempDir() + "siw-trace-same";
  std::ofstream(file) << "x";
  EXPECT_FALSE(OpenTraceFiles(file, file));
  EXPECT_FALSE(OpenTraceFiles(file + "-not-there", ""));
  EXPECT_FALSE(OpenTraceFiles("/", ""));
  remove(file.c_str());
}

}  // namespace
}  // namespace siw::trace
