// What a fuzz target offers to its two drivers: libFuzzer, and replay_main.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/generator.h"

/// Runs one input. Whatever it is, nothing must break; what must hold besides is checked with fuzz::check.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace dugnad::fuzz {

/// Valid inputs, from which mutations start.
std::vector<Bytes> seeds(Generator& generator);

/// Ends the process where `holds` is false: so a driver notices.
inline void check(bool holds, std::string_view what) { DUGNAD_ASSERT(holds, what); }

}  // namespace dugnad::fuzz
