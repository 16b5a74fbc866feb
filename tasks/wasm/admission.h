// What a guest may be: a command or a reactor as the ABI has them, and nothing that costs a donor more than it is worth.
#pragma once

#include "tasks/wasm/guest_pass.h"
#include "tasks/wasm/module.h"

namespace dugnad::tasks::wasm {

/// Everything of Guest but its code; or the one line that says why it is refused.
[[nodiscard]] Result<Guest> admit(const Module& module, const GuestLimits& limits);

/// What a function's frame counts for on the stack (limits.h says how that relates to V8's).
[[nodiscard]] std::uint64_t frame_weight(const Module& module, const Function& function);

}  // namespace dugnad::tasks::wasm
