// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw-conform: plays the rules of the iWARP RFCs against a live peer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "selftests/conform/pcap.h"
#include "selftests/conform/report.h"
#include "selftests/conform/rules.h"
#include "selftests/conform/table.h"

namespace siw::conform {
namespace {

struct Options {
  std::string peer;
  std::string vectors = "selftests/vectors/vectors.json";
  std::string table;
  std::string out = ".";
  std::string selftests = "selftests";
  bool foreign = false;
  bool pcaps = false;
  int slow = 1;
  std::string from;
  std::vector<std::string> names;
};

int Die(const Error& error) {
  fmt::print(stderr, "siw-conform: {}\n", error.message);
  return 2;
}

bool Chosen(const Test& test, const std::vector<std::string>& names) {
  return names.empty() ||
         std::any_of(names.begin(), names.end(), [&test](const auto& name) {
           return test.id.find(name) != std::string::npos;
         });
}

Outcome Play(const Test& test, Counterpart* counterpart,
             const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  Stage stage(counterpart, options.foreign,
              options.pcaps ? SIZE_MAX : Stage::kTracesKept);
  test.run(stage);
  stage.Finish();
  Outcome out;
  out.id = test.id;
  out.title = test.title;
  out.failures = stage.failures();
  out.notes = stage.notes();
  out.reason = stage.skip();
  if (stage.failed())
    out.verdict = Verdict::kFail;
  else if (!out.reason.empty())
    out.verdict = Verdict::kSkip;
  if (stage.failed() || (options.pcaps && !stage.traces().empty())) {
    out.pcap = test.id + ".pcap";
    const Status written =
        WritePcap(options.out + "/" + out.pcap, stage.traces());
    if (!written) {
      out.verdict = Verdict::kFail;
      out.failures.push_back(written.error().message);
    }
  }
  out.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return out;
}

Result<std::string> Greet(Counterpart* counterpart) {
  const auto hello = counterpart->Ask("hello");
  if (!hello) return hello.error();
  return fmt::format("device {}, kernel {}, atomics {}, IRD {}, ORD {}",
                     hello->Text("device"), hello->Text("kernel"),
                     hello->Text("atomics"), hello->Text("ird"),
                     hello->Text("ord"));
}

// Leaves out what comes before a test.
Status BeginWith(const std::string& id, Tests* tests) {
  if (id.empty()) return Done{};
  const auto first =
      std::find_if(tests->begin(), tests->end(),
                   [&id](const Test& test) { return test.id == id; });
  if (first == tests->end()) return Error{"no such test: " + id};
  tests->erase(tests->begin(), first);
  return Done{};
}

int RunTests(const Options& options) {
  SetSlowness(options.slow);
  const auto control = ParseEndpoint(options.peer);
  if (!control) return Die(control.error());
  auto all = AllTests(options.vectors);
  if (!all) return Die(all.error());
  if (const Status begun = BeginWith(options.from, &*all); !begun)
    return Die(begun.error());
  Run run;
  if (!options.table.empty()) {
    auto rows = LoadTable(options.table);
    if (!rows) return Die(rows.error());
    run.rows = std::move(*rows);
  }
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  auto counterpart = Counterpart::Connect(*control);
  if (!counterpart) return Die(counterpart.error());
  const auto peer = Greet(&*counterpart);
  if (!peer) return Die(peer.error());
  run.peer = *peer;

  Tests chosen;
  std::copy_if(all->begin(), all->end(), std::back_inserter(chosen),
               [&](const Test& test) { return Chosen(test, options.names); });
  fmt::print("KTAP version 1\n# {}\n1..{}\n", run.peer, chosen.size());
  for (const Test& test : chosen) {
    run.outcomes.push_back(Play(test, &*counterpart, options));
    fmt::print("{}", KtapLines(run.outcomes.size(), run.outcomes.back()));
    std::fflush(stdout);
    if (!counterpart->lost()) continue;
    fmt::print("Bail out! The counterpart does not answer\n");
    break;
  }
  const Totals totals = Count(run.outcomes);
  const auto contradictions = Contradictions(run);
  for (const std::string& line : contradictions) fmt::print("# {}\n", line);
  fmt::print("# {} passed, {} failed, {} skipped\n", totals.passed,
             totals.failed, totals.skipped);
  const Status written = WriteReport(options.out, run);
  if (!written) return Die(written.error());
  return totals.failed > 0 || totals.passed == 0 || !contradictions.empty();
}

int List(const Options& options) {
  const auto all = AllTests(options.vectors);
  if (!all) return Die(all.error());
  for (const Test& test : *all)
    if (Chosen(test, options.names))
      fmt::print("{}: {}\n", test.id, test.title);
  return 0;
}

int Check(const Options& options) {
  const auto all = AllTests(options.vectors);
  if (!all) return Die(all.error());
  const auto rows = LoadTable(options.table);
  if (!rows) return Die(rows.error());
  std::vector<std::string> ids;
  for (const Test& test : *all) ids.push_back(test.id);
  const auto wrong = CheckTable(*rows, ids, options.selftests);
  for (const std::string& line : wrong)
    fmt::print(stderr, "{}: {}\n", options.table, line);
  const auto musts = std::count_if(rows->begin(), rows->end(),
                                   [](const Row& row) { return row.must(); });
  fmt::print("{} rows, {} of them MUST; {} tests\n", rows->size(), musts,
             ids.size());
  return wrong.empty() ? 0 : 1;
}

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Plays the rules of the iWARP RFCs against a live peer"};
  app.require_subcommand(1);
  Options options;

  CLI::App* run = app.add_subcommand("run", "plays tests and reports");
  run->add_option("--peer", options.peer,
                  "ADDRESS:PORT of siw-conform-peer on the host under test")
      ->required();
  run->add_option("--out", options.out, "directory of report and pcaps");
  run->add_option("--table", options.table, "the table of rules, to be joined");
  run->add_option("--slow", options.slow, "stretches every time limit");
  run->add_flag("--foreign", options.foreign,
                "another implementation: other Terminate codes are taken "
                "where the RFCs leave room");
  run->add_flag("--pcaps", options.pcaps,
                "a pcap for each test, not for those alone that fail");
  run->add_option("--from", options.from,
                  "begins with this test, as after a host that died");

  CLI::App* list = app.add_subcommand("list", "names all tests");
  CLI::App* check =
      app.add_subcommand("check-table", "checks the table of rules");
  check->add_option("--selftests", options.selftests,
                    "where kselftest/ and unit/ are");
  check->add_option("table", options.table)->required();
  for (CLI::App* sub : {run, list})
    sub->add_option("names", options.names,
                    "tests whose id holds one of these");
  for (CLI::App* sub : {run, list, check})
    sub->add_option("--vectors", options.vectors, "vectors.json");

  CLI11_PARSE(app, argc, argv);
  if (*run) return RunTests(options);
  return *list ? List(options) : Check(options);
}

}  // namespace
}  // namespace siw::conform

int main(int argc, char** argv) { return siw::conform::Main(argc, argv); }
