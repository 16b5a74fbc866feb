// One function's body, written again with what makes it deterministic: call_depth.h and nan.h say what is added, and `charge` of fuel.
//
// The code is walked once with a stack of what is known of each operand. Nothing of the guest's own code is changed: patches are collected by
// their place, and put between its instructions at the end.
#pragma once

#include "tasks/wasm/call_depth.h"
#include "tasks/wasm/module.h"

namespace dugnad::tasks::wasm {

/// The globals that the pass adds behind the guest's own.
struct OurGlobals {
  std::uint32_t stopped = 0;
  std::uint32_t depth = 0;
  std::optional<std::uint32_t> fuel;
  std::uint32_t memory_pages_max = 0;  // no global, but what memory.grow is held to
};

/// The body as the code section holds it, with its size before it.
[[nodiscard]] Bytes rewritten(const Module& module, std::uint32_t function, const DepthPlan& depth, const OurGlobals& globals);

}  // namespace dugnad::tasks::wasm
