// Processes beside this one, and what the kernel says of them. A failure of the harness itself ends the program with one line: there is nothing
// to measure then.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dugnad::bench {

[[noreturn]] void give_up(const std::string& why);

/// A program of this build, with its standard output read line by line. Ended, and waited for, with its owner.
class Child {
 public:
  /// The program's name within the folder that this one lies in.
  Child(const std::string& program, std::vector<std::string> arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line it prints; gives up where it ends before, or is silent for ten minutes.
  [[nodiscard]] std::string read_line();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  const std::string name_;
  pid_t pid_ = -1;
  int output_ = -1;
  std::string unread_;
};

/// In bytes. `own` is what would be free again without the process.
struct Memory {
  double resident = 0;
  double proportional = 0;  // shared pages count by their share
  double own = 0;
};
[[nodiscard]] Memory memory_of(pid_t process);

/// Of all threads since the start, in nanoseconds' resolution (the process's own counters tick every 10 ms). Threads that have ended are not in it.
[[nodiscard]] double cpu_seconds_of(pid_t process);

/// A directory of its own, gone with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Lets time pass, for a measurement of what happens in it.
void let_pass(std::chrono::milliseconds time);

using Clock = std::chrono::steady_clock;
[[nodiscard]] inline double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace dugnad::bench
