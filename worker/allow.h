// Allow: whose code a donor runs, as its user says with --allow. Built-in tasks are the worker's own code and always run; the question is
// strangers' modules, which run caged or not at all.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"

namespace dugnad::worker {

struct Allow {
  bool given = false;             // by the user; else the cage decides: `any` where every layer of it holds, `builtin` elsewhere
  bool any = false;               // everybody's modules
  std::vector<PublicKey> owners;  // whose modules, beside

  /// Somebody's modules may run, so that there must be a cage.
  [[nodiscard]] bool modules() const { return any || !owners.empty(); }
  bool operator==(const Allow&) const = default;
};

/// Each of `words` is `builtin`, `any` or an owner's key, 64 lower-case hex digits as `dugnad id` prints it; they add up. An error in one line.
[[nodiscard]] Result<Allow> parse_allow(const std::vector<std::string>& words);

}  // namespace dugnad::worker
