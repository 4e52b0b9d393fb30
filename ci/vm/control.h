// Lets a host-side script give commands to the guests of a running lab.
//
// `siw-vm on HOST COMMAND` connects to a UNIX socket and sends three strings,
// each ended by NUL: host, time limit in seconds, command. The answer is what
// the agent answers: output, NUL, exit status, NUL.
#ifndef SIW_CI_VM_CONTROL_H_
#define SIW_CI_VM_CONTROL_H_

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "ci/vm/lab.h"

namespace siw::vm {

// Exit status of a command that was given up.
inline constexpr int kGivenUp = 124;

class ControlServer {
 public:
  static Result<std::unique_ptr<ControlServer>> Listen(Lab* lab,
                                                       const std::string& path);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  // Gives up the commands that are over their limit or whose guest died.
  void Expire();

 private:
  struct Client {
    Fd fd;
    std::string request;
    Vm* vm = nullptr;
    Clock::time_point deadline;
  };

  ControlServer(Lab* lab, Fd listener, std::string path);

  void Accept();
  void Read(Client* client);
  void Begin(Client* client, const std::vector<std::string>& words);
  void Finish(Client* client, int status, std::string_view why);

  Lab* lab_;
  Fd listener_;
  std::string path_;
  std::list<Client> clients_;
};

// The client's side: streams the output to standard output.
Result<int> RunOnHost(const std::string& path, const std::string& host,
                      const std::string& command, std::chrono::seconds limit);

}  // namespace siw::vm

#endif  // SIW_CI_VM_CONTROL_H_
