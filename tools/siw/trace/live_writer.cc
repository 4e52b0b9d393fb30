// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "tools/siw/output.h"
#include "tools/siw/trace/live.h"

namespace siw::trace {
namespace {

using Json = nlohmann::ordered_json;

// "posted, started +3, sent +12; acked +90 after sent"
std::string StepsText(const Request& request) {
  std::string out;
  for (size_t step = 0; step < kSteps; ++step) {
    const auto& time = request.steps[step];
    if (!time || step == kAcked) continue;
    const auto before = request.Before(step);
    out += before ? fmt::format(", {} +{}", kStepNames[step], *time - *before)
                  : kStepNames[step];
  }
  if (request.steps[kAcked])
    out += fmt::format("; acked +{} after sent",
                       *request.steps[kAcked] - *request.steps[kSent]);
  return out;
}

std::string TimeText(int64_t time) {
  return fmt::format("{:5}.{:06}", time / 1000000, time % 1000000);
}

std::string SpreadText(const Spread& spread) {
  return fmt::format("{} ({})", spread.middle, spread.slow);
}

Json SpreadJson(const Spread& spread) {
  return {{"count", spread.count},
          {"median_us", spread.middle},
          {"p99_us", spread.slow}};
}

}  // namespace

LiveWriter::LiveWriter(bool json, Print print, FILE* perfetto,
                       std::map<uint32_t, std::string> devices)
    : json_(json),
      print_(std::move(print)),
      perfetto_(perfetto),
      devices_(std::move(devices)) {
  if (json_)
    print_(fmt::format("{{\"schema\": {}, \"events\": [", kJsonSchema));
  if (!perfetto_) return;
  fputs("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [", perfetto_);
  for (const auto& [index, name] : devices_)
    PutPerfetto(DumpLine({{"ph", "M"},
                          {"pid", index + 1},
                          {"name", "process_name"},
                          {"args", {{"name", name}}}}));
}

std::string LiveWriter::Device(uint32_t index) const {
  const auto found = devices_.find(index);
  return found == devices_.end() ? fmt::format("device {}", index)
                                 : found->second;
}

// Recorded lines are what others wrote.
void LiveWriter::PrintLine(const std::string& text) {
  print_(Printable(text) + "\n");
}

void LiveWriter::PutEvent(const std::string& json) {
  print_((first_ ? "\n" : ",\n") + json);
  first_ = false;
}

void LiveWriter::Add(const Request& request) {
  if (perfetto_) AddPerfetto(request);
  if (!json_) {
    PrintLine(fmt::format("{} {} QP {}{}{} {} {} octets id {:#x} {} {} us: {}",
                          TimeText(request.begin()), Device(request.device),
                          request.qp, request.peer.empty() ? "" : " to ",
                          request.peer, request.operation, request.length,
                          request.id, request.status,
                          request.end() - request.begin(), StepsText(request)));
    return;
  }
  Json steps = Json::object();
  for (size_t step = 0; step < kSteps; ++step) {
    if (request.steps[step])
      steps[kStepNames[step]] = *request.steps[step] - request.begin();
  }
  PutEvent(DumpLine(
      {{"type", "request"},
       {"time", static_cast<double>(request.begin()) / 1e6},
       {"device", Device(request.device)},
       {"qp", request.qp},
       {"peer", request.peer.empty() ? Json(nullptr) : Json(request.peer)},
       {"operation", request.operation},
       {"id", request.id},
       {"status", request.status},
       {"octets", request.length},
       {"fpdus", request.fpdus},
       {"steps_us", steps},
       {"total_us", request.end() - request.begin()}}));
}

void LiveWriter::Note(int64_t time, uint32_t device, const std::string& text) {
  if (json_)
    PutEvent(DumpLine({{"type", "note"},
                       {"time", static_cast<double>(time) / 1e6},
                       {"device", Device(device)},
                       {"text", text}}));
  else
    PrintLine(fmt::format("{} {} {}", TimeText(time), Device(device), text));
}

void LiveWriter::PutPerfetto(const std::string& event) {
  fprintf(perfetto_, "%s\n%s", first_perfetto_ ? "" : ",", event.c_str());
  first_perfetto_ = false;
}

// Requests of a queue pair overlap: each is an asynchronous slice of its own,
// with its steps in it.
void LiveWriter::AddPerfetto(const Request& request) {
  Json event = {{"cat", "siw"},
                {"id", ++number_},
                {"pid", request.device + 1},
                {"tid", request.qp}};
  const auto put = [&](const char* phase, const std::string& name,
                       int64_t time) {
    event["ph"] = phase;
    event["name"] = name;
    event["ts"] = time;
    PutPerfetto(DumpLine(event));
  };
  const std::string name =
      fmt::format("QP {} {} {}", request.qp, request.operation, request.length);
  event["args"] = {{"peer", request.peer}, {"status", request.status}};
  put("b", name, request.begin());
  event.erase("args");
  for (size_t step = 0; step < kSteps; ++step) {
    const auto before = request.Before(step);
    if (!request.steps[step] || !before || step == kAcked) continue;
    put("b", kStepNames[step], *before);
    put("e", kStepNames[step], *request.steps[step]);
  }
  put("e", name, request.end());
  // It may end after the request has: not within it.
  if (!request.steps[kAcked]) return;
  event["id"] = ++number_;
  put("b", "acked", *request.steps[kSent]);
  put("e", "acked", *request.steps[kAcked]);
}

Status LiveWriter::Finish(const Requests& requests, uint64_t lost,
                          const std::string& unread) {
  const std::map<std::string, Summary> summaries = requests.Summaries();
  if (json_) {
    Json all = Json::object();
    for (const auto& [operation, summary] : summaries) {
      Json steps = Json::object();
      for (size_t step = 0; step < kSteps; ++step) {
        if (summary.steps[step].count > 0)
          steps[kStepNames[step]] = SpreadJson(summary.steps[step]);
      }
      all[operation] = {{"total", SpreadJson(summary.total)}, {"steps", steps}};
    }
    const auto why = [](const std::string& text) {
      return DumpLine(text.empty() ? Json(nullptr) : Json(text));
    };
    print_(
        fmt::format("\n],\n\"summary\": {},\n\"no_acked\": {},\n"
                    "\"lost\": {}, \"unread\": {}}}\n",
                    DumpLine(all), why(requests.NoAcks()), lost, why(unread)));
  } else {
    for (const auto& [operation, summary] : summaries) {
      std::string out =
          fmt::format("{}: {} requests, us (99 %): {}", operation,
                      summary.total.count, SpreadText(summary.total));
      for (size_t step = 0; step < kSteps; ++step) {
        if (summary.steps[step].count > 0 && step != kAcked)
          out += fmt::format(", {} +{}", kStepNames[step],
                             SpreadText(summary.steps[step]));
      }
      if (summary.steps[kAcked].count > 0)
        out += fmt::format("; acked +{} after sent",
                           SpreadText(summary.steps[kAcked]));
      PrintLine(out);
    }
    const std::string no_acks = requests.NoAcks();
    if (!no_acks.empty())
      PrintLine(fmt::format("acked is not among the steps: {}", no_acks));
    if (lost > 0)
      PrintLine(fmt::format(
          "{} events were lost: watch one queue pair with --qp", lost));
  }
  if (!perfetto_) return Done{};
  fputs("\n]}\n", perfetto_);
  if (fflush(perfetto_) != 0 || ferror(perfetto_))
    return ErrnoError("the file of --perfetto");
  return Done{};
}

}  // namespace siw::trace
