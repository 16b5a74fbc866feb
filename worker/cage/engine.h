// Engine: runs guest modules in V8, one thread, one module at a time, a fresh instance for each unit. What a guest does, it does to its own
// unit: a trap, an exit code or too large an output is a failed attempt, and the engine goes on. It does not bound time (whoever started
// the process kills it), nor is it the boundary that holds a hostile guest: that is the cage.
#pragma once

#include <memory>
#include <string>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/result.h"
#include "tasks/wasm/guest_pass.h"

namespace dugnad::worker::cage {

struct UnitOutcome {
  Outcome outcome = Outcome::ok;  // never cancelled
  Bytes output;                   // or the reason: printable ASCII, at most 1 KiB, the same on every machine where the unit failed
};

struct EngineOptions {
  std::string v8_flags;                // behind our own: to choose a tier in tests
  std::size_t heap_bytes = 64u << 20;  // of V8's own heap, which holds instances and compiled modules' tables, not guests' memories
};

class Engine {
 public:
  /// Once a process: V8 cannot be started twice. Starts no thread; everything that V8 loads is loaded afterwards. Needs a stack of 8 MiB.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> start(const EngineOptions& options = {});
  ~Engine();

  /// Compiles what the guest pass prepared, and replaces what was loaded before. After an error nothing is loaded.
  [[nodiscard]] Result<void> load(const tasks::wasm::Guest& guest);

  /// `unit`: raw bytes for a reactor, an encoded CommandUnit for a command. `fuel`: for a guest that was prepared with fuel, else unused.
  [[nodiscard]] UnitOutcome run(ByteView unit, std::uint64_t fuel);

  /// Asks a reactor's dugnad_check; the output is one byte, 1 where `claimed` is right for `unit` and 0 where not. Only where has_check.
  [[nodiscard]] UnitOutcome check(ByteView unit, ByteView claimed, std::uint64_t fuel);

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dugnad::worker::cage
