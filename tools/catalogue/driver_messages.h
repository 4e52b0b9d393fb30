// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The messages a C source of the driver can print, and whether the catalogue
// knows them: what keeps docs/errors and siw/ together.
#ifndef SIW_TOOLS_CATALOGUE_DRIVER_MESSAGES_H_
#define SIW_TOOLS_CATALOGUE_DRIVER_MESSAGES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/catalogue.h"
#include "tools/common/result.h"

namespace siw::catalogue {

// Literal text, and numbers or addresses that may be anything.
struct MessagePart {
  bool is_any = false;
  std::string text;
};
using Message = std::vector<MessagePart>;

struct DriverMessage {
  std::string file;
  int line = 0;
  Message message;  // with each %s put in
};

// What a function that names things can return; empty for an unknown one.
using NameTable =
    std::function<std::vector<std::string>(std::string_view function)>;

// Every message of `source`: one for each text a %s of it can be. Fails on a
// call that prints and whose text, or whose %s, it cannot make out.
Result<std::vector<DriverMessage>> FindMessages(std::string_view file,
                                                std::string_view source,
                                                const NameTable& names);

// Can `message` be a text that `pattern` matches?
bool Unifies(const Message& message, std::string_view pattern);

// Each message without an entry, and each text of an entry of the driver's
// that no message can be; nothing if the two agree.
std::vector<std::string> Disagreements(
    const std::vector<DriverMessage>& messages, CatalogueView entries);

}  // namespace siw::catalogue

#endif  // SIW_TOOLS_CATALOGUE_DRIVER_MESSAGES_H_
