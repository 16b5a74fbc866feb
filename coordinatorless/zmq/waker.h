// Waker: ends the sleep of one thread from others. A descriptor to sleep on, written only where that thread sleeps or is about to: a wake-up of
// a thread that is awake costs no system call.
//
//   sleeper:  waker.drowse(); if (nothing to do) sleep until waker.descriptor() is readable; waker.rise();
//   others:   make something to do; waker.wake();
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "coordinatorless/base/panic.h"

namespace dugnad::zmq {

class Waker {
 public:
  Waker() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { DUGNAD_ASSERT(descriptor_ >= 0, std::strerror(errno)); }
  ~Waker() { close(descriptor_); }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  // Sequentially consistent on both sides: either the sleeper sees what was made, or the other sees that it drowses.
  void drowse() { drowsy_.store(true); }
  void rise() {
    if (drowsy_.exchange(false)) return;  // nobody woke us
    std::uint64_t count;
    [[maybe_unused]] const auto got = read(descriptor_, &count, sizeof count);
  }
  void wake() {
    if (!drowsy_.exchange(false)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = write(descriptor_, &one, sizeof one);
  }

 private:
  int descriptor_;
  std::atomic<bool> drowsy_{false};
};

}  // namespace dugnad::zmq
