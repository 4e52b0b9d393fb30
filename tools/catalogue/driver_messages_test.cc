// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/catalogue/driver_messages.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace siw::catalogue {
namespace {

std::vector<std::string> Names(std::string_view function) {
  if (function == "name_of") return {"red", "green"};
  return {};
}

// What is found in `source`, "*" for anything; or what is wrong with it.
std::vector<std::string> Found(std::string_view source) {
  const auto messages = FindMessages("x.c", source, Names);
  if (!messages) return {"error: " + messages.error().message};
  std::vector<std::string> found;
  for (const DriverMessage& message : *messages) {
    std::string text;
    for (const MessagePart& part : message.message)
      text += part.is_any ? "*" : part.text;
    found.push_back(text);
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(FindMessages, TakesFormatsApart) {
  EXPECT_EQ(
      Texts({"QP *, peer *: 5% lost"}),
      Found("\tibdev_notice_ratelimited(&dev->base,\n"
            "\t\t\"QP %u, peer %pISpc: \"\n\t\t\"5%% lost\\n\", a, &b);"));
}

TEST(FindMessages, SeesEveryKindOfCall) {
  EXPECT_EQ(Texts({"a", "b", "c", "d", "e", "f"}),
            Found("pr_info(\"a\\n\"); dev_err(d, \"b\");\n"
                  "printk(KERN_INFO \"c\"); NL_SET_ERR_MSG(x, \"d\");\n"
                  "WARN_ONCE(bad, \"e\"); netdev_warn_once(n, \"f\");"));
}

TEST(FindMessages, LeavesOtherTextAlone) {
  EXPECT_EQ(Texts({}), Found("/* pr_err(\"no\") */ // pr_err(\"no\")\n"
                             "const char *s = \"pr_err(\\\"no\\\")\";\n"
                             "snprintf(b, n, \"x\"); my_pr_err(\"y\");"));
}

TEST(FindMessages, PutsInWhatAStringCanBe) {
  EXPECT_EQ(Texts({"by peer", "by us"}),
            Found("pr_err(\"by %s\", q->by_peer ? \"peer\" : \"us\");"));
  EXPECT_EQ(Texts({"is red", "is green"}),
            Found("pr_err(\"is %s\", name_of(x));"));
  EXPECT_EQ(Texts({"1 bad", "1 worse"}),
            Found("static const char *const why[] = {\n"
                  "\t[A] = \"bad\",\n\t[B] = \"worse\",\n};\n"
                  "void f(void)\n{\n\tpr_err(\"1 %s\", why[v]);\n}\n"));
}

TEST(FindMessages, FollowsAParameterToItsCallers) {
  EXPECT_EQ(Texts({"no Reply", "no Request"}),
            Found("static void say(struct x *x,\n\t\tconst char *what)\n{\n"
                  "\tpr_err(\"no %s\", what);\n}\n\n"
                  "static void g(void)\n{\n\tsay(x, \"Reply\");\n"
                  "\tsay(f(x, y), \"Request\");\n}\n"));
}

TEST(FindMessages, FailsOnWhatCannotBeLookedUp) {
  EXPECT_EQ(Texts({"error: x.c:2: pr_err: a %s that can be anything: name the "
                   "fault in the text"}),
            Found("\npr_err(\"%s\", other(x));"));
  EXPECT_EQ(Texts({"error: x.c:1: pr_err: no text to look up"}),
            Found("pr_err(text);"));
}

TEST(Unifies, WhatTheMessageCanBe) {
  const Message message = {{false, "QP "},
                           {true, ""},
                           {false, ": lost ("},
                           {true, ""},
                           {false, ")"}};
  EXPECT_TRUE(Unifies(message, "QP {qp}: lost ({code})"));
  EXPECT_TRUE(Unifies(message, "QP {qp}: lost (7)"));
  EXPECT_TRUE(Unifies(message, "QP {what} (7)"));
  EXPECT_FALSE(Unifies(message, "QP {qp}: lost"));
  EXPECT_FALSE(Unifies(message, "QP {qp}: gone ({code})"));
  EXPECT_FALSE(Unifies(message, "QP : lost (7)"));
}

TEST(Disagreements, NamesBothSides) {
  const std::string_view texts[] = {"QP {qp}: lost"};
  const CatalogueEntry entries[] = {{.id = "SIW-X",
                                     .title = "",
                                     .severity = Severity::kError,
                                     .kind = "",
                                     .origin = "driver",
                                     .texts = texts,
                                     .term = "",
                                     .direction = "",
                                     .errnos = {},
                                     .counters = {},
                                     .names = {},
                                     .test = "",
                                     .cause = "",
                                     .action = "",
                                     .confirm = "",
                                     .example = ""}};
  const auto check = [&entries](std::string_view source) {
    return Disagreements(*FindMessages("x.c", source, Names), entries);
  };
  EXPECT_EQ(Texts({}), check("pr_err(\"QP %u: lost\\n\", q);"));
  EXPECT_EQ(Texts({"x.c:1: docs/errors has no entry for: new *"}),
            check("pr_err(\"new %u\", n); pr_err(\"QP %u: lost\", q);"));
  EXPECT_EQ(Texts({"SIW-X: the driver never prints: QP {qp}: lost"}),
            check(""));
}

}  // namespace
}  // namespace siw::catalogue
