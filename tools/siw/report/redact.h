// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Takes out of a text what must not leave the host.
#ifndef SIW_TOOLS_SIW_REPORT_REDACT_H_
#define SIW_TOOLS_SIW_REPORT_REDACT_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace siw::report {

// STags and keys are capabilities: whoever has one may read or write memory.
// They always go, and so does every long hexadecimal number, as it may be one
// or a pointer; in what others wrote, one that has no letter in it as well.
// Addresses of IPv4, IPv6 and hardware become "ip-1", "hw-2", the
// same address the same name, in names of interfaces ("enxhw-1") too, unless
// they are to be kept; those of this host for itself (127.0.0.1, ::1) and of
// nobody (0.0.0.0, ::) stay.
class Redactor {
 public:
  explicit Redactor(bool keep_addresses) : keep_addresses_(keep_addresses) {}

  enum Source { kOwn, kOthers };
  std::string Text(std::string_view text, Source source = kOwn);
  // How many different ones were given a name.
  size_t addresses() const { return names_.size(); }

 private:
  struct Found {
    size_t length = 0;
    std::string as;
  };
  Found AddressAt(std::string_view text, size_t at);
  std::string Word(std::string_view word);
  std::string NameOf(const char* kind, const std::string& address);

  bool keep_addresses_;
  std::map<std::string, std::string> names_;
  std::map<std::string, size_t> count_;
};

}  // namespace siw::report

#endif  // SIW_TOOLS_SIW_REPORT_REDACT_H_
