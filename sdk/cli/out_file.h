// --out: the answer as a file, which appears under its name complete or not at all.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

/// Whether a file could be made there, asked before hours of work; an error in one line.
[[nodiscard]] Result<void> check_out_file(const std::string& path);

/// The picture as a PNG where the answer has one, else its text and a line break.
[[nodiscard]] Result<void> write_out_file(const tasks::Answer& answer, const std::string& path);

}  // namespace dugnad::sdk::cli
