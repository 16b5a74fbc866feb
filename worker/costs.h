// Costs: what an attempt of each task costs, as measured: raised at once and lowered slowly, for a slot that takes too many attempts holds them up.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "tasks/task.h"

namespace dugnad::worker {

class Costs {
 public:
  struct Sample {
    const tasks::RunUnit* run;
    std::uint64_t attempts;
    Duration spent;
  };

  void learn(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) {
      const Duration cost = sample.spent / sample.attempts;
      const auto known = find(sample.run);
      if (known == known_.end()) known_.emplace_back(sample.run, cost);
      else known->second = std::max(cost, (known->second * 3 + cost) / 4);
    }
  }
  [[nodiscard]] std::optional<Duration> of(const tasks::RunUnit* run) {
    const auto known = find(run);
    return known == known_.end() ? std::nullopt : std::optional(known->second);
  }

 private:
  using Known = std::vector<std::pair<const tasks::RunUnit*, Duration>>;  // as many as the program has tasks: a handful
  Known::iterator find(const tasks::RunUnit* run) {
    return std::find_if(known_.begin(), known_.end(), [run](const auto& entry) { return entry.first == run; });
  }
  Known known_;
};

}  // namespace dugnad::worker
