#include "tools/advisory/osv.h"

#include <regex>

#include "tools/advisory/csaf.h"
#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

Json Of(const std::string& id) { return Osv(Parsed(id), TheRules().publisher); }

TEST(Osv, HasTheRangesOfEachComponent) {
  const Json osv = Of("SIW-2026-9001");
  EXPECT_EQ("x_SIW-2026-9001", osv["id"]);
  EXPECT_EQ(Json::array({"CVE-2026-9000001"}), osv["aliases"]);
  ASSERT_EQ(1u, osv["affected"].size());
  EXPECT_EQ("siw-dkms", osv["affected"][0]["database_specific"]["component"]);
  EXPECT_EQ(Json::parse(R"([{"introduced": "0.1.0"}, {"fixed": "0.1.4"},
                            {"introduced": "0.2.0"}, {"fixed": "0.2.1"}])"),
            osv["affected"][0]["ranges"][0]["events"]);
  EXPECT_EQ("FINDER", osv["credits"][0]["type"]);
}

TEST(Osv, LeavesARangeOpenThatHasNoFix) {
  const Json osv = Of("SIW-2026-9003");
  EXPECT_EQ(Json::parse(R"([{"introduced": "0.2.0"}])"),
            osv["affected"][0]["ranges"][0]["events"]);
  EXPECT_FALSE(osv.contains("aliases"));
}

TEST(Osv, SaysWhenItWasWithdrawn) {
  EXPECT_FALSE(Of("SIW-2026-9001").contains("withdrawn"));
  EXPECT_EQ("2026-10-20T09:00:00Z", Of("SIW-2026-9002")["withdrawn"]);
}

// The rules of the schema that these records can break
TEST(Osv, KeepsTheRulesOfItsSchema) {
  const std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}Z");
  const std::set<std::string> fields = {
      "schema_version", "id",      "published",        "modified", "withdrawn",
      "aliases",        "summary", "details",          "severity", "affected",
      "references",     "credits", "database_specific"};
  for (const char* id : {"SIW-2026-9001", "SIW-2026-9002", "SIW-2026-9003"}) {
    const Json osv = Of(id);
    for (const auto& [key, value] : osv.items())
      EXPECT_TRUE(fields.count(key)) << key;
    for (const char* key : {"published", "modified"})
      EXPECT_TRUE(std::regex_match(osv[key].get<std::string>(), time)) << id;
    for (const Json& affected : osv["affected"]) {
      EXPECT_FALSE(affected.contains("severity")) << id;
      for (const Json& event : affected["ranges"][0]["events"])
        EXPECT_EQ(1u, event.size()) << id;
    }
    for (const Json& reference : osv["references"])
      EXPECT_EQ(0u, reference["url"].get<std::string>().find("https://"));
  }
}

}  // namespace
}  // namespace siw::advisory
