// dugnad-launcher: starts cages for a worker. It is exec'd early, with one descriptor and nothing else of the worker's, has one thread and no
// library but the C one, so that a cage inherits nothing: no socket, no key, no memory. It ends, and its cages with it, when the worker does.
//   dugnad-launcher PATH_OF_CAGE       descriptor 3 is the worker
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "worker/cage/launcher_wire.h"

namespace dugnad::worker::cage {
namespace {

std::vector<pid_t> cages;

/// Where the machine runs out of memory, a stranger's program goes before anything of its owner's. A kernel without the file has no such order.
void go_first() {
  const int order = ::open("/proc/self/oom_score_adj", O_WRONLY);
  if (order < 0) return;
  constexpr char first[] = "1000";
  (void)!::write(order, first, sizeof first - 1);
  ::close(order);
}

[[noreturn]] void become_cage(const char* program, int socket, std::uint64_t data_bytes, pid_t launcher) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != launcher) ::_exit(1);  // it died before it could have been heard
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  go_first();
  const rlimit data{data_bytes, data_bytes};
  const int null = ::open("/dev/null", O_RDWR);
  if (::setrlimit(RLIMIT_DATA, &data) != 0 || null < 0) ::_exit(1);
  // The socket may have any number, 3 included; what it is copied to stays open on exec.
  const int copy = ::fcntl(socket, F_DUPFD, 16);
  if (copy < 0 || ::dup2(null, 0) < 0 || ::dup2(null, 1) < 0 || ::dup2(null, 2) < 0 || ::dup2(copy, cage_socket) < 0) ::_exit(1);
  ::syscall(SYS_close_range, static_cast<unsigned>(cage_socket) + 1, ~0U, 0U);
  char name[] = "dugnad-cage";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  ::execve(program, arguments, environment);
  ::_exit(127);
}

/// Sends the answer; `descriptors` travel with it.
bool answer(int error, const int* descriptors, std::size_t count) {
  SpawnAnswer said{error};
  iovec part{&said, sizeof said};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  }
  return ::sendmsg(launcher_socket, &message, MSG_NOSIGNAL) == sizeof said;
}

bool spawn(const char* program, const SpawnRequest& request) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return answer(errno, nullptr, 0);
  const pid_t launcher = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become_cage(program, pair[1], request.data_bytes, launcher);
  int error = child < 0 ? errno : 0;
  ::close(pair[1]);
  int handle = -1;
  if (child > 0) {
    cages.push_back(child);
    handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (handle < 0) {
      error = errno;
      ::kill(child, SIGKILL);
    }
  }
  const int descriptors[] = {pair[0], handle};
  const bool said = error == 0 ? answer(0, descriptors, 2) : answer(error, nullptr, 0);
  ::close(pair[0]);
  if (handle >= 0) ::close(handle);
  return said;
}

void reap() {
  while (true) {
    const pid_t gone = ::waitpid(-1, nullptr, WNOHANG);
    if (gone <= 0) return;
    std::erase(cages, gone);
  }
}

int serve(const char* program) {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  // A signal from the terminal is the worker's affair: its end is ours.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);  // which may come ignored, and then no child's end would be told
  ::sigprocmask(SIG_BLOCK, &children, nullptr);
  const int deaths = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (deaths < 0 || ::fcntl(launcher_socket, F_SETFD, FD_CLOEXEC) != 0) return 1;
  for (;;) {
    pollfd watched[] = {{launcher_socket, POLLIN, 0}, {deaths, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) break;
    signalfd_siginfo ignored;
    while (::read(deaths, &ignored, sizeof ignored) > 0) {}
    reap();
    if (watched[0].revents == 0) continue;
    SpawnRequest request;
    const ssize_t got = ::recv(launcher_socket, &request, sizeof request, 0);
    if (got != sizeof request || !spawn(program, request)) break;
  }
  for (const pid_t cage : cages) ::kill(cage, SIGKILL);
  return 0;
}

}  // namespace
}  // namespace dugnad::worker::cage

int main(int count, char** arguments) { return count == 2 ? dugnad::worker::cage::serve(arguments[1]) : 2; }
