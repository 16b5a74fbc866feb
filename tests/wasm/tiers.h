// One module in each of V8's tiers.
#pragma once

#include <string>

#include "coordinatorless/base/bytes.h"
#include "tests/wasm/interpreter.h"

namespace dugnad::tests {

inline constexpr const char* liftoff = "--single-threaded --liftoff --no-wasm-tier-up --no-wasm-dynamic-tiering";
inline constexpr const char* turbofan = "--single-threaded --no-liftoff";

/// What tier.cpp prints of dugnad_run(size, 0): the same lines as interpreted().
[[nodiscard]] Lines in_v8(const std::string& flags, ByteView module, std::size_t size, std::size_t chunk, std::optional<std::uint64_t> fuel = {});

}  // namespace dugnad::tests
