#include "tools/advisory/security_txt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace siw::advisory {
namespace {

// Section 2.5, and CSAF from the registry of section 6.2
constexpr std::array<std::string_view, 9> kFields = {
    "Acknowledgments",    "Canonical", "Contact", "CSAF",
    "Encryption",         "Expires",   "Hiring",  "Policy",
    "Preferred-Languages"};

// Those that lead to pages of site.h
constexpr std::array<std::pair<const char*, const char*>, 3> kPages = {
    {{"Canonical", ".well-known/security.txt"},
     {"CSAF", ".well-known/csaf/provider-metadata.json"},
     {"Policy", "SECURITY.md"}}};

using Values = std::map<std::string, std::vector<std::string>>;

Values Read(const std::string& text, const std::string& file,
            Problems* problems) {
  Values out;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const size_t colon = line.find(": ");
    const std::string name = line.substr(0, colon);
    if (colon == std::string::npos)
      problems->push_back({file, fmt::format("line {}", number),
                           "is not of the form 'Field: value'"});
    else if (std::find(kFields.begin(), kFields.end(), name) == kFields.end())
      problems->push_back({file, name, "there is no such field"});
    else
      out[name].push_back(line.substr(colon + 2));
  }
  return out;
}

bool StartsWith(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

}  // namespace

void CheckSecurityTxt(const std::string& text, const std::string& file,
                      const Publisher& publisher, Time now,
                      Problems* problems) {
  Values values = Read(text, file, problems);
  const auto wrong = [&](const std::string& field, const std::string& rule) {
    problems->push_back({file, field, rule});
  };
  for (const auto& [name, list] : values) {
    if ((name == "Expires" || name == "Preferred-Languages") && list.size() > 1)
      wrong(name, "is there more than once");
    if (name == "Expires" || name == "Preferred-Languages") continue;
    for (const std::string& value : list) {
      if (HasPlaceholder(value) && !publisher.IsPlaceholder())
        wrong(name,
              "'" + value + "' is a placeholder, and publisher.toml has none");
      if (!IsHttps(value) &&
          !(name == "Contact" &&
            (StartsWith(value, "mailto:") || StartsWith(value, "tel:"))) &&
          !(name == "Encryption" && StartsWith(value, "openpgp4fpr:")))
        wrong(name, "'" + value + "' is no URI of a kind allowed here");
    }
  }

  if (values["Expires"].empty()) {
    wrong("Expires", "is missing");
  } else if (const Result<Time> expires = ParseTime(values["Expires"][0])) {
    if (*expires <= now)
      wrong("Expires", "has expired: " + FormatTime(*expires));
    else if (*expires - now > std::chrono::days(366))
      wrong("Expires", "is more than a year away: " + FormatTime(*expires));
  } else {
    wrong("Expires", expires.error().message);
  }

  const std::string contact = "mailto:" + publisher.contact;
  if (values["Contact"].empty())
    wrong("Contact", "is missing");
  else if (values["Contact"][0] != contact)
    wrong("Contact", "the first one is not that of publisher.toml: " + contact);
  for (const auto& [field, page] : kPages) {
    const std::string url = publisher.base_url + page;
    for (const std::string& value : values[field])
      if (value != url) wrong(field, "is not that of publisher.toml: " + url);
  }
}

}  // namespace siw::advisory
