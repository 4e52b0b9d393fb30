#include "ci/vm/bench_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "ci/vm/report.h"

namespace siw::vm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kHead =
    R"(<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>siw: bench</title><style>
body{font:14px/1.4 sans-serif;margin:1.5em;color:#222;background:#fff;
max-width:70em}table{border-collapse:collapse}
td,th{padding:.15em .6em;text-align:left;vertical-align:top}
tr:hover td{background:#f3f3f3}td.n{text-align:right}
.met{color:#176b2c}.not{color:#b3261e}.open{color:#805b00}
svg text{font:12px sans-serif}svg .name{font:12px monospace}
</style></head><body><h1>siw: bench</h1>
)";

// What a reader has to know to believe it, or not to.
constexpr std::string_view kCounted =
    R"(<p>Time in this guest counts instructions, one per nanosecond, of one
emulated CPU that does the work of both ends, their TCP and the wire between
them. So a rate says how many instructions an octet costs, both ends together;
a run repeats. It says nothing of caches, memory or several CPUs. Only ratios
mean anything outside.</p>
)";

constexpr std::string_view kReal =
    R"(<p>Real time: the figures depend on the machine and on what else ran
there.</p>
)";

constexpr std::string_view kTerms =
    R"(<ul>
<li>A ratio above 1 is in our favour, for latencies as well. The bar goes from
our worst run against the peer's best to the opposite; the grey tick is the
stored baseline.</li>
<li>qperf sleeps on events at both ends, over RDMA and over TCP: that is the
comparison with TCP. It makes no queue pair on the in-box driver and its RDMA
Write needs immediate data, which iWARP lacks.</li>
<li>perftest compares with the in-box driver and rxe. Sends, Reads and latencies
sleep on events (-e). Its Write has no such option: the client polls, and the
server, which would only poll until the end, is stopped meanwhile. The same is
done for Reads.</li>
<li>A Write by perftest is compared with TCP by qperf: two tools.</li>
<li>The in-box driver never asks for CRC and has no switch for it: the rows
with CRC compare ours with CRC to it without.</li>
<li>A Write or Send of ours completes when TCP has taken it, as the in-box
driver's does.</li>
<li>NVMe: target and initiator in one guest, of a null_blk device, so that the
transport is all that is measured. NVMe/TCP has its data digest on.</li>
</ul>
)";

// One plot: a line per ratio, on a logarithmic axis.
constexpr int kNames = 330;
constexpr int kPlot = 460;
constexpr int kLine = 20;
constexpr int kTop = 26;

class Axis {
 public:
  explicit Axis(const std::vector<Ratio>& ratios) {
    for (const Ratio& ratio : ratios) {
      low_ = std::min(low_, ratio.low);
      high_ = std::max(high_, ratio.high);
    }
    low_ /= kMargin;
    high_ *= kMargin;
  }

  double X(double ratio) const {
    const double part = std::log(std::clamp(ratio, low_, high_) / low_) /
                        std::log(high_ / low_);
    return kNames + part * kPlot;
  }

  // The marks that fit: 1, 2, 5 and their tenfolds.
  std::vector<double> Marks() const {
    std::vector<double> marks;
    for (int power = -4; power <= 4; ++power)
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double mark = digit * std::pow(10, power);
        if (mark >= low_ * 0.999 && mark <= high_ * 1.001)
          marks.push_back(mark);
      }
    return marks;
  }

 private:
  static constexpr double kMargin = 1.1;
  double low_ = 0.5;
  double high_ = 2;
};

std::string PlotSvg(const std::vector<Ratio>& ratios,
                    const std::map<std::string, double>& stored) {
  const Axis axis(ratios);
  const int bottom = kTop + kLine * static_cast<int>(ratios.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
      "role=\"img\">\n",
      kNames + kPlot + 70, bottom + 6);
  for (const double mark : axis.Marks())
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" "
        "stroke=\"{3}\"/><text x=\"{0:.1f}\" y=\"14\" "
        "text-anchor=\"middle\">{4:g}</text>\n",
        axis.X(mark), kTop - 8, bottom, mark == 1 ? "#222" : "#ddd", mark);
  int y = kTop + kLine / 2;
  for (const Ratio& ratio : ratios) {
    const auto before = stored.find(ratio.Name());
    if (before != stored.end())
      svg += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" "
          "stroke=\"#888\" stroke-width=\"3\"/>\n",
          axis.X(before->second), y - 8, y + 8);
    svg += fmt::format(
        "<text class=\"name\" x=\"0\" y=\"{0}\">{1}</text>"
        "<line x1=\"{2:.1f}\" x2=\"{3:.1f}\" y1=\"{4}\" y2=\"{4}\" "
        "stroke=\"#2b6cb0\" stroke-width=\"4\"/>"
        "<circle cx=\"{5:.1f}\" cy=\"{4}\" r=\"4\" fill=\"{6}\">"
        "<title>{7:.3f} ({8:.3f} to {9:.3f})</title></circle>"
        "<text x=\"{10}\" y=\"{0}\">{7:.2f}</text>\n",
        y + 4, EscapeXml(ratio.row), axis.X(ratio.low), axis.X(ratio.high), y,
        axis.X(ratio.median), ratio.median < 1 ? "#b3261e" : "#176b2c",
        ratio.median, ratio.low, ratio.high, kNames + kPlot + 20);
    y += kLine;
  }
  return svg + "</svg>\n";
}

std::string PlotTitle(const std::string& peer) {
  if (peer[0] == 'q') return "Against ours with " + peer.substr(1) + " QP";
  if (peer[0] == 's')
    return "Against ours with messages of " + peer.substr(1) + " octets";
  if (peer == "tcp") return "Against kernel TCP";
  if (peer == "inbox") return "Against the kernel's own siw";
  if (peer == "notrace") return "Against ours without tracepoints";
  return "Against " + peer;
}

std::string PlotsHtml(const BenchReport& report) {
  std::vector<std::string> peers;
  for (const Ratio& ratio : report.ratios)
    if (std::find(peers.begin(), peers.end(), ratio.peer) == peers.end())
      peers.push_back(ratio.peer);
  std::string html;
  for (const std::string& peer : peers) {
    std::vector<Ratio> ratios;
    for (const Ratio& ratio : report.ratios)
      if (ratio.peer == peer && ratio.error.empty()) ratios.push_back(ratio);
    if (ratios.empty()) continue;
    html += "<h2>" + EscapeXml(PlotTitle(peer)) + "</h2>\n" +
            PlotSvg(ratios, report.stored);
  }
  return html;
}

std::string_view ClassOf(Met met) {
  switch (met) {
    case Met::kYes:
      return "met";
    case Met::kNo:
      return "not";
    case Met::kSoFar:
    case Met::kNotMeasured:
      return "open";
  }
  return "";
}

std::string MeasuredText(const Finding& finding) {
  if (finding.measured == 0) return fmt::format("0 of {}", finding.planned);
  return fmt::format("{:.2f} at worst ({}), {} of {}", finding.worst,
                     finding.worst_row, finding.measured, finding.planned);
}

std::string FiguresHtml(const BenchReport& report) {
  std::string html =
      "<h2>What was asked for</h2><table><tr><th>what<th>must<th>measured"
      "<th>verdict</tr>\n";
  for (const Figure& figure : report.figures) {
    if (figure.bounds.empty())
      html +=
          fmt::format("<tr><td>{}<td><td><td class=open>not measured</tr>\n",
                      EscapeXml(figure.what));
    for (const Bound& bound : figure.bounds) {
      const Finding finding = Find(bound, report.ratios, report.plan);
      html += fmt::format("<tr><td>{}<td>{}<td>{}<td class={}>{}</tr>\n",
                          EscapeXml(figure.what), EscapeXml(BoundText(bound)),
                          EscapeXml(MeasuredText(finding)),
                          ClassOf(finding.met), MetText(finding.met));
    }
  }
  return html + "</table>\n";
}

bool Counted(const BenchReport& report) {
  const auto time = report.run.facts.find("time");
  return time != report.run.facts.end() &&
         time->second.compare(0, 6, "icount") == 0;
}

// Instructions per octet, of both ends; ns for a latency.
std::string Cost(const Measurement& m) {
  const double median = Median(m.values);
  return IsLatency(m.row) ? fmt::format("{:.0f}", median)
                          : fmt::format("{:.3f}", 1e9 / median);
}

std::string MeasurementsHtml(const BenchReport& report) {
  std::string html = fmt::format(
      "<h2>Measurements</h2><p>{}; nanoseconds one way for a latency. Median "
      "of the runs, and how far they lie apart.</p><table>"
      "<tr><th>row<th>driver<th>figure<th>spread<th>runs</tr>\n",
      Counted(report) ? "Instructions per octet, both ends together"
                      : "Nanoseconds per octet");
  for (const Measurement& m : report.run.measurements) {
    html +=
        fmt::format("<tr><td>{}<td>{}", EscapeXml(m.row), EscapeXml(m.peer));
    html +=
        m.error.empty()
            ? fmt::format("<td class=n>{}<td class=n>{:.1f} %<td class=n>{}",
                          Cost(m), 100 * Spread(m.values), m.values.size())
            : "<td colspan=3 class=not>" + EscapeXml(m.error);
    if (!m.lost.empty())
      html += "<td class=not>one more failed: " + EscapeXml(m.lost);
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string FactsHtml(const BenchReport& report) {
  std::string html = "<p>";
  for (const auto& [key, value] : report.run.facts)
    html += fmt::format("{}: {}. ", EscapeXml(key), EscapeXml(value));
  return html + "</p>\n";
}

std::string RegressionsHtml(const BenchReport& report) {
  const auto worse = Regressions(report.ratios, report.stored);
  if (worse.empty()) return "";
  std::string html =
      "<h2>Worse than the baseline</h2><table><tr><th>ratio<th>before<th>now"
      "</tr>\n";
  for (const Regression& one : worse)
    html += fmt::format(
        "<tr><td>{}<td class=n>{:.3f}<td class=\"n not\">{:.3f}</tr>\n",
        EscapeXml(one.name), one.before, one.now);
  return html + "</table>\n";
}

Json MeasurementJson(const Measurement& m, bool counted) {
  Json json = {{"row", m.row}, {"peer", m.peer}};
  if (!m.error.empty()) {
    json["error"] = m.error;
    return json;
  }
  if (!m.lost.empty()) json["lost"] = m.lost;
  json["unit"] = IsLatency(m.row) ? "ns" : "octets per second";
  json["values"] = m.values;
  json["median"] = Median(m.values);
  json["spread"] = Spread(m.values);
  if (counted && !IsLatency(m.row))
    json["instructions_per_octet"] = 1e9 / Median(m.values);
  return json;
}

Json FigureJson(const Figure& figure, const BenchReport& report) {
  Json json = {{"what", figure.what}, {"bounds", Json::array()}};
  for (const Bound& bound : figure.bounds) {
    const Finding finding = Find(bound, report.ratios, report.plan);
    Json one = {
        {"least", bound.least},         {"peer", bound.peer},
        {"rows", bound.rows},           {"verdict", MetText(finding.met)},
        {"measured", finding.measured}, {"planned", finding.planned}};
    if (finding.measured > 0) {
      one["worst"] = finding.worst;
      one["worst_row"] = finding.worst_row;
    }
    json["bounds"].push_back(std::move(one));
  }
  return json;
}

Result<std::string> ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{path.string() + ": cannot be read"};
  return text.str();
}

Status WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Error{path.string() + ": cannot be written"};
  return Done{};
}

// Reads a file and makes something of it; an error names the file.
template <typename T>
Status Take(const fs::path& path, Result<T> (*parse)(std::string_view),
            T* into) {
  auto text = ReadFile(path);
  if (!text) return text.error();
  auto parsed = parse(*text);
  if (!parsed) return Error{path.string() + ": " + parsed.error().message};
  *into = std::move(*parsed);
  return Done{};
}

}  // namespace

std::string BenchHtml(const BenchReport& report) {
  return std::string(kHead) + FactsHtml(report) +
         std::string(Counted(report) ? kCounted : kReal) +
         RegressionsHtml(report) + FiguresHtml(report) + PlotsHtml(report) +
         "<h2>How it was measured</h2>\n" + std::string(kTerms) +
         MeasurementsHtml(report) + "</body></html>\n";
}

std::string BenchJson(const BenchReport& report) {
  Json json;
  json["facts"] = report.run.facts;
  json["measurements"] = Json::array();
  for (const Measurement& m : report.run.measurements)
    json["measurements"].push_back(MeasurementJson(m, Counted(report)));
  json["ratios"] = Json::array();
  for (const Ratio& ratio : report.ratios) {
    Json one = {{"row", ratio.row}, {"peer", ratio.peer}};
    if (ratio.error.empty()) {
      one["median"] = ratio.median;
      one["low"] = ratio.low;
      one["high"] = ratio.high;
    } else {
      one["error"] = ratio.error;
    }
    const auto before = report.stored.find(ratio.Name());
    if (before != report.stored.end()) one["baseline"] = before->second;
    json["ratios"].push_back(std::move(one));
  }
  json["figures"] = Json::array();
  for (const Figure& figure : report.figures)
    json["figures"].push_back(FigureJson(figure, report));
  return json.dump(2) + "\n";
}

std::string BenchText(const BenchReport& report) {
  std::string text = fmt::format("{:<50} {:>7}  {:<17} {:>8}\n",
                                 "ratio (above 1: in our favour)", "median",
                                 "least to most", "baseline");
  for (const Ratio& ratio : report.ratios) {
    text += fmt::format("{:<50} ", ratio.Name());
    if (!ratio.error.empty()) {
      text += "failed: " + ratio.error + "\n";
      continue;
    }
    const auto before = report.stored.find(ratio.Name());
    text += fmt::format("{:7.3f}  {:<17} {:>8}\n", ratio.median,
                        fmt::format("{:.3f} to {:.3f}", ratio.low, ratio.high),
                        before == report.stored.end()
                            ? ""
                            : fmt::format("{:.3f}", before->second));
  }
  for (const Measurement& m : report.run.measurements)
    if (!m.lost.empty())
      text +=
          fmt::format("a run failed: {} of {}: {}\n", m.row, m.peer, m.lost);
  for (const Figure& figure : report.figures) {
    text += "\n" + figure.what + "\n";
    if (figure.bounds.empty()) text += "  not measured\n";
    for (const Bound& bound : figure.bounds) {
      const Finding finding = Find(bound, report.ratios, report.plan);
      text += fmt::format("  {}: {}: {}\n", BoundText(bound),
                          MeasuredText(finding), MetText(finding.met));
    }
  }
  return text;
}

Result<BenchReport> ReadBench(const BenchFiles& files) {
  BenchReport report;
  for (const Status& taken :
       {Take(files.results, ParseRun, &report.run),
        Take(files.rows, ParsePlan, &report.plan),
        Take(files.figures, ParseFigures, &report.figures),
        fs::exists(files.baseline)
            ? Take(files.baseline, ParseStored, &report.stored)
            : Status(Done{})})
    if (!taken) return taken.error();
  if (report.run.measurements.empty())
    return Error{files.results.string() + ": nothing was measured"};
  report.ratios = Ratios(report.run, report.plan);
  return report;
}

Status WriteBench(const BenchReport& report, const fs::path& out) {
  fs::create_directories(out);
  const Status written = WriteFile(out / "results.json", BenchJson(report));
  if (!written) return written;
  return WriteFile(out / "index.html", BenchHtml(report));
}

Result<std::vector<Regression>> CheckBench(const BenchReport& report) {
  if (report.stored.empty())
    return Error{"there is no baseline to check against"};
  const bool any = std::any_of(
      report.ratios.begin(), report.ratios.end(),
      [&report](const Ratio& r) { return report.stored.contains(r.Name()); });
  if (!any)
    return Error{"no ratio of this run is in the baseline: nothing to check"};
  return Regressions(report.ratios, report.stored);
}

Status StoreBench(const BenchReport& report, const fs::path& file) {
  if (CountErrors(report) > 0)
    return Error{"measurements failed: this run is no baseline"};
  std::map<std::string, double> lost = report.stored;
  for (const Ratio& ratio : report.ratios) lost.erase(ratio.Name());
  if (!lost.empty()) {
    std::string names;
    for (const auto& [name, ratio] : lost) names += "\n  " + name;
    return Error{file.string() + ": this run is no baseline, it has not" +
                 " measured (measure them, or remove the file):" + names};
  }
  return WriteFile(file, StoredText(report.run, report.ratios));
}

size_t CountLost(const BenchReport& report) {
  return static_cast<size_t>(std::count_if(
      report.run.measurements.begin(), report.run.measurements.end(),
      [](const Measurement& m) { return !m.lost.empty(); }));
}

size_t CountErrors(const BenchReport& report) {
  return static_cast<size_t>(std::count_if(
      report.run.measurements.begin(), report.run.measurements.end(),
      [](const Measurement& m) { return !m.error.empty(); }));
}

}  // namespace siw::vm
