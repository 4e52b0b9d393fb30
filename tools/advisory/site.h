// What a web server publishes: a CSAF provider by directory (CSAF 2.0 section
// 7), OSV, text, security.txt. Static files, and the same ones from the same
// sources.
//
//   SECURITY.md
//   .well-known/security.txt
//   .well-known/csaf/provider-metadata.json
//   .well-known/csaf/openpgp.asc                 the key, if there is one
//   .well-known/csaf/white/index.txt
//   .well-known/csaf/white/changes.csv
//   .well-known/csaf/white/2027/siw-2027-0001.json, .sha256, .sha512, .asc
//   osv/x_SIW-2027-0001.json, .asc
//   text/SIW-2027-0001.txt, .asc
#ifndef SIW_TOOLS_ADVISORY_SITE_H_
#define SIW_TOOLS_ADVISORY_SITE_H_

#include <map>
#include <string>
#include <vector>

#include "tools/advisory/csaf.h"
#include "tools/advisory/vex.h"

namespace siw::advisory {

struct Source {
  Publisher publisher;
  std::vector<Advisory> advisories;
  std::vector<Statement> vex;
  std::string security_txt;
  std::string policy;  // SECURITY.md
};

// Path to text, of everything that is not a hash or a signature. `fingerprint`
// is that of the signing key, empty if there is none.
std::map<std::string, std::string> Pages(const Source& source,
                                         const std::string& fingerprint);

// Writes them below `dir`, which must not be there yet, with hashes, and
// signatures by gpg's key `key` if it is not empty.
Status WriteSite(const Source& source, const std::string& key,
                 const std::string& dir);

// What our packages ship for `siw advisory` and `siw doctor`: the OSV documents
// alone, in `dir`, which must not be there yet, and is empty if there are none.
Status WriteOsv(const Source& source, const std::string& dir);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_SITE_H_
