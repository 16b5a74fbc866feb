// Stewards take turns: what one of them does not do, the next does.
#include <doctest/doctest.h>

#include "coordinatorless/core/limits.h"
#include "tests/sim/steward_swarm.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

TEST_CASE("a steward that leads and does nothing, keeps all to itself or serves its friends costs its shift: the submitter finds its job done") {
  StewardConduct conduct = StewardConduct::honest;
  SUBCASE("all are honest") {}
  SUBCASE("it sits") { conduct = StewardConduct::sitting; }
  SUBCASE("it withholds") { conduct = StewardConduct::withholding; }
  SUBCASE("it plays favourites") { conduct = StewardConduct::favouring; }
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(seed);
      Swarm swarm(seed);
      JobSpec spec = copies ? by_copies(100) : by_confidence(200);
      spec.unit = 60s;
      const Submission& job = swarm.submit(spec);
      leave(swarm, job, {});
      swarm.world.host(swarm.leader()).behave(conduct);
      swarm.world.run_for(2 * core::limits::steward_shift + time_for_the_rest(job));
      const double before = swarm.computed(job);
      swarm.world.restart(swarm.submitter);
      const VirtualTime back = swarm.world.now();
      REQUIRE(swarm.world.run_until_ended(job, 60min));
      check_right(swarm.world, job);
      const double more = swarm.computed(job) - before;
      MESSAGE(seconds_of(swarm.world.now() - back) << " s after it was back, with " << before << " and " << more << " more attempts for "
                                                   << spec.units << " units");
      CHECK(more < (copies ? 0.1 : 0.5) * static_cast<double>(spec.units));
    }
  }
}

TEST_CASE("attempts that a shift ends under are not begun again for the next steward") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Swarm swarm(seed);  // clocks of peers differ by minutes
    JobSpec spec = by_copies(36);
    spec.unit = 20min;
    const Submission& job = swarm.submit(spec);
    leave(swarm, job, {});
    const double before = swarm.computed(job);
    const VirtualTime left = swarm.world.now();
    const auto all_gathered = [&] {
      const auto held = swarm.world.host(swarm.stewards[0]).peer()->held_jobs();
      return held.size() == 1 && held[0].units_done == spec.units;
    };
    REQUIRE(swarm.world.run_until(all_gathered, 6h));
    const double more = swarm.computed(job) - before;
    const double shifts = seconds_of(swarm.world.now() - left) / seconds_of(core::limits::steward_shift);
    MESSAGE(before << " attempts' time, then " << more << " in " << shifts << " shifts, for " << 2 * spec.units);
    CHECK(shifts > 4);
    CHECK(before + more < 1.15 * 2 * static_cast<double>(spec.units));  // what ran when the submitter left is lost
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 60min));
    check_right(swarm.world, job);
  }
}

TEST_CASE("where all donors are stewards too, units that outlast every shift are computed all the same") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Swarm swarm(seed, SwarmOptions{.workers = 0});
    JobSpec spec = by_copies(3);
    spec.unit = 70min;  // each begins to lead, or stops, twice in that time
    const Submission& job = swarm.submit(spec);
    swarm.world.run_for(30s);
    swarm.world.crash(swarm.submitter);
    const auto all_gathered = [&] {
      const auto held = swarm.world.host(swarm.stewards[0]).peer()->held_jobs();
      return held.size() == 1 && held[0].units_done == spec.units;
    };
    CHECK(swarm.world.run_until(all_gathered, 10h));
    std::uint64_t attempts = 0;
    for (const Node steward : swarm.stewards) attempts += swarm.world.host(steward).peer()->counters().units_computed;
    CHECK(attempts == 2 * spec.units);
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 60min));
    check_right(swarm.world, job);
  }
}
