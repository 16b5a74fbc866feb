// A task and its parameters as they are typed: `nqueens --n 16`. Which parameters there are, the task says, so that no parser can be told beforehand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinatorless/base/result.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

/// The task of that name. An error names the nearest one, and those that exist.
[[nodiscard]] Result<const tasks::Task*> find_task(const tasks::TaskTable& tasks, const std::string& name);

/// What the command's own options left over, as the task's parameters, checked and with fallbacks filled in. Takes `--n 16` and `--n=16`, and
/// numbers as 1000000 or 1e6. `options` are the names of the command's own options, for whoever mistyped one of those.
[[nodiscard]] Result<tasks::Parameters> read_parameters(const tasks::Task& task, const std::vector<std::string>& arguments,
                                                        const std::vector<std::string>& options);

/// The way back: "nqueens --n 16".
[[nodiscard]] std::string command_line_of(const std::string& task, const tasks::Parameters& parameters);

}  // namespace dugnad::sdk::cli
