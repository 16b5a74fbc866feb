// A cheap hash for what only the simulator sees: simulated signatures and the trace of a run. It resists accidents, not adversaries: nobody in
// a simulated world works against its hash function.
#pragma once

#include <cstdint>
#include <cstring>

#include "coordinatorless/base/bytes.h"

namespace dugnad::sim {

[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t state, std::uint64_t word) {
  state = (state ^ word) * 0x9e3779b97f4a7c15u;
  state = (state ^ (state >> 32)) * 0xd6e8feb86659fd93u;
  return state ^ (state >> 29);
}

[[nodiscard]] inline std::uint64_t mix(std::uint64_t state, ByteView bytes) {
  state = mix(state, bytes.size());
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t taken = bytes.size() < 8 ? bytes.size() : 8;
    std::memcpy(&word, bytes.data(), taken);
    state = mix(state, word);
    bytes = bytes.subspan(taken);
  }
  return state;
}

}  // namespace dugnad::sim
