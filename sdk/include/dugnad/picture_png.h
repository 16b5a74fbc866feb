// Writes a picture that a task has drawn as a PNG file.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"
#include "tasks/task.h"

namespace dugnad::sdk {

/// Appears under `path` complete or not at all. An error in one line.
[[nodiscard]] Result<void> write_png(const tasks::Picture& picture, const std::string& path);

}  // namespace dugnad::sdk
