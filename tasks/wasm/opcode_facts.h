// What there is to know of instructions beside their types, which libwabt's table of opcodes has.
#pragma once

#include <wabt/opcode.h>

#include <string_view>

namespace dugnad::tasks::wasm {

/// The proposal that an instruction belongs to, where guests may not use it; empty where they may. Rationale: threads, and relaxed vector
/// instructions, give other results on other machines by design. Exceptions, tail calls and typed references are in few compilers' default
/// output, V8 had them experimental where it is oldest, and each would need its own rules for depth.
[[nodiscard]] std::string_view proposal_of(wabt::Opcode opcode);

/// How many operands an instruction takes whose operands' types are in the table (which has one too many for abs, neg, ceil and their like).
[[nodiscard]] std::size_t operands(wabt::Opcode opcode);

[[nodiscard]] bool touches(wabt::Opcode opcode, wabt::Type type);

/// How the lanes of a vector are read as floating-point numbers.
enum class Lanes : std::uint8_t { none, f32x4, f64x2 };

/// What an instruction does with the bits of NaNs.
struct NanFacts {
  Lanes takes = Lanes::none;  // operands that are vectors may hold NaNs of any bits in these lanes: only that they are NaNs matters
  Lanes makes = Lanes::none;  // the result may hold NaNs whose bits depend on the machine, in these lanes
  bool makes_scalar = false;  // the same of a result that is f32 or f64
  bool keeps = false;         // a change of sign: the result's NaNs are as its first operand's were
  bool shows = false;         // the last operand is f32 or f64 and its bits can be seen in what becomes of it
  [[nodiscard]] bool any() const { return takes != Lanes::none || makes != Lanes::none || makes_scalar || keeps || shows; }
};
[[nodiscard]] NanFacts nan_facts(wabt::Opcode opcode);

/// Whether a function with it may need a look at NaNs.
[[nodiscard]] inline bool is_float(wabt::Opcode opcode) { return nan_facts(opcode).any(); }

}  // namespace dugnad::tasks::wasm
