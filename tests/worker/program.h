// A program as its user runs it: its two outputs line by line, signals, and its exit code.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dugnad::worker {

class Program {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Program(std::vector<std::string> arguments) {
    int out[2], err[2];
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    REQUIRE(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    out_.fd = out[0];
    err_.fd = err[0];
  }
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_.fd);
    ::close(err_.fd);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// The next line of standard output; nullopt at its end, or after `patience`.
  std::optional<std::string> line(Clock::duration patience = std::chrono::seconds(20)) { return line_of(out_, patience); }
  std::optional<std::string> error_line(Clock::duration patience = std::chrono::seconds(20)) { return line_of(err_, patience); }

  void signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// The exit code; -1 where a signal ended it. Reads what it still has to say, so that it never waits for us.
  int exit_code() {
    while (line_of(err_, std::chrono::seconds(20))) {}
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  struct Stream {
    int fd = -1;
    std::string held;
  };

  static std::optional<std::string> line_of(Stream& stream, Clock::duration patience) {
    const auto deadline = Clock::now() + patience;
    for (;;) {
      if (const auto end = stream.held.find('\n'); end != std::string::npos) {
        const std::string line = stream.held.substr(0, end);
        stream.held.erase(0, end + 1);
        return line;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd watched{stream.fd, POLLIN, 0};
      if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) <= 0) return std::nullopt;
      char part[4096];
      const ssize_t got = ::read(stream.fd, part, sizeof part);
      if (got <= 0) return std::nullopt;
      stream.held.append(part, static_cast<std::size_t>(got));
    }
  }

  pid_t pid_ = -1;
  Stream out_;
  Stream err_;
};

}  // namespace dugnad::worker
