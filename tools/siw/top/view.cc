// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/top/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "tools/siw/output.h"

namespace siw::top {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kIdleShare = 0.01;
constexpr double kBusyShare = 0.7;
constexpr double kLimitedShare = 0.3;
constexpr double kLossShare = 0.002;
constexpr uint32_t kTimeouts = 2;

// A counter that went back is one that began anew.
double Rate(uint64_t before, uint64_t now, double seconds) {
  return now < before || seconds <= 0
             ? 0
             : static_cast<double>(now - before) / seconds;
}

// A count of 32 bits that goes back has wrapped.
std::optional<double> RateOfCount(std::optional<uint32_t> before,
                                  std::optional<uint32_t> now, double seconds) {
  if (!before || !now || seconds <= 0) return {};
  return static_cast<double>(*now - *before) / seconds;
}

std::string Who(const RdmaCmId& id) {
  if (!id.owner.empty()) return Printable(id.owner);
  return id.pid ? fmt::format("{}", *id.pid) : "";
}

std::string Amount(double octets) {
  constexpr std::array<const char*, 5> kUnits = {"", "K", "M", "G", "T"};
  size_t unit = 0;
  for (; octets >= 1000 && unit + 1 < kUnits.size(); ++unit) octets /= 1000;
  return fmt::format("{:.{}f}{}", octets, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string Operations(const std::optional<double>& rate) {
  return rate ? Amount(*rate) : "-";
}

std::string RowText(const Row& row) {
  const RdmaCmId& id = row.stream.id;
  std::string out =
      fmt::format("{:<8} {:>7} {:<12} {:<28} {:>8} {:>8} {:>8} {:>8}",
                  Printable(row.stream.device), *id.qp, Who(id), id.destination,
                  Amount(row.sent * 8), Amount(row.received * 8),
                  Operations(row.requests), Operations(row.receives));
  if (const auto& tcp = row.stream.tcp)
    return out + fmt::format(" {:<12} {:>7} {:>7} {:>8} {:>7}\n",
                             row.is_new ? "new" : row.limited_by,
                             Amount(tcp->send_queue),
                             Amount(tcp->receive_queue), tcp->rtt,
                             tcp->segments_again);
  return out + " no TCP connection is seen\n";
}

Json RowJson(const Row& row) {
  const RdmaCmId& id = row.stream.id;
  Json out = {{"device", row.stream.device},
              {"qp", *id.qp},
              {"state", id.state},
              {"pid", id.pid ? Json(*id.pid) : Json(nullptr)},
              {"kernel", id.owner.empty() ? Json(nullptr) : Json(id.owner)},
              {"source", id.source},
              {"destination", id.destination},
              {"new", row.is_new}};
  if (row.requests) out["requests_per_second"] = *row.requests;
  if (row.receives) out["receives_per_second"] = *row.receives;
  if (!row.stream.tcp) {
    out["tcp"] = nullptr;
    return out;
  }
  const TcpSocket& tcp = *row.stream.tcp;
  out["sent_per_second"] = row.sent;
  out["received_per_second"] = row.received;
  out["sent_again_per_second"] = row.sent_again;
  out["limited_by"] =
      row.limited_by.empty() ? Json(nullptr) : Json(row.limited_by);
  out["tcp"] = {{"state", tcp.state},
                {"congestion", tcp.congestion},
                {"send_queue", tcp.send_queue},
                {"not_sent", tcp.not_sent},
                {"receive_queue", tcp.receive_queue},
                {"send_buffer", tcp.send_buffer},
                {"receive_buffer", tcp.receive_buffer},
                {"send_window", tcp.send_window},
                {"congestion_window", tcp.window},
                {"mss", tcp.mss},
                {"path_mtu", tcp.path_mtu},
                {"rtt_us", tcp.rtt},
                {"min_rtt_us", tcp.min_rtt},
                {"sent", tcp.sent},
                {"sent_again", tcp.sent_again},
                {"received", tcp.received},
                {"segments_again", tcp.segments_again},
                {"reordering", tcp.reordering},
                {"ecn", tcp.ecn},
                {"ecn_marks", tcp.ecn_marks}};
  return out;
}

std::string Searchable(const Row& row) {
  const RdmaCmId& id = row.stream.id;
  return fmt::format("{} {} {} {} {} {}", row.stream.device, *id.qp, id.source,
                     id.destination, Who(id), row.limited_by);
}

double RateOf(const DeviceRow& row, const char* name) {
  const auto found = row.rates.find(name);
  return found == row.rates.end() ? 0 : found->second;
}

}  // namespace

std::string_view LimitedBy(const TcpSocket& before, const TcpSocket& now,
                           double seconds) {
  const double busy = Rate(before.busy, now.busy, seconds) / 1e6;
  const double window =
      Rate(before.window_limited, now.window_limited, seconds) / 1e6;
  const double buffer =
      Rate(before.buffer_limited, now.buffer_limited, seconds) / 1e6;
  if (busy < kIdleShare) return "idle";
  // What it waited for before it stood still goes on to be counted.
  if (now.unanswered >= kTimeouts && now.acknowledged == before.acknowledged)
    return "loss";
  if (window > kLimitedShare && window >= buffer) return "peer window";
  if (buffer > kLimitedShare) return "send buffer";
  const double sent = Rate(before.sent, now.sent, seconds);
  const double again = Rate(before.sent_again, now.sent_again, seconds);
  if (sent > 0 && again / sent >= kLossShare) return "loss";
  if (now.application_limited || busy < kBusyShare) return "application";
  return "network";
}

View Compare(const Sample& before, const Sample& now) {
  View view;
  view.seconds = static_cast<double>(now.time - before.time) / 1e6;
  view.unseen = now.unseen;
  using Key = std::tuple<std::string, uint32_t, std::string, std::string>;
  const auto key = [](const Stream& stream) {
    return Key(stream.device, *stream.id.qp, stream.id.source,
               stream.id.destination);
  };
  std::map<Key, const Stream*> old;
  for (const Stream& stream : before.streams) old[key(stream)] = &stream;
  for (const Stream& stream : now.streams) {
    Row row;
    row.stream = stream;
    const auto found = old.find(key(stream));
    row.is_new = found == old.end();
    if (!row.is_new) {
      const Stream& then = *found->second;
      row.requests =
          RateOfCount(then.requests_done, stream.requests_done, view.seconds);
      row.receives =
          RateOfCount(then.receives_done, stream.receives_done, view.seconds);
    }
    if (!row.is_new && stream.tcp && found->second->tcp) {
      const TcpSocket& then = *found->second->tcp;
      const TcpSocket& tcp = *stream.tcp;
      row.sent = Rate(then.acknowledged, tcp.acknowledged, view.seconds);
      row.received = Rate(then.received, tcp.received, view.seconds);
      row.sent_again = Rate(then.sent_again, tcp.sent_again, view.seconds);
      row.limited_by = LimitedBy(then, tcp, view.seconds);
    }
    view.rows.push_back(std::move(row));
  }
  for (const Device& device : now.devices) {
    DeviceRow row{device, {}};
    for (const Device& then : before.devices) {
      if (then.name != device.name) continue;
      for (const auto& [name, value] : device.counters) {
        const auto found = then.counters.find(name);
        if (found != then.counters.end())
          row.rates[name] = Rate(found->second, value, view.seconds);
      }
    }
    view.devices.push_back(std::move(row));
  }
  return view;
}

const std::map<std::string, SortKey>& SortKeys() {
  static const std::map<std::string, SortKey> keys = {
      {"rate", SortKey::kRate},
      {"ops", SortKey::kOps},
      {"retransmits", SortKey::kRetransmits},
      {"rtt", SortKey::kRtt},
      {"queue", SortKey::kQueue},
      {"peer", SortKey::kPeer},
      {"qp", SortKey::kQp}};
  return keys;
}

void Sort(SortKey key, bool reverse, View* view) {
  static const TcpSocket kNone;
  const auto tcp = [](const Row& row) -> const TcpSocket& {
    return row.stream.tcp ? *row.stream.tcp : kNone;
  };
  const auto operations = [](const Row& row) {
    return row.requests.value_or(0) + row.receives.value_or(0);
  };
  const auto before = [&](const Row& a, const Row& b) {
    switch (key) {
      case SortKey::kRate:
        return a.sent + a.received > b.sent + b.received;
      case SortKey::kOps:
        return operations(a) > operations(b);
      case SortKey::kRetransmits:
        return std::tuple(a.sent_again, tcp(a).segments_again) >
               std::tuple(b.sent_again, tcp(b).segments_again);
      case SortKey::kRtt:
        return tcp(a).rtt > tcp(b).rtt;
      case SortKey::kQueue:
        return tcp(a).send_queue + uint64_t{tcp(a).receive_queue} >
               tcp(b).send_queue + uint64_t{tcp(b).receive_queue};
      case SortKey::kPeer:
        return a.stream.id.destination < b.stream.id.destination;
      case SortKey::kQp:
        return *a.stream.id.qp < *b.stream.id.qp;
    }
    return false;
  };
  std::stable_sort(view->rows.begin(), view->rows.end(),
                   [&](const Row& a, const Row& b) {
                     return reverse ? before(b, a) : before(a, b);
                   });
}

void Filter(const std::string& text, View* view) {
  std::erase_if(view->rows, [&](const Row& row) {
    return Searchable(row).find(text) == std::string::npos;
  });
}

std::string ViewText(const View& view, size_t most_rows) {
  std::string out;
  for (const std::string& text : view.unseen)
    out += "! " + Printable(text) + "\n";
  for (const DeviceRow& row : view.devices) {
    const double trains = RateOf(row, "tx_train");
    out += fmt::format(
        "{} on {}: out {} FPDUs/s {}bit/s, in {} FPDUs/s {}bit/s, {:.1f} FPDUs "
        "a train, {} waits/s\n",
        Printable(row.device.name), Printable(row.device.netdev),
        Amount(RateOf(row, "tx_fpdu")), Amount(RateOf(row, "tx_bytes") * 8),
        Amount(RateOf(row, "rx_fpdu")), Amount(RateOf(row, "rx_bytes") * 8),
        trains > 0 ? RateOf(row, "tx_fpdu") / trains : 0,
        Amount(RateOf(row, "tx_wait")));
  }
  out += fmt::format(
      "{:<8} {:>7} {:<12} {:<28} {:>8} {:>8} {:>8} {:>8} {:<12} {:>7} {:>7} "
      "{:>8} {:>7}\n",
      "DEVICE", "QP", "OWNER", "PEER", "OUT b/s", "IN b/s", "OUT op/s",
      "IN op/s", "LIMITED BY", "SENDQ", "RECVQ", "RTT us", "RETRANS");
  size_t shown = 0;
  for (const Row& row : view.rows) {
    if (++shown > most_rows) break;
    out += RowText(row);
  }
  if (view.rows.empty()) out += "no streams\n";
  if (view.rows.size() > most_rows)
    out += fmt::format("and {} more\n", view.rows.size() - most_rows);
  return out;
}

std::string ViewJson(const View& view) {
  Json devices = Json::array();
  for (const DeviceRow& row : view.devices) {
    devices.push_back({{"name", row.device.name},
                       {"netdev", row.device.netdev},
                       {"counters", row.device.counters},
                       {"counters_per_second", row.rates}});
  }
  Json streams = Json::array();
  for (const Row& row : view.rows) streams.push_back(RowJson(row));
  return Dump({{"schema", kJsonSchema},
               {"seconds", view.seconds},
               {"unseen", view.unseen},
               {"devices", devices},
               {"streams", streams}});
}

}  // namespace siw::top
