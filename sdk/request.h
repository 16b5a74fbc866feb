// Request: what a user of the SDK asks for, checked, as a job's recipe and the source of its units.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "coordinatorless/base/result.h"
#include "dugnad/swarm.h"
#include "sdk/inputs.h"
#include "sdk/recipe.h"
#include "sdk/session.h"

namespace dugnad::sdk {

// An error in one line names the option that does not fit; what the inputs are is still to be filled in.
[[nodiscard]] Result<Recipe> recipe_of(Recipe::Kind kind, const tasks::Task& task, const JobOptions& options);
[[nodiscard]] Result<Recipe> recipe_of(Recipe::Kind kind, const Module& module, const JobOptions& options);

/// All inputs, known beforehand: their hash goes into `recipe`.
[[nodiscard]] Result<Source> known_inputs(std::vector<Bytes> inputs, Recipe& recipe);

/// Inputs that come one by one: the first one's hash goes into `recipe`.
[[nodiscard]] Result<Source> coming_inputs(Inputs<Bytes> next, const JobOptions& options, Recipe& recipe);

}  // namespace dugnad::sdk
