// A unit of known cost. Its CPU time and not the clock's, so that whatever interrupts it counts as loss.
#pragma once

#include <time.h>

#include <chrono>

namespace dugnad::bench {

/// Asked now and then only, since asking is a system call.
inline void spin(std::chrono::nanoseconds cost) {
  const auto cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto end = cpu() + cost;
  while (cpu() < end) {
    volatile unsigned somewhere = 0;
    for (unsigned i = 0; i < 1000; ++i) somewhere = i;
    (void)somewhere;
  }
}

}  // namespace dugnad::bench
