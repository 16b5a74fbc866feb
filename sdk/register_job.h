// Registering: a job is made and written into the journal for another program to resume (sdk/resume.h). Nothing of it leaves this machine here.
#pragma once

#include <string>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"
#include "sdk/recipe.h"

namespace dugnad::sdk {

/// The newest unfinished job of that recipe that no running program works on, or a new one, on disk when this returns. `data_dir` exists. An error
/// in one line.
[[nodiscard]] Result<JobId> register_job(const std::string& data_dir, const SwarmId& swarm, const Recipe& recipe);

}  // namespace dugnad::sdk
