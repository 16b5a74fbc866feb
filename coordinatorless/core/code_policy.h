// CodePolicy: whose programs run on this machine. Pure; its user is the machine's owner (`--allow`).
//
// Specification
//   1. A peer's own jobs always may: a submitter trusts its own program, and checks others' results with it.
//   2. A built-in task is our own code: it may where `builtin` does.
//   3. A module is a stranger's code. It may where this machine can cage it, and its owner is allowed: `any`, or named. Rationale: the cage is the
//      boundary; who is allowed is a second one, for those who want it.
//   4. A stranger's module that wants more memory for a unit than `memory_bytes` is left alone: begun, it would end as this donor's failure.
#pragma once

#include <cstdint>
#include <vector>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

struct CodePolicy {
  bool builtin = true;
  bool modules = false;             // this machine can run them at all: every required layer of the cage works
  bool any = false;                 // modules of whomever
  std::vector<PublicKey> owners{};  // and of these
  std::uint64_t memory_bytes = limits::memory_bytes_max;  // for one unit

  /// `own`: this peer leases the job out itself.
  [[nodiscard]] bool allows(const Manifest& manifest, bool own) const;
};

}  // namespace dugnad::core
