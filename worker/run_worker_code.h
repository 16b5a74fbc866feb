// Whose code a worker runs, and what runs it: decided once, at the start, by what its user allows and by what this machine can lock up.
#pragma once

#include <memory>
#include <string>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/code_policy.h"
#include "worker/allow.h"
#include "worker/launcher.h"

namespace dugnad::worker {

struct AdmittedCode {
  core::CodePolicy policy;
  std::unique_ptr<Launcher> launcher;  // none: built-in tasks alone
  std::string said;                    // which it is, and why: one line for the user
};

/// An error where the user asks for strangers' programs and no cage holds here: what was asked for is not
/// quietly something else. Before there is a thread or a socket.
[[nodiscard]] Result<AdmittedCode> admit_code(const Allow& allow);

}  // namespace dugnad::worker
