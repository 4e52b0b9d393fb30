#include "tools/advisory/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "tools/advisory/command.h"
#include "tools/advisory/mail.h"
#include "tools/advisory/osv.h"

namespace siw::advisory {
namespace {

constexpr char kCsaf[] = ".well-known/csaf/";
constexpr char kWhite[] = ".well-known/csaf/white/";
constexpr char kKey[] = ".well-known/csaf/openpgp.asc";

std::string Text(const Json& json) { return json.dump(2) + "\n"; }

std::vector<Json> Documents(const Source& source) {
  std::vector<Json> out;
  for (const Advisory& advisory : source.advisories) {
    out.push_back(CsafAdvisory(advisory, source.publisher));
    out.push_back(CsafVex(advisory, source.publisher));
  }
  for (const Statement& statement : source.vex)
    out.push_back(CsafVex(statement, source.publisher));
  return out;
}

Json Metadata(const Source& source, const std::string& fingerprint,
              const std::string& updated) {
  const std::string& base = source.publisher.base_url;
  Json out = {
      {"canonical_url", base + kCsaf + "provider-metadata.json"},
      {"distributions", Json::array({{{"directory_url", base + kWhite}}})},
      {"last_updated", updated},
      {"list_on_CSAF_aggregators", true},
      {"metadata_version", "2.0"},
      {"mirror_on_CSAF_aggregators", true}};
  if (!fingerprint.empty())
    out["public_openpgp_keys"] =
        Json::array({{{"fingerprint", fingerprint}, {"url", base + kKey}}});
  out["publisher"] = {{"category", "vendor"},
                      {"contact_details", source.publisher.contact},
                      {"name", source.publisher.name},
                      {"namespace", source.publisher.namespace_url}};
  out["role"] = fingerprint.empty() ? "csaf_provider" : "csaf_trusted_provider";
  return out;
}

Status Write(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return ErrnoError(path.string());
  return Done();
}

Status IsNew(const std::string& dir) {
  std::error_code error;
  if (std::filesystem::exists(dir, error))
    return Error{dir + ": is there already; build into a new directory"};
  return Done();
}

std::map<std::string, std::string> OsvFiles(const Source& source) {
  std::map<std::string, std::string> out;
  for (const Advisory& advisory : source.advisories)
    out["x_" + advisory.id + ".json"] = Text(Osv(advisory, source.publisher));
  return out;
}

// Both tools write what section 7.1.18 asks for: "hash  file name".
Status WriteHashes(const std::filesystem::path& path) {
  for (const std::string algorithm : {"sha256", "sha512"}) {
    const Result<std::string> sum =
        RunCommand({algorithm + "sum", path.filename()}, path.parent_path());
    if (!sum) return sum.error();
    const Status written = Write(path.string() + "." + algorithm, *sum);
    if (!written) return written;
  }
  return Done();
}

Status Sign(const std::filesystem::path& path, const std::string& key) {
  const Result<std::string> done = RunCommand(
      {"gpg", "--batch", "--yes", "--armor", "--local-user", key, "--output",
       path.filename().string() + ".asc", "--detach-sign", path.filename()},
      path.parent_path());
  if (!done) return done.error();
  return Done();
}

// Of the key that will sign; gpg takes a user id as well as a fingerprint.
Result<std::string> Fingerprint(const std::string& key) {
  const Result<std::string> said =
      RunCommand({"gpg", "--batch", "--with-colons", "--fingerprint",
                  "--list-secret-keys", key},
                 ".");
  if (!said) return said.error();
  const size_t at = said->find("\nfpr:::::::::");
  if (at == std::string::npos)
    return Error{"gpg tells no fingerprint of the key '" + key + "'"};
  const size_t begin = at + 13;
  return said->substr(begin, said->find(':', begin) - begin);
}

// CSAF asks for hashes and a signature of these.
bool IsDocument(const std::string& path) {
  return path.compare(0, sizeof(kWhite) - 1, kWhite) == 0 &&
         std::filesystem::path(path).extension() == ".json";
}

// Hosts read OSV (`siw doctor`), people the text.
bool IsSigned(const std::string& path) {
  return IsDocument(path) || path.compare(0, 4, "osv/") == 0 ||
         path.compare(0, 5, "text/") == 0;
}

}  // namespace

std::map<std::string, std::string> Pages(const Source& source,
                                         const std::string& fingerprint) {
  std::map<std::string, std::string> out;
  // Newest first, as section 7.1.13 asks of changes.csv
  std::vector<std::pair<std::string, std::string>> changes;
  std::string index;
  for (const Json& document : Documents(source)) {
    const std::string path = CsafPath(document);
    out[kWhite + path] = Text(document);
    changes.emplace_back(
        document["document"]["tracking"]["current_release_date"], path);
    index += path + "\n";
  }
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
    return std::tie(b.first, a.second) < std::tie(a.first, b.second);
  });
  std::string csv;
  for (const auto& [date, path] : changes)
    csv += fmt::format("\"{}\",\"{}\"\n", path, date);
  out[std::string(kWhite) + "index.txt"] = index;
  out[std::string(kWhite) + "changes.csv"] = csv;
  out[std::string(kCsaf) + "provider-metadata.json"] =
      Text(Metadata(source, fingerprint,
                    changes.empty() ? FormatTime(Time()) : changes[0].first));
  out[".well-known/security.txt"] = source.security_txt;
  out["SECURITY.md"] = source.policy;
  for (const auto& [name, text] : OsvFiles(source)) out["osv/" + name] = text;
  for (const Advisory& advisory : source.advisories)
    out["text/" + advisory.id + ".txt"] = Mail(advisory, source.publisher);
  return out;
}

Status WriteSite(const Source& source, const std::string& key,
                 const std::string& dir) {
  const Status is_new = IsNew(dir);
  if (!is_new) return is_new;
  std::string fingerprint;
  if (!key.empty()) {
    const Result<std::string> found = Fingerprint(key);
    if (!found) return found.error();
    fingerprint = *found;
  }
  const std::filesystem::path top(dir);
  for (const auto& [path, text] : Pages(source, fingerprint)) {
    Status done = Write(top / path, text);
    if (done && IsDocument(path)) done = WriteHashes(top / path);
    if (done && IsSigned(path) && !key.empty()) done = Sign(top / path, key);
    if (!done) return done;
  }
  if (key.empty()) return Done();
  const Result<std::string> exported =
      RunCommand({"gpg", "--batch", "--armor", "--export", fingerprint}, ".");
  if (!exported) return exported.error();
  return Write(top / kKey, *exported);
}

Status WriteOsv(const Source& source, const std::string& dir) {
  const Status is_new = IsNew(dir);
  if (!is_new) return is_new;
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Error{dir + ": " + error.message()};
  for (const auto& [name, text] : OsvFiles(source)) {
    const Status done = Write(std::filesystem::path(dir) / name, text);
    if (!done) return done;
  }
  return Done();
}

}  // namespace siw::advisory
