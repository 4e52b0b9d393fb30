// Who publishes the advisories, and of what: security/publisher.toml
#ifndef SIW_TOOLS_ADVISORY_PUBLISHER_H_
#define SIW_TOOLS_ADVISORY_PUBLISHER_H_

#include <string>
#include <vector>

#include "tools/advisory/fields.h"

namespace siw::advisory {

// What has versions and can be affected
struct Component {
  std::string name;
  std::string title;
  std::string purl;
};

struct Publisher {
  std::string name;
  std::string namespace_url;
  std::string contact;   // a mail address
  std::string base_url;  // of what `siw-advisory build` lays out, ends in '/'
  std::vector<Component> components;

  bool IsPlaceholder() const;
  const Component* Find(const std::string& component) const;
};

Publisher ParsePublisher(const std::string& text, const std::string& file,
                         Problems* problems);

bool IsHttps(const std::string& url);

// A name of the reserved top-level domain "invalid" (RFC 2606), or the word
bool HasPlaceholder(const std::string& text);

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_PUBLISHER_H_
