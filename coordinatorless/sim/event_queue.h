// The virtual clock and what is to happen when. Time stands still while an action runs and jumps to the next one; two actions of one instant
// run in the order in which they were scheduled, so that a run is the same whatever machine it runs on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "coordinatorless/base/time.h"

namespace dugnad::sim {

/// Since the world began.
using VirtualTime = Duration;

class EventQueue {
 public:
  using Action = std::function<void()>;

  [[nodiscard]] VirtualTime now() const { return now_; }
  /// `when` is not before now().
  void at(VirtualTime when, Action action);
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  /// When the next action is due; nullopt where there is none.
  [[nodiscard]] std::optional<VirtualTime> next() const;
  /// Moves the clock to the next action and runs it.
  void step();
  /// Moves the clock on to `when`, running nothing; no action is due before it.
  void skip_to(VirtualTime when);

  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  /// The heap moves these 24 bytes; the actions stay where they are.
  struct Entry {
    VirtualTime when;
    std::uint64_t order;
    std::uint32_t slot;
    [[nodiscard]] bool operator>(const Entry& other) const { return when != other.when ? when > other.when : order > other.order; }
  };

  VirtualTime now_{};
  std::uint64_t order_ = 0;
  std::uint64_t executed_ = 0;
  std::vector<Entry> heap_;
  std::vector<Action> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace dugnad::sim
