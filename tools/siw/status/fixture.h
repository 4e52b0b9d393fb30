// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// What the tests of `siw status`, `siw doctor` and `siw advisory` share: hosts.
#ifndef SIW_TOOLS_SIW_STATUS_FIXTURE_H_
#define SIW_TOOLS_SIW_STATUS_FIXTURE_H_

#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "tools/common/host.h"
#include "tools/common/rdma_netlink.h"

namespace siw {

namespace fs = std::filesystem;

constexpr const char* kKernel = "6.12.118+deb13-amd64";

// A directory that stands for "/", gone with the test.
class Root {
 public:
  Root() {
    char name[] = "/tmp/siw-status-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Root() { fs::remove_all(path_); }

  void Put(const std::string& path, const std::string& text = "") {
    fs::create_directories(fs::path(path_ + path).parent_path());
    std::ofstream(path_ + path) << text << "\n";
  }
  void MakeDirectory(const std::string& path) {
    fs::create_directories(path_ + path);
  }
  std::string operator/(const std::string& path) const {
    return path_ + "/" + path;
  }
  Host host() const { return Host(path_); }

 private:
  std::string path_;
};

inline std::string Modules(const std::string& path) {
  return "/lib/modules/" + std::string(kKernel) + path;
}

// A host on which all is well.
inline void FillGood(Root* root) {
  root->Put("/proc/sys/kernel/osrelease", kKernel);
  root->Put(Modules("/modules.dep"),
            "kernel/drivers/infiniband/core/ib_core.ko.xz:\n"
            "updates/dkms/siw.ko.xz: kernel/x.ko");
  root->Put(Modules("/build/Makefile"));
  root->Put("/sys/module/siw/taint", "OE");
  root->Put("/sys/module/ib_core/initstate", "live");
  root->Put("/usr/lib/x86_64-linux-gnu/libibverbs/libsiw-rdmav34.so");
  root->Put("/etc/libibverbs.d/siw.driver", "driver siw");
  root->Put("/var/lib/dpkg/status",
            "Package: siw\nStatus: install ok installed\nVersion: 0.1.0\n\n"
            "Package: siw-dkms\nStatus: install ok installed\n"
            "Version: 0.1.0\n\n"
            "Package: siw-old\nStatus: deinstall ok config-files\n"
            "Version: 0.0.1\n");
  root->Put("/var/lib/dkms/siw/0.1.0/" + std::string(kKernel) + "/x");
  root->Put("/etc/siw/links.conf", "# links\nsiw0 eth0  # first\n");
  const std::string device = "/sys/class/infiniband/siw0";
  root->Put(device + "/node_type", "4: RNIC");
  root->Put(device + "/ports/1/state", "4: ACTIVE");
  root->Put(device + "/ports/1/gid_attrs/ndevs/0", "eth0");
  root->Put(device + "/ports/1/hw_counters/rx_straddle", "5");
  root->Put(device + "/ports/1/hw_counters/rx_fault", "0");
  root->Put("/sys/class/infiniband_verbs/uverbs0/ibdev", "siw0");
  root->Put("/sys/class/net/eth0/carrier", "1");
  root->Put("/dev/infiniband/rdma_cm");
  root->Put("/dev/infiniband/uverbs0");
}

// As osv.cc writes it
inline std::string Osv(const std::string& events,
                       const std::string& more = "") {
  return R"({"id": "x_SIW-2027-0001", "summary": "Title", )" + more +
         R"("affected": [{"database_specific": {"component": "siw-dkms"},
         "ranges": [{"type": "SEMVER", "events": [)" +
         events + "]}]}]}";
}

constexpr const char* kTwoLines =
    R"({"introduced": "0.0.1"}, {"fixed": "0.0.2"},
       {"introduced": "0.1.0"}, {"fixed": "0.1.1"})";

// RDMA netlink that has one device, siw0 on eth0, whatever it is asked.
class OneDevice : public NetlinkChannel {
 public:
  Result<Octets> Ask(std::span<const uint8_t> request) override {
    nlmsghdr asked;
    std::memcpy(&asked, request.data(), sizeof(asked));
    Octets room(4096);
    nlmsghdr* header = mnl_nlmsg_put_header(room.data());
    header->nlmsg_type = asked.nlmsg_type;
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, 3);
    mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_PORT_INDEX, 1);
    mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DEV_NAME, "siw0");
    mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_NDEV_NAME, "eth0");
    Put(asked.nlmsg_type & 0x3ff, header);
    room.resize(header->nlmsg_len);
    return room;
  }

 private:
  // What else there is in the answer to a command.
  virtual void Put(int command, nlmsghdr* header) const = 0;
};

}  // namespace siw

#endif  // SIW_TOOLS_SIW_STATUS_FIXTURE_H_
