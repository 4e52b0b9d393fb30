#include "tools/advisory/mail.h"

#include <fmt/format.h>

#include <sstream>

#include "tools/advisory/csaf.h"

namespace siw::advisory {
namespace {

constexpr size_t kColumns = 72;

std::string FillParagraph(const std::string& text, size_t columns,
                          const std::string& indent) {
  std::istringstream words(text);
  std::string out, line, word;
  while (words >> word) {
    if (!line.empty() &&
        indent.size() + line.size() + 1 + word.size() > columns) {
      out += indent + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? out : out + indent + line + "\n";
}

std::string Section(const std::string& title, const std::string& text) {
  return "\n" + title + "\n" + std::string(title.size(), '-') + "\n" +
         Fill(text, kColumns, "");
}

std::string Versions(const Advisory& advisory) {
  std::string out;
  for (const Affected& range : advisory.affected)
    out += fmt::format(
        "  {:<10} from {:<8} {}\n", range.component, ToString(range.introduced),
        range.fixed ? "fixed in " + ToString(*range.fixed) : "not fixed yet");
  return out;
}

std::string Head(const Advisory& advisory) {
  std::string out = fmt::format(
      "Advisory:   {}, revision {}\n"
      "Published:  {}\n",
      advisory.id, advisory.history.size(),
      FormatTime(advisory.history.front().date));
  if (advisory.history.size() > 1)
    out += fmt::format("Revised:    {}\n",
                       FormatTime(advisory.history.back().date));
  out += fmt::format(
      "CVE:        {}\n"
      "Severity:   {} ({:.1f}, {})\n"
      "Weakness:   {}\n",
      advisory.cve.empty() ? "not assigned yet" : advisory.cve,
      advisory.severity, advisory.cvss.score, advisory.cvss.vector,
      advisory.cwe_id);
  if (advisory.exploited()) out += "Exploited:  yes\n";
  return out;
}

std::string Tail(const Advisory& advisory, const Publisher& publisher) {
  std::string out =
      "\nReferences\n----------\n" +
      CsafUrl(publisher, CsafPath(CsafAdvisory(advisory, publisher))) + "\n";
  for (const Reference& reference : advisory.references)
    out += reference.url + "\n";
  std::string history;
  for (const Revision& revision : advisory.history)
    history +=
        fmt::format("{}: {}\n\n", FormatDay(revision.date), revision.summary);
  out += Section("History", history);
  return out + "\nContact: " + publisher.contact + "\n";
}

}  // namespace

std::string Fill(const std::string& text, size_t columns,
                 const std::string& indent) {
  std::istringstream lines(text);
  std::string out, paragraph, line;
  const auto flush = [&] {
    const std::string filled = FillParagraph(paragraph, columns, indent);
    if (!out.empty() && !filled.empty()) out += "\n";
    out += filled;
    paragraph.clear();
  };
  while (std::getline(lines, line)) {
    if (line.empty()) flush();
    paragraph += line + "\n";
  }
  flush();
  return out;
}

std::string Mail(const Advisory& advisory, const Publisher& publisher) {
  const bool withdrawn = !advisory.withdrawn.empty();
  std::string out = fmt::format("Subject: [{}] {}{}\n\n", advisory.id,
                                withdrawn ? "Withdrawn: " : "", advisory.title);
  out += Fill(advisory.title, kColumns, "") + "\n" + Head(advisory);
  if (withdrawn) out += Section("Withdrawn", advisory.withdrawn);
  out += Section("Summary", advisory.summary);
  out += "\nAffected versions\n-----------------\n" + Versions(advisory);
  out += Section("Description", advisory.description);
  out += Section("Impact", advisory.impact);
  out +=
      Section("Workaround", advisory.workaround.empty() ? "None is known."
                                                        : advisory.workaround);
  if (!advisory.credits.empty()) {
    std::string names;
    for (const Credit& credit : advisory.credits)
      names +=
          (names.empty() ? "" : ", ") + credit.name + " (" + credit.role + ")";
    out += Section("Credits", names);
  }
  return out + Tail(advisory, publisher);
}

}  // namespace siw::advisory
