// siw-advisory: checks what security/ says, and makes what we publish of it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/advisory/tree.h"

namespace siw::advisory {
namespace {

struct Options {
  std::string root = ".";
  std::string now;
  std::string out;
  std::string key;
  bool test = false;
  std::string file;
  std::vector<std::string> installed;
};

int Fail(const std::string& message) {
  fmt::print(stderr, "siw-advisory: {}\n", message);
  return 2;
}

Result<Time> Now(const Options& options) {
  if (!options.now.empty()) return ParseTime(options.now);
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::system_clock::now());
}

int Complain(const Problems& problems) {
  for (const Problem& problem : problems) fmt::print("{}\n", ToString(problem));
  return problems.empty() ? 0 : 1;
}

int Lint(const Options& options, Time now) {
  Problems problems;
  const Tree tree = LoadTree(options.root, now, &problems);
  fmt::print("{} advisories, {} statements, {} clauses of RFC 5042: ",
             tree.source.advisories.size(), tree.source.vex.size(),
             tree.rfc5042.size());
  fmt::print("{} problems\n", problems.size());
  return Complain(problems);
}

int Build(const Options& options, Time now) {
  Problems problems;
  const Tree tree = LoadTree(options.root, now, &problems);
  if (!problems.empty()) return Complain(problems);
  if (tree.source.publisher.IsPlaceholder() && !options.test)
    return Fail(options.root +
                "/security/publisher.toml: has placeholders; set who publishes,"
                " or give --test");
  const Status written = WriteSite(tree.source, options.key, options.out);
  return written ? 0 : Fail(written.error().message);
}

int ShowClock(const Options& options, Time now) {
  const std::string path = options.root + "/security/clock.toml";
  const Result<std::string> rules = ReadFile(path);
  if (!rules) return Fail(rules.error().message);
  const Result<std::string> text = ReadFile(options.file);
  if (!text) return Fail(text.error().message);
  Problems problems;
  const Clock clock = ParseClock(*rules, path, &problems);
  const Report report = ParseReport(*text, options.file, clock, &problems);
  bool violated = false;
  for (const ClockVerdict& verdict :
       Judge(clock, report.severity, report.timeline, now)) {
    fmt::print("{}\n", ToString(verdict));
    violated |= IsViolation(verdict.state);
  }
  return Complain(problems) || violated;
}

void Print(const Advisory& advisory) {
  fmt::print("{}  {:<8}  {}{}\n", advisory.id, advisory.severity,
             advisory.withdrawn.empty() ? "" : "Withdrawn: ", advisory.title);
}

int List(const Options& options) {
  Problems problems;
  const Source source = LoadAdvisories(options.root + "/security", &problems);
  for (const Advisory& advisory : source.advisories) Print(advisory);
  return Complain(problems);
}

// Of what the tree has, without a look at dates: a package that is built again
// later is the same.
int WriteShipped(const Options& options) {
  Problems problems;
  const Source source = LoadAdvisories(options.root + "/security", &problems);
  if (!problems.empty()) return Complain(problems);
  const Status written = WriteOsv(source, options.out);
  return written ? 0 : Fail(written.error().message);
}

int Check(const Options& options) {
  Problems problems;
  const Source source = LoadAdvisories(options.root + "/security", &problems);
  if (!problems.empty()) return Complain(problems);
  int status = 0;
  for (const std::string& argument : options.installed) {
    const size_t equals = argument.find('=');
    const std::string component = argument.substr(0, equals);
    if (equals == std::string::npos || !source.publisher.Find(component))
      return Fail("'" + argument +
                  "': give COMPONENT=VERSION, with a component"
                  " of publisher.toml");
    const Result<Installed> installed =
        ParseInstalled(argument.substr(equals + 1));
    if (!installed) return Fail(installed.error().message);
    const auto found = Affecting(source.advisories, component, *installed);
    fmt::print("{}: {}\n", argument,
               found.empty() ? "not affected" : "affected by");
    for (const Advisory* advisory : found) Print(*advisory);
    if (!found.empty()) status = 1;
  }
  return status;
}

void AddCommands(CLI::App* app, Options* options) {
  app->require_subcommand(1);
  app->add_option("--root", options->root, "top of the tree");
  app->add_option("--now", options->now,
                  "2027-01-05T16:00:00Z, in place of the system's clock");
  app->add_subcommand("lint", "check everything in security/");
  CLI::App* const build =
      app->add_subcommand("build", "make what a web server publishes");
  build->add_option("--out", options->out, "a directory that is not there yet")
      ->required();
  build->add_option("--sign", options->key, "with this key of gpg's");
  build->add_flag("--test", options->test,
                  "put up with the placeholders of publisher.toml");
  app->add_subcommand("clock", "the deadlines of a report or an advisory")
      ->add_option("FILE", options->file)
      ->required();
  app->add_subcommand("osv", "the OSV documents that our packages ship")
      ->add_option("--out", options->out, "a directory that is not there yet")
      ->required();
  app->add_subcommand("list", "the advisories");
  app->add_subcommand("check", "is what is installed affected?")
      ->add_option("INSTALLED", options->installed,
                   "COMPONENT=VERSION of each that is")
      ->required();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Security advisories of siw", "siw-advisory");
  AddCommands(&app, &options);
  CLI11_PARSE(app, argc, argv);
  const Result<Time> now = Now(options);
  if (!now) return Fail("--now: " + now.error().message);
  if (app.got_subcommand("lint")) return Lint(options, *now);
  if (app.got_subcommand("build")) return Build(options, *now);
  if (app.got_subcommand("clock")) return ShowClock(options, *now);
  if (app.got_subcommand("osv")) return WriteShipped(options);
  if (app.got_subcommand("list")) return List(options);
  return Check(options);
}

}  // namespace
}  // namespace siw::advisory

int main(int argc, char** argv) { return siw::advisory::Main(argc, argv); }
