// Time types. Neither clock can be read here: whoever drives the core reads the machine's clocks and passes `Now` in.
#pragma once

#include <chrono>

namespace dugnad {

/// Time since boot, suspends included (CLOCK_BOOTTIME): deadlines and rates. Never leaves the machine.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

/// Milliseconds since 1970 UTC: signed expiries, compared with a tolerated skew.
struct WallClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};

using Duration = std::chrono::nanoseconds;
using BootTime = BootClock::time_point;
using WallTime = WallClock::time_point;

struct Now {
  BootTime boot;
  WallTime wall;
};

/// A deadline that never comes.
inline constexpr BootTime never = BootTime::max();

[[nodiscard]] constexpr double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
[[nodiscard]] constexpr Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace dugnad
