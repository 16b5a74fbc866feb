// One instruction of a body that libwabt found valid: what it is, the immediates that the pass looks at, and where it lies.
#pragma once

#include <wabt/opcode.h>

#include "tasks/wasm/binary.h"

namespace dugnad::tasks::wasm {

struct Instruction {
  wabt::Opcode opcode = wabt::Opcode::Nop;
  std::uint32_t index = 0;       // the first immediate that is an index: a local, global, function, label, type or table
  std::int64_t block_type = 0;   // of block, loop and if
  std::size_t begin = 0;         // in the body
  std::size_t end = 0;
};

/// The next one. Nothing is checked again: what no valid body has reads as anything, within its bytes.
[[nodiscard]] Instruction next_instruction(Reader& code);

}  // namespace dugnad::tasks::wasm
