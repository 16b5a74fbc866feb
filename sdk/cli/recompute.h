// Recomputing: units of a built-in task done again on this machine, which trusts neither donors nor submitter. Where the task has a check, that is
// run again instead: it says as much, for less.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/dossier.h"
#include "sdk/recipe.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

struct Recomputed {
  std::uint64_t units = 0;           // done again; fewer than asked for where the job has no more, or their inputs hang on outputs not at hand
  std::vector<UnitIndex> differing;  // or that the check calls wrong; ascending
  std::uint64_t checked = 0;         // of the units: by the check
};

/// What was accepted for a unit, where its bytes are at hand: plans that go in waves need them.
using OutputAtHand = std::function<std::optional<Bytes>(UnitIndex)>;

/// `count` of the units that were accepted with an output, drawn at random, cut by the task's own plan. An error where that cannot be done here.
[[nodiscard]] Result<Recomputed> recompute(const Recipe& recipe, const std::vector<core::AcceptedClaimOf>& accepted,
                                           const tasks::TaskTable& tasks, std::uint64_t count, Generator& generator,
                                           const OutputAtHand& output_at_hand);

}  // namespace dugnad::sdk::cli
