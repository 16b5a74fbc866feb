// The guest pass: a stranger's WebAssembly module in, a module that is the same function on every machine out, or one line that says why it
// is refused. It reads hostile bytes, so a donor runs it inside the cage; a submitter runs it for the clear error.
//
// What it does; most are files of those names, and what they change in a function's code is put together by rewrite.cpp:
//   read_module  libwabt checks the module against the specification; what the rest needs to know is noted on the way
//   admission    refuses what the ABI does not offer, and what would cost a donor more than it is worth
//   call_depth   a stack overflow comes at the same call everywhere; rationale: V8's own limit depends on the tier that compiled a function
//   nan          a NaN's bits are made canonical where a program can see them; rationale: they differ between tiers, versions and processors
//   growth       a memory.grow that fails below the maximum ends the guest; rationale: -1 where a donor lacks memory would be a result of its own
//   fuel         where it is asked for, a count of instructions ends a program at the same place everywhere
//   rebuild      writes the module again: memory and tables capped, only the ABI's exports
#pragma once

#include <cstdint>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"
#include "tasks/wasm/limits.h"

namespace dugnad::tasks::wasm {

enum class GuestKind : std::uint8_t { command, reactor };

/// What the job's manifest declares and the donor allows. Both are the same for every attempt of a job, so results may depend on them.
struct GuestLimits {
  std::uint64_t memory_bytes = limits::memory_bytes_default;
  bool fuel = false;
};

/// A module that may run. It exports what its ABI asks for (`memory`, and `_start` or the `dugnad_` functions, and `_initialize` where a
/// reactor has one, which is to be called once in each fresh instance), and these globals of ours:
///   __dugnad_stopped  i32  why an `unreachable` that we placed was reached: see Stopped
///   __dugnad_fuel     i64  only with fuel: what is left; set before each call into the guest
/// An instance that trapped is to be thrown away. Any function of its may be called at any time, and starts at depth zero.
struct Guest {
  Bytes code;
  GuestKind kind = GuestKind::reactor;
  bool has_check = false;
  bool has_initialize = false;
  std::uint32_t memory_pages_max = 0;  // of 64 KiB; beyond these memory.grow answers -1, everywhere
};

/// What `__dugnad_stopped` says after a trap.
enum class Stopped : std::int32_t { no = 0, depth = 1, fuel = 2, memory = 3 };  // memory: within its maximum, so that the donor lacks it

inline constexpr const char* stopped_global = "__dugnad_stopped";
inline constexpr const char* fuel_global = "__dugnad_fuel";

/// The error is one line, which names what is refused. The same bytes and limits give the same answer everywhere.
[[nodiscard]] Result<Guest> prepare(ByteView raw_module, const GuestLimits& limits);

}  // namespace dugnad::tasks::wasm
