#include "worker/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "worker/cage/launcher_wire.h"
#include "worker/cage/limits.h"
#include "worker/caged_process.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

constexpr int patience_at_end_ms = 2000;
constexpr auto restart_patience = std::chrono::seconds(2);   // a start takes milliseconds
constexpr auto lived_long = std::chrono::seconds(10);        // its death is then an accident, and it is back at once
constexpr auto first_pause = std::chrono::milliseconds(100);  // else doubling, up to
constexpr auto longest_pause = std::chrono::minutes(1);

std::string own_directory() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return {};
  path.resize(static_cast<std::size_t>(length));
  return path.substr(0, path.rfind('/'));
}

Error failed(const std::string& what) { return Error{what + ": " + std::strerror(errno)}; }

/// In the child, where only system calls are safe.
[[noreturn]] void become_launcher(const char* program, char* const* arguments, int socket) {
  char* const environment[] = {nullptr};
  const int copy = ::fcntl(socket, F_DUPFD, 16);
  if (copy < 0 || ::dup2(copy, cage::launcher_socket) < 0) ::_exit(1);
  ::syscall(SYS_close_range, static_cast<unsigned>(cage::launcher_socket) + 1, ~0U, 0U);
  if (::chdir("/") != 0) ::_exit(1);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // the keeper has all of them blocked
  ::execve(program, arguments, environment);
  ::_exit(127);
}

}  // namespace

Result<Launcher::Programs> Launcher::find_programs() {
  std::vector<std::string> places;
  if (const char* told = std::getenv("DUGNAD_LIBEXEC"); told != nullptr && *told != '\0') places.emplace_back(told);
  places.push_back(own_directory());
  places.push_back(own_directory() + "/" DUGNAD_LIBEXEC_FROM_BIN);
  places.emplace_back(DUGNAD_LIBEXEC_DIR);
  for (const std::string& place : places) {
    const Programs found{place + "/dugnad-launcher", place + "/dugnad-cage"};
    if (::access(found.launcher.c_str(), X_OK) == 0 && ::access(found.cage.c_str(), X_OK) == 0) return found;
  }
  return Error{"dugnad-launcher and dugnad-cage are neither beside this program nor in " DUGNAD_LIBEXEC_FROM_BIN " from there nor in "
               DUGNAD_LIBEXEC_DIR};
}

Result<std::unique_ptr<Launcher>> Launcher::start() {
  auto programs = find_programs();
  if (!programs) return programs.error();
  std::unique_ptr<Launcher> launcher(new Launcher(*std::move(programs)));
  auto running = launcher->run();
  if (!running) return running.error();
  launcher->running_ = *running;
  const SignalsBlocked blocked;
  launcher->keeper_ = std::thread([&launcher = *launcher] { launcher.keep(); });
  return launcher;
}

Launcher::Launcher(Programs programs) : programs_(std::move(programs)), end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  DUGNAD_ASSERT(end_ >= 0, "no descriptor to end the launcher's keeper with");
}

Launcher::~Launcher() {
  (void)::eventfd_write(end_, 1);
  if (keeper_.joinable()) keeper_.join();
  ::close(end_);
  if (running_.socket < 0) return;
  ::close(running_.socket);
  // It ends with its socket, after its cages; one that is stopped is not waited for.
  pollfd ends{running_.process, POLLIN, 0};
  while (::poll(&ends, 1, patience_at_end_ms) < 0 && errno == EINTR) {}
  if (ends.revents == 0) ::syscall(SYS_pidfd_send_signal, running_.process, SIGKILL, nullptr, 0);
  ::close(running_.process);
  while (::waitpid(running_.id, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<Launcher::Running> Launcher::run() const {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return failed("no socket for the launcher");
  // One that is stopped or hangs must not take the slots along.
  constexpr timeval answers_within{.tv_sec = 5, .tv_usec = 0};  // all it does is to fork
  ::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &answers_within, sizeof answers_within);
  // Nothing is allocated in the child: another thread may have held the heap.
  std::string launcher = programs_.launcher, cage = programs_.cage;
  char* const arguments[] = {launcher.data(), cage.data(), nullptr};
  const pid_t child = ::fork();
  if (child == 0) become_launcher(launcher.c_str(), arguments, pair[1]);
  const int process = child < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  auto error = failed("cannot start dugnad-launcher");
  ::close(pair[1]);
  if (process >= 0) return Running{pair[0], process, child, Clock::now()};
  ::close(pair[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);  // it goes with its socket
  return error;
}

// --- The keeper's thread ---

void Launcher::keep() {
  for (;;) {
    pollfd watched[] = {{running_.process, POLLIN, 0}, {end_, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) return;
    {
      const Lock lock(mutex_);
      ::close(running_.socket);
      ::close(running_.process);
      while (::waitpid(running_.id, nullptr, 0) < 0 && errno == EINTR) {}
      pause_ = Clock::now() - running_.since >= lived_long ? std::chrono::milliseconds{} : std::clamp<std::chrono::milliseconds>(
                   2 * pause_, first_pause, longest_pause);
      running_ = {};
    }
    for (bool back = false; !back;) {
      if (!sleep_before_restart()) return;
      auto again = run();
      const Lock lock(mutex_);
      if (again) running_ = *again;
      else pause_ = longest_pause;
      back = again.ok();
      back_.notify_all();
    }
  }
}

/// False where there is to be no restart any more.
bool Launcher::sleep_before_restart() {
  std::function<void(const std::string&)> tell;
  std::chrono::milliseconds pause{};
  {
    const Lock lock(mutex_);
    tell = tell_;
    pause = pause_;
  }
  if (tell) {
    tell("dugnad-launcher died, and its cages with it; it is started again" +
         (pause > first_pause ? " in " + std::to_string(pause.count()) + " ms" : std::string()));
  }
  pollfd watched{end_, POLLIN, 0};
  while (::poll(&watched, 1, static_cast<int>(pause.count())) < 0) {}
  return watched.revents == 0;
}

// --- Any thread ---

void Launcher::on_death(std::function<void(const std::string&)> tell) {
  const Lock lock(mutex_);
  tell_ = std::move(tell);
}

Result<SpawnedCage> Launcher::spawn(std::uint64_t data_bytes) {
  Lock lock(mutex_);
  for (int tries = 0, gone = -1; tries < 2; ++tries) {
    if (!back_.wait_for(lock, restart_patience, [&] { return running_.socket >= 0 && running_.id != gone; })) break;
    if (auto answer = ask(data_bytes)) return *std::move(answer);
    // Dead, or as good as: the keeper hears of it.
    gone = running_.id;
    ::syscall(SYS_pidfd_send_signal, running_.process, SIGKILL, nullptr, 0);
  }
  return Error{"dugnad-launcher died and is not back yet"};
}

std::optional<Result<SpawnedCage>> Launcher::ask(std::uint64_t data_bytes) {
  const cage::SpawnRequest request{data_bytes};
  if (::send(running_.socket, &request, sizeof request, MSG_NOSIGNAL) != sizeof request) return std::nullopt;
  cage::SpawnAnswer answer;
  iovec part{&answer, sizeof answer};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = ::recvmsg(running_.socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
  if (got != sizeof answer) return std::nullopt;
  if (answer.error != 0) return Error{std::string("cannot start a cage: ") + std::strerror(answer.error)};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(2 * sizeof(int))) {
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(header), sizeof one);
      ::close(one);  // the socket, whose end the cage takes for its own
    }
    return Error{"no descriptors are left for a cage"};
  }
  int descriptors[2];
  std::memcpy(descriptors, CMSG_DATA(header), sizeof descriptors);
  ::fcntl(descriptors[0], F_SETFL, O_NONBLOCK);
  return SpawnedCage{descriptors[0], descriptors[1]};
}

Result<std::string> Launcher::check() {
  auto spawned = spawn(cage::limits::headroom_bytes);
  if (!spawned) return spawned.error();
  return CagedProcess(*spawned).hello();
}

}  // namespace dugnad::worker
