#include "coordinatorless/core/unit_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace dugnad;
using namespace dugnad::core;

namespace {
constexpr auto anybody = [](UnitIndex) { return UnitQueue::Fit::yes; };
}

TEST_CASE("every fresh unit is drawn once, and not in order") {
  UnitQueue queue;
  Generator generator = Generator::from_seed(1);
  for (std::uint64_t i = 0; i < 1000; ++i) queue.push_fresh({i});
  std::set<UnitIndex> drawn;
  std::uint64_t in_place = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto unit = queue.pop(0, generator, anybody);
    REQUIRE(unit);
    CHECK(drawn.insert(*unit).second);
    in_place += unit->value == i;
  }
  CHECK_FALSE(queue.pop(0, generator, anybody));
  CHECK(in_place < 20);  // 1 expected of a random order
}

TEST_CASE("a donor never draws from its own bucket") {
  UnitQueue queue;
  Generator generator = Generator::from_seed(2);
  queue.push_again({7}, 3);
  CHECK_FALSE(queue.has_for(3));
  CHECK_FALSE(queue.pop(3, generator, anybody));
  CHECK(queue.has_for(0));
  CHECK(queue.pop(0, generator, anybody) == UnitIndex{7});
  CHECK(queue.empty());
}

TEST_CASE("what a donor has had moves on and is found by the next donor") {
  UnitQueue queue;
  Generator generator = Generator::from_seed(3);
  queue.push_again({5}, 0);
  CHECK_FALSE(queue.pop(1, generator, [](UnitIndex) { return UnitQueue::Fit::had_it; }));
  CHECK(queue.size() == 1);
  CHECK(queue.pop(2, generator, anybody) == UnitIndex{5});
}

TEST_CASE("three copies of everything go to three donors, each unit once a donor, whatever the order of draws") {
  Generator generator = Generator::from_seed(4);
  for (int round = 0; round < 50; ++round) {
    constexpr std::uint64_t units = 60;
    constexpr unsigned donors = 4, copies = 3;
    UnitQueue queue;
    std::map<UnitIndex, std::set<DonorIndex>> had;
    for (std::uint64_t i = 0; i < units; ++i) queue.push_fresh({i});
    for (int draws = 0; draws < 10000 && !queue.empty(); ++draws) {
      const auto donor = static_cast<DonorIndex>(generator.below(donors));
      const auto fit = [&](UnitIndex u) { return had[u].contains(donor) ? UnitQueue::Fit::had_it : UnitQueue::Fit::yes; };
      const auto unit = queue.pop(donor, generator, fit);
      if (!unit) continue;
      REQUIRE(had[*unit].insert(donor).second);
      if (had[*unit].size() < copies) queue.push_again(*unit, donor);
    }
    REQUIRE(queue.empty());
    for (std::uint64_t i = 0; i < units; ++i) REQUIRE(had[{i}].size() == copies);
  }
}
