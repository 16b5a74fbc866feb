// Faults: what goes wrong in a world by itself, at given rates, until it is told to stop. Then whoever is down comes back, and whatever is
// parted is joined again: from there on every job must end.
#pragma once

#include "coordinatorless/sim/world.h"

namespace dugnad::sim {

struct FaultRates {
  double crashes_per_peer_hour = 0;   // half of them processes, half whole machines; back after 5 s to 2 min
  double suspends_per_peer_hour = 0;  // 10 s to 5 min
  double partitions_per_hour = 0;     // up to half of the swarm against the rest, for 10 s to 3 min
};

class Faults {
 public:
  /// Begins at once. `world` outlives its faults.
  Faults(World& world, FaultRates rates);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  void stop();

  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t partitions() const { return partitions_; }

 private:
  void crash_later();
  void suspend_later();
  void part_later();
  void bring_back(Node node, Duration delay);
  [[nodiscard]] Node anybody();

  World& world_;
  const FaultRates rates_;
  Generator generator_;
  bool stopped_ = false;
  std::uint64_t healing_ = 0;  // the latest partition
  std::uint64_t crashes_ = 0;
  std::uint64_t partitions_ = 0;
};

}  // namespace dugnad::sim
