#include "tools/advisory/tree.h"

#include <algorithm>
#include <filesystem>

#include "tools/advisory/security_txt.h"

namespace siw::advisory {
namespace {

// The empty text, and a problem, if it cannot be read
std::string Read(const std::string& path, Problems* problems) {
  Result<std::string> text = ReadFile(path);
  if (text) return *text;
  problems->push_back({path, "file", "cannot be read"});
  return "";
}

std::vector<std::string> TomlFiles(const std::string& dir) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error))
    if (entry.path().extension() == ".toml") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

void ReadRules(const std::string& security, Rules* rules, Problems* problems) {
  const std::string publisher = security + "/publisher.toml";
  const std::string clock = security + "/clock.toml";
  rules->publisher =
      ParsePublisher(Read(publisher, problems), publisher, problems);
  rules->clock = ParseClock(Read(clock, problems), clock, problems);
}

std::vector<Advisory> ReadAdvisories(const std::string& security,
                                     const Rules& rules, Problems* problems) {
  std::vector<Advisory> out;
  for (const std::string& file : TomlFiles(security + "/advisories"))
    out.push_back(ParseAdvisory(Read(file, problems), file, rules, problems));
  CheckTogether(out, problems);
  return out;
}

}  // namespace

Tree LoadTree(const std::string& root, Time now, Problems* problems) {
  const std::string security = root + "/security";
  const std::string vex = security + "/vex.toml";
  const std::string rfc5042 = security + "/rfc5042.toml";
  const std::string security_txt = security + "/security.txt";
  const std::string policy = root + "/SECURITY.md";
  const TestIds tests(root);
  Rules rules = {{}, {}, &tests, now};
  ReadRules(security, &rules, problems);

  Tree out;
  out.clock = rules.clock;
  out.source.publisher = rules.publisher;
  out.source.advisories = ReadAdvisories(security, rules, problems);
  out.source.vex = ParseVex(Read(vex, problems), vex, rules, problems);
  out.rfc5042 = ParseRfc5042(Read(rfc5042, problems), rfc5042, tests, problems);
  out.source.security_txt = Read(security_txt, problems);
  CheckSecurityTxt(out.source.security_txt, security_txt, rules.publisher, now,
                   problems);
  out.source.policy = Read(policy, problems);
  if (HasPlaceholder(out.source.policy) && !rules.publisher.IsPlaceholder())
    problems->push_back(
        {policy, "text", "has placeholders, and publisher.toml has none"});
  return out;
}

Source LoadAdvisories(const std::string& security, Problems* problems) {
  Rules rules = {};
  ReadRules(security, &rules, problems);
  Source out;
  out.publisher = rules.publisher;
  out.advisories = ReadAdvisories(security, rules, problems);
  return out;
}

}  // namespace siw::advisory
