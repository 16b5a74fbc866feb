// The simulated task, "sim": a unit's input is its index, its output a hash of that. What a unit costs varies with the unit, from half to
// one and a half times the job's mean.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"

namespace dugnad::sim {

inline constexpr std::string_view task_name = "sim";
inline constexpr std::uint32_t task_version = 1;

/// 8 bytes, little-endian.
[[nodiscard]] Bytes input_of(UnitIndex unit);
[[nodiscard]] UnitIndex unit_of(ByteView input);

/// What every honest peer computes.
[[nodiscard]] Bytes honest_output(ByteView input);

/// CPU time of one attempt on a donor of speed 1.
[[nodiscard]] Duration cost_of(UnitIndex unit, Duration mean);

}  // namespace dugnad::sim
