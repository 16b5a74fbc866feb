#include "worker/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace dugnad::worker {
namespace {

constexpr std::size_t answer_max = 4096;
constexpr timeval patience{.tv_sec = 1, .tv_usec = 0};

/// nullopt where the path is too long for a socket (107 bytes).
std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Error cannot(const std::string& what, const std::string& path, const std::string& reason) {
  return {"cannot " + what + " the control socket " + path + ": " + reason};
}

/// Closes itself.
class Socket {
 public:
  explicit Socket(int type) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | type, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace

std::string control_path(const std::string& data_dir) { return data_dir + "/control.sock"; }

Result<ControlSocket> ControlSocket::open(const std::string& path, std::string answer) {
  const auto address = address_of(path);
  if (!address) return cannot("make", path, "the path is too long; choose a shorter data directory");
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return cannot("make", path, "something else is in its place; move it away");
    ::unlink(path.c_str());
  }
  Socket socket(SOCK_NONBLOCK);
  // Bound under a mask, since between bind() and chmod() others could connect.
  const mode_t mask = ::umask(0177);
  const bool bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  const int error = errno;
  ::umask(mask);
  if (!bound) return cannot("make", path, std::strerror(error));
  if (::listen(socket.get(), 16) != 0) return cannot("make", path, std::strerror(errno));
  return ControlSocket(socket.release(), path, std::move(answer));
}

ControlSocket::ControlSocket(int fd, std::string path, std::string answer)
    : fd_(fd), path_(std::move(path)), answer_(std::move(answer) + "\n") {}

ControlSocket::ControlSocket(ControlSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), answer_(std::move(other.answer_)) {}

ControlSocket::~ControlSocket() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

bool ControlSocket::serve() {
  for (;;) {
    const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    (void)::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);  // a fresh socket's buffer takes far more than a line
    ::close(client);
  }
}

Result<std::string> ask(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return cannot("ask", path, "the path is too long");
  Socket socket(0);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // for connect()
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return Error{"no worker is running in this data directory (" + path + ")"};
    return cannot("ask", path, std::strerror(errno));
  }
  std::string answer;
  char part[512];
  while (answer.size() < answer_max) {
    const ssize_t got = ::recv(socket.get(), part, sizeof part, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("ask", path, "no answer");
    if (got == 0) break;
    answer.append(part, static_cast<std::size_t>(got));
    if (answer.back() == '\n') break;
  }
  if (answer.empty() || answer.back() != '\n') return cannot("ask", path, "no answer");
  answer.pop_back();
  return answer;
}

}  // namespace dugnad::worker
