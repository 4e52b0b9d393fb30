#include "tools/advisory/csaf.h"

#include <set>

#include "tools/advisory/fixture.h"

// That the documents are valid is what the CSAF validator says in
// `ci/run security`; here is what they say.
namespace siw::advisory {
namespace {

Json Of(const std::string& id) {
  return CsafAdvisory(Parsed(id), TheRules().publisher);
}

const Json& Vulnerability(const Json& document) {
  return document["vulnerabilities"][0];
}

// Every product_id that is defined in the tree
void Collect(const Json& node, std::set<std::string>* out) {
  if (node.contains("product")) {
    EXPECT_TRUE(out->insert(node["product"]["product_id"]).second) << node;
  }
  if (node.contains("branches"))
    for (const Json& branch : node["branches"]) Collect(branch, out);
}

TEST(Csaf, SaysWhatIsAffectedAndWhatFixesIt) {
  const Json document = Of("SIW-2026-9001");
  const Json& status = Vulnerability(document)["product_status"];
  EXPECT_EQ(Json::array({"siw-dkms/>=0.1.0|<0.1.4", "siw-dkms/>=0.2.0|<0.2.1"}),
            status["known_affected"]);
  EXPECT_EQ(Json::array({"siw-dkms/0.1.4", "siw-dkms/0.2.1"}), status["fixed"]);
  EXPECT_EQ(Json::array({"siw/*", "siw-provider/*"}),
            status["known_not_affected"]);
  const Json& remedy = Vulnerability(document)["remediations"];
  ASSERT_EQ(3u, remedy.size());
  // 0.2.0 is later than 0.1.4, and affected.
  EXPECT_EQ(
      "Upgrade siw-dkms to 0.1.4 or later before 0.2.0, or to 0.2.1 or later.",
      remedy[0]["details"]);
  EXPECT_EQ("Upgrade siw-dkms to 0.2.1 or later.", remedy[1]["details"]);
  EXPECT_EQ("workaround", remedy[2]["category"]);
  EXPECT_EQ(8.1, Vulnerability(document)["scores"][0]["cvss_v3"]["baseScore"]);
}

TEST(Csaf, NamesNoReleaseThatIsAffectedAsARemedy) {
  const auto remedy = [](std::vector<Affected> affected, size_t which) {
    Advisory advisory = Parsed("SIW-2026-9001");
    advisory.affected = std::move(affected);
    const Json document = CsafAdvisory(advisory, TheRules().publisher);
    return Vulnerability(document)["remediations"][which]["details"]
        .get<std::string>();
  };
  const auto version = [](const char* text) { return *ParseVersion(text); };
  const Affected older = {"siw", version("0.1.0"), version("0.1.4")};
  const Affected newer = {"siw", version("0.2.0"), version("0.2.1")};
  const Affected open = {"siw", version("0.2.0"), std::nullopt};
  const Affected other = {"siw-dkms", version("0.3.0"), version("0.3.1")};
  const std::string both =
      "Upgrade siw to 0.1.4 or later before 0.2.0, or to 0.2.1 or later.";
  // In whatever order they are written
  EXPECT_EQ(both, remedy({newer, older}, 1));
  EXPECT_EQ("Upgrade siw to 0.2.1 or later.", remedy({newer, older}, 0));
  EXPECT_EQ("Upgrade siw to 0.1.4 or later before 0.2.0.",
            remedy({older, open}, 0));
  EXPECT_EQ("There is no fix yet.", remedy({older, open}, 1));
  EXPECT_EQ("Upgrade siw to 0.1.4 or later.", remedy({older, other}, 0));
}

TEST(Csaf, DefinesEveryProductThatItNames) {
  for (const char* id : {"SIW-2026-9001", "SIW-2026-9002", "SIW-2026-9003"}) {
    const Json document = Of(id);
    std::set<std::string> defined, named;
    Collect(document["product_tree"], &defined);
    for (const auto& [status, products] :
         Vulnerability(document)["product_status"].items())
      for (const Json& product : products)
        EXPECT_TRUE(named.insert(product).second) << id << ": " << product;
    EXPECT_EQ(defined, named) << id;
  }
}

TEST(Csaf, HasTheHistory) {
  const Json document = Of("SIW-2026-9001")["document"];
  const Json& tracking = document["tracking"];
  EXPECT_EQ("2026-10-14T16:30:00Z", tracking["initial_release_date"]);
  EXPECT_EQ("2026-10-16T09:00:00Z", tracking["current_release_date"]);
  EXPECT_EQ("2", tracking["version"]);
  EXPECT_EQ("2", tracking["revision_history"][1]["number"]);
}

TEST(Csaf, OfWhatIsWithdrawnAffectsNothing) {
  const Json document = Of("SIW-2026-9002");
  EXPECT_EQ("Withdrawn: Links come up with the wrong name",
            document["document"]["title"]);
  const Json& vulnerability = Vulnerability(document);
  EXPECT_EQ(1u, vulnerability["product_status"].size());
  EXPECT_EQ(4u, vulnerability["product_status"]["known_not_affected"].size());
  EXPECT_FALSE(vulnerability.contains("scores"));
  EXPECT_FALSE(vulnerability.contains("remediations"));
}

TEST(Csaf, SaysThatThereIsNoFixAndThatItIsExploited) {
  const Json document = Of("SIW-2026-9003");
  const Json& vulnerability = Vulnerability(document);
  EXPECT_FALSE(vulnerability.contains("cve"));
  EXPECT_EQ("SIW-2026-9003", vulnerability["ids"][0]["text"]);
  EXPECT_FALSE(vulnerability["product_status"].contains("fixed"));
  EXPECT_EQ("none_available", vulnerability["remediations"][0]["category"]);
  EXPECT_EQ("exploit_status", vulnerability["threats"][1]["category"]);
}

TEST(Csaf, HasAVexOfEachAdvisory) {
  const Json vex = CsafVex(Parsed("SIW-2026-9001"), TheRules().publisher);
  EXPECT_EQ("csaf_vex", vex["document"]["category"]);
  EXPECT_EQ("2026/siw-2026-9001-vex.json", CsafPath(vex));
  EXPECT_EQ(Vulnerability(Of("SIW-2026-9001")), Vulnerability(vex));
}

Statement AboutSomebodyElse() {
  return {"CVE-2027-12345",
          "a title",
          "not_affected",
          "component_not_present",
          "a reason",
          {"unit/A.B"},
          {{At("2026-11-01T00:00:00Z"), "First"}}};
}

TEST(Csaf, GivesReasonAndTestsOfAStatement) {
  const Json vex = CsafVex(AboutSomebodyElse(), TheRules().publisher);
  EXPECT_EQ("2026/siw-vex-cve-2027-12345.json", CsafPath(vex));
  const Json& vulnerability = Vulnerability(vex);
  const Json all = Json::array({"siw-dkms/*", "siw/*", "siw-provider/*"});
  EXPECT_EQ(all, vulnerability["product_status"]["known_not_affected"]);
  EXPECT_EQ("component_not_present", vulnerability["flags"][0]["label"]);
  EXPECT_EQ("a reason", vulnerability["threats"][0]["details"]);
  EXPECT_EQ("unit/A.B", vulnerability["notes"][1]["text"]);
}

TEST(Csaf, SaysThatNothingIsKnownYet) {
  Statement statement = AboutSomebodyElse();
  statement.status = "under_investigation";
  const Json vex = CsafVex(statement, TheRules().publisher);
  EXPECT_EQ(1u, Vulnerability(vex)["product_status"].size());
  EXPECT_EQ(3u,
            Vulnerability(vex)["product_status"]["under_investigation"].size());
  EXPECT_FALSE(Vulnerability(vex).contains("flags"));
}

}  // namespace
}  // namespace siw::advisory
