// Modules from text, with libwabt's own parser.
#pragma once

#include <wabt/binary-writer.h>
#include <wabt/stream.h>
#include <wabt/wast-lexer.h>
#include <wabt/wast-parser.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/panic.h"

namespace dugnad::tests {

/// The binary module of `text`, which begins with "(module". Every proposal is enabled, and nothing but the syntax is checked.
inline Bytes wat(std::string_view text) {
  wabt::Features features;
  features.EnableAll();
  wabt::Errors errors;
  const auto lexer = wabt::WastLexer::CreateBufferLexer("test.wat", text.data(), text.size(), &errors);
  std::unique_ptr<wabt::Module> module;
  wabt::WastParseOptions options(features);
  const wabt::Result parsed = wabt::ParseWatModule(lexer.get(), &module, &errors, &options);
  DUGNAD_ASSERT(Succeeded(parsed), errors.empty() ? std::string("?") : errors[0].message + " in " + std::string(text));
  wabt::MemoryStream stream;
  wabt::WriteBinaryOptions writing;
  writing.features = features;
  DUGNAD_ASSERT(Succeeded(wabt::WriteBinaryModule(&stream, module.get(), writing)), "a test's module can be written");
  return stream.output_buffer().data;
}

/// A reactor with `fields` in it besides what the ABI asks for.
inline std::string reactor(std::string_view fields, std::string_view memory = "(memory (export \"memory\") 1)") {
  return "(module " + std::string(fields) + std::string(memory) +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 1024))"
         "(func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0)))";
}

/// `module` with `body`, declarations of locals and code, in place of the one that is `unreachable` and nothing else.
inline Bytes with_body(Bytes module, ByteView body) {
  const Bytes placeholder{3, 0, 0x00, 0x0b};  // size, no locals, unreachable, end
  const auto at = std::search(module.begin(), module.end(), placeholder.begin(), placeholder.end());
  DUGNAD_ASSERT(at != module.end() && body.size() < 128, "a test's module has a body to put another in place of");
  // The code section's size, one byte, stands somewhere before, behind the section's number.
  auto section = module.begin() + 8;
  while (*section != 10) section += 2 + section[1];
  section[1] = static_cast<std::uint8_t>(section[1] + body.size() + 1 - placeholder.size());
  DUGNAD_ASSERT(section[1] < 128, "a test's module is small");
  const auto place = module.erase(at, at + placeholder.size());
  const auto behind = module.insert(place, static_cast<std::uint8_t>(body.size())) + 1;
  module.insert(behind, body.begin(), body.end());
  return module;
}

inline std::string command(std::string_view fields) {
  return "(module " + std::string(fields) + "(memory (export \"memory\") 1) (func (export \"_start\")))";
}

/// A bit of everything that the pass looks at: floats and vectors that escape, cycles of calls, tables, loops, dead code, bulk memory.
inline constexpr const char* a_bit_of_everything = R"((import "dugnad" "log" (func $log (param i32 i32)))
  (import "dugnad" "progress" (func $progress (param f64)))
  (type $unary (func (param i32) (result i32))) (table 2 8 funcref) (elem (i32.const 0) $even $odd) (global $g (mut f64) (f64.const 0.5))
  (data (i32.const 16) "text")
  (func $even (param i32) (result i32) (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
  (func $odd (param i32) (result i32) (call_indirect (type $unary) (local.get 0) (i32.const 0)))
  (func $floats (param f64 f32) (result f64) (local v128 i32)
    (f64.store (i32.const 0) (f64.div (local.get 0) (global.get $g)))
    (local.set 2 (f64x2.mul (f64x2.splat (local.get 0)) (f64x2.add (v128.load (i32.const 32)) (local.get 2))))
    (v128.store (i32.const 48) (f32x4.sqrt (f32x4.replace_lane 2 (local.get 2) (f32.neg (local.get 1)))))
    (drop (i32.reinterpret_f32 (f32.demote_f64 (f64.sqrt (local.get 0)))))
    (call $progress (f64.max (local.get 0) (f64.const nan)))
    (loop $again (br_if $again (i32.lt_u (local.tee 3 (i32.add (local.get 3) (i32.const 1))) (i32.const 9))))
    (block $out (br_table $out $out (local.get 3)) (unreachable))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 64))
    (return (f64.copysign (local.get 0) (f64.sub (local.get 0) (local.get 0)))) (drop) (f64.const 1))
  (func $twice (param i32) (result i32 i32) (local.get 0) (select (local.get 0) (i32.const 3) (local.get 0))))";

}  // namespace dugnad::tests
