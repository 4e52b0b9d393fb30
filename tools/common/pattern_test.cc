// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/common/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace siw {
namespace {

std::string Show(std::string_view pattern, std::string_view text) {
  const auto parsed = Pattern::Parse(pattern);
  if (!parsed) return "no pattern";
  const auto fields = parsed->Match(text);
  if (!fields) return "no match";
  std::string out;
  for (const Field& field : *fields)
    out += field.name + "=" + field.value + ";";
  return out;
}

TEST(Pattern, TakesFieldsBetweenLiterals) {
  EXPECT_EQ(
      "qp=7;peer=[2001:db8::1]:80;",
      Show("QP {qp}, peer {peer}: gone", "QP 7, peer [2001:db8::1]:80: gone"));
}

TEST(Pattern, HasToMatchTheWholeText) {
  EXPECT_EQ("no match", Show("refused: {why}!", "refused: a!b"));
  EXPECT_EQ("why=a!b;", Show("refused: {why}!", "refused: a!b!"));
  EXPECT_EQ("no match", Show("lost", "lost it"));
}

TEST(Pattern, AFieldTakesAtLeastOneOctet) {
  EXPECT_EQ("no match", Show("a{x}b", "ab"));
  EXPECT_EQ("no match", Show("a{x}", "a"));
  EXPECT_EQ("no match", Show("{x}", ""));
  EXPECT_EQ("x=b;", Show("a{x}b", "abb"));
}

TEST(Pattern, FieldsLookLikeWhatTheyAreCalled) {
  EXPECT_EQ("no match", Show("QP {qp},", "QP seven,"));
  EXPECT_EQ("no match", Show("peer {peer}:", "peer a b:"));
  EXPECT_EQ("stag=0x5a;", Show("STag {stag}", "STag 0x5a"));
  EXPECT_EQ("no match", Show("STag {stag}", "STag zero"));
}

TEST(Pattern, RefusesWhatIsNoPattern) {
  for (const char* text : {"", "a{b", "a{}b", "{a}{b}"})
    EXPECT_FALSE(Pattern::Parse(text)) << text;
}

TEST(Pattern, WeighsItsLiteralText) {
  EXPECT_EQ(7u, Pattern::Parse("abc{x}defg")->weight());
}

}  // namespace
}  // namespace siw
