// The results of many runs as one page, one JUnit file and one table.
//
// A row is a directory as README.md describes it: a kernel, or a pair of hosts.
#ifndef SIW_CI_VM_MATRIX_PAGE_H_
#define SIW_CI_VM_MATRIX_PAGE_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ci/vm/ktap.h"
#include "tools/common/result.h"

namespace siw::vm {

struct Row {
  std::string name;
  std::map<std::string, std::string, std::less<>> facts;
  std::vector<TestCase> cases;
  std::vector<std::string> logs;  // files, relative to the page

  // The value of a fact, or nothing.
  std::string Fact(std::string_view key) const;
};

// Reads a row and the KTAP documents in it. One that was cut short, or a
// document without a result, is a failed case.
Result<Row> ReadRow(const std::filesystem::path& dir);

// The rows among `dirs` and one level below them. Two of the same name are an
// error: they would be counted as one.
Result<std::vector<std::filesystem::path>> FindRows(
    const std::vector<std::filesystem::path>& dirs);

// Self-contained; links to logs are relative.
std::string MatrixHtml(const std::vector<Row>& rows);

std::string MatrixMarkdown(const std::vector<Row>& rows);

// Puts index.html, junit.xml and table.md into `out`, and the rows that are
// elsewhere, so that links hold. Returns how many cases failed.
Result<size_t> WriteMatrix(const std::filesystem::path& out,
                           const std::vector<std::filesystem::path>& dirs);

}  // namespace siw::vm

#endif  // SIW_CI_VM_MATRIX_PAGE_H_
