// What is counted as fuel, to the instruction; and that a guest whose fuel ends does so at the same place, with the same left undone, in libwabt's
// interpreter and in both of V8's tiers.
#include <doctest/doctest.h>

#include "tasks/wasm/guest_pass.h"
#include "tests/wasm/tiers.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;
using namespace dugnad::tests;

namespace {

constexpr std::uint64_t plenty = 1'000'000;
constexpr std::size_t seen = 64;  // bytes of memory that are compared

std::string text_of(const std::string& run, const std::string& functions) {
  return "(module (memory (export \"memory\") 1 3)" + functions +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 1024))"
         "(func (export \"dugnad_run\") (param i32 i32) (result i64) (local $i i32) " +
         run + "(i64.const 0)))";
}

Bytes fuelled(const std::string& run, const std::string& functions = "") {
  const auto guest = prepare(wat(text_of(run, functions)), {.fuel = true});
  REQUIRE_MESSAGE(guest.ok(), (guest ? "" : guest.error().message));
  return guest->code;
}

/// Fuel that dugnad_run takes beyond the constant and the end that stand behind `run`.
std::int64_t cost_of(const std::string& run, const std::string& functions = "") {
  const Bytes code = fuelled(run, functions);
  const Lines lines = interpreted(code, 0, seen, plenty);
  CHECK(lines[0] == "returned 0");
  CHECK(in_v8(turbofan, code, 0, seen, plenty) == lines);
  CHECK(in_v8(liftoff, code, 0, seen, plenty) == lines);
  return static_cast<std::int64_t>(plenty) - std::stoll(lines.back()) - 2;
}

/// With each amount of fuel up to enough, all engines end alike. Returns how many different states of memory there were.
std::size_t ends_alike(const std::string& run, const std::string& functions = "") {
  const Bytes code = fuelled(run, functions);
  const auto enough = plenty - std::stoull(interpreted(code, seen, seen, plenty).back());
  std::vector<std::string> states;
  for (std::uint64_t fuel = 0; fuel <= enough; ++fuel) {
    CAPTURE(fuel);
    const Lines lines = interpreted(code, seen, seen, fuel);
    CHECK(lines[0] == (fuel < enough ? "trapped" : "returned 0"));
    CHECK(lines[1] == (fuel < enough ? "2" : "0"));
    if (states.empty() || states.back() != lines[2]) {
      states.push_back(lines[2]);
      // Where something changed: the last of the one and the first of the other. V8 takes a process each.
      for (const std::uint64_t near : {fuel - 1, fuel}) {
        if (near > enough) continue;
        const Lines expected = interpreted(code, seen, seen, near);
        CHECK(in_v8(liftoff, code, seen, seen, near) == expected);
        CHECK(in_v8(turbofan, code, seen, seen, near) == expected);
      }
    }
  }
  return states.size();
}

/// Notes in memory that `$i` came so far.
const std::string note = "(i32.store8 (local.get $i) (i32.const 1))";  // 3 instructions
const std::string count = "(local.tee $i (i32.add (local.get $i) (i32.const 1)))";  // 4

}  // namespace

TEST_CASE("a function pays for each instruction that is in no loop, once, before the first") {
  CHECK(cost_of("") == 0);
  CHECK(cost_of("(nop)") == 1);
  CHECK(cost_of("(drop (i32.add (i32.const 1) (i32.const 2)))") == 4);
  CHECK(cost_of("(block (nop))") == 3);  // block, nop, end
}

TEST_CASE("both sides of an if are paid for, whichever is taken, and so is what a branch jumps over") {
  CHECK(cost_of("(if (local.get 0) (then (nop) (nop)) (else (nop)))") == 7);  // local.get, if, three nops, else, end
  CHECK(cost_of("(block (br_if 0 (i32.const 1)) (nop) (nop))") == 6);
}

TEST_CASE("nothing is paid for behind an instruction that never comes back, to the end of its block") {
  CHECK(cost_of("(block (br 0) (nop) (nop))") == 2);
  CHECK(cost_of("(block (block (br 1) (nop)) (nop))") == 5);
}

TEST_CASE("a loop's body is paid for each time round, without the loops in it") {
  // Once: loop and what is before; ten times: nop, count, const, lt, br_if, end.
  CHECK(cost_of("(loop $l (nop) (br_if $l (i32.lt_u " + count + "(i32.const 10))))") == 1 + 10 * 9);
  // The outer body three times, without the inner one's, which runs three times each.
  CHECK(cost_of("(local.set $i (i32.const 0)) (loop $o (loop $n (br_if $n (i32.rem_u " + count +
                "(i32.const 3)))) (br_if $o (i32.lt_u (local.get $i) (i32.const 9))))") == 3 + 3 * (1 + 4 + 1) + 9 * 8);
}

TEST_CASE("a loop that is never come to costs nothing") {
  CHECK(cost_of("(if (i32.const 0) (then (loop (nop) (nop) (nop))))") == 4);  // const, if, loop, end
}

TEST_CASE("each call pays for its function") {
  CHECK(cost_of("(call $f) (call $f)", "(func $f (nop))") == 2 + 2 * 2);
  CHECK(cost_of("(call $f (i32.const 4))",
                "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))") == 2 + 5 * 8);
  CHECK(cost_of("(call_indirect (i32.const 0))", "(table 1 funcref) (elem (i32.const 0) $f) (func $f (nop) (nop))") == 2 + 3);
}

TEST_CASE("what moves many bytes pays for every sixteen of them") {
  CHECK(cost_of("(memory.fill (i32.const 0) (i32.const 1) (i32.const 15))") == 4);
  CHECK(cost_of("(memory.fill (i32.const 0) (i32.const 1) (i32.const 1600))") == 4 + 100);
  CHECK(cost_of("(memory.copy (i32.const 0) (i32.const 1) (i32.const 160))") == 4 + 10);
  CHECK(cost_of("(memory.init $d (i32.const 0) (i32.const 0) (i32.const 32))", "(data $d \"0123456789abcdef0123456789abcdef\")") == 4 + 2);
}

TEST_CASE("what the pass adds for depth, NaNs and memory is not counted") {
  CHECK(cost_of("(f64.store (i32.const 0) (f64.div (f64.const 0) (f64.const 0)))") == 5);
  CHECK(cost_of("(v128.store (i32.const 0) (f64x2.add (v128.load (i32.const 0)) (v128.load (i32.const 16))))") == 7);
  CHECK(cost_of("(drop (memory.grow (i32.const 1)))") == 3);
}

TEST_CASE("a loop whose fuel ends has done the same rounds everywhere") {
  CHECK(ends_alike("(loop $l " + note + "(br_if $l (i32.lt_u " + count + "(i32.const 5))))") == 6);
}

TEST_CASE("calls that end for want of fuel have done the same everywhere") {
  CHECK(ends_alike("(call $f (i32.const 3))",
                   "(func $f (param $i i32) " + note + "(if (local.get $i) (then (call $f (i32.sub (local.get $i) (i32.const 1))))))") == 5);
}

TEST_CASE("bytes that there is no fuel to move are not moved, not even some of them") {
  CHECK(ends_alike("(memory.fill (i32.const 0) (i32.const 1) (i32.const 48)) (memory.copy (i32.const 40) (i32.const 0) (i32.const 64))") == 3);
}

TEST_CASE("code that loops for ever ends by its fuel, by whichever way it loops") {
  for (const char* run : {"(loop $l (br $l))", "(loop $l (br_if $l (i32.const 1)))", "(loop $l (br_table $l $l (i32.const 3)))",
                          "(loop $l (block (loop $k (br_if $l (i32.const 1)))))", "(loop $l (if (i32.const 1) (then (br $l))))"}) {
    CAPTURE(run);
    const Bytes code = fuelled(run);
    const Lines lines = interpreted(code, 0, seen, 10'000);
    CHECK(lines[0] == "trapped");
    CHECK(lines[1] == "2");
    CHECK(in_v8(liftoff, code, 0, seen, 10'000) == lines);
    CHECK(in_v8(turbofan, code, 0, seen, 10'000) == lines);
  }
}

TEST_CASE("without fuel nothing is counted") {
  const auto guest = prepare(wat(text_of("(loop $l (br_if $l (i32.lt_u " + count + "(i32.const 100000))))", "")), {});
  REQUIRE(guest.ok());
  const auto code = to_text(guest->code);
  CHECK(code.find(stopped_global) != code.npos);
  CHECK(code.find(fuel_global) == code.npos);
  CHECK(interpreted(guest->code, 0, seen)[0] == "returned 0");
}
