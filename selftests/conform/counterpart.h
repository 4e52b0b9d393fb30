// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The client of siw-conform-peer, whose commands its source describes.
#ifndef SIW_SELFTESTS_CONFORM_COUNTERPART_H_
#define SIW_SELFTESTS_CONFORM_COUNTERPART_H_

#include <map>
#include <string>

#include "selftests/conform/socket.h"

namespace siw::conform {

// The values of an answer by their keys.
class Answer {
 public:
  static Result<Answer> Parse(const std::string& line);
  std::string Text(const std::string& key) const;
  uint64_t Number(const std::string& key) const;
  Bytes Octets(const std::string& key) const;

 private:
  std::map<std::string, std::string> values_;
};

class Counterpart {
 public:
  static Result<Counterpart> Connect(const Endpoint& control);
  Result<Answer> Ask(const std::string& command);
  // It has not answered: neither will it answer anything else.
  bool lost() const { return lost_; }
  // Our own address as the counterpart sees it.
  const std::string& our_address() const {
    return socket_.trace().here.address;
  }
  const std::string& its_address() const {
    return socket_.trace().there.address;
  }

 private:
  Error Lost(const std::string& what);

  Socket socket_;
  bool lost_ = false;
  std::string rest_;
};

}  // namespace siw::conform

#endif  // SIW_SELFTESTS_CONFORM_COUNTERPART_H_
