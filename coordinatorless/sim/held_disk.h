// HeldDisk: what the steward of a simulated machine has on disk of others' jobs. A crash takes what was handed over within the last second.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/sim/event_queue.h"

namespace dugnad::sim {

class HeldDisk {
 public:
  void keep(core::KeepHeld&& keep, VirtualTime now);
  void drop(const JobId& job) { jobs_.erase(job); }
  void crash(VirtualTime now);
  /// For the next process.
  [[nodiscard]] core::HeldRestored read(VirtualTime now) const;

 private:
  struct Job {
    core::KeepHeld::Papers papers;
    VirtualTime heard{};
    std::deque<std::pair<VirtualTime, core::RecordEntry>> entries;
  };
  std::map<JobId, Job> jobs_;
};

}  // namespace dugnad::sim
