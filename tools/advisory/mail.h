// An advisory as plain text, to be mailed.
#ifndef SIW_TOOLS_ADVISORY_MAIL_H_
#define SIW_TOOLS_ADVISORY_MAIL_H_

#include <string>

#include "tools/advisory/advisory.h"

namespace siw::advisory {

// A subject line, an empty one, and lines of at most 72 columns; only a word
// that is longer, such as a URL, has a longer line for itself.
std::string Mail(const Advisory& advisory, const Publisher& publisher);

// Fills paragraphs, which empty lines separate.
std::string Fill(const std::string& text, size_t columns,
                 const std::string& indent);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_MAIL_H_
