// What a worker answers of the jobs that it holds for others, at its control socket: `JOB UNITS DONE leads|follows`, one behind the other with
// semicolons between.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/peer.h"

namespace dugnad::worker {

[[nodiscard]] std::string encode(const std::vector<core::HeldJob>& jobs);
/// An error for anything else.
[[nodiscard]] Result<std::vector<core::HeldJob>> decode_held_jobs(std::string_view text);

/// Of the worker that runs in a data directory. An error in one line where there is none.
[[nodiscard]] Result<std::vector<core::HeldJob>> ask_held_jobs(const std::string& data_dir);

}  // namespace dugnad::worker
