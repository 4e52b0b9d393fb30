#include "tools/advisory/rfc5042.h"

namespace siw::advisory {
namespace {

const std::vector<std::string> kLevels = {"MUST", "MUST NOT", "SHOULD",
                                          "NOT RECOMMENDED", "should"};
const std::vector<std::string> kOwners = {"driver", "application",
                                          "administrator"};

void CheckClaim(Fields* fields, const Clause& clause) {
  const bool ours = clause.owner == "driver";
  const bool must = clause.level == "MUST" || clause.level == "MUST NOT";
  if (clause.status == "theirs" && ours)
    fields->Wrong("status", "is 'theirs', and the owner is the driver");
  if (clause.status == "pass" && clause.tests.empty())
    fields->Wrong("tests", "passes without a test");
  if (clause.status != "pass" && clause.remark.empty())
    fields->Wrong("remark", "does not pass, and no remark says why");
  if (clause.status == "not met" && ours && must)
    fields->Wrong("status", "a MUST of the driver is not met");
}

}  // namespace

std::vector<Clause> ParseRfc5042(const std::string& text,
                                 const std::string& file, const TestIds& tests,
                                 Problems* problems) {
  std::vector<Clause> out;
  const auto table = ParseToml(text, file, problems);
  if (!table) return out;
  Fields fields(*table, file, "", problems);
  for (Fields& from : fields.Tables("clause")) {
    Clause clause;
    clause.section = from.Text("section");
    clause.level = from.OneOf("level", kLevels);
    clause.text = from.Text("text");
    clause.owner = from.OneOf("owner", kOwners);
    clause.status =
        from.OneOf("status", {"pass", "not applicable", "not met", "theirs"});
    clause.tests = from.TextsIfAny("tests");
    clause.remark = from.TextIfAny("remark");
    CheckClaim(&from, clause);
    CheckTests(&from, clause.tests, tests);
    from.NothingElse();
    out.push_back(std::move(clause));
  }
  fields.NothingElse();
  return out;
}

}  // namespace siw::advisory
