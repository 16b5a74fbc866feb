#include "worker/caged_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "worker/cage/limits.h"

namespace dugnad::worker {
namespace {

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int milliseconds_until(CagedProcess::Clock::time_point deadline) {
  if (deadline == CagedProcess::Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - CagedProcess::Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

}  // namespace

CagedProcess::CagedProcess(const SpawnedCage& spawned) : spawned_(spawned) {}

CagedProcess::~CagedProcess() {
  kill();
  ::close(spawned_.socket);
  ::close(spawned_.process);
}

void CagedProcess::kill() {
  gone_ = true;
  ::syscall(SYS_pidfd_send_signal, spawned_.process, SIGKILL, nullptr, 0);
}

Result<std::string> CagedProcess::hello() {
  cage::Frame frame;
  switch (wait(-1, Clock::now() + cage::limits::start_time, frame)) {
    case Event::frame: break;
    case Event::woken:
    case Event::late: return Error{"the cage did not come up in time"};
    case Event::gone: return Error{"the cage died while it was locked"};
  }
  if (frame.kind != cage::Kind::hello || frame.body.empty()) return Error{"the cage says something else than who it is"};
  std::string text = to_text(ByteView(frame.body).subspan(1));
  if (frame.body.front() != 1) return Error{std::move(text)};
  return text;
}

bool CagedProcess::at_rest() const {
  pollfd watched{spawned_.socket, POLLIN, 0};
  return !gone_ && sent() && ::poll(&watched, 1, 0) == 0;
}

bool CagedProcess::write_some() {
  while (!sent()) {
    const ssize_t written = ::send(spawned_.socket, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0) return would_block();
    sent_ += static_cast<std::size_t>(written);
  }
  out_.clear();
  sent_ = 0;
  return true;
}

bool CagedProcess::read_some() {
  std::array<std::uint8_t, 64 << 10> part;
  const ssize_t got = ::recv(spawned_.socket, part.data(), part.size(), 0);
  if (got < 0) return would_block();
  if (got == 0) return false;
  reader_.feed(ByteView(part).first(static_cast<std::size_t>(got)));
  return true;
}

CagedProcess::Event CagedProcess::wait(int wake, Clock::time_point deadline, cage::Frame& frame) {
  for (;;) {
    if (auto next = reader_.next()) {
      frame = *std::move(next);
      return Event::frame;
    }
    if (reader_.broken()) kill();
    if (gone_) return Event::gone;
    const short wanted = sent() ? POLLIN : POLLIN | POLLOUT;
    pollfd watched[] = {{spawned_.socket, wanted, 0}, {wake, POLLIN, 0}};
    const int ready = ::poll(watched, 2, milliseconds_until(deadline));
    if (ready == 0) return Event::late;
    if (ready < 0) continue;  // interrupted by a signal
    if ((watched[0].revents & POLLOUT) != 0 && !write_some()) gone_ = true;
    if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !read_some()) gone_ = true;
    if (watched[1].revents == 0) continue;
    // What has come whole is taken first. What has come in part is not waited for: it may never be finished.
    if (auto next = reader_.next()) {
      frame = *std::move(next);
      return Event::frame;
    }
    if (!reader_.broken() && !gone_) return Event::woken;
  }
}

}  // namespace dugnad::worker
