#include "coordinatorless/core/eviction.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/base/generator.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

PeerId peer(std::uint8_t first, std::uint8_t second) {
  PeerId id;
  id.bytes[0] = first;
  id.bytes[1] = second;
  return id;
}

BootTime minute(int n) { return BootTime(std::chrono::minutes(n)); }

}  // namespace

TEST_CASE("nobody is evicted from an empty set, nor where all are protected") {
  CHECK_FALSE(select_for_eviction({}, 1).has_value());
  std::vector<EvictionCandidate> few;
  for (std::uint8_t i = 0; i < 4; ++i) few.push_back({peer(1, i), i, minute(i), {}});
  CHECK_FALSE(select_for_eviction(few, 1).has_value());
}

TEST_CASE("a flood from one network evicts its own youngest") {
  std::vector<EvictionCandidate> candidates;
  for (std::uint8_t i = 0; i < 12; ++i) candidates.push_back({peer(1, i), 100U + i, minute(i), {}});
  for (std::uint8_t i = 0; i < 60; ++i) candidates.push_back({peer(2, i), 7, minute(100 + i), {}});
  while (candidates.size() > 24) {
    const auto victim = select_for_eviction(candidates, 3);
    REQUIRE(victim.has_value());
    CHECK(victim->bytes[0] == 2);
    std::erase_if(candidates, [&](const auto& candidate) { return candidate.peer == *victim; });
  }
  CHECK(std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.peer.bytes[0] == 1; }) == 12);
}

TEST_CASE("those of use to jobs stay although they are the youngest of the largest network") {
  std::vector<EvictionCandidate> candidates;
  for (std::uint8_t i = 0; i < 30; ++i) candidates.push_back({peer(1, i), 7, minute(i), {}});
  for (std::uint8_t i = 26; i < 30; ++i) candidates[i].useful = minute(50);
  for (int round = 0; round < 20; ++round) {
    const auto victim = select_for_eviction(candidates, 9);
    REQUIRE(victim.has_value());
    CHECK(victim->bytes[1] < 26);
    std::erase_if(candidates, [&](const auto& candidate) { return candidate.peer == *victim; });
  }
}

TEST_CASE("the order of the candidates is of no matter") {
  auto generator = Generator::from_seed(5);
  std::vector<EvictionCandidate> candidates;
  for (std::uint8_t i = 0; i < 40; ++i) {
    candidates.push_back({peer(1, i), generator.below(6), minute(static_cast<int>(generator.below(10))), {}});
    if (generator.chance(0.3)) candidates.back().useful = minute(static_cast<int>(generator.below(10)));
  }
  const auto victim = select_for_eviction(candidates, 11);
  REQUIRE(victim.has_value());
  for (int round = 0; round < 50; ++round) {
    generator.shuffle(std::span(candidates));
    CHECK(select_for_eviction(candidates, 11) == victim);
  }
}

TEST_CASE("which networks are protected depends on the secret") {
  std::vector<EvictionCandidate> candidates;
  for (std::uint8_t i = 0; i < 30; ++i) candidates.push_back({peer(1, i), i, minute(0), {}});
  std::vector<PeerId> victims;
  for (std::uint64_t secret = 0; secret < 40; ++secret) victims.push_back(*select_for_eviction(candidates, secret));
  std::sort(victims.begin(), victims.end());
  CHECK(std::unique(victims.begin(), victims.end()) - victims.begin() > 1);
}
