// What the tests of advisories have in common.
#ifndef SIW_TOOLS_ADVISORY_FIXTURE_H_
#define SIW_TOOLS_ADVISORY_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/advisory/tree.h"

namespace siw::advisory {

inline Time At(const std::string& text) { return *ParseTime(text); }

inline Time Today() {
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::system_clock::now());
}

inline std::string Text(const std::string& path) {
  const Result<std::string> text = ReadFile(path);
  return text ? *text : "";
}

inline std::vector<std::string> Lines(const Problems& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(ToString(problem));
  return out;
}

using Said = std::vector<std::string>;

// `text` with the only `from` in it replaced
inline std::string With(const std::string& text, const std::string& from,
                        const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  if (at == std::string::npos) return text;
  EXPECT_EQ(std::string::npos, text.find(from, at + 1)) << from;
  return text.substr(0, at) + to + text.substr(at + from.size());
}

inline const TestIds& ThisTree() {
  static const TestIds tests(SIW_TREE);
  return tests;
}

// The rules of this tree, some weeks after the examples
inline Rules TheRules() {
  Problems problems;
  const std::string security = std::string(SIW_TREE) + "/security/";
  Rules rules = {
      ParsePublisher(Text(security + "publisher.toml"), "publisher.toml",
                     &problems),
      ParseClock(Text(security + "clock.toml"), "clock.toml", &problems),
      &ThisTree(), At("2026-11-26T12:00:00Z")};
  EXPECT_EQ(Said(), Lines(problems));
  return rules;
}

// An example of testdata/advisories
inline std::string Example(const std::string& id) {
  const std::string text =
      Text(std::string(SIW_TESTDATA) + "/advisories/" + id + ".toml");
  EXPECT_NE("", text) << id;
  return text;
}

inline Advisory Parsed(const std::string& id) {
  Problems problems;
  Advisory advisory =
      ParseAdvisory(Example(id), id + ".toml", TheRules(), &problems);
  EXPECT_EQ(Said(), Lines(problems));
  return advisory;
}

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_FIXTURE_H_
