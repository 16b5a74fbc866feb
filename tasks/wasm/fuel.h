// Fuel: a count of a guest's instructions, which ends it at the same place on every machine. It is counted where a job asks for it; the module is
// another then. What is counted is part of the ABI, since results depend on it:
// - A call costs the instructions of its function that are in no loop, before the first of them runs. Each time round, a loop costs the
//   instructions in it that are in no loop within, before the first of them. So both sides of an `if` are paid for, whichever is taken, and what
//   a branch jumps over. Rationale: fewer places to pay at than blocks, and a bound on what runs all the same.
// - Every instruction is one, as the binary format has them: `block`, `loop`, `else` and `end` too. Those behind one that never comes back, up to
//   the end of its block, are none.
// - What moves many bytes or elements pays for them before it moves any: one for every bulk_units_per_fuel, rounded down.
// - What the guest pass adds is not counted, nor what a host function does.
// A unit has one tank for all the calls into its instance: `_initialize`, `dugnad_alloc` and `dugnad_run`, or `_start`. Where it holds less than
// is to be paid, the guest ends; what it did until then is done, and nothing of what it could not pay for.
#pragma once

#include "tasks/wasm/code.h"
#include "tasks/wasm/limits.h"

namespace dugnad::tasks::wasm {

/// The globals, and an i64 local to use.
struct FuelPlaces {
  std::uint32_t tank = 0;
  std::uint32_t stopped = 0;
  std::uint32_t local = 0;
};

/// Takes the i64 on the stack out of what is in the tank, which lies below it.
[[nodiscard]] inline Code paid(const FuelPlaces& places) {
  Code code;
  code.op(0x7d).local_tee(places.local).global_set(places.tank);
  return code.local_get(places.local).i64_const(0).op(0x53).stop_if(places.stopped, Stopped::fuel);
}

[[nodiscard]] inline Code pay(const FuelPlaces& places, std::int64_t cost) {
  return Code().global_get(places.tank).i64_const(cost).raw(paid(places).bytes());
}

/// Pays for as many bytes or elements as the i32 on top of the stack says, and leaves it there; `length` is an i32 local to use.
[[nodiscard]] inline Code pay_for_bulk(const FuelPlaces& places, std::uint32_t length) {
  Code code;
  code.local_tee(length).global_get(places.tank).local_get(length).op(0xad);
  code.i64_const(static_cast<std::int64_t>(limits::bulk_units_per_fuel)).op(0x80);
  return code.raw(paid(places).bytes());
}

}  // namespace dugnad::tasks::wasm
