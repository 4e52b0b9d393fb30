#include "ci/vm/matrix_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <utility>

#include "ci/vm/report.h"

namespace siw::vm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead =
    R"(<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>siw: kernels and tests</title><style>
body{font:14px/1.4 sans-serif;margin:1.5em;color:#222;background:#fff}
table{border-collapse:collapse}td,th{padding:.15em .5em;text-align:left}
th{position:sticky;top:0;background:#fff}tr:hover td{background:#f3f3f3}
.pass{color:#176b2c}.fail{color:#fff;background:#b3261e}.skip{color:#805b00}
.none{color:#aaa}td.cell{text-align:center}pre{background:#f6f6f6;padding:.6em;
overflow:auto;max-height:30em}input[type=search]{width:24em}
th.kernel{writing-mode:vertical-rl;vertical-align:bottom}
</style></head><body><h1>siw: kernels and tests</h1>
)";

constexpr std::string_view kScript =
    R"(<script>
const search=document.getElementById('search');
const bad=document.getElementById('bad');
function filter(){for(const row of document.querySelectorAll('#tests tbody tr'))
row.hidden=!row.dataset.name.includes(search.value.toLowerCase())||
bad.checked&&!row.querySelector('.fail');}
search.oninput=bad.onchange=filter;
</script></body></html>
)";

std::string_view ClassOf(Verdict verdict) {
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

// "# 12.5 s" behind a result is how long it took, "# 12.5 s: why" of a failure.
void TakeSeconds(TestCase* test) {
  double seconds = 0;
  const char* end = test->reason.data() + test->reason.size();
  const auto [rest, error] = std::from_chars(test->reason.data(), end, seconds);
  const std::string_view unit(rest, end);
  if (error != std::errc() || (unit != " s" && !unit.starts_with(" s: ")))
    return;
  test->seconds = seconds;
  test->reason = std::string(unit == " s" ? "" : unit.substr(4));
}

std::vector<TestCase> ReadDocument(const fs::path& path) {
  const Clock::time_point now;
  KtapReader reader(now);
  std::vector<TestCase> cases;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    for (TestCase& test : reader.Feed(line, now))
      cases.push_back(std::move(test));
  for (TestCase& test : reader.Finish("", now)) {
    test.name = path.filename().string() + ": " + test.name;
    cases.push_back(std::move(test));
  }
  for (TestCase& test : cases) TakeSeconds(&test);
  return cases;
}

std::vector<fs::path> FilesOf(const fs::path& dir) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string Anchor(const Row& row, size_t number) {
  return fmt::format("{}-{}", row.name, number);
}

// All names of tests, in the order they were first met.
std::vector<std::string> TestNames(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  std::map<std::string, bool> seen;
  for (const Row& row : rows)
    for (const TestCase& test : row.cases)
      if (!std::exchange(seen[test.name], true)) names.push_back(test.name);
  return names;
}

std::string SummaryHtml(const std::vector<Row>& rows) {
  std::string html =
      "<table><thead><tr><th>name<th>kernel<th>suite<th>arch<th>compiler"
      "<th>configuration<th>rdma-core<th>passed<th>failed<th>skipped"
      "<th>seconds<th>logs</tr></thead><tbody>\n";
  for (const Row& row : rows) {
    const Totals totals = Count(row.cases);
    html += "<tr><td>" + EscapeXml(row.name);
    for (const char* key :
         {"kernel", "suite", "arch", "compiler", "config", "userspace"})
      html += "<td>" + EscapeXml(row.Fact(key));
    html += fmt::format("<td class=pass>{}<td class={}>{}<td>{}<td>{}<td>",
                        totals.passed, totals.failed ? "fail" : "pass",
                        totals.failed, totals.skipped,
                        EscapeXml(row.Fact("seconds")));
    for (const std::string& log : row.logs)
      html += fmt::format("<a href=\"{}\">{}</a> ", EscapeXml(log),
                          EscapeXml(log.substr(log.rfind('/') + 1)));
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

int Badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return 1;
    case Verdict::kSkip:
      return 2;
    case Verdict::kFail:
      return 3;
  }
  return 0;
}

// Of results of one name it shows the worst.
std::string Cell(const Row& row, const std::string& name) {
  const auto badness = [&name](const TestCase& test) {
    return test.name == name ? Badness(test.verdict) : 0;
  };
  const auto test =
      std::max_element(row.cases.begin(), row.cases.end(),
                       [&badness](const TestCase& a, const TestCase& b) {
                         return badness(a) < badness(b);
                       });
  if (test == row.cases.end() || badness(*test) == 0)
    return "<td class=\"cell none\">·";
  std::string text;
  switch (test->verdict) {
    case Verdict::kPass:
      text = fmt::format("{:.1f}", test->seconds);
      break;
    case Verdict::kSkip:
      text = "skip";
      break;
    case Verdict::kFail:
      text =
          fmt::format("<a class=fail href=\"#{}\">fail</a>",
                      EscapeXml(Anchor(
                          row, static_cast<size_t>(test - row.cases.begin()))));
  }
  return fmt::format("<td class=\"cell {}\" title=\"{}\">{}",
                     ClassOf(test->verdict), EscapeXml(test->reason), text);
}

std::string TestsHtml(const std::vector<Row>& rows) {
  std::string html =
      "<h2>Tests</h2><p><input type=search id=search placeholder=\"part of a "
      "test's name\"> <label><input type=checkbox id=bad> only what failed"
      "</label> Figures are seconds.</p>\n<table id=tests><thead><tr><th>test";
  for (const Row& row : rows) html += "<th class=kernel>" + EscapeXml(row.name);
  html += "</tr></thead><tbody>\n";
  for (const std::string& name : TestNames(rows)) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    html += fmt::format("<tr data-name=\"{}\"><td>{}", EscapeXml(lower),
                        EscapeXml(name));
    for (const Row& row : rows) html += Cell(row, name);
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string FailuresHtml(const std::vector<Row>& rows) {
  std::string html;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.cases.size(); ++i) {
      const TestCase& test = row.cases[i];
      if (test.verdict != Verdict::kFail) continue;
      html += fmt::format("<h3 id=\"{}\">{}: {}</h3><p>{}</p><pre>{}</pre>\n",
                          EscapeXml(Anchor(row, i)), EscapeXml(row.name),
                          EscapeXml(test.name), EscapeXml(test.reason),
                          EscapeXml(test.log));
    }
  }
  return html.empty() ? html : "<h2>What failed</h2>\n" + html;
}

Status WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Error{path.string() + ": cannot be written"};
  return Done{};
}

bool IsRow(const fs::path& dir) { return fs::exists(dir / "row"); }

}  // namespace

std::string Row::Fact(std::string_view key) const {
  const auto fact = facts.find(key);
  return fact == facts.end() ? "" : fact->second;
}

Result<Row> ReadRow(const fs::path& dir) {
  std::ifstream file(dir / "row");
  if (!file) return Error{dir.string() + ": no readable file `row`"};
  Row row;
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos)
      return Error{(dir / "row").string() + ": \"" + line + "\" has no ="};
    row.facts[line.substr(0, equals)] = line.substr(equals + 1);
  }
  row.name = row.Fact("name");
  if (row.name.empty()) row.name = dir.filename().string();
  for (const fs::path& path : FilesOf(dir)) {
    if (path.extension() == ".ktap")
      for (TestCase& test : ReadDocument(path))
        row.cases.push_back(std::move(test));
    const std::string kind = path.extension().string();
    if (kind == ".log" || kind == ".ktap" || kind == ".console")
      row.logs.push_back(dir.filename().string() + "/" +
                         path.filename().string());
  }
  if (row.Fact("seconds").empty()) {
    TestCase cut;
    cut.name = "end of row";
    cut.verdict = Verdict::kFail;
    cut.reason = "the run of this row was cut short";
    row.cases.push_back(std::move(cut));
  }
  return row;
}

Result<std::vector<fs::path>> FindRows(const std::vector<fs::path>& dirs) {
  std::vector<fs::path> found;
  std::set<std::string> names;
  for (fs::path dir : dirs) {
    if (!dir.has_filename()) dir = dir.parent_path();
    std::vector<fs::path> rows;
    if (IsRow(dir)) {
      rows.push_back(dir);
    } else if (fs::is_directory(dir)) {
      for (const auto& entry : fs::directory_iterator(dir))
        if (IsRow(entry.path())) rows.push_back(entry.path());
      std::sort(rows.begin(), rows.end());
    }
    if (rows.empty()) return Error{dir.string() + ": no results in it"};
    for (const fs::path& row : rows) {
      if (!names.insert(row.filename().string()).second)
        return Error{row.string() + ": a second row of this name"};
      found.push_back(row);
    }
  }
  return found;
}

std::string MatrixHtml(const std::vector<Row>& rows) {
  return std::string(kHead) + SummaryHtml(rows) + TestsHtml(rows) +
         FailuresHtml(rows) + std::string(kScript);
}

std::string MatrixMarkdown(const std::vector<Row>& rows) {
  std::string text =
      "| | kernel | suite | arch | rdma-core | passed | failed | skipped |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Row& row : rows) {
    const Totals totals = Count(row.cases);
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", row.name,
                        row.Fact("kernel"), row.Fact("suite"), row.Fact("arch"),
                        row.Fact("userspace"), totals.passed, totals.failed,
                        totals.skipped);
  }
  return text;
}

Result<size_t> WriteMatrix(const fs::path& out,
                           const std::vector<fs::path>& dirs) {
  auto found = FindRows(dirs);
  if (!found) return found.error();
  fs::create_directories(out);
  std::vector<Row> rows;
  std::vector<Suite> suites;
  size_t failed = 0;
  for (const fs::path& dir : *found) {
    const fs::path here = out / dir.filename();
    if (!fs::exists(here) || !fs::equivalent(here, dir)) {
      fs::remove_all(here);
      fs::copy(dir, here, fs::copy_options::recursive);
    }
    auto row = ReadRow(here);
    if (!row) return row.error();
    failed += Count(row->cases).failed;
    suites.push_back({row->name, row->cases});
    rows.push_back(std::move(*row));
  }
  for (const auto& [name, text] :
       {std::pair("index.html", MatrixHtml(rows)),
        std::pair("junit.xml", JunitXml(suites)),
        std::pair("table.md", MatrixMarkdown(rows))}) {
    const Status written = WriteFile(out / name, text);
    if (!written) return written.error();
  }
  return failed;
}

}  // namespace siw::vm
