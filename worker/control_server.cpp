#include "worker/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

constexpr auto descriptors_pause = std::chrono::seconds(1);

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& path, ControlHandler handler, ControlLimits limits) {
  auto socket = ControlSocket::open(path);
  if (!socket) return socket.error();
  return std::unique_ptr<ControlServer>(new ControlServer(*std::move(socket), std::move(handler), limits));
}

ControlServer::ControlServer(ControlSocket socket, ControlHandler handler, ControlLimits limits)
    : handler_(std::move(handler)), limits_(limits), stop_(::eventfd(0, EFD_CLOEXEC)), socket_(std::move(socket)) {
  DUGNAD_ASSERT(stop_ >= 0, "no descriptor to stop the control socket's thread with");
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

ControlServer::~ControlServer() {
  (void)::eventfd_write(stop_, 1);
  thread_.join();
  for (const Connection& connection : connections_) ::close(connection.fd);
  ::close(stop_);
}

void ControlServer::run() {
  std::vector<pollfd> watched;
  for (;;) {
    const bool accepting = connections_.size() < limits_.connections_max && Clock::now() >= accept_from_;
    // poll() passes over negative descriptors.
    watched.assign({{stop_, POLLIN, 0}, {accepting ? socket_.descriptor() : -1, POLLIN, 0}});
    for (const Connection& connection : connections_) {
      watched.push_back({connection.fd, static_cast<short>(connection.answer.empty() ? POLLIN : POLLOUT), 0});
    }
    if (::poll(watched.data(), watched.size(), milliseconds_left()) < 0) continue;
    if (watched[0].revents != 0) return;
    const auto now = Clock::now();
    std::size_t at = 2;
    std::erase_if(connections_, [&](Connection& connection) {
      const short happened = watched[at++].revents;
      bool goes_on = now < connection.until;
      if (goes_on && happened != 0) goes_on = connection.answer.empty() ? read(connection) : write(connection);
      if (!goes_on) ::close(connection.fd);
      return !goes_on;
    });
    if (watched[1].revents != 0) accept_all();
  }
}

int ControlServer::milliseconds_left() const {
  auto next = Clock::time_point::max();
  if (accept_from_ > Clock::now()) next = accept_from_;
  for (const Connection& connection : connections_) next = std::min(next, connection.until);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void ControlServer::accept_all() {
  while (connections_.size() < limits_.connections_max) {
    const int fd = ::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (!would_block()) accept_from_ = Clock::now() + descriptors_pause;  // else the socket would stay readable, and this thread awake
      return;
    }
    if (!is_trusted_end(fd)) {
      ::close(fd);
      continue;
    }
    connections_.push_back({.fd = fd, .until = Clock::now() + limits_.patience});
  }
}

bool ControlServer::read(Connection& connection) const {
  char part[control_request_max];
  const ssize_t got = ::recv(connection.fd, part, sizeof part, 0);
  if (got < 0) return errno == EINTR || would_block();
  if (got == 0) return false;  // gone, with half a question at most
  connection.question.append(part, static_cast<std::size_t>(got));
  const std::size_t end = connection.question.find('\n');
  if (end == connection.question.npos && connection.question.size() < control_request_max) return true;
  if (end == connection.question.npos || end >= control_request_max) {
    connection.answer = encode(ControlAnswer{false, "a question has at most " + std::to_string(control_request_max) + " bytes"});
  } else {
    const auto request = decode_request(std::string_view(connection.question).substr(0, end));
    connection.answer = encode(request ? handler_(*request) : ControlAnswer{false, request.error().message});
  }
  return write(connection);
}

bool ControlServer::write(Connection& connection) {
  const ssize_t sent = ::send(connection.fd, connection.answer.data(), connection.answer.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EINTR || would_block();
  connection.answer.erase(0, static_cast<std::size_t>(sent));
  return !connection.answer.empty();
}

}  // namespace dugnad::worker
