#include "tests/e2e/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace dugnad::e2e {
namespace {

/// A pipe whose reading end stays here; nobody else inherits either end.
std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return ends;
}

/// No signal blocked or ignored, whatever this program's own state is.
void plain_signals(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  REQUIRE(posix_spawnattr_setsigmask(&attributes, &none) == 0);
  REQUIRE(posix_spawnattr_setsigdefault(&attributes, &all) == 0);
  REQUIRE(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0);
}

}  // namespace

Process::Process(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  const auto out = make_pipe();
  const auto err = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  plain_signals(attributes);
  std::vector<char*> argv;
  for (std::string& argument : arguments_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int error = ::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(out[1]);
  ::close(err[1]);
  out_.fd = out[0];
  err_.fd = err[0];
  REQUIRE_MESSAGE(error == 0, arguments_[0] << ": " << std::strerror(error));
  // By its number: glibc 2.36 declares pidfd_open() without C linkage.
  ended_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  REQUIRE(ended_ >= 0);
}

Process::Process(Process&& other) noexcept
    : arguments_(std::move(other.arguments_)),
      pid_(std::exchange(other.pid_, -1)),
      ended_(std::exchange(other.ended_, -1)),
      code_(other.code_),
      out_{std::exchange(other.out_.fd, -1), std::move(other.out_.text)},
      err_{std::exchange(other.err_.fd, -1), std::move(other.err_.text)},
      lines_taken_(other.lines_taken_) {}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close();
}

void Process::close() {
  for (int* fd : {&ended_, &out_.fd, &err_.fd}) {
    if (*fd >= 0) ::close(std::exchange(*fd, -1));
  }
}

bool Process::listen(Deadline deadline) {
  // poll() passes over negative descriptors.
  std::array<pollfd, 3> watched{{{out_.fd, POLLIN, 0}, {err_.fd, POLLIN, 0}, {code_ ? -1 : ended_, POLLIN, 0}}};
  if (out_.fd < 0 && err_.fd < 0 && code_) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(std::max<long long>(0, left)));
  if (ready < 0) return errno == EINTR;
  if (ready == 0) return false;
  for (const auto& [stream, seen] : {std::pair(&out_, watched[0].revents), std::pair(&err_, watched[1].revents)}) {
    if (seen == 0) continue;
    std::array<char, 65536> part{};
    const ssize_t count = ::read(stream->fd, part.data(), part.size());
    if (count > 0) stream->text.append(part.data(), static_cast<std::size_t>(count));
    if (count == 0) ::close(std::exchange(stream->fd, -1));
  }
  if (watched[2].revents != 0) {
    int status = 0;
    if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return false;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  return true;
}

std::optional<std::string> Process::line(const std::function<bool(const std::string&)>& wanted, seconds within) {
  const Deadline deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    for (auto end = out_.text.find('\n', lines_taken_); end != std::string::npos; end = out_.text.find('\n', lines_taken_)) {
      const std::string next = out_.text.substr(lines_taken_, end - lines_taken_);
      lines_taken_ = end + 1;
      if (wanted(next)) return next;
    }
    if (!listen(deadline)) return std::nullopt;
  }
}

bool Process::says(const std::string& part, seconds within) {
  const Deadline deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    if (out_.text.find(part) != std::string::npos || err_.text.find(part) != std::string::npos) return true;
    if (!listen(deadline)) return false;
  }
}

void Process::signal(int number) const {
  REQUIRE_MESSAGE(pid_ > 0, "it has ended already\n" << story());
  REQUIRE(::kill(pid_, number) == 0);
}

bool Process::ended_within(std::chrono::milliseconds time) {
  const Deadline deadline = std::chrono::steady_clock::now() + time;
  while (listen(deadline)) {}
  return code_.has_value();
}

std::optional<int> Process::exit_code(seconds within) {
  const Deadline deadline = std::chrono::steady_clock::now() + within;
  while (listen(deadline)) {}
  return out_.fd < 0 && err_.fd < 0 ? code_ : std::nullopt;
}

std::string Process::story() const {
  std::string text = "\n--- ";
  for (const std::string& argument : arguments_) text += argument + " ";
  return text + "\n--- stdout\n" + out_.text + "--- stderr\n" + err_.text + (code_ ? "--- exit " + std::to_string(*code_) + "\n" : "");
}

Process finished(std::vector<std::string> arguments) {
  Process process(std::move(arguments));
  REQUIRE_MESSAGE(process.exit_code(), "it does not end\n" << process.story());
  return process;
}

}  // namespace dugnad::e2e
