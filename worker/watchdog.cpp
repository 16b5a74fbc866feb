#include "worker/watchdog.h"

#include <algorithm>
#include <utility>

namespace dugnad::worker {

Watchdog::Watchdog(std::function<SlotTime(SlotTime)> look) : look_(std::move(look)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::look_by(SlotTime time) {
  if (time >= next_look_.load()) return;
  {
    const std::lock_guard lock(mutex_);
    if (time >= next_look_.load()) return;
    next_look_.store(time);
  }
  changed_.notify_one();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const SlotTime next = next_look_.load();
    if (next == no_time) {
      changed_.wait(lock);
    } else if (SlotClock::now() < next) {
      changed_.wait_until(lock, next);
    } else {
      next_look_.store(no_time);
      lock.unlock();
      const SlotTime found = look_(SlotClock::now());
      lock.lock();
      next_look_.store(std::min(found, next_look_.load()));
    }
  }
}

}  // namespace dugnad::worker
