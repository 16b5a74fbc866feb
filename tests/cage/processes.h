// Processes of the test's own, found and killed.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace dugnad::worker {

/// Returns when the process is dead. It may be anybody's child.
inline void kill_and_wait(pid_t process) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  REQUIRE(handle >= 0);
  REQUIRE(::syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0) == 0);
  pollfd dead{handle, POLLIN, 0};
  CHECK(::poll(&dead, 1, 20'000) == 1);
  ::close(handle);
}

/// The launcher that is a child of this process.
inline pid_t launcher_process() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string id, name, state;
    pid_t parent = 0;
    std::ifstream(entry.path() / "stat") >> id >> name >> state >> parent;
    if (name == "(dugnad-launcher)" && parent == ::getpid() && state != "Z") return std::stoi(id);
  }
  FAIL("no launcher runs");
  return -1;
}

}  // namespace dugnad::worker
