// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What a capture shows, for people and for programs.
#ifndef SIW_TOOLS_SIW_TRACE_WORDS_H_
#define SIW_TOOLS_SIW_TRACE_WORDS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/common/catalogue.h"
#include "tools/siw/trace/decode.h"

namespace siw::trace {

// One sentence, without who sent it and when.
std::string EventText(CatalogueView catalogue, const Event& event);
nlohmann::ordered_json EventJson(CatalogueView catalogue, const Event& event);

std::string ConnectionText(size_t number, const ConnectionInfo& info);
nlohmann::ordered_json ConnectionJson(size_t number,
                                      const ConnectionInfo& info);

// The entry of a Terminate as its receiver has it; never null.
const CatalogueEntry* TerminateEntry(CatalogueView catalogue,
                                     const TermCode& code);

}  // namespace siw::trace

#endif  // SIW_TOOLS_SIW_TRACE_WORDS_H_
