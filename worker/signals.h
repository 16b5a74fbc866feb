// Which signals a thread takes. A program's threads inherit the mask, so whoever starts one blocks signals around it, and the program's own
// first thread stays the one that they come to.
#pragma once

#include <signal.h>

namespace dugnad::worker {

/// Blocks every signal for the calling thread, and for the threads that it starts, as long as it lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace dugnad::worker
