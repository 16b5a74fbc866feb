#include "sdk/cli/interrupts.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "coordinatorless/base/panic.h"
#include "sdk/cli/exit_code.h"

namespace dugnad::sdk::cli {

Interrupts::Interrupts(std::function<void()> told) : told_(std::move(told)) {
  sigset_t stopping;
  sigemptyset(&stopping);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stopping, signal);
  // Blocked for good: who gets a signal while the program is leaving has waited long enough to be answered by its end.
  pthread_sigmask(SIG_BLOCK, &stopping, nullptr);
  signals_ = ::signalfd(-1, &stopping, SFD_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  DUGNAD_ASSERT(signals_ >= 0 && stop_ >= 0, "no descriptors to take signals with");
  watcher_ = std::thread([this] { watch(); });
}

Interrupts::~Interrupts() {
  (void)::eventfd_write(stop_, 1);
  watcher_.join();
  ::close(signals_);
  ::close(stop_);
}

void Interrupts::watch() const {
  for (bool told = false;; told = true) {
    pollfd watched[] = {{stop_, POLLIN, 0}, {signals_, POLLIN, 0}};
    while (::poll(watched, 2, -1) < 0) {}
    if (watched[0].revents != 0) return;
    signalfd_siginfo info;
    (void)!::read(signals_, &info, sizeof info);
    if (told) ::_exit(static_cast<int>(ExitCode::interrupted));
    told_();
  }
}

}  // namespace dugnad::sdk::cli
