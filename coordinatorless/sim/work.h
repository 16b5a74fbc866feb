// The simulated task, "sim": a unit's input is its index, its output a hash of that; large ones are blobs whose names say the same. What a unit
// costs varies with the unit, from half to one and a half times the job's mean.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"

namespace dugnad::sim {

inline constexpr std::string_view task_name = "sim";
inline constexpr std::uint32_t task_version = 1;

/// 8 bytes, little-endian; or, where a unit's input has more than small_bytes_max `bytes`, a blob of that length.
[[nodiscard]] Value input_of(UnitIndex unit, std::uint64_t bytes = 0);
[[nodiscard]] UnitIndex unit_of(const Value& input);

/// The 32 bytes of `content`, or a blob of `bytes` named after it where that is many.
[[nodiscard]] Value output_of(const Hash& content, std::uint64_t bytes);
/// What every honest peer computes.
[[nodiscard]] Value honest_output(const Value& input, std::uint64_t bytes = 0);

/// CPU time of one attempt on a donor of speed 1.
[[nodiscard]] Duration cost_of(UnitIndex unit, Duration mean);

}  // namespace dugnad::sim
