#include "tools/advisory/test_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "tools/advisory/fields.h"

namespace siw::advisory {
namespace {

bool Contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

// "before", `separator`, "after"; both empty if there is no separator
std::pair<std::string, std::string> Split(const std::string& text,
                                          const std::string& separator) {
  const size_t at = text.find(separator);
  if (at == std::string::npos) return {};
  return {text.substr(0, at), text.substr(at + separator.size())};
}

}  // namespace

bool TestIds::Exists(const std::string& id) const {
  const auto [kind, name] = Split(id, "/");
  if (kind == "kselftest") return Kselftest(name);
  if (kind == "unit") return Unit(name);
  if (kind == "kunit") return Kunit(name);
  return kind == "conform" && Conform(name);
}

const std::map<std::string, std::string>& TestIds::Files(
    const std::string& dir, const std::string& extension) const {
  const auto [found, fresh] = cache_.try_emplace(dir + "/*" + extension);
  if (!fresh) return found->second;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(root_ + "/" + dir, error)) {
    if (entry.path().extension() != extension) continue;
    if (Result<std::string> text = ReadFile(entry.path()))
      found->second[entry.path().stem()] = std::move(*text);
  }
  return found->second;
}

bool TestIds::Kselftest(const std::string& name) const {
  const auto [program, test] = Split(name, ": ");
  if (test.empty()) return false;
  // An entry of the table of tests of a C program, or a line of a script
  const auto in = [&](const std::string& extension, const std::string& line) {
    const auto& files = Files("selftests/kselftest", extension);
    const auto file = files.find(program);
    return file != files.end() && Contains(file->second, line);
  };
  return in(".c", fmt::format("\n\t{{ \"{}\", ", test)) ||
         in("", fmt::format("\nrun '{}' ", test));
}

bool TestIds::Unit(const std::string& name) const {
  const auto [suite, test] = Split(name, ".");
  if (test.empty()) return false;
  const std::string arguments = fmt::format("({}, {}) {{", suite, test);
  const auto& files = Files("selftests/unit", ".cc");
  return std::any_of(files.begin(), files.end(), [&](const auto& file) {
    return Contains(file.second, "TEST" + arguments) ||
           Contains(file.second, "TEST_F" + arguments) ||
           Contains(file.second, "TEST_P" + arguments);
  });
}

bool TestIds::Kunit(const std::string& name) const {
  const auto [suite, test] = Split(name, ".");
  if (test.empty()) return false;
  const std::string is_suite = fmt::format(".name = \"{}\"", suite);
  const std::string plain = fmt::format("KUNIT_CASE({})", test);
  const std::string with_param = fmt::format("KUNIT_CASE_PARAM({}, ", test);
  const auto& files = Files("siw/tests", ".c");
  return std::any_of(files.begin(), files.end(), [&](const auto& file) {
    return Contains(file.second, is_suite) &&
           (Contains(file.second, plain) || Contains(file.second, with_param));
  });
}

bool TestIds::Conform(const std::string& name) const {
  const auto& files = Files("docs/reference", ".toml");
  const auto file = files.find("rfc-conformance");
  return !name.empty() && !Contains(name, "/") && file != files.end() &&
         Contains(file->second, fmt::format("\"{}\"", name));
}

}  // namespace siw::advisory
