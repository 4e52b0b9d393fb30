// siw-vm: boots Debian kernels in QEMU to test siw and to show it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "ci/vm/bench_page.h"
#include "ci/vm/control.h"
#include "ci/vm/hosts_run.h"
#include "ci/vm/ktap_run.h"
#include "ci/vm/lab.h"
#include "ci/vm/matrix_page.h"
#include "ci/vm/report.h"
#include "ci/vm/test_run.h"

namespace siw::vm {
namespace {

void AddMachine(CLI::App* app, Machine* machine) {
  app->add_option("--arch", machine->arch, "amd64 or arm64")
      ->check(CLI::IsMember({"amd64", "arm64"}));
  app->add_option("--accel", machine->accel,
                  "tcg, kvm, icount or icount-octets")
      ->check(CLI::IsMember({"tcg", "kvm", "icount", "icount-octets"}));
  app->add_option("--kernel", machine->kernel)
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--initrd", machine->initrd)
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--root", machine->root, "read-only root image")
      ->check(CLI::ExistingFile);
  app->add_option("--payload", machine->payload, "second image, on /payload")
      ->check(CLI::ExistingFile);
  app->add_option("--append", machine->append, "more kernel command line");
  auto* firmware =
      app->add_option("--firmware", machine->firmware, "EFI with Secure Boot")
          ->check(CLI::ExistingFile);
  auto* variables =
      app->add_option("--variables", machine->variables, "of the firmware")
          ->check(CLI::ExistingFile);
  firmware->needs(variables);
  variables->needs(firmware);
  app->add_option("--cpus", machine->cpus);
  app->add_option("--memory", machine->memory_mb, "in MiB");
  app->add_option("--log-dir", machine->log_dir)
      ->required()
      ->check(CLI::ExistingDirectory);
}

int Fail(const Error& error) {
  fmt::print(stderr, "siw-vm: {}\n", error.message);
  return 2;
}

int Exit(const Result<int>& status) {
  return status ? *status : Fail(status.error());
}

struct TestOptions {
  Machine machine;
  std::string name = "vm";
  std::string command;
  std::string junit;
  TestLimits limits;
  long boot_seconds = limits.boot.count();
  long test_seconds = limits.test.count();
  long total_seconds = limits.total.count();
};

// What a run of tests amounts to, with a JUnit file if one is asked for.
int Judge(const std::string& name, const std::string& junit,
          const std::vector<TestCase>& cases) {
  if (!junit.empty()) {
    std::ofstream file(junit);
    file << JunitXml({{name, cases}});
    file.close();
    if (!file) return Fail(Error{junit + ": cannot be written"});
  }
  const Totals totals = Count(cases);
  return totals.failed > 0 || totals.passed == 0;
}

int Test(TestOptions* options) {
  options->limits = {std::chrono::seconds(options->boot_seconds),
                     std::chrono::seconds(options->test_seconds),
                     std::chrono::seconds(options->total_seconds)};
  return Judge(options->name, options->junit,
               RunTests(options->machine, options->name, options->command,
                        options->limits));
}

// NAME, or NAME=DIR for a guest of its own: the kernel, initramfs and root
// of that directory.
Guest ParseHost(const std::string& text, const Machine& common) {
  Guest guest{text.substr(0, text.find('=')), common};
  if (guest.name.size() == text.size()) return guest;
  const std::string dir = text.substr(guest.name.size() + 1);
  guest.machine.kernel = dir + "/vmlinuz";
  guest.machine.initrd = dir + "/initrd";
  guest.machine.root = dir + "/root.erofs";
  return guest;
}

struct OnOptions {
  std::string host;
  std::string command;
  long seconds = 60;
};

int On(const OnOptions& options) {
  const char* path = std::getenv(kSocketVariable);
  if (!path)
    return Fail(Error{"`on` works inside the script of `siw-vm hosts`"});
  return Exit(RunOnHost(path, options.host, options.command,
                        std::chrono::seconds(options.seconds)));
}

struct ReportOptions {
  std::string out;
  std::vector<std::filesystem::path> dirs;
};

int Report(const ReportOptions& options) {
  const auto failed = WriteMatrix(options.out, options.dirs);
  if (!failed) return Fail(failed.error());
  return *failed > 0;
}

struct BenchOptions {
  BenchFiles files;
  bool check = false;
  bool store = false;
};

int Bench(const BenchOptions& options) {
  const auto report = ReadBench(options.files);
  if (!report) return Fail(report.error());
  const Status written = WriteBench(*report, options.files.out);
  if (!written) return Fail(written.error());
  fmt::print("{}", BenchText(*report));
  int status = CountErrors(*report) + CountLost(*report) > 0;
  if (options.check) {
    const auto regressions = CheckBench(*report);
    if (!regressions) return Fail(regressions.error());
    for (const Regression& worse : *regressions)
      fmt::print("worse: {}: {:.3f}, was {:.3f}\n", worse.name, worse.now,
                 worse.before);
    // And it is not stored.
    if (!regressions->empty()) return 1;
  }
  if (options.store) {
    const Status stored = StoreBench(*report, options.files.baseline);
    if (!stored) return Fail(stored.error());
  }
  return status;
}

int Main(int argc, char** argv) {
  CLI::App app{"Boots kernels in QEMU, to test siw and to show it"};
  app.require_subcommand(1);

  Machine probed;
  CLI::App* probe = app.add_subcommand("probe", "prints kvm if it works, tcg");
  AddMachine(probe, &probed);

  TestOptions test_options;
  CLI::App* test =
      app.add_subcommand("test", "runs a command that prints KTAP in a guest");
  AddMachine(test, &test_options.machine);
  test->add_option("--name", test_options.name, "suite name in JUnit");
  test->add_option("--junit", test_options.junit, "JUnit XML file to write");
  test->add_option("--boot-limit", test_options.boot_seconds, "seconds");
  test->add_option("--test-limit", test_options.test_seconds,
                   "seconds between two results");
  test->add_option("--total-limit", test_options.total_seconds, "seconds");
  test->add_option("command", test_options.command)->required();

  Machine lab_machine;
  HostsPlan plan;
  std::vector<std::string> host_names;
  CLI::App* hosts = app.add_subcommand(
      "hosts", "boots hosts on one Ethernet and runs a script here");
  AddMachine(hosts, &lab_machine);
  hosts
      ->add_option("--host", host_names,
                   "name, once per host; NAME=DIR boots DIR/vmlinuz, "
                   "DIR/initrd and DIR/root.erofs")
      ->required()
      ->allow_extra_args(false);
  hosts->add_option("--shell", plan.shell, "then a shell on this host");
  hosts->add_option("script", plan.script, "command and arguments")->required();

  std::string console_name = "console";
  std::string console_junit;
  CLI::App* console = app.add_subcommand(
      "console", "judges a kernel console on standard input, where KUnit runs");
  console->add_option("--name", console_name, "suite name in JUnit");
  console->add_option("--junit", console_junit, "JUnit XML file to write");

  OnOptions on_options;
  CLI::App* on = app.add_subcommand("on", "runs a command on a host");
  on->add_option("--limit", on_options.seconds, "seconds");
  on->add_option("host", on_options.host)->required();
  on->add_option("command", on_options.command)->required();

  ReportOptions report_options;
  CLI::App* report = app.add_subcommand(
      "report", "makes one page, JUnit file and table of many results");
  report->add_option("--out", report_options.out, "directory")->required();
  report->add_option("dirs", report_options.dirs, "rows, or where rows are")
      ->required();

  BenchOptions bench_options;
  BenchFiles* files = &bench_options.files;
  CLI::App* bench = app.add_subcommand(
      "bench", "ratios, figures and a page of what the bench measured");
  bench->add_option("--rows", files->rows)->required();
  bench->add_option("--figures", files->figures)->required();
  bench->add_option("--baseline", files->baseline, "earlier ratios, JSON");
  bench->add_option("--out", files->out, "directory")->required();
  bench->add_flag("--check", bench_options.check,
                  "fails if a ratio fell by more than 5 %");
  bench->add_flag("--store", bench_options.store,
                  "makes these ratios the baseline, unless --check fails");
  bench->add_option("results", files->results, "lines of JSON")->required();

  CLI11_PARSE(app, argc, argv);
  if (*probe) {
    fmt::print("{}\n", KvmWorks(probed) ? "kvm" : "tcg");
    return 0;
  }
  if (*test) return Test(&test_options);
  if (*console)
    return Judge(console_name, console_junit, ReadConsole(std::cin));
  if (*hosts) {
    for (const std::string& text : host_names)
      plan.hosts.push_back(ParseHost(text, lab_machine));
    plan.log_dir = lab_machine.log_dir;
    return Exit(RunHosts(plan));
  }
  if (*report) return Report(report_options);
  if (*bench) return Bench(bench_options);
  return On(on_options);
}

}  // namespace
}  // namespace siw::vm

int main(int argc, char** argv) {
  // Who watches a file or a pipe wants each result when it comes.
  setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  return siw::vm::Main(argc, argv);
}
