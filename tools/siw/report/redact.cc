// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/report/redact.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "tools/common/text.h"

namespace siw::report {
namespace {

// A number this long may be an STag or a pointer; offsets into functions, ports
// and Terminate codes are shorter.
constexpr size_t kLongHex = 5;
constexpr size_t kLongBareHex = 8;

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)); }

bool IsWordChar(char c) { return IsAlnum(c) || c == '_'; }

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

// Is text[at] the point of "12.34"?
bool IsPoint(std::string_view text, size_t at) {
  return at > 0 && at + 1 < text.size() && text[at] == '.' &&
         IsDigit(text[at - 1]) && IsDigit(text[at + 1]);
}

bool IsDecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsHex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c));
  });
}

std::string_view WithoutPrefix(std::string_view word) {
  const bool prefixed =
      word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
  return prefixed ? word.substr(2) : word;
}

std::string_view RunOf(std::string_view text, size_t at, std::string_view set) {
  const size_t end = text.find_first_not_of(set, at);
  return text.substr(at, end == std::string_view::npos ? end : end - at);
}

// What a number behind it makes a capability.
bool NamesAKey(const std::string& word) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "stag",  "stags", "rkey",  "lkey",  "r_key",
      "l_key", "key",   "lstag", "rstag", "steering"};
  return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
}

// Words that may stand between the two.
bool Joins(const std::string& word) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "of", "is", "was", "tag", "value", "id"};
  return std::find(kNames.begin(), kNames.end(), word) != kNames.end();
}

bool HidesNothing(const std::string& address) {
  return address == "127.0.0.1" || address == "0.0.0.0" || address == "::1" ||
         address == "::";
}

// Where in a word the twelve digits of an interface's name are that udev made
// of its hardware address, "enx028300000001"; npos: nowhere.
size_t HardwareAt(const std::string& word) {
  constexpr size_t kDigits = 12;
  for (size_t at = 3; at + kDigits <= word.size(); ++at) {
    const std::string kind = word.substr(at - 3, 3);
    if ((kind == "enx" || kind == "wlx" || kind == "wwx") &&
        IsHex(std::string_view(word).substr(at, kDigits)))
      return at;
  }
  return std::string::npos;
}

// "02:83:00:00:00:01" of the digits alone
std::string WithColons(std::string_view digits) {
  std::string out;
  for (size_t at = 0; at < digits.size(); at += 2)
    out += (at > 0 ? ":" : "") + std::string(digits.substr(at, 2));
  return out;
}

// The address as inet_ntop() writes it, empty if it is none.
std::string Canonical(int family, const std::string& text) {
  std::array<unsigned char, 16> octets;
  char out[INET6_ADDRSTRLEN] = "";
  if (inet_pton(family, text.c_str(), octets.data()) != 1) return "";
  inet_ntop(family, octets.data(), out, sizeof(out));
  // One of IPv4 on a socket of IPv6 is the same.
  const std::string address = out;
  const bool mapped =
      address.starts_with("::ffff:") && address.find('.') != std::string::npos;
  return mapped ? address.substr(7) : address;
}

}  // namespace

std::string Redactor::NameOf(const char* kind, const std::string& address) {
  const auto found = names_.find(address);
  if (found != names_.end()) return found->second;
  return names_[address] = fmt::format("{}-{}", kind, ++count_[kind]);
}

// `at` is where a word may begin.
Redactor::Found Redactor::AddressAt(std::string_view text, size_t at) {
  std::string_view run = RunOf(text, at, "0123456789abcdefABCDEF:.");
  while (!run.empty() &&
         (run.back() == '.' || (run.back() == ':' && !run.ends_with("::"))))
    run.remove_suffix(1);
  const auto colons = std::count(run.begin(), run.end(), ':');
  const size_t end = at + run.size();
  const bool whole = end == text.size() || !IsAlnum(text[end]);
  if (colons >= 2 && whole) {
    const std::string ipv6 = Canonical(AF_INET6, std::string(run));
    if (!ipv6.empty())
      return {run.size(),
              HidesNothing(ipv6) ? std::string(run) : NameOf("ip", ipv6)};
    // 02:83:00:00:00:01, 0283:00ff:fe00:0001
    const auto digits = static_cast<long>(run.size()) - colons;
    if (colons >= 3 && digits >= 12 && run.find('.') == run.npos)
      return {run.size(), NameOf("hw", Lower(run))};
  }
  run = RunOf(text, at, "0123456789.");
  while (!run.empty() && run.back() == '.') run.remove_suffix(1);
  const std::string ipv4 = Canonical(AF_INET, std::string(run));
  const size_t behind = at + run.size();
  if (ipv4.empty() || (behind < text.size() && IsAlnum(text[behind])))
    return {};
  return {run.size(),
          HidesNothing(ipv4) ? std::string(run) : NameOf("ip", ipv4)};
}

// What is neither a number nor an address, and may have one in it.
std::string Redactor::Word(std::string_view word) {
  std::string out(word);
  const size_t at = HardwareAt(Lower(word));
  if (at != std::string::npos && !keep_addresses_)
    out.replace(at, 12, NameOf("hw", WithColons(Lower(word.substr(at, 12)))));
  return out;
}

std::string Redactor::Text(std::string_view text, Source source) {
  std::string out;
  bool key = false;  // a number that comes now is one
  for (size_t at = 0; at < text.size();) {
    const char before = at > 0 ? text[at - 1] : ' ';
    const bool behind_point = at > 0 && IsPoint(text, at - 1);
    const bool begins = !IsAlnum(before) && !behind_point;
    if (begins && !keep_addresses_) {
      Found found = AddressAt(text, at);
      if (found.length > 0) {
        out += found.as;
        at += found.length;
        key = false;
        continue;
      }
    }
    if (!IsWordChar(text[at])) {
      if (text[at] == '\n') key = false;
      out += text[at++];
      continue;
    }
    size_t end = at;
    while (end < text.size() && IsWordChar(text[end])) {
      // "eth0_192.0.2.1"
      if (text[end++] == '_' && !keep_addresses_ &&
          AddressAt(text, end).length > 0)
        break;
    }
    const std::string_view word = text.substr(at, end - at);
    const std::string_view number = WithoutPrefix(word);
    const bool prefixed = number.size() < word.size();
    const bool part = behind_point || IsPoint(text, end) ||
                      (source == kOwn && IsDecimal(word));
    if (key && IsHex(number))
      out += "[key]";
    else if (IsHex(number) &&
             ((prefixed && number.size() >= kLongHex) ||
              (!prefixed && !part && number.size() >= kLongBareHex)))
      out += "[hex]";
    else
      out += Word(word);
    const std::string lower = Lower(word);
    key = NamesAKey(lower) || (key && Joins(lower));
    at = end;
  }
  return out;
}

}  // namespace siw::report
