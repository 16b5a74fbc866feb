// Slot: one place at which one attempt runs at a time, and what each thread may touch of it. The executor's own part.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "worker/costs.h"
#include "worker/executor.h"
#include "worker/run_attempt.h"

namespace dugnad::worker {

using SlotClock = std::chrono::steady_clock;
using SlotTime = SlotClock::time_point;
inline constexpr SlotTime no_time = SlotTime::max();

struct alignas(64) Slot {
  // Its own thread.
  std::vector<Costs::Sample> samples;

  // Set with the mutex held, read by the attempt.
  std::atomic<bool> stop_requested{false};

  std::mutex mutex;
  // Guarded by the mutex. Who moves attempts from place to place also holds the executor's, so that cancel() finds each in one of them.
  std::vector<Attempt> taken;  // the next one at the back
  bool running = false;
  AttemptId id;
  Duration limit{};
  Stop stop = Stop::none;
  SlotTime due = no_time;  // of the running attempt: the end of its time, and once it was told to stop, the end of its grace
  std::vector<FinishedAttempt> finished;
  SlotTime finished_since;  // when the first of `finished` was

  void tell_to_stop(Stop why, SlotTime grace_ends) {
    if (!running || stop != Stop::none) return;
    stop = why;
    due = grace_ends;
    stop_requested.store(true, std::memory_order_relaxed);
  }
};

}  // namespace dugnad::worker
