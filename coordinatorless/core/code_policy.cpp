#include "coordinatorless/core/code_policy.h"

#include <algorithm>

namespace dugnad::core {

bool CodePolicy::allows(const Manifest& manifest, bool own) const {
  if (!manifest.module) return own || builtin;
  if (!modules) return false;
  if (own) return true;
  const std::uint64_t wanted = manifest.memory_bytes == 0 ? limits::module_memory_default : manifest.memory_bytes;
  return wanted <= memory_bytes && (any || std::find(owners.begin(), owners.end(), manifest.owner) != owners.end());
}

}  // namespace dugnad::core
