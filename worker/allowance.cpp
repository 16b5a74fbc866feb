#include "worker/allowance.h"

#include <algorithm>
#include <cstdint>

namespace dugnad::worker {
namespace {
constexpr unsigned cores_max = 1024;
}

Allowance allowance_of(const Preferences& preferences, const HostFacts& host) {
  const unsigned processors = std::max(1u, host.processors);
  const unsigned capped = preferences.cores == 0 ? processors : std::min(preferences.cores, processors);
  const unsigned percent = std::min(100u, preferences.cpu_percent);
  if (percent == 0) return {0};
  return {std::max(1u, static_cast<unsigned>(std::uint64_t{capped} * percent / 100))};
}

Result<Preferences> check_preferences(unsigned cores, unsigned cpu_percent) {
  if (cores > cores_max) return Error{"--cores takes 0 (all) to " + std::to_string(cores_max) + ", not " + std::to_string(cores)};
  if (cpu_percent > 100) return Error{"--cpu takes a percentage from 0 to 100, not " + std::to_string(cpu_percent)};
  return Preferences{cores, cpu_percent};
}

}  // namespace dugnad::worker
