// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// siw: looks after software iWARP on this host.
#include <fmt/format.h>
#include <stdio.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/common/peer.h"
#include "tools/siw/advisory/advisory.h"
#include "tools/siw/explain/explain.h"
#include "tools/siw/load/load_facts.h"
#include "tools/siw/load/load_findings.h"
#include "tools/siw/net/net_facts.h"
#include "tools/siw/net/net_findings.h"
#include "tools/siw/output.h"
#include "tools/siw/report/report.h"
#include "tools/siw/status/status.h"
#include "tools/siw/top/sample.h"
#include "tools/siw/top/screen.h"
#include "tools/siw/top/view.h"
#include "tools/siw/trace/live.h"
#include "tools/siw/trace/trace.h"

namespace siw {
namespace {

// What could not be written main() tells at the end: fmt::print() would throw.
void Print(const std::string& text) {
  (void)fwrite(text.data(), 1, text.size(), stdout);
}

void Complain(const std::string& message) {
  (void)fputs(("siw: " + message + "\n").c_str(), stderr);
}

int Misused(const std::string& message) {
  Complain("SIW-TOOL-USAGE: " + message);
  return kExitUsage;
}

int Fail(const Error& error) {
  Complain(error.message);
  return kExitBlind;
}

struct ExplainOptions {
  bool json = false;
  bool journal = false;
  std::string number;
  std::vector<std::string> words;
};

// All of the kernel's lines that journald has of this boot; without journald,
// or without the right to read it, those the kernel still holds.
Result<std::vector<std::string>> ReadJournal() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen("journalctl -k -b -q --no-pager -o short-iso 2>/dev/null", "r"),
      pclose);
  std::string text;
  char buffer[4096];
  size_t n;
  while (pipe && (n = fread(buffer, 1, sizeof(buffer), pipe.get())) > 0)
    text.append(buffer, n);
  if (!text.empty()) return Lines(text);
  return ReadKernelLog();
}

Result<std::vector<std::string>> ReadInput() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  // std::cin reads it, and does not tell its end from an error.
  if (ferror(stdin)) return ErrnoError("standard input");
  return lines;
}

int ExplainLines(const Result<std::vector<std::string>>& lines, bool json) {
  if (!lines) return Fail(lines.error());
  const LineMatcher matcher(Catalogue());
  const std::vector<LogFinding> findings = ExplainLog(matcher, *lines);
  Print(json ? LogJson(findings)
             : LogText(findings) + ForeignText(matcher, *lines));
  return findings.empty() ? kExitFound : kExitGood;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

int RunExplain(const ExplainOptions& options) {
  if (options.journal) return ExplainLines(ReadJournal(), options.json);
  const std::string text = Join(options.words);
  if (text == "-") return ExplainLines(ReadInput(), options.json);
  if (text.empty() && options.number.empty())
    return Misused(
        "explain: give an id, a line of the kernel log, --errno, --journal, or "
        "- to read lines");
  const Explanation explanation =
      options.number.empty() ? Explain(Catalogue(), text)
                             : ExplainErrno(Catalogue(), options.number);
  Print(options.json ? ExplanationJson(explanation)
                     : ExplanationText(explanation));
  return explanation.matches.empty() ? kExitFound : kExitGood;
}

Facts GatherHere() {
  Result<std::unique_ptr<NetlinkChannel>> channel = MnlChannel::Open();
  Facts facts = Gather(Host(), channel ? channel->get() : nullptr);
  if (!channel) facts.netlink_unread = channel.error().message;
  facts.command = SIW_VERSION;
  facts.memlock = MemlockLimit();
  facts.addressed = AddressedNetdevs();
  Result<std::vector<std::string>> log = ReadKernelLog();
  if (log)
    facts.log = std::move(*log);
  else
    facts.log_unread = log.error().message;
  return facts;
}

int RunStatus(bool json) {
  const Facts facts = GatherHere();
  const std::vector<Finding> findings = Judge(Examine(facts, Catalogue()));
  Print(json ? StatusJson(facts, findings) : StatusText(facts, findings));
  return HasError(findings) ? kExitFound : kExitGood;
}

Facts GatherInstalled() {
  Facts facts = Gather(Host(), nullptr);
  facts.command = SIW_VERSION;
  return facts;
}

int RunAdvisoryList(bool json) {
  const AdvisoryFacts facts = ReadAdvisories(Host());
  Print(json ? ListJson(facts) : ListText(facts));
  return ListExit(facts);
}

int RunAdvisoryCheck(bool json) {
  const Facts facts = GatherInstalled();
  const std::vector<PartVerdict> verdicts = CheckParts(facts);
  Print(json ? CheckJson(facts, verdicts) : CheckText(facts, verdicts));
  return CheckExit(facts.advisories, verdicts);
}

int64_t Microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

using Opened = Result<std::unique_ptr<NetlinkChannel>>;

top::Channel ChannelOf(const Opened& opened) {
  if (opened) return {opened->get(), ""};
  return {nullptr, opened.error().message};
}

struct DoctorOptions {
  bool json = false;
  std::string level = "quick";
  std::string peer;
};

net::NetFacts GatherNet(const std::string& peer) {
  const Opened rdma = MnlChannel::Open();
  const Opened diag = MnlChannel::Open(kFamilySockDiag, "sock_diag");
  const Opened route = MnlChannel::Open(0, "rtnetlink");
  const auto look = [&] {
    return net::TakeLook(Host(), ChannelOf(rdma), ChannelOf(diag),
                         ChannelOf(route).channel, Microseconds());
  };
  net::NetFacts facts;
  facts.before = look();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  facts.now = look();
  facts.links = GatherLinks(Host(), ChannelOf(rdma).channel).links;
  facts.crc_instruction = net::CrcInstruction(Host());
  if (!peer.empty()) facts.peer = net::TryPeer(peer, ChannelOf(route).channel);
  return facts;
}

load::LoadFacts GatherLoad(const net::NetFacts& net, const std::string& peer) {
  using load::Milliseconds;
  load::LoadFacts facts;
  facts.crc = load::MeasureCrc(Milliseconds(300));
  facts.crc_by = load::CrcDriver(Host());
  facts.copy = load::MeasureCopy(Milliseconds(300));
  facts.tcp = load::MeasureTcp(Milliseconds(500));
  facts.wake = load::MeasureWake(100, Milliseconds(3));
  facts.idle_driver =
      Host().ReadOrEmpty("/sys/devices/system/cpu/cpuidle/current_driver");
  for (const auto& [name, netdev] : net.now.netdevs) {
    if (!netdev.loopback)
      facts.speeds.push_back({name, netdev.speed, load::HeldBack(name)});
  }
  facts.send_buffer = load::MostSendBuffer(Host());
  const auto [host, port] = SplitPeer(peer);
  facts.peer = peer;
  if (!port.empty()) facts.peer_round_trips = load::MeasurePeer(host, port, 5);
  return facts;
}

int RunDoctor(const DoctorOptions& options) {
  std::vector<Check> checks = Examine(GatherHere(), Catalogue());
  const auto add = [&checks](std::vector<Check> more) {
    for (Check& check : more) checks.push_back(std::move(check));
  };
  if (options.level != "quick") {
    const net::NetFacts net = GatherNet(options.peer);
    add(net::ExamineNet(net, Catalogue()));
    if (options.level == "load")
      add(load::ExamineLoad(GatherLoad(net, options.peer), Catalogue()));
  }
  Print(options.json ? DoctorJson(options.level, checks) : DoctorText(checks));
  return HasError(Judge(checks)) ? kExitFound : kExitGood;
}

struct ReportOptions {
  bool json = false;
  bool keep_addresses = false;
  std::string output;
};

int RunReport(const ReportOptions& options) {
  const time_t now = time(nullptr);
  tm parts = {};
  gmtime_r(&now, &parts);
  char name[64];
  strftime(name, sizeof(name), "siw-report-%Y%m%d-%H%M%S", &parts);
  const std::string path =
      options.output.empty() ? std::string(name) + ".tar.gz" : options.output;

  const Opened rdma = MnlChannel::Open();
  report::Inputs inputs;
  inputs.command_version = SIW_VERSION;
  inputs.facts = GatherHere();
  inputs.status = Examine(inputs.facts, Catalogue());
  inputs.doctor = inputs.status;
  const net::NetFacts net = GatherNet("");
  for (Check& check : net::ExamineNet(net, Catalogue()))
    inputs.doctor.push_back(std::move(check));
  inputs.unseen = net.now.sample.unseen;
  inputs.rdma = ChannelOf(rdma);
  const report::Report report =
      report::Collect(Host(), inputs, Catalogue(), options.keep_addresses);
  const Status written = report::WriteArchive(path, name, now, report.items);
  if (!written) return Fail(written.error());
  Print(options.json ? report::ReportJson(path, report)
                     : report::ReportText(path, report));
  return kExitGood;
}

struct TraceOptions {
  bool json = false;
  std::string capture;
  std::string write;
  trace::LiveOptions live;
};

int RunLive(const TraceOptions& options) {
  std::map<uint32_t, std::string> devices;
  std::vector<trace::KnownStream> streams;
  const Opened rdma = MnlChannel::Open();
  if (rdma && options.live.events.empty()) {
    RdmaNetlink netlink(rdma->get());
    const auto all = netlink.Devices();
    for (const RdmaDevice& device : all ? *all : std::vector<RdmaDevice>{}) {
      devices[device.index] = device.name;
      const auto ids = netlink.CmIds(device.index);
      for (const RdmaCmId& id : ids ? *ids : std::vector<RdmaCmId>{}) {
        if (id.qp) streams.push_back({device.index, *id.qp, id.destination});
      }
    }
  }
  trace::LiveOptions live = options.live;
  live.json = options.json;
  live.drop_privileges = true;
  const Result<trace::LiveResult> result =
      trace::TraceLive(live, streams, devices, Print);
  if (!result) return Fail(result.error());
  if (!result->unread.empty())
    return Fail(Error{live.events + ": " + result->unread});
  if (result->lost > 0) return kExitBlind;
  return result->requests == 0 || result->faults > 0 ? kExitFound : kExitGood;
}

int RunTrace(const TraceOptions& options) {
  if (options.capture.empty()) return RunLive(options);
  const Result<trace::TraceFiles> files =
      trace::OpenTraceFiles(options.capture, options.write);
  if (!files) return Fail(files.error());
  const Status dropped = trace::DropPrivileges();
  if (!dropped) return Fail(dropped.error());
  const Result<trace::TraceResult> result = trace::Trace(
      *files, Catalogue(), "siw trace " SIW_VERSION, options.json, Print);
  if (!result)
    return Fail(Error{options.capture + ": " + result.error().message});
  if (!result->unread.empty())
    return Fail(Error{options.capture + ": " + result->unread});
  if (result->given_up > 0) return kExitBlind;
  return result->faults > 0 || result->connections == 0 ? kExitFound
                                                        : kExitGood;
}

struct TopOptions {
  bool json = false;
  bool once = false;
  double interval = 1;
  std::string sort = "rate";
  std::string filter;
};

int RunTop(const TopOptions& options) {
  const Opened rdma = MnlChannel::Open();
  const Opened diag = MnlChannel::Open(kFamilySockDiag, "sock_diag");
  const auto take = [&] {
    return top::Take(Host(), ChannelOf(rdma), ChannelOf(diag), Microseconds());
  };
  const std::chrono::duration<double> interval(options.interval);
  top::Sample last = take();
  std::this_thread::sleep_for(options.once ? interval : interval / 4);
  const auto next = [&] {
    top::Sample now = take();
    top::View view = top::Compare(last, now);
    last = std::move(now);
    return view;
  };
  top::Settings settings;
  settings.key = top::SortKeys().at(options.sort);
  settings.filter = options.filter;
  if (!options.once) {
    const Status status = top::Run(
        next, static_cast<int>(options.interval * 1000), std::move(settings));
    return status ? kExitGood : Fail(status.error());
  }
  top::View view = next();
  top::Filter(settings.filter, &view);
  top::Sort(settings.key, false, &view);
  Print(options.json ? top::ViewJson(view)
                     : top::ViewText(view, view.rows.size()));
  return view.devices.empty() ? kExitBlind : kExitGood;
}

// CLI::Range takes what is no number for one within it.
CLI::Validator Seconds(double least, double most) {
  const std::string range = fmt::format("in [{} - {}]", least, most);
  return CLI::Validator(
      [=](const std::string& text) {
        char* end = nullptr;
        const double seconds = std::strtod(text.c_str(), &end);
        const bool good = *end == '\0' && seconds >= least && seconds <= most;
        return good ? std::string() : text + " is not " + range;
      },
      range);
}

void AddTraceOptions(CLI::App* trace, TraceOptions* options) {
  trace->add_flag("--json", options->json, "print JSON");
  CLI::Option* capture =
      trace->add_option("--pcap", options->capture, "capture, - to read it");
  trace
      ->add_option("--write", options->write,
                   "write what was decoded as pcapng")
      ->needs(capture);
  trace::LiveOptions* live = &options->live;
  const std::vector<CLI::Option*> of_live = {
      trace->add_option("--qp", live->filter.qp, "this queue pair alone"),
      trace->add_option("--peer", live->filter.peer, "ADDRESS[:PORT]")
          ->check([](const std::string& text) {
            return trace::ParsePeer(text) ? "" : "ADDRESS[:PORT] in numbers";
          }),
      trace->add_option("--opcode", live->filter.operation, "such as WRITE")
          ->check(CLI::IsMember({"WRITE", "READ", "READ_LOCAL_INV", "SEND",
                                 "SEND_REMOTE_INV", "RECEIVE", "LOCAL_INV",
                                 "REG_MR"})),
      trace->add_option("--stag", live->filter.stag, "such as 0x5cfecc00")
          ->check(CLI::Range(uint32_t{1}, UINT32_MAX)),
      trace->add_option("--seconds", live->seconds, "end after these")
          ->check(Seconds(0.1, 86400)),
      trace->add_option("--perfetto", live->perfetto,
                        "write Chrome's trace events"),
      trace->add_option("--events", live->events,
                        "lines of trace_pipe, - to read them")};
  for (CLI::Option* option : of_live) option->excludes(capture);
}

int Main(int argc, char** argv) {
  CLI::App app{"Looks after software iWARP on this host"};
  app.require_subcommand(1);
  app.set_version_flag("--version", SIW_VERSION);

  bool status_json = false;
  CLI::App* status =
      app.add_subcommand("status", "what is here, what is wrong first");
  status->add_flag("--json", status_json, "print JSON");

  DoctorOptions doctor_options;
  CLI::App* doctor = app.add_subcommand(
      "doctor",
      "check the installation, the streams, and what the host can do");
  doctor->add_flag("--json", doctor_options.json, "print JSON");
  doctor->add_option("--level", doctor_options.level, "quick, net or load")
      ->check(CLI::IsMember({"quick", "net", "load"}));
  CLI::Option* peer =
      doctor->add_option("--peer", doctor_options.peer, "ADDRESS[:PORT]");

  ExplainOptions options;
  CLI::App* explain = app.add_subcommand(
      "explain", "what an id, a line of the kernel log or an errno means");
  explain->add_flag("--json", options.json, "print JSON");
  explain->add_flag("--journal", options.journal,
                    "explain what the kernel said since boot");
  explain->add_option("--errno", options.number, "number or name");
  explain->add_option("text", options.words,
                      "id, line of the kernel or of a program, code such as "
                      "1/1/00, or - to read lines");

  bool advisory_json = false;
  CLI::App* advisory =
      app.add_subcommand("advisory", "security advisories, offline");
  advisory->require_subcommand(1);
  CLI::App* list = advisory->add_subcommand("list", "those known here");
  CLI::App* check = advisory->add_subcommand(
      "check", "is what is installed affected by one?");
  for (CLI::App* command : {list, check})
    command->add_flag("--json", advisory_json, "print JSON");

  ReportOptions report_options;
  CLI::App* report = app.add_subcommand(
      "report", "one archive for a bug report, without keys and addresses");
  report->add_flag("--json", report_options.json, "print JSON");
  report->add_flag("--keep-addresses", report_options.keep_addresses,
                   "leave addresses as they are");
  report->add_option("--output", report_options.output,
                     "the archive, siw-report-TIME.tar.gz if not given");

  TraceOptions trace_options;
  CLI::App* trace = app.add_subcommand(
      "trace", "work requests as they run, or a capture in words");
  AddTraceOptions(trace, &trace_options);

  TopOptions top_options;
  CLI::App* top_command = app.add_subcommand("top", "streams as they run");
  CLI::Option* once =
      top_command->add_flag("--once", top_options.once, "print once and end");
  top_command->add_flag("--json", top_options.json, "print JSON")->needs(once);
  top_command->add_option("--interval", top_options.interval, "seconds")
      ->check(Seconds(0.1, 3600));
  std::vector<std::string> sort_keys;
  for (const auto& [name, key] : top::SortKeys()) sort_keys.push_back(name);
  top_command->add_option("--sort", top_options.sort, "what is first")
      ->check(CLI::IsMember(sort_keys));
  top_command->add_option("--filter", top_options.filter,
                          "streams of whose text this is a part");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come here, too.
    if (error.get_exit_code() == 0) return app.exit(error);
    return Misused(Printable(error.what()) + "; siw --help");
  }
  if (*peer && doctor_options.level == "quick")
    return Misused("doctor: --peer is for --level net or load");
  if (*peer && !IsPeer(doctor_options.peer))
    return Misused(
        "doctor: --peer: ADDRESS[:PORT], and the port at most 65535");
  if (*status) return RunStatus(status_json);
  if (*list) return RunAdvisoryList(advisory_json);
  if (*check) return RunAdvisoryCheck(advisory_json);
  if (*report) return RunReport(report_options);
  if (*top_command) return RunTop(top_options);
  if (*trace) return RunTrace(trace_options);
  return *doctor ? RunDoctor(doctor_options) : RunExplain(options);
}

}  // namespace
}  // namespace siw

int main(int argc, char** argv) {
  const int code = siw::Main(argc, argv);
  if (fflush(stdout) == 0 && !ferror(stdout)) return code;
  return siw::Fail(siw::Error{"the output could not be written"});
}
