// Draws that a world needs beside the generator's uniform ones. Our own, as the generator's are: a seed gives the same world everywhere.
#pragma once

#include <cmath>
#include <numbers>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/time.h"

namespace dugnad::sim {

/// Uniform in [low, high).
[[nodiscard]] inline Duration between(Generator& generator, Duration low, Duration high) {
  return low + from_seconds(generator.share() * seconds_of(high - low));
}

/// The wait until the next of events that come `per_hour`, independently; per_hour > 0.
[[nodiscard]] inline Duration next_arrival(Generator& generator, double per_hour) {
  return from_seconds(-std::log(1.0 - generator.share()) * 3600.0 / per_hour);
}

/// Lognormal with median 1.
[[nodiscard]] inline double lognormal(Generator& generator, double sigma) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - generator.share()));
  return std::exp(sigma * radius * std::cos(2.0 * std::numbers::pi * generator.share()));
}

}  // namespace dugnad::sim
