// NaNs. Which bits a NaN has that an instruction made is left open by the specification, and does differ: between V8's tiers for 19 of 74 kinds
// of instruction, between its versions for more, between processors in the sign. So a NaN is made canonical before anything can depend on
// its bits:
// - Scalars, to 0x7ff8... or 0x7fc0..., where their bits are seen: stores, reinterpretations, the sign that copysign takes, lanes of vectors,
//   arguments of the host's.
// - Vectors' lanes, to all ones. Their bits are seen by whatever does not take the same lanes for numbers: so it is done right after the instruction
//   that made them, unless the next thing on the operand stack does take them so. A sum of products is made canonical once, where it is stored.
// A value is *wild* from the instruction that made it until then. Values loaded from memory are data, the same everywhere, and are not wild:
// a copy through an f64 keeps its bits. What comes from locals, globals, parameters and calls is taken to be wild where it is scalar; a vector
// is made canonical before it goes there.
#pragma once

#include <array>

#include "tasks/wasm/code.h"
#include "tasks/wasm/module.h"
#include "tasks/wasm/opcode_facts.h"

namespace dugnad::tasks::wasm {

/// Makes what is on top of the stack canonical; `local` is one of that type to use.
[[nodiscard]] inline Code canonical_scalar(ValType type, std::uint32_t local) {
  constexpr std::array<std::uint8_t, 4> f32_nan{0, 0, 0xc0, 0x7f};
  constexpr std::array<std::uint8_t, 8> f64_nan{0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
  const bool is_f32 = type == ValType::f32;
  Code code;  // value, NaN, value == value, select
  code.local_tee(local).op(is_f32 ? 0x43 : 0x44).raw(is_f32 ? ByteView(f32_nan) : ByteView(f64_nan));
  return code.local_get(local).local_get(local).op(is_f32 ? 0x5b : 0x61).op(0x1b);
}

/// The bits of such a lane are all ones, which is a NaN as well: a comparison and an `or`. Rationale: 0x7ff8..., as scalars get, takes a constant
/// and three instructions more, which made a product of matrices a fifth slower.
[[nodiscard]] inline Code canonical_lanes(Lanes lanes, std::uint32_t local) {
  const bool is_f32 = lanes == Lanes::f32x4;
  Code code;  // value | (value != value)
  code.local_tee(local).local_get(local).local_get(local);
  return code.vector_op(is_f32 ? 0x42 : 0x48).vector_op(0x50);
}

}  // namespace dugnad::tasks::wasm
