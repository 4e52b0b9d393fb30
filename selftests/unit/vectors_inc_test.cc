// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "vectors_inc.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace siw {
namespace {

TEST(VectorsInc, IsMadeFromTheVectorsAsTheyAre) {
  std::ifstream file(SIW_VECTORS_INC);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(VectorsInc() == text)
      << SIW_VECTORS_INC << " is stale: write the output of siw_vectors_inc "
      << "there";
}

}  // namespace
}  // namespace siw
