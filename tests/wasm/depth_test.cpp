// Recursion ends at the same call in each of V8's tiers, by our own count and not by V8's stack, however large the frames are.
#include <doctest/doctest.h>

#include <algorithm>

#include "tasks/wasm/guest_pass.h"
#include "tests/wasm/tiers.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;
using namespace dugnad::tests;

namespace {

const std::string stack = " --stack-size=" + std::to_string(limits::native_stack_bytes / 1024);
const std::string count = "(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))";  // how many calls there were

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// A reactor with these functions, whose dugnad_run does `run`.
std::string recursive(const std::string& functions, const std::string& run) {
  return "(module (memory (export \"memory\") 1)" + functions +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 64))"
         "(func (export \"dugnad_run\") (param i32 i32) (result i64) " +
         run + " (i64.const 0)))";
}

void ends_alike(const std::string& text) {
  const auto guest = prepare(wat(text), {});
  REQUIRE_MESSAGE(guest.ok(), (guest ? "" : guest.error().message));
  const Lines slow = in_v8(liftoff + stack, guest->code, 4, 4);
  const Lines fast = in_v8(turbofan + stack, guest->code, 4, 4);
  REQUIRE(slow.size() == 3);
  CHECK(slow[0] == "trapped");
  CHECK(slow[1] == "1");
  CHECK(slow == fast);
}

/// Code that holds `values` of `type` on the operand stack, and uses them all, while `inner` runs. `value` is no constant.
std::string deep(std::size_t values, const std::string& value, const std::string& inner, const std::string& add) {
  return repeated(value, values) + inner + repeated(add, values);
}

}  // namespace

TEST_CASE("a small function that calls itself") { ends_alike(recursive("(func $f " + count + "(call $f))", "(call $f)")); }

TEST_CASE("functions that call each other, with others between") {
  ends_alike(recursive("(func $f " + count + "(call $g)) (func $g (call $h)) (func $h " + count + "(call $f) (call $leaf)) (func $leaf)",
                       "(call $leaf) (call $f)"));
}

TEST_CASE("a function that calls itself through a table") {
  ends_alike(recursive("(type $t (func)) (table 2 funcref) (elem (i32.const 0) $f $g)"
                       "(func $f " + count + "(call_indirect (type $t) (i32.const 1))) (func $g (call $f))",
                       "(call $g)"));
}

TEST_CASE("two cycles after one another share the limit") {
  ends_alike(recursive("(func $f (param i32) " + count +
                           "(if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (call $between))))"
                           "(func $between (call $g)) (func $g " + count + "(call $g))",
                       "(call $f (i32.const 1000))"));
}

TEST_CASE("a thousand live locals") {
  std::string locals, set, add;
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(i);
    set += "(local.set " + n + " (i64.load (i32.const " + std::to_string(8 + 8 * i) + ")))";
    add += "(i64.store (i32.const " + std::to_string(8 + 8 * i) + ") (local.get " + n + "))";
  }
  ends_alike(recursive("(func $f (local " + repeated("i64 ", 1000) + ") " + count + set + "(call $f)" + add + ")", "(call $f)"));
}

TEST_CASE("a deep operand stack of integers, and one of vectors") {
  ends_alike(recursive("(func $f (result i64) " + count + deep(500, "(i64.load (i32.const 8))", "(call $f)", "(i64.add)") + ")", "(drop (call $f))"));
  ends_alike(recursive("(func $f (result v128) " + count + deep(500, "(v128.load (i32.const 16))", "(call $f)", "(i64x2.add)") + ")",
                       "(drop (call $f))"));
}

TEST_CASE("values that an optimiser computes early and keeps") {
  // Sums that are the same before and after the call: TurboFan keeps all of them over it, though no local or operand holds them.
  std::string before, after;
  for (int i = 1; i <= 60; ++i) {
    const std::string sum = "(i64.mul (local.get 0) (i64.xor (local.get 0) (i64.const " + std::to_string(i * 1000003) + ")))";
    before += "(i64.store (i32.const 8) " + sum + ")";
    after += "(i64.store (i32.const 16) " + sum + ")";
  }
  ends_alike(recursive("(func $f (param i64) " + count + before + "(call $f (i64.add (local.get 0) (i64.const 1)))" + after + ")",
                       "(call $f (i64.load (i32.const 8)))"));
}

TEST_CASE("a chain of calls without a cycle ends where it ends, and pays nothing") {
  const auto guest = prepare(wat(recursive("(func $f " + count + ") (func $g (call $f) (call $f))", "(call $g)")), {});
  REQUIRE(guest.ok());
  const Lines lines = in_v8(turbofan + stack, guest->code, 4, 4);
  CHECK(lines[0] == "returned 0");
  CHECK(lines[1] == "0");
  CHECK(lines == in_v8(liftoff + stack, guest->code, 4, 4));
  CHECK(lines == interpreted(guest->code, 4, 4));
}

TEST_CASE("a chain of calls that would take more than half the stack is counted instead of refused") {
  std::string chain;
  for (int i = 0; i < 100; ++i) {
    chain += "(func $f" + std::to_string(i) + " (local " + repeated("i64 ", 9000) + ") " + count +
             (i < 99 ? "(call $f" + std::to_string(i + 1) + ")" : "") + ")";
  }
  ends_alike(recursive(chain, "(call $f0)"));
}

TEST_CASE("after one call of the engine's the next begins at depth zero again") {
  // dugnad_run recurses to three quarters of the limit; the second time round it would not fit if the first still counted.
  const std::string text = "(module (memory (export \"memory\") 1)"
                           "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))"
                           "(func (export \"dugnad_alloc\") (param i32) (result i32) (call $f (i32.const 15000)) (i32.const 64))"
                           "(func (export \"dugnad_run\") (param i32 i32) (result i64)"
                           "(call $f (i32.const 15000)) (call $f (i32.const 15000)) (i64.const 5)))";
  const auto guest = prepare(wat(text), {});
  REQUIRE(guest.ok());
  CHECK(in_v8(turbofan + stack, guest->code, 4, 4)[0] == "returned 5");
}
