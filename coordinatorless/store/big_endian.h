// Numbers as SQLite's files have them.
#pragma once

#include <cstdint>

#include "coordinatorless/base/bytes.h"

namespace dugnad::store {

[[nodiscard]] inline std::uint32_t big_endian_32(ByteView bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}
[[nodiscard]] inline std::uint32_t big_endian_16(ByteView bytes, std::size_t at) { return std::uint32_t{bytes[at]} << 8 | bytes[at + 1]; }

}  // namespace dugnad::store
