// Watchdog: a thread that looks after something at the times it was told, and sleeps in between: for ever while there are none.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "worker/slot.h"

namespace dugnad::worker {

class Watchdog {
 public:
  /// `look` does what is due, on the watchdog's thread, and returns when something will be next.
  explicit Watchdog(std::function<SlotTime(SlotTime now)> look);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Makes it look at `time` at the latest. From any thread, with the reason written where `look` finds it already: the watchdog forgets its
  /// next look before it looks, so either it sees the reason or this sees that it has to be told.
  void look_by(SlotTime time);

 private:
  void watch();

  const std::function<SlotTime(SlotTime)> look_;
  // Written under mutex_; next_look_ is read without.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<SlotTime> next_look_{no_time};
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace dugnad::worker
