// What an attempt came to: the vocabulary shared by the executor, the protocol and the journal.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"

namespace dugnad {

enum class Outcome : std::uint8_t {
  ok = 0,           // output is the unit's output
  failed = 1,       // the unit itself failed, as it would anywhere; output is the reason, and needs agreement like any output
  donor_fault = 2,  // this donor could not do it (time, memory, a crash); output is the reason; says nothing of the unit
  cancelled = 3,    // stopped because nobody wants it any more; output is empty
};
inline constexpr std::uint8_t outcome_last = 3;

struct FinishedAttempt {
  AttemptId attempt;
  Outcome outcome = Outcome::ok;
  Value output;    // only an ok one is ever large
  Duration cpu{};  // time the attempt took in its slot
};

}  // namespace dugnad
