// The tests of this tree by their ids, to show that a claim names a real one.
#ifndef SIW_TOOLS_ADVISORY_TEST_IDS_H_
#define SIW_TOOLS_ADVISORY_TEST_IDS_H_

#include <map>
#include <string>

namespace siw::advisory {

// kselftest/PROGRAM: NAME   selftests/kselftest/PROGRAM.c, or a script
// unit/Suite.Name           selftests/unit
// kunit/SUITE.CASE          siw/tests
// conform/ID                docs/reference/rfc-conformance.toml, which has a
//                           check of its own that siw-conform knows the id
class TestIds {
 public:
  // `root` is the top of the tree.
  explicit TestIds(std::string root) : root_(std::move(root)) {}

  bool Exists(const std::string& id) const;

 private:
  bool Kselftest(const std::string& name) const;
  bool Unit(const std::string& name) const;
  bool Kunit(const std::string& name) const;
  bool Conform(const std::string& name) const;

  // Of all files of a directory with that extension, or of a file; read once
  const std::map<std::string, std::string>& Files(
      const std::string& dir, const std::string& extension) const;

  std::string root_;
  mutable std::map<std::string, std::map<std::string, std::string>> cache_;
};

}  // namespace siw::advisory

#endif  // SIW_TOOLS_ADVISORY_TEST_IDS_H_
