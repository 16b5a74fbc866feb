#include "worker/allowance.h"

#include <algorithm>
#include <cstdint>

namespace dugnad::worker {
namespace {
constexpr unsigned cores_max = 1024;
constexpr std::uint64_t unit_memory_usual = 256ull << 20;  // of a job that does not say
constexpr std::uint64_t memory_least = 1ull << 20;         // less is a slip of the pen: 512 for 512M

std::uint64_t unit_memory(const Preferences& preferences, const HostFacts& host, unsigned slots) {
  if (preferences.memory_bytes > 0) return preferences.memory_bytes / slots;
  return std::max(unit_memory_usual, host.memory_bytes / 2 / slots);
}
}  // namespace

Allowance allowance_of(const Preferences& preferences, const HostFacts& host) {
  const unsigned processors = std::max(1u, host.processors);
  const unsigned capped = preferences.cores == 0 ? processors : std::min(preferences.cores, processors);
  const unsigned percent = std::min(100u, preferences.cpu_percent);
  if (percent == 0) return {};
  const unsigned slots = std::max(1u, static_cast<unsigned>(std::uint64_t{capped} * percent / 100));
  return {slots, unit_memory(preferences, host, slots)};
}

Result<Preferences> check_preferences(unsigned cores, unsigned cpu_percent, std::uint64_t memory_bytes) {
  if (cores > cores_max) return Error{"--cores takes 0 (all) to " + std::to_string(cores_max) + ", not " + std::to_string(cores)};
  if (cpu_percent > 100) return Error{"--cpu takes a percentage from 0 to 100, not " + std::to_string(cpu_percent)};
  if (memory_bytes > 0 && memory_bytes < memory_least) {
    return Error{"--memory takes a size from 1M on, as in 512M or 2GiB, not " + std::to_string(memory_bytes)};
  }
  return Preferences{cores, cpu_percent, memory_bytes};
}

}  // namespace dugnad::worker
