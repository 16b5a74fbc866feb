// CodePolicy: whose programs run on this machine. Pure; its user is the machine's owner (`--allow`).
//
// Specification
//   1. A peer's own jobs always may: a submitter trusts its own program, and checks others' results with it.
//   2. A built-in task is our own code: it may where `builtin` does.
//   3. A module is a stranger's code. It may where this machine can cage it, and its owner is allowed: `any`, or named. Rationale: the cage is the
//      boundary; who is allowed is a second one, for those who want it.
#pragma once

#include <vector>

#include "coordinatorless/core/messages.h"

namespace dugnad::core {

struct CodePolicy {
  bool builtin = true;
  bool modules = false;             // this machine can run them at all: every required layer of the cage works
  bool any = false;                 // modules of whomever
  std::vector<PublicKey> owners{};  // and of these

  /// `own`: this peer leases the job out itself.
  [[nodiscard]] bool allows(const Manifest& manifest, bool own) const;
};

}  // namespace dugnad::core
