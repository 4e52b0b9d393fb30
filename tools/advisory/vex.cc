#include "tools/advisory/vex.h"

#include <set>

namespace siw::advisory {
namespace {

const std::vector<std::string> kJustifications = {
    "component_not_present", "inline_mitigations_already_exist",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "vulnerable_code_not_in_execute_path", "vulnerable_code_not_present"};

void ReadClaim(Fields* fields, const TestIds& tests, Statement* out) {
  out->status =
      fields->OneOf("status", {"not_affected", "under_investigation"});
  out->reason = fields->Text("reason");
  if (out->status != "not_affected") return;
  out->justification = fields->OneOf("justification", kJustifications);
  out->tests = fields->Texts("tests");
  CheckTests(fields, out->tests, tests);
}

}  // namespace

std::vector<Statement> ParseVex(const std::string& text,
                                const std::string& file, const Rules& rules,
                                Problems* problems) {
  std::vector<Statement> out;
  const auto table = ParseToml(text, file, problems);
  if (!table) return out;
  Fields fields(*table, file, "", problems);
  std::set<std::string> seen;
  for (Fields& from : fields.Tables("statement")) {
    Statement statement;
    statement.cve = from.Text("cve");
    if (!statement.cve.empty() && !IsCve(statement.cve))
      from.Wrong("cve", "is not of the form CVE-2027-12345");
    if (!seen.insert(statement.cve).second)
      from.Wrong("cve", statement.cve + " is there twice");
    statement.title = from.Text("title");
    ReadClaim(&from, *rules.tests, &statement);
    statement.history = ReadHistory(&from);
    CheckHistory(&from, statement.history, rules.now);
    from.NothingElse();
    out.push_back(std::move(statement));
  }
  fields.NothingElse();
  return out;
}

}  // namespace siw::advisory
