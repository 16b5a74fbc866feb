#include "coordinatorless/core/code_policy.h"

#include <algorithm>

namespace dugnad::core {

bool CodePolicy::allows(const Manifest& manifest, bool own) const {
  if (!manifest.module) return own || builtin;
  if (!modules) return false;
  return own || any || std::find(owners.begin(), owners.end(), manifest.owner) != owners.end();
}

}  // namespace dugnad::core
