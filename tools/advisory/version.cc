#include "tools/advisory/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

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

namespace {

// Of a version "1:0.2.0-1": what is before the colon counts nothing of ours.
Result<std::string> WithoutEpoch(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return text;
  if (colon == 0 || text.find_first_not_of("0123456789") != colon)
    return Error{"'" + text + "' has no number before ':'"};
  return text.substr(colon + 1);
}

// "~deb11", "~bpo12+1", "~rc1+b1": is anything there but the name of a suite
// that the release was built for?
bool IsBeforeRelease(const std::string& tail) {
  static const std::regex kBuilds(
      "(~(deb|bpo|ubuntu|el|fc)[0-9][0-9.]*(u[0-9]+)?)*([+^].*)?");
  return !std::regex_match(tail, kBuilds);
}

}  // namespace

Result<Installed> ParseInstalled(const std::string& text) {
  // A regular expression takes stack for each character.
  constexpr size_t kLongest = 256;
  if (text.size() > kLongest) return Error{"a version too long to be of ours"};
  const Result<std::string> package = WithoutEpoch(text);
  if (!package) return package.error();
  std::string upstream = *package;
  // What a packager adds comes after the last '-', and says nothing about us.
  upstream.erase(std::min(upstream.rfind('-'), upstream.size()));
  // "0.2.0+really0.1.9": a step back that the package manager takes for one
  // forward.
  static const std::string kReally = "+really";
  if (const size_t at = upstream.rfind(kReally); at != std::string::npos)
    upstream.erase(0, at + kReally.size());
  const size_t tail = std::min(upstream.find_first_of("~+^"), upstream.size());
  const Result<Version> version = ParseVersion(upstream.substr(0, tail));
  if (!version) return Error{"'" + text + "' is no version of ours"};
  return Installed{*version, IsBeforeRelease(upstream.substr(tail))};
}

bool IsWithin(const Installed& installed, const Version& introduced,
              const std::optional<Version>& fixed) {
  return installed.version >= introduced &&
         (!fixed || installed.version < *fixed ||
          (installed.before && installed.version == *fixed));
}

}  // namespace siw::advisory
