#include "tools/advisory/publisher.h"

#include <algorithm>
#include <regex>

namespace siw::advisory {

bool HasPlaceholder(const std::string& text) {
  static const std::regex kPlaceholder(
      R"(\.invalid(?![A-Za-z0-9-]|\.[A-Za-z0-9])|PLACEHOLDER)");
  return std::regex_search(text, kPlaceholder);
}

bool IsHttps(const std::string& url) {
  static const std::regex kUrl("https://[A-Za-z0-9.-]+(:[0-9]+)?(/[!-~]*)?");
  return std::regex_match(url, kUrl);
}

bool Publisher::IsPlaceholder() const {
  return HasPlaceholder(namespace_url) || HasPlaceholder(contact) ||
         HasPlaceholder(base_url);
}

const Component* Publisher::Find(const std::string& component) const {
  const auto found = std::find_if(
      components.begin(), components.end(),
      [&component](const Component& c) { return c.name == component; });
  return found == components.end() ? nullptr : &*found;
}

Publisher ParsePublisher(const std::string& text, const std::string& file,
                         Problems* problems) {
  Publisher out;
  const auto table = ParseToml(text, file, problems);
  if (!table) return out;
  Fields fields(*table, file, "", problems);
  out.name = fields.Text("name");
  out.namespace_url = fields.Text("namespace");
  out.contact = fields.Text("contact");
  out.base_url = fields.Text("base_url");
  if (!IsHttps(out.namespace_url))
    fields.Wrong("namespace", "has to be an https URL");
  if (!IsHttps(out.base_url) || out.base_url.back() != '/')
    fields.Wrong("base_url", "has to be an https URL that ends in '/'");
  if (std::count(out.contact.begin(), out.contact.end(), '@') != 1)
    fields.Wrong("contact", "has to be a mail address");
  for (Fields& from : fields.Tables("component")) {
    Component component = {from.Text("name"), from.Text("title"),
                           from.Text("purl")};
    if (out.Find(component.name)) from.Wrong("name", "is there twice");
    if (component.purl.compare(0, 4, "pkg:") != 0)
      from.Wrong("purl", "has to begin with 'pkg:'");
    from.NothingElse();
    out.components.push_back(std::move(component));
  }
  fields.NothingElse();
  return out;
}

}  // namespace siw::advisory
