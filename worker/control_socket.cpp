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

constexpr int backlog = 16;

/// nullopt where the path is too long for a socket (107 bytes).
std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

std::string cannot(const std::string& what, const std::string& path, const std::string& reason) {
  return "cannot " + what + " the control socket " + path + ": " + reason;
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

bool send_all(int fd, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t some = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) return false;
    sent += static_cast<std::size_t>(some);
  }
  return true;
}

/// Without its break; nullopt where none comes in time, or it is too long.
std::optional<std::string> receive_line(int fd) {
  std::string line;
  char part[4096];
  while (line.size() < control_answer_max) {
    const ssize_t got = ::recv(fd, part, sizeof part, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    line.append(part, static_cast<std::size_t>(got));
    if (line.back() != '\n') continue;
    line.pop_back();
    return line;
  }
  return std::nullopt;
}

}  // namespace

std::string control_path(const std::string& data_dir) { return data_dir + "/control.sock"; }

bool is_trusted_end(int fd) {
  ucred end{};
  socklen_t size = sizeof end;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &end, &size) == 0 && (end.uid == ::geteuid() || end.uid == 0);
}

Result<ControlSocket> ControlSocket::open(const std::string& path) {
  const auto refuse = [&](const std::string& reason) { return Error{cannot("make", path, reason)}; };
  const auto address = address_of(path);
  if (!address) return refuse("the path is too long; choose a shorter data directory");
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return refuse("something else is in its place; move it away");
    ::unlink(path.c_str());
  }
  Socket socket(SOCK_NONBLOCK);
  // The file takes the socket's own mode, so that there is no moment at which others could connect.
  if (socket.get() < 0 || ::fchmod(socket.get(), 0600) != 0) return refuse(std::strerror(errno));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) return refuse(std::strerror(errno));
  if (::listen(socket.get(), backlog) != 0) {
    const std::string reason = std::strerror(errno);
    ::unlink(path.c_str());
    return refuse(reason);
  }
  return ControlSocket(socket.release(), path);
}

ControlSocket::ControlSocket(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

ControlSocket::ControlSocket(ControlSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

ControlSocket::~ControlSocket() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

Asked ask(const std::string& path, const ControlRequest& request, std::chrono::milliseconds patience) {
  const auto trouble = [&](const std::string& reason) { return Asked{{}, NotAsked::trouble, cannot("ask", path, reason)}; };
  const auto address = address_of(path);
  if (!address) return trouble("the path is too long; choose a shorter data directory");
  Socket socket(0);
  const timeval time{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);  // for connect() too
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == ENOENT) return {{}, NotAsked::nobody, "nobody listens at " + path};
    if (errno == ECONNREFUSED) return {{}, NotAsked::stale, "nobody listens at " + path + " any more"};
    return trouble(std::strerror(errno));
  }
  if (!is_trusted_end(socket.get())) return trouble("it is another user's");
  if (!send_all(socket.get(), encode(request))) return trouble("it takes no question");
  const auto line = receive_line(socket.get());
  if (!line) return trouble("no answer");
  auto answer = decode_answer(*line);
  if (!answer) return trouble(answer.error().message);
  return {*std::move(answer), NotAsked::nobody, {}};
}

Result<std::string> ask_contact(const std::string& data_dir) {
  const std::string path = control_path(data_dir);
  const Asked asked = ask(path, {"contact"}, std::chrono::seconds(1));
  if (asked.answer && asked.answer->ok) return asked.answer->text;
  if (asked.answer) return Error{cannot("ask", path, asked.answer->text)};
  if (asked.why_not == NotAsked::trouble) return Error{asked.reason};
  return Error{"no worker is running in this data directory (" + path + ")"};
}

}  // namespace dugnad::worker
