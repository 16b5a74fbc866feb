// Shelf: jobs that this donor has tried to serve and could not; for a while it does not try again.
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

 private:
  std::map<JobId, BootTime> until_;
};

}  // namespace dugnad::core
