// toml++, the same way everywhere: one header, no exceptions.
#ifndef SIW_TOOLS_ADVISORY_TOML_H_
#define SIW_TOOLS_ADVISORY_TOML_H_

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#endif  // SIW_TOOLS_ADVISORY_TOML_H_
