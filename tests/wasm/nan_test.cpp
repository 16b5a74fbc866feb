// Every numeric instruction over NaNs with all sorts of bits: what ends up in memory is the same in libwabt's interpreter and in both of V8's
// tiers. Instructions that trap on NaNs (i32.trunc_f32_s and the like) or on zeros have no result to compare and are left out.
#include <doctest/doctest.h>
#include <wabt/opcode.h>

#include <cstdio>
#include <cstring>
#include <set>

#include "tasks/wasm/guest_pass.h"
#include "tasks/wasm/opcode_facts.h"
#include "tests/wasm/tiers.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;
using namespace dugnad::tests;
using wabt::Opcode;
using wabt::Type;

namespace {

constexpr std::size_t inputs = 10;
constexpr std::size_t slot = 16;
constexpr std::size_t chunk = inputs * inputs * slot;  // the results of one instruction

constexpr const char* wild_inputs =
    "\\01\\00\\a0\\7f\\45\\23\\c1\\ff\\01\\00\\00\\00\\00\\00\\f4\\7f"  // signalling NaNs of both widths, quiet ones with payloads
    "\\01\\00\\ef\\be\\ad\\de\\f8\\ff\\00\\00\\c0\\ff\\78\\56\\d4\\7f"
    "\\00\\00\\00\\00\\00\\00\\f8\\7f\\00\\00\\00\\00\\00\\00\\f8\\ff"
    "\\00\\00\\80\\7f\\00\\00\\80\\ff\\00\\00\\00\\00\\00\\00\\f0\\7f"  // infinities
    "\\00\\00\\00\\00\\00\\00\\f0\\ff\\00\\00\\80\\ff\\00\\00\\80\\7f"
    "\\00\\00\\00\\00\\00\\00\\00\\80\\00\\00\\00\\00\\00\\00\\00\\00"  // zeros
    "\\00\\00\\80\\3f\\00\\00\\80\\bf\\00\\00\\00\\00\\00\\00\\f0\\3f"  // ones
    "\\00\\00\\00\\00\\00\\00\\04\\c0\\9a\\99\\99\\3e\\33\\33\\63\\c0"
    "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\01\\00\\00\\00\\02\\00\\00\\00"
    "\\00\\00\\c0\\7f\\01\\00\\c0\\7f\\23\\01\\00\\00\\00\\00\\f0\\7f";

const char* name_of(Type type) {
  switch (type) {
    case Type::I32: return "i32";
    case Type::I64: return "i64";
    case Type::F32: return "f32";
    case Type::F64: return "f64";
    case Type::V128: return "v128";
    default: return nullptr;
  }
}

bool is_left_out(Opcode opcode) {
  const std::string name = opcode.GetName();
  const bool traps = (name.find(".trunc_f") != name.npos && !name.starts_with("f")) || name.find(".div_") != name.npos ||
                     name.find(".rem_") != name.npos;
  return traps || opcode.GetMemorySize() != 0 || opcode.GetPrefix() == 0xfe || (opcode.GetPrefix() == 0xfd && opcode.GetCode() >= 0x100) ||
         (opcode.GetPrefix() == 0 && opcode.GetCode() >= 0xe0) || !name_of(opcode.GetResultType()) || !name_of(opcode.GetParamType1());
}

std::vector<Opcode> numeric_instructions() {
  std::vector<Opcode> found;
  for (const std::uint8_t prefix : {0x00, 0xfc, 0xfd}) {
    for (std::uint32_t code = 0; code < 0x100; ++code) {
      const Opcode opcode = Opcode::FromCode(prefix, code);
      if (!opcode.IsInvalid() && !is_left_out(opcode)) found.push_back(opcode);
    }
  }
  return found;
}

std::string immediates(Opcode opcode) {
  const std::string name = opcode.GetName();
  if (name == "i8x16.shuffle") return " 4 5 6 7 20 21 22 23 0 1 2 3 31 30 29 28";
  return name.find("_lane") != name.npos ? " 1" : "";
}

/// A reactor that applies each instruction to all pairs of inputs, which lie at `from`, and stores the results from address 0.
std::string all_instructions(const std::vector<Opcode>& opcodes, const std::string& data, std::size_t from) {
  std::string functions, run;
  for (std::size_t i = 0; i < opcodes.size(); ++i) {
    const Opcode opcode = opcodes[i];
    std::string taken;
    for (int n = 1; n <= static_cast<int>(operands(opcode)); ++n) {
      taken += std::string(" (") + name_of(opcode.GetParamType(n)) + ".load (local.get " + std::to_string(n == 3 ? 0 : n - 1) + "))";
    }
    const std::string op = "(" + std::string(opcode.GetName()) + immediates(opcode) + taken + ")";
    functions += "(func $f" + std::to_string(i) + " (param i32 i32 i32) (" + name_of(opcode.GetResultType()) + ".store (local.get 2) " + op + "))\n";
    run += "(call $f" + std::to_string(i) + " (i32.add (global.get $in) (i32.shl (local.get $a) (i32.const 4)))" +
           "(i32.add (global.get $in) (i32.shl (local.get $b) (i32.const 4)))" + "(i32.add (i32.const " + std::to_string(i * chunk) +
           ") (i32.shl (i32.add (i32.mul (local.get $a) (i32.const " + std::to_string(inputs) + ")) (local.get $b)) (i32.const 4))))\n";
  }
  return "(module (memory (export \"memory\") " + std::to_string(from / 65536 + 1) + ") (global $in i32 (i32.const " + std::to_string(from) +
         ")) (data (i32.const " + std::to_string(from) + ") \"" + data + "\")" + functions +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 0))"
         "(func (export \"dugnad_run\") (param i32 i32) (result i64) (local $a i32) (local $b i32)"
         "(loop $outer (local.set $b (i32.const 0)) (loop $inner " +
         run + "(br_if $inner (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (i32.const " + std::to_string(inputs) +
         ")))) (br_if $outer (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const " + std::to_string(inputs) +
         ")))) (i64.const 7)))";
}

std::string differing(const std::vector<Opcode>& opcodes, const Lines& one, const Lines& other) {
  std::string names;
  for (std::size_t i = 0; i < opcodes.size(); ++i) {
    if (i + 2 >= one.size() || i + 2 >= other.size() || one[i + 2] != other[i + 2]) names += std::string(opcodes[i].GetName()) + " ";
  }
  return names;
}

}  // namespace

TEST_CASE("the bits of every numeric instruction's result are the same in every tier and engine") {
  const auto opcodes = numeric_instructions();
  CHECK(opcodes.size() > 330);
  const std::size_t size = opcodes.size() * chunk;
  const Bytes raw = wat(all_instructions(opcodes, wild_inputs, (size + 65535) / 65536 * 65536));
  const auto guest = prepare(raw, {});
  REQUIRE_MESSAGE(guest.ok(), (guest ? "" : guest.error().message));
  const Lines reference = interpreted(guest->code, size, chunk);
  REQUIRE(reference.size() == opcodes.size() + 2);
  CHECK(reference[0] == "returned 7");
  const Lines slow = in_v8(liftoff, guest->code, size, chunk);
  const Lines fast = in_v8(turbofan, guest->code, size, chunk);
  CHECK(slow[0] == "returned 7");
  CHECK(differing(opcodes, reference, slow) == "");
  CHECK(differing(opcodes, reference, fast) == "");
  // The test is about something: without the pass they differ.
  const Lines unprepared = interpreted(raw, size, chunk);
  CHECK(differing(opcodes, unprepared, in_v8(turbofan, raw, size, chunk)) != "");
}

TEST_CASE("numbers that are no NaNs come out as they would without the pass") {
  std::string finite;
  for (std::size_t i = 0; i < inputs; ++i) {  // small positive numbers, as either width
    char text[64];
    const float lanes[2] = {1.5f + static_cast<float>(i), 0.25f * static_cast<float>(i + 1)};
    const std::uint64_t lane = 0x400600003f8ccccd + i * 0x0001000000000001;  // whose halves are positive numbers as well
    std::uint8_t bytes[16];
    std::memcpy(bytes, lanes, 8);
    std::memcpy(bytes + 8, &lane, 8);
    for (const std::uint8_t byte : bytes) std::snprintf(text, sizeof text, "\\%02x", byte), finite += text;
  }
  const auto opcodes = numeric_instructions();
  const std::size_t size = opcodes.size() * chunk;
  const Bytes raw = wat(all_instructions(opcodes, finite, (size + 65535) / 65536 * 65536));
  const auto guest = prepare(raw, {});
  REQUIRE(guest.ok());
  CHECK(differing(opcodes, interpreted(raw, size, chunk), interpreted(guest->code, size, chunk)) == "");
  CHECK(differing(opcodes, in_v8(turbofan, raw, size, chunk), in_v8(turbofan, guest->code, size, chunk)) == "");
}
