// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Lines of dmesg and of the journal, and the catalogue entry they mean.
#ifndef SIW_TOOLS_COMMON_LOG_LINE_H_
#define SIW_TOOLS_COMMON_LOG_LINE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/catalogue.h"
#include "tools/common/pattern.h"

namespace siw {

struct LineMatch {
  const CatalogueEntry* entry = nullptr;
  Fields fields;       // "device" first, where the line names one
  bool inbox = false;  // the in-box driver said it, the siw of the kernel
};

// The patterns of a catalogue, parsed once.
class LineMatcher {
 public:
  explicit LineMatcher(CatalogueView catalogue);

  // The entry that says most of the line; whatever stands before the message
  // (time, host, "kernel:", device) is skipped.
  std::optional<LineMatch> Match(std::string_view line) const;

  // All entries that say as much of the line as the best one: more than one is
  // a defect of the catalogue.
  std::vector<LineMatch> BestMatches(std::string_view line) const;

 private:
  struct Text {
    const CatalogueEntry* entry;
    Pattern pattern;
    bool inbox;
  };
  void Add(const CatalogueEntry* entry, std::string_view text, bool inbox);

  std::vector<Text> texts_;
};

// A line of some siw that no entry knows: what can be said of it all the same.
struct ForeignLine {
  Fields fields;       // device, qp, errno, as far as they are there
  std::string term;    // "1/1/00", or empty
  bool inbox = false;  // "siw: ...", as the in-box driver begins
  bool core = false;   // "infiniband DEVICE: ...", as the RDMA core begins
};
std::optional<ForeignLine> ReadForeignLine(std::string_view line);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_LOG_LINE_H_
