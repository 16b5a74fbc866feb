// Churn: honest donors that leave a world for good, at moments spread over a given time, and strangers who come in their place.
#pragma once

#include <vector>

#include "coordinatorless/sim/world.h"

namespace dugnad::sim {

class Churn {
 public:
  /// Each of `donors` leaves once within `over` from now, half of them in order; `successor` is who comes then. `world` outlives it.
  Churn(World& world, const std::vector<Node>& donors, Duration over, const WorkerOptions& successor);
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  void leave_after(Duration delay, Node donor);

  World& world_;
  const WorkerOptions successor_;
  Generator generator_;
  std::uint64_t left_ = 0;
};

}  // namespace dugnad::sim
