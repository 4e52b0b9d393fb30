// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace siw::conform {
namespace {

using nlohmann::json;

constexpr const char* kStyle =
    "body{font:14px sans-serif;margin:2em;max-width:75em}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #ccc;padding:3px 6px;text-align:left;"
    "vertical-align:top}"
    ".pass{background:#dfd}.fail{background:#fcc}.skip{background:#ffd}"
    "code{font-size:12px}";

const char* Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kSkip:
      return "skip";
  }
  return "";
}

std::string Escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string HtmlRow(const Row& row, const std::vector<Outcome>& outcomes) {
  const std::string result = RowResult(row, outcomes);
  std::string tests;
  for (const std::string& test : row.tests)
    tests += fmt::format("<code>{}</code><br>", Escape(test));
  return fmt::format(
      "<tr class=\"{}\"><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}\n",
      result, Escape(row.clause), row.level, Escape(row.binds),
      Escape(row.rule), tests, row.verdict, result, Escape(row.remark));
}

std::string HtmlOutcome(const Outcome& outcome) {
  std::string said = Escape(outcome.reason);
  for (const std::string& failure : outcome.failures)
    said += "<div>" + Escape(failure) + "</div>";
  for (const std::string& note : outcome.notes)
    said += "<div><i>" + Escape(note) + "</i></div>";
  if (!outcome.pcap.empty())
    said += fmt::format("<a href=\"{0}\">{0}</a>", Escape(outcome.pcap));
  return fmt::format(
      "<tr class=\"{0}\"><td><code>{1}</code><td>{2}<td>{0}<td>{3:.1f}"
      "<td>{4}\n",
      Name(outcome.verdict), Escape(outcome.id), Escape(outcome.title),
      outcome.seconds, said);
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Error{path + ": cannot be written"};
  return Done{};
}

}  // namespace

Totals Count(const std::vector<Outcome>& outcomes) {
  Totals out;
  for (const Outcome& outcome : outcomes) {
    out.passed += outcome.verdict == Verdict::kPass;
    out.failed += outcome.verdict == Verdict::kFail;
    out.skipped += outcome.verdict == Verdict::kSkip;
  }
  return out;
}

std::string KtapLines(size_t number, const Outcome& outcome) {
  std::string out;
  for (const std::string& failure : outcome.failures)
    out += "# " + failure + "\n";
  for (const std::string& note : outcome.notes) out += "# note: " + note + "\n";
  if (outcome.verdict == Verdict::kFail && !outcome.pcap.empty())
    out += "# octets: " + outcome.pcap + "\n";
  out += fmt::format("{} {} {}",
                     outcome.verdict == Verdict::kFail ? "not ok" : "ok",
                     number, outcome.id);
  if (outcome.verdict == Verdict::kSkip) out += " # SKIP " + outcome.reason;
  return out + "\n";
}

std::string RowResult(const Row& row, const std::vector<Outcome>& outcomes) {
  bool own = false, run = false, skipped = false;
  for (const std::string& test : row.tests) {
    if (IsForeignTest(test)) continue;
    own = true;
    const auto found =
        std::find_if(outcomes.begin(), outcomes.end(),
                     [&test](const Outcome& o) { return o.id == test; });
    if (found == outcomes.end()) continue;
    if (found->verdict == Verdict::kFail) return "fail";
    skipped |= found->verdict == Verdict::kSkip;
    run |= found->verdict == Verdict::kPass;
  }
  if (run) return "pass";
  if (skipped) return "skip";
  if (own) return "not run";
  return row.tests.empty() ? "-" : "elsewhere";
}

std::vector<std::string> Contradictions(const Run& run) {
  std::vector<std::string> out;
  for (const Row& row : run.rows) {
    const std::string result = RowResult(row, run.outcomes);
    // A row that also has tests elsewhere may be skipped here.
    const bool elsewhere =
        std::any_of(row.tests.begin(), row.tests.end(), IsForeignTest);
    if (row.verdict == "pass" &&
        (result == "fail" || (result == "skip" && !elsewhere)))
      out.push_back(fmt::format("{} ({}): the table says pass, the run {}",
                                row.clause, row.rule, result));
  }
  return out;
}

std::string Json(const Run& run) {
  json out;
  const Totals totals = Count(run.outcomes);
  out["peer"] = run.peer;
  out["passed"] = totals.passed;
  out["failed"] = totals.failed;
  out["skipped"] = totals.skipped;
  out["tests"] = json::array();
  for (const Outcome& outcome : run.outcomes)
    out["tests"].push_back({{"id", outcome.id},
                            {"title", outcome.title},
                            {"verdict", Name(outcome.verdict)},
                            {"reason", outcome.reason},
                            {"failures", outcome.failures},
                            {"notes", outcome.notes},
                            {"seconds", outcome.seconds},
                            {"pcap", outcome.pcap}});
  out["rows"] = json::array();
  for (const Row& row : run.rows)
    out["rows"].push_back({{"clause", row.clause},
                           {"level", row.level},
                           {"binds", row.binds},
                           {"rule", row.rule},
                           {"tests", row.tests},
                           {"verdict", row.verdict},
                           {"result", RowResult(row, run.outcomes)},
                           {"remark", row.remark}});
  return out.dump(1) + "\n";
}

std::string JUnit(const Run& run) {
  const Totals totals = Count(run.outcomes);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"siw-conform\" tests=\"{}\" failures=\"{}\" "
      "skipped=\"{}\">\n",
      run.outcomes.size(), totals.failed, totals.skipped);
  for (const Outcome& outcome : run.outcomes) {
    out += fmt::format(
        "<testcase classname=\"siw-conform\" name=\"{}\" time=\"{:.3f}\">",
        Escape(outcome.id), outcome.seconds);
    if (outcome.verdict == Verdict::kFail)
      out += fmt::format(
          "\n<failure>{}</failure>\n",
          Escape(fmt::format("{}", fmt::join(outcome.failures, "\n"))));
    if (outcome.verdict == Verdict::kSkip)
      out +=
          fmt::format("\n<skipped message=\"{}\"/>\n", Escape(outcome.reason));
    out += "</testcase>\n";
  }
  return out + "</testsuite>\n";
}

std::string Html(const Run& run) {
  const Totals totals = Count(run.outcomes);
  std::string out = fmt::format(
      "<!doctype html><meta charset=\"utf-8\"><title>siw-conform</title>"
      "<style>{}</style><h1>iWARP conformance</h1><p>{}<p>Tests: {} passed, "
      "{} failed, {} skipped.\n",
      kStyle, Escape(run.peer), totals.passed, totals.failed, totals.skipped);
  std::map<std::string, size_t> musts, shoulds;
  for (const Row& row : run.rows) ++(row.must() ? musts : shoulds)[row.verdict];
  out += "<p>Rules:";
  for (const auto& [verdict, n] : musts)
    out += fmt::format(" MUST {} {};", verdict, n);
  for (const auto& [verdict, n] : shoulds)
    out += fmt::format(" SHOULD {} {};", verdict, n);
  out +=
      "\n<h2>Rules by clause</h2><table><tr><th>Clause<th>Level<th>Binds"
      "<th>Rule<th>Tests<th>Verdict<th>This run<th>Remark\n";
  for (const Row& row : run.rows) out += HtmlRow(row, run.outcomes);
  out +=
      "</table><h2>Tests</h2><table><tr><th>Test<th>What<th>Result"
      "<th>s<th>Said\n";
  for (const Outcome& outcome : run.outcomes) out += HtmlOutcome(outcome);
  return out + "</table>\n";
}

Status WriteReport(const std::string& dir, const Run& run) {
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>{"report.json", Json(run)},
        {"junit.xml", JUnit(run)},
        {"index.html", Html(run)}}) {
    const Status written = WriteFile(dir + "/" + name, text);
    if (!written) return written;
  }
  return Done{};
}

}  // namespace siw::conform
