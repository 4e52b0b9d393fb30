// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/status/packager.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace siw {
namespace {

// Debian has one package for each release.
std::string DebianHeaders(const std::string& kernel) {
  return "linux-headers-" + kernel;
}

// "6.11.4-301.fc41.x86_64", and "5.14.0-503.el9.aarch64+64k" of kernel-64k
std::string FedoraHeaders(const std::string& kernel) {
  const size_t plus = kernel.find('+');
  if (plus == std::string::npos) return "kernel-devel-" + kernel;
  return "kernel-" + kernel.substr(plus + 1) + "-devel-" +
         kernel.substr(0, plus);
}

// "6.4.0-150600.21-default". The package's version has one number more, which
// the kernel does not tell.
std::string SuseHeaders(const std::string& kernel) {
  return "kernel-" + kernel.substr(kernel.rfind('-') + 1) + "-devel";
}

// Of RPMs, siw requires a module that is not older, in whatever package it is.
// On SUSE libibverbs is the providers, and libibverbs1 the library.
constexpr Packager kDnf = {"dnf", "dnf install", "dnf reinstall", "dnf upgrade",
                           "siw", "libibverbs",  FedoraHeaders};
constexpr Packager kZypper = {"zypper",
                              "zypper install",
                              "zypper install --force",
                              "zypper update",
                              "siw",
                              "libibverbs",
                              SuseHeaders};

}  // namespace

const Packager kApt = {"apt",         "apt install",  "apt install --reinstall",
                       "apt install", "siw siw-dkms", "ibverbs-providers",
                       DebianHeaders};

namespace {

// In ID or ID_LIKE of os-release(5)
constexpr std::array<std::pair<std::string_view, const Packager*>, 6>
    kFamilies = {{{"debian", &kApt},
                  {"ubuntu", &kApt},
                  {"fedora", &kDnf},
                  {"rhel", &kDnf},
                  {"suse", &kZypper},
                  {"opensuse", &kZypper}}};

// ID, then what ID_LIKE has, the nearest first
std::string Families(const Host& host) {
  std::string text = host.ReadOrEmpty("/etc/os-release");
  if (text.empty()) text = host.ReadOrEmpty("/usr/lib/os-release");
  std::string id, like;
  for (const std::string& line : Lines(text)) {
    if (line.compare(0, 3, "ID=") == 0) id = line.substr(3);
    if (line.compare(0, 8, "ID_LIKE=") == 0) like = line.substr(8);
  }
  std::string all = id + " " + like;
  std::replace_if(
      all.begin(), all.end(), [](char c) { return c == '"' || c == '\''; },
      ' ');
  return all;
}

}  // namespace

const Packager& FindPackager(const Host& host) {
  std::istringstream words(Families(host));
  for (std::string word; words >> word;) {
    for (const auto& [family, packager] : kFamilies) {
      if (word == family) return *packager;
    }
  }
  // Debian and Fedora have tools of the others too: these come after the name.
  for (const Packager* packager : {&kApt, &kDnf, &kZypper}) {
    if (host.Exists("/usr/bin/" + std::string(packager->tool)))
      return *packager;
  }
  return kApt;
}

}  // namespace siw
