#include "worker/cage/outgoing.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "worker/cage/limits.h"

namespace dugnad::worker::cage {
namespace {

Outgoing* the_one = nullptr;

// The signal's handler and the rest of the one thread. While the rest is at the gathered bytes the handler only says that it was there.
volatile sig_atomic_t at_work = 0;
volatile sig_atomic_t timer_came = 0;

}  // namespace

Outgoing::Outgoing(int socket) : socket_(socket) {
  the_one = this;
  struct sigaction action = {};
  action.sa_handler = on_timer;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGALRM, &action, nullptr);
}

void Outgoing::add(Kind kind, ByteView head, ByteView tail) {
  at_work = 1;
  const bool first = gathered_.empty();
  append_frame(gathered_, kind, head, tail);
  at_work = 0;
  if (timer_came != 0 || gathered_.size() >= limits::gathered_bytes_max) return flush();
  if (!first) return;
  const itimerval once{{0, 0}, {0, limits::gather_time.count()}};
  if (::setitimer(ITIMER_REAL, &once, nullptr) != 0) flush();
}

void Outgoing::flush() {
  at_work = 1;
  for (std::size_t at = 0; at < gathered_.size();) {
    const ssize_t written = ::write(socket_, gathered_.data() + at, gathered_.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);
    at += static_cast<std::size_t>(written);
  }
  if (gathered_.capacity() > 2 * limits::gathered_bytes_max) Bytes().swap(gathered_);  // what a large output left behind
  else gathered_.clear();
  timer_came = 0;
  at_work = 0;
}

void Outgoing::on_timer(int) {
  const int before = errno;
  if (at_work != 0) timer_came = 1;
  else if (!the_one->gathered_.empty()) the_one->flush();
  errno = before;
}

}  // namespace dugnad::worker::cage
