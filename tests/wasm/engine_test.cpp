// What a reactor's unit comes to: outputs, every kind of trap, and claims that do not hold.
#include <doctest/doctest.h>

#include "tests/wasm/engine.h"

namespace dugnad::tests {
namespace {

using worker::cage::UnitOutcome;

const std::string echo =
    running("(i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length)))");

UnitOutcome ran(std::string_view text, std::string_view input = "") { return loaded(text).run(view_of(input), 0); }

void check_fails(std::string_view body, std::string_view reason, std::string_view fields = "") {
  const UnitOutcome outcome = ran(running(body, fields));
  CHECK(outcome.outcome == Outcome::failed);
  CHECK(text_of(outcome) == reason);
}

TEST_CASE("a reactor's output is the bytes that it points at") {
  CHECK(text_of(ran(echo, "hello")) == "hello");
  CHECK(ran(echo, "").outcome == Outcome::ok);
  CHECK(ran(echo, "").output.empty());
}

TEST_CASE("each kind of trap fails the unit with its reason, and the next unit runs") {
  check_fails("(unreachable)", "unreachable executed");
  check_fails("(i64.load (i32.const -8))", "out of bounds memory access");
  check_fails("(memory.fill (i32.const 65530) (i32.const 0) (i32.const 100)) (i64.const 0)", "out of bounds memory access");
  check_fails("(i64.div_s (i64.const 1) (i64.extend_i32_u (local.get $length)))", "integer divide by zero");
  check_fails("(i64.rem_u (i64.const 1) (i64.extend_i32_u (local.get $length)))", "integer divide by zero");
  check_fails("(i64.div_s (i64.const 0x8000000000000000) (i64.sub (i64.extend_i32_u (local.get $length)) (i64.const 1)))",
              "integer overflow");
  check_fails("(i64.trunc_f64_s (f64.div (f64.const 0) (f64.convert_i32_u (local.get $length))))", "invalid conversion to integer");
  const std::string_view table = "(table 2 funcref) (type $plain (func)) (func $other (param i32)) (elem (i32.const 0) $other)";
  check_fails("(call_indirect (type $plain) (i32.const 0)) (i64.const 0)",
              "indirect call to a function that is not there or of another type", table);
  check_fails("(call_indirect (type $plain) (i32.const 1)) (i64.const 0)",
              "indirect call to a function that is not there or of another type", table);
  check_fails("(call_indirect (type $plain) (i32.const 9)) (i64.const 0)", "out of bounds table access", table);
  CHECK(text_of(ran(echo, "still here")) == "still here");
}

TEST_CASE("endless recursion ends by the depth that is counted, not by the machine's stack") {
  check_fails("(call $deeper (i64.const 1))", "stack depth exceeded",
              "(func $deeper (param i64) (result i64) (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))");
}

TEST_CASE("a loop without end runs out of fuel where there is some") {
  auto& with_fuel = loaded(running("(loop $again (br $again)) (i64.const 0)"), {.fuel = true});
  CHECK(text_of(with_fuel.run({}, 100'000)) == "out of fuel");
  CHECK(with_fuel.run({}, 100'000).outcome == Outcome::failed);
  auto& enough = loaded(echo, {.fuel = true});
  CHECK(enough.run(view_of("x"), 1'000'000).outcome == Outcome::ok);
  CHECK(text_of(enough.run(view_of("x"), 1)) == "out of fuel");
}

TEST_CASE("what a guest did before its fuel ended is done, to the last letter") {
  // Logs the letters of "abcdefgh" one by one, thirteen instructions each.
  auto& engine = loaded(running("(local $i i32) (loop $again (call $log (i32.add (i32.const 16) (local.get $i)) (i32.const 1))"
                                "(br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8)))) (i64.const 0)",
                                "(data (i32.const 16) \"abcdefgh\")"),
                        {.fuel = true});
  const std::uint64_t before = 2 + 3;  // dugnad_alloc; loop, i64.const and end
  const std::uint64_t around = 13;
  CHECK(text_of(engine.run({}, before - 1)) == "out of fuel");
  for (std::uint64_t letters = 0; letters < 8; ++letters) {
    const std::string logged = letters == 0 ? "" : ": " + std::string("a b c d e f g h").substr(0, 2 * letters - 1);
    CHECK(text_of(engine.run({}, before + letters * around)) == "out of fuel" + logged);
    CHECK(text_of(engine.run({}, before + letters * around + around - 1)) == "out of fuel" + logged);
  }
  CHECK(engine.run({}, before + 8 * around).outcome == Outcome::ok);
}

TEST_CASE("each unit starts from a fresh instance: globals and memory are as the module says") {
  auto& counting =
      loaded(running("(global.set $seen (i64.add (global.get $seen) (i64.const 1)))"
                     "(i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (global.get $seen)))"
                     "(i64.const 0x0000000800000008)",
                     "(global $seen (mut i64) (i64.const 0))"));
  const UnitOutcome first = counting.run({}, 0);
  REQUIRE(first.outcome == Outcome::ok);
  CHECK(first.output == Bytes{1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(counting.run({}, 0).output == first.output);
}

TEST_CASE("an output outside the memory fails the unit, at its very end too") {
  check_fails("(i64.const 0x0000fffc00000005)", "claims an output outside its memory");
  check_fails("(i64.const 0xffffffff00000001)", "claims an output outside its memory");
  CHECK(ran(running("(i64.const 0x0000fffc00000004)")).output.size() == 4);
}

TEST_CASE("an output of more than 64 MiB fails the unit, whether or not it is there") {
  check_fails("(i64.const 0x0000000004000001)", "its output is larger than 64 MiB");
}

TEST_CASE("memory that dugnad_alloc names and that is not there fails the unit") {
  const UnitOutcome outcome =
      ran("(module (memory (export \"memory\") 1)"
          "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const -4))"
          "(func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0)))",
          "12345");
  CHECK(outcome.outcome == Outcome::failed);
  CHECK(text_of(outcome) == "dugnad_alloc names memory that is not there");
}

TEST_CASE("a segment that does not fit fails each unit") {
  const UnitOutcome outcome = ran(running("(i64.const 0)", "(data (i32.const 65535) \"ab\")"));
  CHECK(outcome.outcome == Outcome::failed);
  CHECK(text_of(outcome) == "out of bounds memory access");
}

TEST_CASE("what a guest logged stands behind the reason, harmless and bounded") {
  const UnitOutcome said =
      ran(running("(call $log (i32.const 0) (i32.const 10)) (unreachable)", "(data (i32.const 0) \"so\\1b\\nit is\\ff\")"));
  CHECK(text_of(said) == "unreachable executed: so? it is?");
  // 1,000 calls of 60 KiB each: all but the first 16 KiB are dropped.
  const UnitOutcome flood =
      ran(running("(local $i i32) (loop $again (call $log (i32.const 1) (i32.const 61440))"
                  "(br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))) (unreachable)"));
  CHECK(flood.outcome == Outcome::failed);
  CHECK(flood.output.size() <= 1024);
  CHECK(ran(running("(call $log (i32.const -1) (i32.const -1)) (i64.const 0)")).outcome == Outcome::ok);
}

TEST_CASE("dugnad_check answers for a unit and an output, and a trap in it is a failure") {
  const std::string_view checking =
      "(module (memory (export \"memory\") 1) (global $next (mut i32) (i32.const 1024))"
      "(func (export \"dugnad_alloc\") (param i32) (result i32) (global.get $next) (global.set $next (i32.add (global.get $next) "
      "(i32.const 64))))"
      "(func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0))"
      "(func (export \"dugnad_check\") (param i32 i32 i32 i32) (result i32)"
      " (if (i32.eqz (local.get 3)) (then (unreachable)))"
      " (i32.eq (i32.load8_u (local.get 0)) (i32.load8_u (local.get 2)))))";
  auto& engine = loaded(checking);
  CHECK(engine.check(view_of("a"), view_of("a"), 0).output == Bytes{1});
  CHECK(engine.check(view_of("a"), view_of("b"), 0).output == Bytes{0});
  CHECK(text_of(engine.check(view_of("a"), {}, 0)) == "unreachable executed");
}

TEST_CASE("a module that V8 does not know is an error, and the next one loads") {
  CHECK_FALSE(engine().load({.code = to_bytes("\1asm, or not")}).ok());
  CHECK(text_of(ran(echo, "back")) == "back");
}

}  // namespace
}  // namespace dugnad::tests
