// Costs: what an attempt of each program costs, a built-in task or a guest, as measured: raised at once and lowered slowly, for a slot that takes
// too many attempts holds them up. Programs are told apart by their address alone, which is never looked behind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"

namespace dugnad::worker {

class Costs {
 public:
  struct Sample {
    const void* program;
    std::uint64_t attempts;
    Duration spent;
  };

  void learn(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) {
      const Duration cost = sample.spent / sample.attempts;
      const auto known = find(sample.program);
      if (known == known_.end()) {
        if (known_.size() == programs_max) known_.erase(known_.begin());
        known_.emplace_back(sample.program, cost);
      } else {
        known->second = std::max(cost, (known->second * 3 + cost) / 4);
      }
    }
  }
  [[nodiscard]] std::optional<Duration> of(const void* program) {
    const auto known = find(program);
    return known == known_.end() ? std::nullopt : std::optional(known->second);
  }

 private:
  // Built-in tasks are a handful, guests come and go: the one known for longest makes room, and is measured anew when it comes again.
  static constexpr std::size_t programs_max = 64;
  using Known = std::vector<std::pair<const void*, Duration>>;
  Known::iterator find(const void* program) {
    return std::find_if(known_.begin(), known_.end(), [program](const auto& entry) { return entry.first == program; });
  }
  Known known_;
};

}  // namespace dugnad::worker
