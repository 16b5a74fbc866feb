// ArenaThreads: N threads of a TBB arena, in SCHED_IDLE, each running one long function. The only part that knows TBB.
//
// Why one long function a thread, and not a TBB task an attempt: a slot then takes its next attempt, hands over results and sleeps on terms of its
// own, where TBB's idle workers spin, and an attempt costs no task.
#pragma once

#include <functional>
#include <memory>

namespace dugnad::worker {

class ArenaThreads {
 public:
  /// Starts `body(0)` ... `body(count - 1)`, each on a thread of its own.
  ArenaThreads(unsigned count, std::function<void(unsigned)> body);
  /// Waits until every body has returned.
  ~ArenaThreads();
  ArenaThreads(const ArenaThreads&) = delete;
  ArenaThreads& operator=(const ArenaThreads&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::worker
