// A job's answer from the journal alone: its plan cuts the units again and takes what was accepted for them.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "sdk/recipe.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

using OutputOf = std::function<Result<Bytes>(const AcceptedUnit&)>;

/// nullopt where a unit is missing, has failed, or is none of this plan's, and where the task is not known here in that version. `output_of` reads
/// large outputs; without it a job that has one has no answer.
[[nodiscard]] std::optional<tasks::Answer> replay(const Recipe& recipe, const std::vector<AcceptedUnit>& accepted, const tasks::TaskTable& tasks,
                                                  const OutputOf& output_of = {});

}  // namespace dugnad::sdk::cli
