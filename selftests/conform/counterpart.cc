// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/counterpart.h"

#include <cstdlib>
#include <sstream>

namespace siw::conform {
namespace {

// Longer than anything the counterpart waits for.
constexpr int kAnswerLimitMs = 90000;

}  // namespace

Result<Answer> Answer::Parse(const std::string& line) {
  if (line.rfind("ok", 0) != 0)
    return Error{line.rfind("err ", 0) == 0 ? line.substr(4)
                                            : "strange answer: " + line};
  Answer out;
  std::istringstream words(line.substr(2));
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos)
      out.values_[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return out;
}

std::string Answer::Text(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

uint64_t Answer::Number(const std::string& key) const {
  return std::strtoull(Text(key).c_str(), nullptr, 0);
}

Bytes Answer::Octets(const std::string& key) const {
  const std::string text = Text(key);
  return text == "-" ? Bytes{} : FromHex(text);
}

Result<Counterpart> Counterpart::Connect(const Endpoint& control) {
  auto socket = Socket::Dial(control);
  if (!socket) return socket.error();
  Counterpart out;
  out.socket_ = std::move(*socket);
  out.socket_.StopTracing();
  return out;
}

Error Counterpart::Lost(const std::string& what) {
  lost_ = true;
  return Error{what};
}

Result<Answer> Counterpart::Ask(const std::string& command) {
  const std::string line = command + "\n";
  if (!socket_.Write(
          ByteSpan(reinterpret_cast<const uint8_t*>(line.data()), line.size())))
    return Lost(command + ": the counterpart is gone");
  const auto end = std::chrono::steady_clock::now() + Stretched(kAnswerLimitMs);
  size_t newline;
  while ((newline = rest_.find('\n')) == std::string::npos) {
    // One octet at least, then what else is there.
    const Bytes first = socket_.Read(1, 1000);
    if (first.empty() && std::chrono::steady_clock::now() > end)
      return Lost(command + ": no answer of the counterpart");
    rest_.append(first.begin(), first.end());
    const Bytes more = socket_.Read(65536, 0);
    rest_.append(more.begin(), more.end());
    if (first.empty() && more.empty() && socket_.AwaitEnd(0) != End::kOpen)
      return Lost(command + ": the counterpart is gone");
  }
  const auto answer = Answer::Parse(rest_.substr(0, newline));
  rest_.erase(0, newline + 1);
  if (!answer) return Error{command + ": " + answer.error().message};
  return *answer;
}

}  // namespace siw::conform
