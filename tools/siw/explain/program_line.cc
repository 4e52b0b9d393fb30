// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/explain/program_line.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <string>

#include "tools/common/errno_name.h"
#include "tools/common/text.h"

namespace siw {
namespace {

constexpr int kLastErrno = 133;
// No program prints more of one failure.
constexpr size_t kLongestLine = 4096;

// enum ibv_wc_status; ibv_poll_cq(3)
constexpr std::array<std::string_view, 22> kStatuses = {
    "",
    "IBV_WC_LOC_LEN_ERR",
    "IBV_WC_LOC_QP_OP_ERR",
    "IBV_WC_LOC_EEC_OP_ERR",
    "IBV_WC_LOC_PROT_ERR",
    "IBV_WC_WR_FLUSH_ERR",
    "IBV_WC_MW_BIND_ERR",
    "IBV_WC_BAD_RESP_ERR",
    "IBV_WC_LOC_ACCESS_ERR",
    "IBV_WC_REM_INV_REQ_ERR",
    "IBV_WC_REM_ACCESS_ERR",
    "IBV_WC_REM_OP_ERR",
    "IBV_WC_RETRY_EXC_ERR",
    "IBV_WC_RNR_RETRY_EXC_ERR",
    "IBV_WC_LOC_RDD_VIOL_ERR",
    "IBV_WC_REM_INV_RD_REQ_ERR",
    "IBV_WC_REM_ABORT_ERR",
    "IBV_WC_INV_EECN_ERR",
    "IBV_WC_INV_EEC_STATE_ERR",
    "IBV_WC_FATAL_ERR",
    "IBV_WC_RESP_TIMEOUT_ERR",
    "IBV_WC_GENERAL_ERR"};

// Is the phrase there, and no part of a longer word? Both in lower case.
bool Holds(const std::string& line, const std::string& phrase) {
  for (size_t at = line.find(phrase); at != std::string::npos;
       at = line.find(phrase, at + 1)) {
    const size_t end = at + phrase.size();
    if ((at == 0 || !IsWordChar(line[at - 1])) &&
        (end == line.size() || !IsWordChar(line[end])))
      return true;
  }
  return false;
}

// Of a completion, in a line in lower case; empty if it has none.
std::string Status(const std::string& line) {
  if (!Holds(line, "wr_id") && !Holds(line, "wc") && !Holds(line, "cq") &&
      !Holds(line, "completion"))
    return "";
  static const std::regex kStatus("\\bstatus[ :=(]{0,3}([0-9]{1,2})\\b");
  std::smatch found;
  if (!std::regex_search(line, found, kStatus)) return "";
  const size_t number = std::strtoul(found[1].str().c_str(), nullptr, 10);
  return number < kStatuses.size() ? Lower(kStatuses[number]) : "";
}

// In a line in lower case; 0 if it has none.
int Errno(const std::string& line) {
  static const std::regex kNumber(
      "\\b(?:error|err|errno|status|ret|failed)[ :=(]{0,3}-([0-9]{1,3})\\b");
  static const std::regex kInBrackets("\\(-([0-9]{1,3})\\)");
  static const std::regex kPositive("\\berrno[ :=(]{0,3}([0-9]{1,3})\\b");
  std::smatch found;
  if (std::regex_search(line, found, kNumber) ||
      std::regex_search(line, found, kInBrackets) ||
      std::regex_search(line, found, kPositive))
    return std::atoi(found[1].str().c_str());
  for (int number = 1; number <= kLastErrno; ++number) {
    const std::string words = ": " + Lower(std::strerror(number));
    if (line.size() > words.size() &&
        line.compare(line.size() - words.size(), words.size(), words) == 0)
      return number;
  }
  return 0;
}

bool Has(Strings list, const std::string& wanted) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view item) {
    return Lower(item) == wanted;
  });
}

}  // namespace

std::vector<const CatalogueEntry*> ReadProgramLine(CatalogueView catalogue,
                                                   std::string_view text) {
  const std::string line = Lower(text.substr(0, kLongestLine));
  const std::string status = Status(line);
  std::vector<const CatalogueEntry*> named;
  for (const CatalogueEntry& entry : catalogue) {
    if ((!status.empty() && Has(entry.names, status)) ||
        std::any_of(
            entry.names.begin(), entry.names.end(),
            [&](std::string_view name) { return Holds(line, Lower(name)); }))
      named.push_back(&entry);
  }

  const int number = Errno(line);
  if (number == 0) return named;
  const std::string error = Lower(ErrnoName(number));
  std::vector<const CatalogueEntry*> those;
  if (named.empty()) {
    for (const CatalogueEntry& entry : catalogue) {
      if (Has(entry.errnos, error)) those.push_back(&entry);
    }
    return those;
  }
  std::copy_if(
      named.begin(), named.end(), std::back_inserter(those),
      [&](const CatalogueEntry* entry) { return Has(entry->errnos, error); });
  return those.empty() ? named : those;
}

std::vector<const CatalogueEntry*> ReadTraceLine(CatalogueView catalogue,
                                                 std::string_view text) {
  static const std::regex kFailed("\\bsiw_conn_failed: .*\\bcause=([a-z_]+)");
  static const std::regex kTerminate(
      "\\bsiw_terminate_(sent|received): .*\\bcode=([0-9]+/[0-9]+/[0-9a-f]+)");
  const std::string line(text.substr(0, kLongestLine));
  std::vector<const CatalogueEntry*> those;
  std::smatch found;
  if (std::regex_search(line, found, kFailed)) {
    const std::string counter = "conn_" + found[1].str();
    for (const CatalogueEntry& entry : catalogue) {
      if (Has(entry.counters, counter)) those.push_back(&entry);
    }
  } else if (std::regex_search(line, found, kTerminate)) {
    for (const CatalogueEntry& entry : catalogue) {
      if (entry.term == found[2].str() && entry.direction == found[1].str())
        those.push_back(&entry);
    }
  }
  return those;
}

}  // namespace siw
