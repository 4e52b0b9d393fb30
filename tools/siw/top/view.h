// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What `siw top` shows: the difference of two samples.
#ifndef SIW_TOOLS_SIW_TOP_VIEW_H_
#define SIW_TOOLS_SIW_TOP_VIEW_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/siw/top/sample.h"

namespace siw::top {

struct Row {
  Stream stream;
  bool is_new = false;          // not in the sample before: no rates
  double sent = 0;              // octets a second, acknowledged by the peer
  double received = 0;          // octets a second
  double sent_again = 0;        // octets a second
  std::string_view limited_by;  // "" if it cannot be said
  // Completed a second; none if they were not told both times.
  std::optional<double> requests;
  std::optional<double> receives;
};

struct DeviceRow {
  Device device;
  std::map<std::string, double> rates;  // of each counter, a second
};

struct View {
  double seconds = 0;
  std::vector<DeviceRow> devices;
  std::vector<Row> rows;
  std::vector<std::string> unseen;
};

// Streams that are in both samples with the same ends and queue pair.
View Compare(const Sample& before, const Sample& now);

// What kept a stream from sending faster, in this order:
//   idle          it had nothing to send
//   loss          nothing was acknowledged, and two time-outs in a row
//   peer window   the peer did not take more
//   send buffer   the host's send buffer is too small
//   loss          1 octet in 500 was sent again
//   application   it did not hand over enough: TCP says so, or there was
//   nothing
//                 to be sent for 3 in 10 of the time
//   network       none of these: the path, or the congestion control
// A share of time counts from 3 in 10 on.
std::string_view LimitedBy(const TcpSocket& before, const TcpSocket& now,
                           double seconds);

enum class SortKey { kRate, kOps, kRetransmits, kRtt, kQueue, kPeer, kQp };
// "rate", "ops", "retransmits", "rtt", "queue", "peer", "qp"
const std::map<std::string, SortKey>& SortKeys();
void Sort(SortKey key, bool reverse, View* view);

// Keeps the streams of whose text (device, ends, owner, QP, limit) this is a
// part.
void Filter(const std::string& text, View* view);

std::string ViewText(const View& view, size_t most_rows);
std::string ViewJson(const View& view);

}  // namespace siw::top

#endif  // SIW_TOOLS_SIW_TOP_VIEW_H_
