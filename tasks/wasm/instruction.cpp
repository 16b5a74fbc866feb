#include "tasks/wasm/instruction.h"

namespace dugnad::tasks::wasm {
namespace {

using wabt::Opcode;

void read_vector_immediates(Reader& code, std::uint32_t sub) {
  const auto address = [&] { code.skip_leb(), code.skip_leb(); };
  if (sub <= 11 || sub == 92 || sub == 93) return address();
  if (sub == 12 || sub == 13) return static_cast<void>(code.take(16));
  if (sub >= 21 && sub <= 34) return static_cast<void>(code.byte());
  if (sub >= 84 && sub <= 91) return address(), static_cast<void>(code.byte());
}

void read_misc_immediates(Reader& code, std::uint32_t sub, Instruction& instruction) {
  if (sub < 8) return;
  instruction.index = code.u32();
  if (sub == 8 || sub == 10 || sub == 12 || sub == 14) code.skip_leb();
}

void read_immediates(Reader& code, std::uint8_t first, Instruction& instruction) {
  switch (first) {
    case 0x02: case 0x03: case 0x04: instruction.block_type = code.s33(); break;
    case 0x0c: case 0x0d: case 0x10: instruction.index = code.u32(); break;
    case 0x0e: {
      for (std::uint32_t count = code.u32(); count > 0 && code.ok(); --count) code.skip_leb();
      instruction.index = code.u32();  // the default; all targets take the same operands
      break;
    }
    case 0x11: instruction.index = code.u32(), code.skip_leb(); break;
    case 0x1c: {
      for (std::uint32_t count = code.u32(); count > 0 && code.ok(); --count) code.skip_leb();
      break;
    }
    case 0x20: case 0x21: case 0x22: case 0x23: case 0x24: case 0x25: case 0x26: instruction.index = code.u32(); break;
    case 0x3f: case 0x40: code.skip_leb(); break;
    case 0x41: case 0x42: code.skip_leb(); break;
    case 0x43: code.take(4); break;
    case 0x44: code.take(8); break;
    case 0xd0: instruction.index = static_cast<std::uint32_t>(code.s33() & 0x7f); break;
    case 0xd2: instruction.index = code.u32(); break;
    default:
      if (first >= 0x28 && first <= 0x3e) code.skip_leb(), code.skip_leb();
  }
}

}  // namespace

Instruction next_instruction(Reader& code) {
  Instruction instruction{.begin = code.offset()};
  const std::uint8_t first = code.byte();
  if (Opcode::IsPrefixByte(first)) {
    const std::uint32_t sub = code.u32();
    instruction.opcode = Opcode::FromCode(first, sub);
    first == 0xfd ? read_vector_immediates(code, sub) : read_misc_immediates(code, sub, instruction);
  } else {
    instruction.opcode = Opcode::FromCode(first);
    read_immediates(code, first, instruction);
  }
  instruction.end = code.offset();
  return instruction;
}

}  // namespace dugnad::tasks::wasm
