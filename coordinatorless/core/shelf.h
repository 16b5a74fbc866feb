// Shelf: jobs put away for a while: those that a donor has tried to serve and could not, or that it was sent away from.
#pragma once

#include <algorithm>
#include <map>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

class Shelf {
 public:
  void put(const JobId& job, BootTime until) {
    if (until_.size() == limits::jobs_shelved_max) {
      until_.erase(std::min_element(until_.begin(), until_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
    until_[job] = until;
  }
  /// Forgets what has been there long enough.
  [[nodiscard]] bool holds(const JobId& job, BootTime now) {
    const auto at = until_.find(job);
    if (at == until_.end()) return false;
    if (at->second > now) return true;
    until_.erase(at);
    return false;
  }

  /// The same, and it is no more there.
  [[nodiscard]] bool take(const JobId& job, BootTime now) {
    const bool held = holds(job, now);
    until_.erase(job);
    return held;
  }

 private:
  std::map<JobId, BootTime> until_;
};

}  // namespace dugnad::core
