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

/// A process, which may be anybody's child.
class Watched {
 public:
  explicit Watched(pid_t process) : handle_(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))) { REQUIRE(handle_ >= 0); }
  ~Watched() { ::close(handle_); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void kill() const { REQUIRE(::syscall(SYS_pidfd_send_signal, handle_, SIGKILL, nullptr, 0) == 0); }
  /// Within that time.
  [[nodiscard]] bool dies(int milliseconds = 20'000) const {
    pollfd dead{handle_, POLLIN, 0};
    return ::poll(&dead, 1, milliseconds) == 1;
  }

 private:
  const int handle_;
};

inline void kill_and_wait(pid_t process) {
  const Watched watched(process);
  watched.kill();
  CHECK(watched.dies());
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
