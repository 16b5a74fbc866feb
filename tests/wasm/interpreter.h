// A prepared module in libwabt's interpreter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dugnad::tests {

using Lines = std::vector<std::string>;

/// How dugnad_run(size, 0) ended, what __dugnad_stopped says, and a checksum of each `chunk` bytes of the first `size` of memory; with `fuel` also,
/// last, what is left of it.
[[nodiscard]] Lines interpreted(const std::vector<std::uint8_t>& module, std::size_t size, std::size_t chunk, std::optional<std::uint64_t> fuel = {});

}  // namespace dugnad::tests
