// The guest pass against any bytes at all: it refuses or prepares them, and what it prepares is a valid module that it would prepare again.
#include "tasks/wasm/guest_pass.h"
#include "tasks/wasm/read_module.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;

namespace {

/// A bit of everything that the pass looks at: floats and vectors that escape, cycles of calls, tables, loops, dead code, bulk memory.
constexpr const char* fields = R"((import "dugnad" "log" (func $log (param i32 i32))) (import "dugnad" "progress" (func $progress (param f64)))
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

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator&) {
  return {tests::wat(tests::reactor(fields)), tests::wat(tests::reactor("")), tests::wat(tests::command(fields))};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const bool fuel : {false, true}) {
    const Result<Guest> guest = prepare(ByteView(data, size), {.memory_bytes = 64 << 20, .fuel = fuel});
    if (guest) {
      const Result<Module> again = read_module(guest->code);
      fuzz::check(again.ok(), again ? "" : again.error().message);
    } else {
      fuzz::check(guest.error().message.size() < 400 && guest.error().message.find('\n') == std::string::npos, "a refusal is one line");
    }
  }
  return 0;
}
