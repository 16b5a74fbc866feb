// Gate: keeps back the effects that wait for a Persist until the journal has it; what waits for nothing may overtake them. Shared by the drivers.
#pragma once

#include <deque>
#include <vector>

#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class Gate {
 public:
  /// What `effect` waits for; 0 for nothing.
  [[nodiscard]] static PersistSeq awaited(const Effect& effect);

  /// Gives the effect back where nothing is missing; else keeps it.
  [[nodiscard]] std::optional<Effect> pass(Effect effect);
  /// The effects that a commit up to `seq` sets free, in order.
  [[nodiscard]] std::vector<Effect> committed(PersistSeq seq);

 private:
  PersistSeq committed_{};
  std::deque<Effect> held_;  // in the order of what they await
};

}  // namespace dugnad::core
