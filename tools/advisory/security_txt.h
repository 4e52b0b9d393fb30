// security.txt: RFC 9116
#ifndef SIW_TOOLS_ADVISORY_SECURITY_TXT_H_
#define SIW_TOOLS_ADVISORY_SECURITY_TXT_H_

#include <string>

#include "tools/advisory/publisher.h"

namespace siw::advisory {

void CheckSecurityTxt(const std::string& text, const std::string& file,
                      const Publisher& publisher, Time now, Problems* problems);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_SECURITY_TXT_H_
