// CommandUnit: what one unit of a command is, its arguments and its standard input, and the bytes that it travels as.
// Count of arguments, then each one's length and bytes, all numbers 4 bytes little-endian; the rest is standard input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"

namespace dugnad::tasks::wasm {

struct CommandUnit {
  std::vector<std::string> arguments;  // without the program's own name, which is always `guest`; none holds a zero byte
  Bytes standard_input;
};

[[nodiscard]] Bytes encode(const CommandUnit& unit);

/// nullopt where lengths or counts claim more than is there, or an argument holds a zero byte, which no program could see behind.
[[nodiscard]] std::optional<CommandUnit> decode_command_unit(ByteView bytes);

}  // namespace dugnad::tasks::wasm
