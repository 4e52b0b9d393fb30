// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// A new .tar.gz that its owner alone may read; thin over libarchive.
#ifndef SIW_TOOLS_SIW_REPORT_ARCHIVE_H_
#define SIW_TOOLS_SIW_REPORT_ARCHIVE_H_

#include <ctime>
#include <string>
#include <vector>

#include "tools/common/result.h"

namespace siw::report {

struct Item {
  std::string name;
  std::string text;
};

// Never writes over a file; one that could not be written to its end is removed
// again. `directory` is the one in the archive.
Status WriteArchive(const std::string& path, const std::string& directory,
                    time_t time, const std::vector<Item>& items);

}  // namespace siw::report

#endif  // SIW_TOOLS_SIW_REPORT_ARCHIVE_H_
