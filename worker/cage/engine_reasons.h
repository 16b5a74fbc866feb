// Why a unit ended, in our own words: V8's differ from version to version, and a reason must be the same on every machine.
#pragma once

#include <string>
#include <string_view>

#include "worker/cage/engine.h"

namespace dugnad::worker::cage {

/// What V8's message says of an exception that ended a call into a guest.
[[nodiscard]] UnitOutcome outcome_of_trap(std::string_view v8_says);
/// Of an exception while the instance was made.
[[nodiscard]] UnitOutcome outcome_of_instantiation(std::string_view v8_says);

[[nodiscard]] UnitOutcome failed(std::string_view reason);
[[nodiscard]] UnitOutcome donor_fault(std::string_view reason);

/// The outcome with what the guest itself said behind its reason, its control characters and all but ASCII made harmless, at most 1 KiB.
[[nodiscard]] UnitOutcome with_tail(UnitOutcome outcome, std::string_view tail);

}  // namespace dugnad::worker::cage
