#include "tools/advisory/version.h"

#include <fmt/format.h>

#include <charconv>

namespace siw::advisory {

Result<Version> ParseVersion(const std::string& text) {
  const Error error{"'" + text + "' is not of the form 1.2.3"};
  Version version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t i = 0; i < version.number.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return error;
    const char* const first = at;
    const auto read = std::from_chars(at, end, version.number[i]);
    if (read.ec != std::errc()) return error;
    at = read.ptr;
    if (*first == '0' && at - first > 1) return error;
  }
  if (at != end) return error;
  return version;
}

std::string ToString(const Version& version) {
  return fmt::format("{}.{}.{}", version.number[0], version.number[1],
                     version.number[2]);
}

Result<Installed> ParseInstalled(const std::string& text) {
  const size_t colon = text.find(':');
  std::string upstream =
      text.substr(colon == std::string::npos ? 0 : colon + 1);
  // What a packager adds comes after the last '-', and says nothing about us.
  upstream = upstream.substr(0, upstream.rfind('-'));
  const size_t tail = upstream.find_first_of("~+");
  const Result<Version> version = ParseVersion(upstream.substr(0, tail));
  if (!version) return Error{"'" + text + "' is no version of ours"};
  return Installed{*version,
                   tail != std::string::npos && upstream[tail] == '~'};
}

}  // namespace siw::advisory
