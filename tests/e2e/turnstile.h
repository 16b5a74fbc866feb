// Turnstile: has programs stand still in the middle of a job until the test has done there what it wants to do, however fast the machine is.
#pragma once

#include <fstream>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {

class Turnstile {
 public:
  /// Each program behind it computes so many units of built-in tasks, and then waits.
  Turnstile(const Place& place, unsigned units) : file_(place / "turnstile") { let(units); }

  /// The same command behind it: of the worker, of the submitter where it computes itself, and of whatever the worker starts.
  [[nodiscard]] Words behind(Words command) const {
    command.front() = std::string(DUGNAD_BEHIND_TURNSTILE) + command.front().substr(command.front().rfind('/'));
    return Words{"/usr/bin/env", "DUGNAD_TURNSTILE=" + file_} + command;
  }
  /// So many units in all, from each program's start.
  void let(unsigned units) const {
    const std::string next = file_ + ".next";
    std::ofstream out(next);
    REQUIRE((out << units).flush());
    std::filesystem::rename(next, file_);  // nobody reads half of it
  }
  void open() const { std::filesystem::remove(file_); }

 private:
  const std::string file_;
};

}  // namespace dugnad::e2e
