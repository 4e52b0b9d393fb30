#include "tools/advisory/test_ids.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

TEST(TestIds, KnowsEachKindOfTest) {
  for (const char* id :
       {"kselftest/siw_bad_input: an address that wraps",
        "kselftest/siw_encrypt: a stream below IPsec",
        "unit/MpaCrc.AgreesWithTheDefinition", "unit/DdpRx.AdvanceWrapsTheMsn",
        "unit/StreamVector.FedWholeGetsItsVerdict", "kunit/siw_mr.has_bounds",
        "kunit/siw_vectors.stream_whole", "conform/5041-8.2-pd"})
    EXPECT_TRUE(ThisTree().Exists(id)) << id;
}

TEST(TestIds, KnowsNothingElse) {
  for (const char* id :
       {"", "/", "kselftest/", "kselftest/siw_bad_input",
        "kselftest/siw_bad_input: ", "kselftest/siw_bad_input: an address",
        "kselftest/siw_ring: an address that wraps",
        "kselftest/siw_encrypt: a stream", "kselftest/topo.sh: load",
        "kselftest/../unit/x: an address that wraps",
        // a row inside of a test, which does not run by its name
        "kselftest/siw_fpdu: Write: past 2^64", "unit/MpaCrc", "unit/MpaCrc.",
        "unit/MpaCrc.Agrees", "unit/MpaPad.AgreesWithTheDefinition",
        "kunit/siw_cq.has_bounds", "kunit/siw_mr.has_bound", "conform/",
        "conform/5041-8.2", "conform/unit/MpaCrc.AgreesWithTheDefinition",
        "fuzz/receive", "an address that wraps"})
    EXPECT_FALSE(ThisTree().Exists(id)) << id;
}

}  // namespace
}  // namespace siw::advisory
