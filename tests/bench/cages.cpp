// (f) Strangers' code: small units a second through one caged slot, what such a slot holds when idle, and what a cage costs to start.
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "tasks/wasm/command_unit.h"
#include "tests/bench/process.h"
#include "tests/bench/rows.h"
#include "tests/wasm/wat.h"
#include "worker/cage_slot.h"

namespace dugnad::bench {
namespace {

using worker::CageSlot;
using worker::Guest;
using worker::Launcher;

/// Returns its input.
constexpr const char* echo = R"((module (memory (export "memory") 1)
  (func (export "dugnad_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "dugnad_run") (param $p i32) (param $n i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $p)) (i64.const 32)) (i64.extend_i32_u (local.get $n))))))";

/// Writes `hello` to its standard output.
constexpr const char* hello = R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "hello\n")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))))";

Guest guest_of(const char* text) {
  const Bytes raw = tests::wat(text);
  Bytes packed(ZSTD_compressBound(raw.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), 3));
  return worker::guest_at_hand(std::move(packed), 64 << 20);
}

void run_units(CageSlot& slot, const Guest& guest, const Bytes& unit, std::size_t count) {
  const std::vector<ByteView> batch(256, unit);
  for (std::size_t run = 0; run < count; run += batch.size()) {
    slot.run(guest, batch, [](std::size_t, const worker::Ran& ran) {
      if (ran.outcome != Outcome::ok) give_up("a unit came to nothing in its cage: " + to_text(ran.output));
    });
  }
}

double units_a_second(Launcher& launcher, const Guest& guest, const Bytes& unit, std::size_t count) {
  CageSlot slot(launcher);
  run_units(slot, guest, unit, 256);  // started and compiled
  const auto start = Clock::now();
  run_units(slot, guest, unit, count);
  return static_cast<double>(count) / seconds_since(start);
}

/// A cage that runs, by its name.
pid_t cage_process() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string name;
    std::ifstream(entry.path() / "comm") >> name;
    if (name == "dugnad-cage") return static_cast<pid_t>(std::stoi(entry.path().filename()));
  }
  give_up("no cage runs");
}

}  // namespace

void measure_cages(const Settings& settings, Report& report) {
  auto launcher = Launcher::start();
  if (!launcher) give_up(launcher.error().message);
  if (const auto layers = (*launcher)->check(); !layers) give_up("no cage on this machine: " + layers.error().message);
  const Guest reactor = guest_of(echo), command = guest_of(hello);
  Guest third = guest_of(echo);
  third.memory_bytes *= 2;  // which makes it another
  const Bytes small(100, 'x'), no_arguments = tasks::wasm::encode(tasks::wasm::CommandUnit{});
  const std::size_t count = settings.quick ? 2560 : 51'200;
  Samples reactors, commands, own, starts, restarts, turns, thirds;
  for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
    reactors.push_back(units_a_second(**launcher, reactor, small, count));
    commands.push_back(units_a_second(**launcher, command, no_arguments, count));
    CageSlot slot(**launcher), beside(**launcher);
    const auto start = Clock::now();
    run_units(slot, reactor, small, 1);
    starts.push_back(seconds_since(start) * 1e3);
    run_units(slot, reactor, small, count / 10);
    run_units(beside, reactor, small, 1);  // what both share is not a slot's own
    own.push_back(memory_of(cage_process()).own / (1024 * 1024));
    const auto again = Clock::now();
    slot.rest();
    run_units(slot, reactor, small, 1);
    restarts.push_back(seconds_since(again) * 1e3);
    // Two guests by turns, each with a cage, and three, of which each finds its own gone.
    run_units(slot, command, no_arguments, 1);
    const auto turn = Clock::now();
    run_units(slot, reactor, small, 1);
    run_units(slot, command, no_arguments, 1);
    turns.push_back(seconds_since(turn) * 1e3 / 2);
    run_units(slot, third, small, 1);
    const auto third_turn = Clock::now();
    for (const auto& [guest, unit] : {std::pair(&reactor, &small), std::pair(&command, &no_arguments), std::pair(&std::as_const(third), &small)}) {
      run_units(slot, *guest, *unit, 1);
    }
    thirds.push_back(seconds_since(third_turn) * 1e3 / 3);
  }
  const auto add = [&](const char* name, const char* unit, Samples samples, std::optional<Goal> goal) {
    const bool less = !goal || goal->kind == Goal::Kind::at_most;
    report.add({.row = "f", .name = name, .unit = unit, .ours = std::move(samples), .less_is_better = less, .goal = goal});
  };
  add("small reactor units, one slot", "units/s", reactors, Goal{Goal::Kind::at_least, 10'000});
  add("tiny WASI units, one slot", "units/s", commands, Goal{Goal::Kind::at_least, 5'000});
  // Zero where the kernel does not let this user look into a cage.
  add("idle cage, pages of its own", "MiB", own, Goal{Goal::Kind::at_most, 10});
  add("cage started, module loaded, 256 units back", "ms", starts, {});
  add("cage killed and started again, 256 units back", "ms", restarts, {});
  add("two guests by turns, 256 units back", "ms", turns, {});
  add("three guests by turns, 256 units back", "ms", thirds, {});
}

}  // namespace dugnad::bench
