// Eviction: which of too many inbound links goes. Everybody may dial us, so an attacker can try to fill our links with its own; after
// Bitcoin Core's node/eviction. A pure function over facts.
//
//   1. Protected: four links of different groups, in an order keyed by a secret.      An attacker cannot know which groups to rent.
//   2. Protected: the four that were of use to a job last.                            Usefulness costs the attacker work done.
//   3. Protected: half of what is left, the longest-lived.                            Being there first cannot be had later.
//   4. Of the rest the group with the most links loses its youngest.                  A flood from one network evicts itself.
#pragma once

#include <optional>
#include <vector>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"

namespace dugnad::core {

struct EvictionCandidate {
  PeerId peer;
  std::uint64_t group = 0;                  // group_of() its address; 0 where it is unknown
  BootTime since{};
  std::optional<BootTime> useful;           // when it last did something for a job
};

inline constexpr std::size_t eviction_protected_by_group = 4;
inline constexpr std::size_t eviction_protected_by_use = 4;

/// nullopt where everybody is protected. `secret` keys the order of groups; the order of `candidates` is of no matter.
[[nodiscard]] std::optional<PeerId> select_for_eviction(std::vector<EvictionCandidate> candidates, std::uint64_t secret);

}  // namespace dugnad::core
