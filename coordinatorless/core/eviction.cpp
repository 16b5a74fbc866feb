#include "coordinatorless/core/eviction.h"

#include <algorithm>
#include <map>

#include "coordinatorless/base/hash.h"

namespace dugnad::core {
namespace {

using Candidates = std::vector<EvictionCandidate>;

std::uint64_t keyed(std::uint64_t secret, std::uint64_t group) {
  const Hash hash = Hasher().add(secret).add(group).finish();
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | hash.bytes[i];
  return value;
}

/// One link, the oldest, of each of the first groups in the secret's order.
void protect_by_group(Candidates& candidates, std::uint64_t secret) {
  std::map<std::uint64_t, std::pair<BootTime, PeerId>> oldest;  // by keyed group
  for (const auto& candidate : candidates) {
    const std::pair entry{candidate.since, candidate.peer};
    const auto [at, first] = oldest.try_emplace(keyed(secret, candidate.group), entry);
    if (!first) at->second = std::min(at->second, entry);
  }
  std::size_t left = eviction_protected_by_group;
  for (const auto& [key, entry] : oldest) {
    if (left-- == 0) break;
    std::erase_if(candidates, [peer = entry.second](const auto& candidate) { return candidate.peer == peer; });
  }
}

void protect_by_use(Candidates& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.useful != b.useful ? a.useful > b.useful : a.peer < b.peer;  // never useful is less than any time
  });
  std::size_t count = 0;
  while (count < candidates.size() && count < eviction_protected_by_use && candidates[count].useful) ++count;
  candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count));
}

void protect_longest_lived_half(Candidates& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& a, const auto& b) { return a.since != b.since ? a.since < b.since : a.peer < b.peer; });
  candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(candidates.size() / 2));
}

}  // namespace

std::optional<PeerId> select_for_eviction(std::vector<EvictionCandidate> candidates, std::uint64_t secret) {
  protect_by_group(candidates, secret);
  protect_by_use(candidates);
  protect_longest_lived_half(candidates);
  if (candidates.empty()) return std::nullopt;

  struct Group {
    std::size_t count = 0;
    std::pair<BootTime, PeerId> youngest;
  };
  std::map<std::uint64_t, Group> groups;
  for (const auto& candidate : candidates) {
    Group& group = groups[candidate.group];
    ++group.count;
    group.youngest = std::max(group.youngest, {candidate.since, candidate.peer});
  }
  // Of groups of one size, the one whose youngest is youngest.
  const auto largest = std::max_element(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    return a.second.count != b.second.count ? a.second.count < b.second.count : a.second.youngest < b.second.youngest;
  });
  return largest->second.youngest.second;
}

}  // namespace dugnad::core
