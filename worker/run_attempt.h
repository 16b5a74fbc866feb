// Runs one unit's function and says what it came to. Whatever the function throws ends here.
#pragma once

#include <atomic>

#include "coordinatorless/base/attempt.h"
#include "tasks/task.h"

namespace dugnad::worker {

/// Why a running attempt's stop token was set.
enum class Stop : std::uint8_t { none, cancelled, overrun };

/// What the function gave, before anything is known of its stop token.
struct Ran {
  Outcome outcome = Outcome::ok;
  Bytes output;
};

/// An output is at most 64 MiB and a reason at most 1 KiB; a larger output fails the unit, as it would anywhere.
inline constexpr std::size_t output_max = std::size_t{64} << 20;
inline constexpr std::size_t reason_max = 1024;

[[nodiscard]] Ran run_unit(const tasks::RunUnit& run, ByteView input, const tasks::StopToken& token);

/// The output is one byte, 1 where `claimed` is right for `input`, else 0.
[[nodiscard]] Ran run_check(const tasks::CheckUnit& check, ByteView input, ByteView claimed, const tasks::StopToken& token);

/// What the attempt counts as, once it is known whether it was stopped, and why:
///   not stopped: as it ran;
///   overrun: the donor's fault, whatever it returned after its time;
///   cancelled: an output that came in spite of it stands; anything else is cancelled. A unit torn down in the middle may throw what it would
///   throw nowhere else, and a donor that signed such a failure would lose its credibility.
[[nodiscard]] Ran judge(Ran ran, Stop stop, Duration limit);

}  // namespace dugnad::worker
