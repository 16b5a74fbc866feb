#include "coordinatorless/core/peer_map.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/base/generator.h"

using namespace dugnad;
using namespace dugnad::core;

TEST_CASE("a peer map holds what a std::map would, in the same order, under any operations, and its items stay where they are") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    auto random = Generator::from_seed(seed);
    PeerMap<int> map;
    std::map<PeerId, std::pair<int, const PeerMap<int>::Item*>> model;
    for (int step = 0; step < 3000; ++step) {
      PeerId peer;
      // Ids that differ in their first byte, and ids that differ in their last one only.
      peer.bytes[0] = static_cast<std::uint8_t>(random.below(40));
      peer.bytes[31] = static_cast<std::uint8_t>(random.below(10));
      const auto known = model.find(peer);
      const auto* found = map.find(peer);
      REQUIRE((found != nullptr) == (known != model.end()));
      if (known == model.end()) {
        const auto& item = map.insert(std::make_unique<PeerMap<int>::Item>(peer, step));
        model[peer] = {step, &item};
      } else {
        REQUIRE(found == known->second.second);
        REQUIRE(found->second == known->second.first);
        if (random.chance(0.6)) {
          REQUIRE(map.extract(peer)->second == known->second.first);
          model.erase(known);
        }
      }
      if (random.chance(0.001)) {
        map.erase_if([](const auto& item) { return item.second % 3 == 0; });
        std::erase_if(model, [](const auto& entry) { return entry.second.first % 3 == 0; });
      }
      REQUIRE(map.size() == model.size());
      if (step % 50 != 0) continue;
      auto expected = model.begin();
      for (const auto& [id, value] : map) {
        REQUIRE(id == expected->first);
        REQUIRE(value == expected->second.first);
        ++expected;
      }
      REQUIRE(expected == model.end());
    }
  }
}
