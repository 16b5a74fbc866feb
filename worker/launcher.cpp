#include "worker/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "worker/cage/launcher_wire.h"
#include "worker/cage/limits.h"
#include "worker/caged_process.h"

namespace dugnad::worker {
namespace {

struct Programs {
  std::string launcher;
  std::string cage;
};

std::string own_directory() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return {};
  path.resize(static_cast<std::size_t>(length));
  return path.substr(0, path.rfind('/'));
}

Result<Programs> find_programs() {
  std::vector<std::string> places;
  if (const char* told = std::getenv("DUGNAD_LIBEXEC"); told != nullptr && *told != '\0') places.emplace_back(told);
  places.push_back(own_directory());
  places.emplace_back(DUGNAD_LIBEXEC_DIR);
  for (const std::string& place : places) {
    const Programs found{place + "/dugnad-launcher", place + "/dugnad-cage"};
    if (::access(found.launcher.c_str(), X_OK) == 0 && ::access(found.cage.c_str(), X_OK) == 0) return found;
  }
  return Error{"dugnad-launcher and dugnad-cage are neither beside this program nor in " DUGNAD_LIBEXEC_DIR};
}

Error failed(const std::string& what) { return Error{what + ": " + std::strerror(errno)}; }

/// In the child, where only system calls are safe.
[[noreturn]] void become_launcher(const char* program, char* const* arguments, int socket) {
  char* const environment[] = {nullptr};
  const int copy = ::fcntl(socket, F_DUPFD, 16);
  if (copy < 0 || ::dup2(copy, cage::launcher_socket) < 0) ::_exit(1);
  ::syscall(SYS_close_range, static_cast<unsigned>(cage::launcher_socket) + 1, ~0U, 0U);
  if (::chdir("/") != 0) ::_exit(1);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<Launcher>> Launcher::start() {
  auto programs = find_programs();
  if (!programs) return programs.error();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return failed("no socket for the launcher");
  char* const arguments[] = {programs->launcher.data(), programs->cage.data(), nullptr};
  const pid_t child = ::fork();
  if (child == 0) become_launcher(programs->launcher.c_str(), arguments, pair[1]);
  ::close(pair[1]);
  if (child < 0) {
    ::close(pair[0]);
    return failed("cannot start dugnad-launcher");
  }
  return std::unique_ptr<Launcher>(new Launcher(pair[0], child));
}

Launcher::~Launcher() {
  ::close(socket_);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<SpawnedCage> Launcher::spawn(std::uint64_t data_bytes) {
  const std::lock_guard lock(mutex_);
  const cage::SpawnRequest request{data_bytes};
  if (::send(socket_, &request, sizeof request, MSG_NOSIGNAL) != sizeof request) return failed("dugnad-launcher is gone");
  cage::SpawnAnswer answer;
  iovec part{&answer, sizeof answer};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
  if (got != sizeof answer) return failed("dugnad-launcher is gone");
  if (answer.error != 0) return Error{std::string("cannot start a cage: ") + std::strerror(answer.error)};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(2 * sizeof(int))) {
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
