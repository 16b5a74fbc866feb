// Allowance: how much of the machine its owner lets be used right now. A pure function of what the owner prefers and what the host has.
//
// Rules:
//   1. Never more slots than the host has processors.  A second attempt on a processor makes both slower and finishes nothing sooner.
//   2. `cores` caps the slots; 0 stands for all processors.
//   3. `cpu_percent` lets that share of the capped slots run, rounded down.  Who says 50 % of three cores does not mean two.
//   4. Yet one slot runs as long as the percentage is above 0.  A slot is the smallest share there is, and attempts run in SCHED_IDLE: whoever
//      wants to donate a little on one core donates when nothing else wants it.
//   5. 0 % is no donation.
//   6. Memory for strangers' units is shared evenly among the slots, so that together they never take more than `memory_bytes`, by default half of
//      the host's; with the default a unit gets at least what it gets anywhere that does not say (256 MiB).  Few units come near what they may take.
//      Beside that, a slot may keep one idle cage for some seconds with up to 256 MiB of its own (cage_slot.h).
#pragma once

#include <cstdint>

#include "coordinatorless/base/result.h"

namespace dugnad::worker {

struct Preferences {
  unsigned cores = 0;          // --cores; 0: all
  unsigned cpu_percent = 100;  // --cpu, 0 to 100
  std::uint64_t memory_bytes = 0;  // --memory, of all units together; 0: half of the host's
};

struct HostFacts {
  unsigned processors = 1;  // that this process may run on
  std::uint64_t memory_bytes = 0;
};

struct Allowance {
  unsigned slots = 0;
  std::uint64_t unit_memory_bytes = 0;  // of one stranger's unit
  bool operator==(const Allowance&) const = default;
};

[[nodiscard]] Allowance allowance_of(const Preferences& preferences, const HostFacts& host);

/// The preferences as a person gave them; an error names the option, its range and what was given.
[[nodiscard]] Result<Preferences> check_preferences(unsigned cores, unsigned cpu_percent, std::uint64_t memory_bytes = 0);

}  // namespace dugnad::worker
