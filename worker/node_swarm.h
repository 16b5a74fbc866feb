// Which swarm a node belongs to, from what its user gave: a name, and for a private swarm the file with its secret.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/swarm_name.h"

namespace dugnad::worker {

/// `secret_file`: empty for a public swarm. The secret is the file's bytes, a last line break left out; 16 to 4096 of them, so that it cannot be
/// guessed, and readable by its owner alone. An error in one line.
[[nodiscard]] Result<core::SwarmName> read_swarm(const std::string& name, const std::string& secret_file);

}  // namespace dugnad::worker
