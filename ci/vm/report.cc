#include "ci/vm/report.h"

#include <fmt/format.h>

namespace siw::vm {
namespace {

std::string Indent(std::string_view text) {
  std::string indented;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    indented += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return indented;
}

}  // namespace

Totals Count(const std::vector<TestCase>& cases) {
  Totals totals;
  for (const TestCase& test : cases) {
    totals.passed += test.verdict == Verdict::kPass;
    totals.failed += test.verdict == Verdict::kFail;
    totals.skipped += test.verdict == Verdict::kSkip;
  }
  return totals;
}

std::string KtapLine(size_t number, const TestCase& test) {
  switch (test.verdict) {
    case Verdict::kPass:
      return fmt::format("ok {} {} # {:.1f} s\n", number, test.name,
                         test.seconds);
    case Verdict::kSkip:
      return fmt::format("ok {} {} # SKIP {}\n", number, test.name,
                         test.reason);
    case Verdict::kFail:
      break;
  }
  std::string why = test.reason;
  if (test.seconds > 0)
    why = fmt::format("{:.1f} s{}{}", test.seconds, why.empty() ? "" : ": ",
                      test.reason);
  return fmt::format("{}not ok {} {}{}{}\n", Indent(test.log), number,
                     test.name, why.empty() ? "" : " # ", why);
}

namespace {

std::string SuiteXml(const Suite& suite) {
  const Totals totals = Count(suite.cases);
  std::string xml = fmt::format(
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
      EscapeXml(suite.name), suite.cases.size(), totals.failed, totals.skipped);
  for (const TestCase& test : suite.cases) {
    xml += fmt::format(
        "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n",
        EscapeXml(suite.name), EscapeXml(test.name), test.seconds);
    if (test.verdict == Verdict::kFail)
      xml += fmt::format("    <failure message=\"{}\"/>\n",
                         EscapeXml(test.reason));
    if (test.verdict == Verdict::kSkip)
      xml += fmt::format("    <skipped message=\"{}\"/>\n",
                         EscapeXml(test.reason));
    if (!test.log.empty())
      xml +=
          fmt::format("    <system-out>{}</system-out>\n", EscapeXml(test.log));
    xml += "  </testcase>\n";
  }
  return xml + "</testsuite>\n";
}

}  // namespace

std::string JunitXml(const std::vector<Suite>& suites) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const Suite& suite : suites) xml += SuiteXml(suite);
  return xml + "</testsuites>\n";
}

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        // XML 1.0 has no other control characters.
        escaped += c >= 0 && c < ' ' && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return escaped;
}

}  // namespace siw::vm
