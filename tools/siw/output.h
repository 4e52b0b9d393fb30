// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What the subcommands have in common: exit codes and how they print.
#ifndef SIW_TOOLS_SIW_OUTPUT_H_
#define SIW_TOOLS_SIW_OUTPUT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace siw {

// Documented in siw(8).
enum ExitCode {
  kExitGood = 0,
  kExitFound = 1,  // an error was found; for explain: nothing was found
  kExitUsage = 2,
  kExitBlind = 3,  // what was asked for could not be looked at
};

// Of all JSON output: raised when a key changes its meaning or goes.
constexpr int kJsonSchema = 1;

// Without what a terminal would take for a command, in whatever character set:
// only ASCII is kept.
std::string Printable(std::string_view text);

// Each line that is not empty behind two blanks.
std::string Indented(std::string_view text);

// As a shell takes it for one word: names may hold what it would obey.
std::string Quoted(std::string_view text);

// In ASCII, for the same reason: a log line may hold octets that are no UTF-8,
// or such that some terminals obey.
std::string Dump(const nlohmann::ordered_json& json);
std::string DumpLine(const nlohmann::ordered_json& json);

}  // namespace siw

#endif  // SIW_TOOLS_SIW_OUTPUT_H_
