// What is signed says on the wall clock how long it is good; two honest clocks may differ by clock_skew.
#pragma once

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

inline constexpr WallTime::duration wall_skew = std::chrono::ceil<WallTime::duration>(limits::clock_skew);

/// Neither over, nor dated further ahead than its author could honestly have dated it: who may say for how long it is believed could else
/// say for ever.
[[nodiscard]] constexpr bool is_current(WallTime expires, Duration lease, WallTime now) {
  return expires > now - wall_skew && expires <= now + std::chrono::ceil<WallTime::duration>(lease) + wall_skew;
}

}  // namespace dugnad::core
