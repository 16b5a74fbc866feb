// What a dishonest steward does, to its own frames: the peer itself is everybody's.
#pragma once

#include <cstdint>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/sim/gang.h"

namespace dugnad::sim {

enum class StewardConduct : std::uint8_t {
  honest,
  sitting,      // says that it leads, and leases nothing
  withholding,  // gives nothing of what it has gathered
  swapping,     // leases units with each other's inputs, so that honest donors sign what is wrong for them
  forging,      // changes results that it passes on
  favouring,    // leases to its gang alone, and passes on no other donor's results
};

/// Changes a frame that it sends to `to`. False where it does not send it.
[[nodiscard]] bool twist(Bytes& frame, const PeerId& to, StewardConduct conduct, const Gang& gang, Generator& generator);

}  // namespace dugnad::sim
