// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "proto.h"

namespace siw {
namespace {

constexpr uint64_t kTop = std::numeric_limits<uint64_t>::max();
constexpr uint32_t kStag = 0x00110142;

siw_region Region(uint64_t base, uint64_t len,
                  uint32_t access = SIW_ACCESS_REMOTE) {
  return {.base = base,
          .len = len,
          .stag = kStag,
          .access = access,
          .valid = true,
          .shared = false};
}

siw_access Write(const siw_region& region, uint64_t to, uint32_t len) {
  return siw_access_check(&region, kStag, true, to, len,
                          SIW_ACCESS_REMOTE_WRITE);
}

TEST(AccessCheck, RefusesAnUnknownStag) {
  EXPECT_EQ(SIW_ACCESS_STAG, siw_access_check(nullptr, kStag, true, 0, 1,
                                              SIW_ACCESS_REMOTE_WRITE));
}

TEST(AccessCheck, RefusesEveryOtherKeyAndIndex) {
  const siw_region region = Region(0, 16);
  for (int bit = 0; bit < 32; ++bit) {
    EXPECT_EQ(SIW_ACCESS_STAG,
              siw_access_check(&region, kStag ^ 1u << bit, true, 0, 1,
                               SIW_ACCESS_REMOTE_WRITE));
  }
}

TEST(AccessCheck, RefusesAnInvalidRegion) {
  siw_region region = Region(0, 16);
  region.valid = false;
  EXPECT_EQ(SIW_ACCESS_STAG, Write(region, 0, 1));
}

TEST(AccessCheck, RefusesAnotherProtectionDomain) {
  const siw_region region = Region(0, 16);
  EXPECT_EQ(SIW_ACCESS_PD, siw_access_check(&region, kStag, false, 0, 1,
                                            SIW_ACCESS_REMOTE_WRITE));
}

TEST(AccessCheck, WantsEveryRightAskedFor) {
  for (uint32_t has = 0; has < 16; ++has) {
    const siw_region region = Region(0, 16, has);
    for (uint32_t want = 0; want < 16; ++want) {
      EXPECT_EQ((has & want) == want ? SIW_ACCESS_OK : SIW_ACCESS_RIGHTS,
                siw_access_check(&region, kStag, true, 0, 1, want))
          << has << " wanted " << want;
    }
  }
}

// Walks from the last check to the first: each new defect takes over.
TEST(AccessCheck, ReportsTheFirstFailureInOrder) {
  siw_region region = Region(16, 16);
  bool same_pd = true;
  uint64_t to = 8;
  const auto verdict = [&] {
    return siw_access_check(&region, kStag, same_pd, to, 4,
                            SIW_ACCESS_REMOTE_READ);
  };
  EXPECT_EQ(SIW_ACCESS_BOUNDS, verdict());
  to = kTop;
  EXPECT_EQ(SIW_ACCESS_WRAP, verdict());
  region.access = SIW_ACCESS_REMOTE_WRITE;
  EXPECT_EQ(SIW_ACCESS_RIGHTS, verdict());
  same_pd = false;
  EXPECT_EQ(SIW_ACCESS_PD, verdict());
  region.valid = false;
  EXPECT_EQ(SIW_ACCESS_STAG, verdict());
}

TEST(AccessCheck, IsExactToTheOctetAtBothEnds) {
  const siw_region region = Region(0x10000, 0x2000);
  EXPECT_EQ(SIW_ACCESS_OK, Write(region, 0x10000, 0x2000));
  EXPECT_EQ(SIW_ACCESS_OK, Write(region, 0x10000, 1));
  EXPECT_EQ(SIW_ACCESS_OK, Write(region, 0x11fff, 1));
  EXPECT_EQ(SIW_ACCESS_BOUNDS, Write(region, 0xffff, 1));
  EXPECT_EQ(SIW_ACCESS_BOUNDS, Write(region, 0xffff, 2));
  EXPECT_EQ(SIW_ACCESS_BOUNDS, Write(region, 0x12000, 1));
  EXPECT_EQ(SIW_ACCESS_BOUNDS, Write(region, 0x11fff, 2));
  EXPECT_EQ(SIW_ACCESS_BOUNDS, Write(region, 0x10000, 0x2001));
}

TEST(AccessCheck, CallsAnEndAtTwoToThe64AWrap) {
  const siw_region region = Region(kTop - 15, 15);
  EXPECT_EQ(SIW_ACCESS_OK, Write(region, kTop - 15, 15));
  EXPECT_EQ(SIW_ACCESS_WRAP, Write(region, kTop - 15, 16));
  EXPECT_EQ(SIW_ACCESS_WRAP, Write(region, kTop, 1));
}

// All values around the places where sums wrap or change sign, against the
// same question asked in 128 bits.
TEST(AccessCheck, AgreesWithWideArithmeticEverywhere) {
  __extension__ typedef unsigned __int128 Wide;
  std::vector<uint64_t> near;
  for (const uint64_t at :
       {uint64_t{0}, uint64_t{4096}, uint64_t{0x7fffffff}, uint64_t{1} << 32,
        uint64_t{1} << 63, kTop - 4096, kTop}) {
    for (const int64_t by : {-2, -1, 0, 1, 2}) near.push_back(at + by);
  }
  const std::vector<uint32_t> lens = {
      1, 2, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  const Wide top = Wide{1} << 64;
  for (const uint64_t base : near) {
    for (const uint64_t len : near) {
      const siw_region region = Region(base, len);
      for (const uint64_t to : near) {
        for (const uint32_t n : lens) {
          siw_access want = SIW_ACCESS_OK;
          if (Wide{to} + n >= top) {
            want = SIW_ACCESS_WRAP;
          } else if (to < base || Wide{to} + n > Wide{base} + len) {
            want = SIW_ACCESS_BOUNDS;
          }
          ASSERT_EQ(want, Write(region, to, n))
              << base << "+" << len << ": " << to << "+" << n;
        }
      }
    }
  }
}

// For a later segment: bounds, and whether it is valid still.
TEST(AccessAgain, AgreesWithTheFirstCheck) {
  constexpr uint64_t kPlaces[] = {
      0, 1, 15, 16, 31, 32, 33, 100, kTop - 32, kTop - 16, kTop - 1, kTop};
  constexpr uint32_t kLens[] = {
      1, 2, 16, 17, 32, 33, std::numeric_limits<uint32_t>::max()};
  for (const uint64_t base : kPlaces) {
    for (const uint64_t len : {uint64_t{0}, uint64_t{16}, uint64_t{32}, kTop}) {
      for (const bool valid : {false, true}) {
        siw_region region = Region(base, len);
        region.valid = valid;
        for (const uint64_t to : kPlaces) {
          for (const uint32_t octets : kLens) {
            EXPECT_EQ(Write(region, to, octets) == SIW_ACCESS_OK,
                      siw_access_again(&region, to, octets))
                << base << " " << len << " " << to << " " << octets;
          }
        }
      }
    }
  }
}

TEST(AccessCheckInvalidate, TakesAnUnsharedRegionWithAnyRemoteRight) {
  for (const uint32_t right : {SIW_ACCESS_REMOTE_READ, SIW_ACCESS_REMOTE_WRITE,
                               SIW_ACCESS_REMOTE_ATOMIC}) {
    const siw_region region = Region(0, 16, right);
    EXPECT_EQ(SIW_ACCESS_OK, siw_access_check_invalidate(&region, kStag, true));
  }
}

TEST(AccessCheckInvalidate, TakesAnStagThatIsInvalidAlready) {
  siw_region region = Region(0, 16);
  region.valid = false;
  EXPECT_EQ(SIW_ACCESS_OK, siw_access_check_invalidate(&region, kStag, true));
}

TEST(AccessCheckInvalidate, RefusesWhatIsNotThePeersToInvalidate) {
  siw_region region = Region(0, 16);
  EXPECT_EQ(SIW_ACCESS_STAG, siw_access_check_invalidate(nullptr, kStag, true));
  EXPECT_EQ(SIW_ACCESS_STAG,
            siw_access_check_invalidate(&region, kStag ^ 1, true));
  EXPECT_EQ(SIW_ACCESS_PD, siw_access_check_invalidate(&region, kStag, false));
  region.shared = true;
  EXPECT_EQ(SIW_ACCESS_RIGHTS,
            siw_access_check_invalidate(&region, kStag, true));
  region = Region(0, 16, SIW_ACCESS_LOCAL_WRITE);
  EXPECT_EQ(SIW_ACCESS_RIGHTS,
            siw_access_check_invalidate(&region, kStag, true));
}

TEST(AccessFault, HasACodeForEachVerdictInEachLayer) {
  const struct {
    siw_access verdict;
    siw_fault ddp;
    siw_fault rdmap;
  } want[] = {
      {SIW_ACCESS_OK, SIW_OK, SIW_OK},
      {SIW_ACCESS_STAG, SIW_FAULT_DDP_STAG, SIW_FAULT_RDMAP_STAG},
      {SIW_ACCESS_PD, SIW_FAULT_DDP_PD, SIW_FAULT_RDMAP_PD},
      {SIW_ACCESS_RIGHTS, SIW_FAULT_RDMAP_ACCESS, SIW_FAULT_RDMAP_ACCESS},
      {SIW_ACCESS_WRAP, SIW_FAULT_DDP_WRAP, SIW_FAULT_RDMAP_WRAP},
      {SIW_ACCESS_BOUNDS, SIW_FAULT_DDP_BOUNDS, SIW_FAULT_RDMAP_BOUNDS},
  };
  static_assert(std::size(want) == SIW_ACCESS_VERDICTS);
  for (const auto& row : want) {
    EXPECT_EQ(row.ddp, siw_access_fault(row.verdict, SIW_LAYER_DDP));
    EXPECT_EQ(row.rdmap, siw_access_fault(row.verdict, SIW_LAYER_RDMAP));
  }
}

}  // namespace
}  // namespace siw
