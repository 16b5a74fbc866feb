// Slot: one place at which one attempt runs at a time, and what each thread may touch of it. The executor's own part.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "worker/cage_slot.h"
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

  // Made by its own thread with the mutex held; stop() is for any thread.
  std::unique_ptr<CageSlot> cage;

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
  std::vector<AttemptId> caged;    // the batch that the cage was given, in order; empty while none is
  std::size_t caged_at = 0;        // of it, the one that runs
  std::vector<AttemptId> dropped;  // of it, not wanted any more before they ran
  std::vector<FinishedAttempt> finished;
  SlotTime finished_since;  // when the first of `finished` was

  void tell_to_stop(Stop why, SlotTime grace_ends) {
    if (!running || stop != Stop::none) return;
    stop = why;
    due = grace_ends;
    stop_requested.store(true, std::memory_order_relaxed);
    if (!caged.empty()) cage->stop(caged_at);
  }

  /// Why its attempt is complained of.
  [[nodiscard]] std::string complaint(Duration grace) const {
    char text[128];
    if (stop == Stop::overrun) {
      std::snprintf(text, sizeof text, "ignored its stop token for %g s after its time limit of %g s", seconds_of(grace), seconds_of(limit));
    } else {
      std::snprintf(text, sizeof text, "ignored its stop token for %g s after it was cancelled", seconds_of(grace));
    }
    return text;
  }

  void put(FinishedAttempt attempt, SlotTime end) {
    if (finished.empty()) finished_since = end;
    finished.push_back(std::move(attempt));
  }

  /// The next of the batch in the cage begins.
  void begin_caged(std::size_t at, SlotTime overrun, SlotTime grace_ends) {
    caged_at = at;
    id = caged[at];
    running = true;
    stop = Stop::none;
    stop_requested.store(false, std::memory_order_relaxed);
    due = overrun;
    if (std::find(dropped.begin(), dropped.end(), id) != dropped.end()) tell_to_stop(Stop::cancelled, grace_ends);
  }
};

}  // namespace dugnad::worker
