// How deep calls may get. V8 ends a program whose native stack is full, but where that happens depends on the tier that compiled each
// function; so the guest counts its own frames, by weight, and stops itself well before.
//
// Counting costs time, so only what can recur is counted:
// - The call graph has an edge for each call, and for each indirect call one to every function of that type that a table may hold.
// - A function on a cycle is *counted*: it adds its weight to a depth and compares that with the limit. What is on no cycle can only make
//   chains of a length known here; the heaviest chain is taken off the limit instead.
// - The depth is handed down, never back: a function that may reach a counted one reads it from a global when it begins, keeps it in a
//   local, and writes it before each call that leads on. So nothing is to be done at returns, and leaves of the graph do nothing at all.
// - What the engine calls begins at depth zero: such exports get a wrapper that says so.
// The sum of weights is thus at most limits::stack_bytes and one frame, whichever way calls go, and the count depends on the calls alone.
#pragma once

#include <cstdint>
#include <vector>

#include "tasks/wasm/module.h"

namespace dugnad::tasks::wasm {

struct DepthPlan {
  enum class Role : std::uint8_t { free, carries, counted };
  std::vector<Role> roles;                 // of each function, imported ones too
  std::vector<bool> leads_on_by_type;      // whether an indirect call of that type may reach one that is not free
  std::vector<std::uint32_t> weights;      // of each function
  std::uint32_t limit = 0;                 // for the sum of the counted ones' weights
};

[[nodiscard]] DepthPlan plan_depth(const Module& module);

}  // namespace dugnad::tasks::wasm
