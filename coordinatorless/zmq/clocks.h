// The machine's two clocks, read where the core is driven. Nothing below the drivers may read a clock.
#pragma once

#include <time.h>

#include "coordinatorless/base/time.h"

namespace dugnad::zmq {

[[nodiscard]] inline Now read_clocks() {
  timespec boot{}, wall{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  clock_gettime(CLOCK_REALTIME, &wall);
  const auto nanoseconds = std::chrono::seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec);
  const auto milliseconds = std::chrono::seconds(wall.tv_sec) + std::chrono::milliseconds(wall.tv_nsec / 1'000'000);
  return {BootTime(nanoseconds), WallTime(milliseconds)};
}

}  // namespace dugnad::zmq
