#include "tasks/wasm/opcode_facts.h"

namespace dugnad::tasks::wasm {

using wabt::Opcode;
using wabt::Type;

std::string_view proposal_of(Opcode opcode) {
  if (opcode.IsInvalid()) return {};  // libwabt says so itself
  if (opcode.GetPrefix() == 0xfe) return "threads";
  if (opcode.GetPrefix() == 0xfd && opcode.GetCode() >= 0x100) return "relaxed vector instructions";
  switch (opcode) {
    case Opcode::Try:
    case Opcode::Catch:
    case Opcode::CatchAll:
    case Opcode::Throw:
    case Opcode::Rethrow:
    case Opcode::Delegate: return "exceptions";
    case Opcode::ReturnCall:
    case Opcode::ReturnCallIndirect: return "tail calls";
    case Opcode::CallRef: return "typed function references";
    default: return {};
  }
}

std::size_t operands(Opcode opcode) {
  const std::uint32_t code = opcode.GetCode();
  const bool from_abs_to_sqrt = opcode.GetPrefix() == 0 && ((code >= 0x8b && code <= 0x91) || (code >= 0x99 && code <= 0x9f));
  if (from_abs_to_sqrt) return 1;
  std::size_t count = 0;
  while (count < 3 && opcode.GetParamType(static_cast<int>(count) + 1) != Type::Void) ++count;
  return count;
}

bool touches(Opcode opcode, Type type) {
  return opcode.GetResultType() == type || opcode.GetParamType1() == type || opcode.GetParamType2() == type || opcode.GetParamType3() == type;
}

// From the specification's numerics: every operator that may return a NaN returns one of a set, nans_N; the operators on signs are exact.
NanFacts nan_facts(Opcode opcode) {
  switch (opcode) {
    case Opcode::F32Ceil: case Opcode::F32Floor: case Opcode::F32Trunc: case Opcode::F32Nearest: case Opcode::F32Sqrt:
    case Opcode::F32Add: case Opcode::F32Sub: case Opcode::F32Mul: case Opcode::F32Div: case Opcode::F32Min: case Opcode::F32Max:
    case Opcode::F64Ceil: case Opcode::F64Floor: case Opcode::F64Trunc: case Opcode::F64Nearest: case Opcode::F64Sqrt:
    case Opcode::F64Add: case Opcode::F64Sub: case Opcode::F64Mul: case Opcode::F64Div: case Opcode::F64Min: case Opcode::F64Max:
    case Opcode::F32DemoteF64: case Opcode::F64PromoteF32:
      return {.makes_scalar = true};
    case Opcode::F32Abs: case Opcode::F32Neg: case Opcode::F64Abs: case Opcode::F64Neg:
      return {.keeps = true};
    case Opcode::F32Copysign: case Opcode::F64Copysign:  // the second operand's sign is seen, a NaN's too
      return {.keeps = true, .shows = true};
    case Opcode::F32Store: case Opcode::F64Store: case Opcode::I32ReinterpretF32: case Opcode::I64ReinterpretF64:
      return {.shows = true};

    case Opcode::F32X4Ceil: case Opcode::F32X4Floor: case Opcode::F32X4Trunc: case Opcode::F32X4Nearest: case Opcode::F32X4Sqrt:
    case Opcode::F32X4Add: case Opcode::F32X4Sub: case Opcode::F32X4Mul: case Opcode::F32X4Div: case Opcode::F32X4Min:
    case Opcode::F32X4Max: case Opcode::F32X4PMin: case Opcode::F32X4PMax:
      return {.takes = Lanes::f32x4, .makes = Lanes::f32x4};
    case Opcode::F64X2Ceil: case Opcode::F64X2Floor: case Opcode::F64X2Trunc: case Opcode::F64X2Nearest: case Opcode::F64X2Sqrt:
    case Opcode::F64X2Add: case Opcode::F64X2Sub: case Opcode::F64X2Mul: case Opcode::F64X2Div: case Opcode::F64X2Min:
    case Opcode::F64X2Max: case Opcode::F64X2PMin: case Opcode::F64X2PMax:
      return {.takes = Lanes::f64x2, .makes = Lanes::f64x2};
    case Opcode::F32X4DemoteF64X2Zero: return {.takes = Lanes::f64x2, .makes = Lanes::f32x4};
    case Opcode::F64X2PromoteLowF32X4: return {.takes = Lanes::f32x4, .makes = Lanes::f64x2};
    case Opcode::F32X4Abs: case Opcode::F32X4Neg: return {.takes = Lanes::f32x4, .keeps = true};
    case Opcode::F64X2Abs: case Opcode::F64X2Neg: return {.takes = Lanes::f64x2, .keeps = true};
    // Their results are masks and integers, which depend on what is a NaN and not on its bits.
    case Opcode::F32X4Eq: case Opcode::F32X4Ne: case Opcode::F32X4Lt: case Opcode::F32X4Gt: case Opcode::F32X4Le: case Opcode::F32X4Ge:
    case Opcode::I32X4TruncSatF32X4S: case Opcode::I32X4TruncSatF32X4U:
      return {.takes = Lanes::f32x4};
    case Opcode::F64X2Eq: case Opcode::F64X2Ne: case Opcode::F64X2Lt: case Opcode::F64X2Gt: case Opcode::F64X2Le: case Opcode::F64X2Ge:
    case Opcode::I32X4TruncSatF64X2SZero: case Opcode::I32X4TruncSatF64X2UZero:
      return {.takes = Lanes::f64x2};
    case Opcode::F32X4ExtractLane: return {.takes = Lanes::f32x4, .keeps = true};
    case Opcode::F64X2ExtractLane: return {.takes = Lanes::f64x2, .keeps = true};
    case Opcode::F32X4Splat: return {.makes = Lanes::f32x4, .keeps = true};
    case Opcode::F64X2Splat: return {.makes = Lanes::f64x2, .keeps = true};
    case Opcode::F32X4ReplaceLane: case Opcode::F64X2ReplaceLane: return {.shows = true};
    default: return {};
  }
}

}  // namespace dugnad::tasks::wasm
