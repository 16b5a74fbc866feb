// A submitter that is away while stewards hold its job.
#include <doctest/doctest.h>

#include "tests/sim/steward_swarm.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

TEST_CASE("a submitter that leaves at a tenth finds its job done when it is back, though two of three stewards are dead") {
  JobSpec spec;
  SUBCASE("by copies") { spec = by_copies(400); }
  SUBCASE("by confidence") { spec = by_confidence(800); }
  SUBCASE("by a check") {
    spec = by_confidence(800);
    spec.check = 0.05;
  }
  SUBCASE("by copies, with large inputs and outputs") { spec = with_large_values(by_copies(400)); }
  SUBCASE("by confidence, with large inputs and outputs") { spec = with_large_values(by_confidence(400)); }
  Swarm swarm(1);
  const Submission& job = swarm.submit(spec);
  leave_and_come_back(swarm, job, {swarm.stewards[0], swarm.stewards[1]});
  const double before = swarm.computed(job);
  swarm.world.restart(swarm.submitter);
  const VirtualTime back = swarm.world.now();
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
  const double more = swarm.computed(job) - before;
  MESSAGE("done " << seconds_of(swarm.world.now() - back) << " s after it was back, with " << more << " more attempts for " << spec.units
                  << " units");
  CHECK(more < (spec.confidence ? 0.5 : 0.1) * static_cast<double>(spec.units));
}

TEST_CASE("whatever one of three stewards does, nothing wrong comes of it, and the others' work is not lost") {
  JobSpec spec;
  StewardConduct conduct = StewardConduct::honest;
  SUBCASE("it withholds") { conduct = StewardConduct::withholding; }
  SUBCASE("it leases units with each other's inputs") { conduct = StewardConduct::swapping; }
  SUBCASE("it forges results") { conduct = StewardConduct::forging; }
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    spec = copies ? by_copies(200) : by_confidence(400);
    // Each in turn may be the one that leads: all seeds together meet every order.
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(seed);
      Swarm swarm(seed, conduct);
      const Submission& job = swarm.submit(spec);
      leave_and_come_back(swarm, job, {});
      swarm.world.restart(swarm.submitter);
      REQUIRE(swarm.world.run_until_ended(job, 30min));
      check_right(swarm.world, job);
    }
  }
}

TEST_CASE("stewards' donors that lie beside each other get no further than those of a submitter that is there") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Swarm swarm(seed);
    for (int i = 0; i < 2; ++i) swarm.world.add_worker({.strategy = Strategy::always, .returns = 0, .speed = 1.0});
    swarm.world.run_for(30s);
    const Submission& job = swarm.submit(by_confidence(400));
    leave_and_come_back(swarm, job, {});
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 30min));
    check_well(swarm.world);
    CHECK(job.accepted() == job.spec().units);
    CHECK(job.wrong() <= 8);
  }
}

TEST_CASE("an owner goes on with a job on another machine, with nothing but its key and the job's id") {
  JobSpec spec;
  SUBCASE("by copies") { spec = by_copies(200); }
  SUBCASE("by confidence") { spec = by_confidence(400); }
  Swarm swarm(2);
  const Submission& job = swarm.submit(spec);
  leave_and_come_back(swarm, job, {swarm.stewards[2]});
  const double before = swarm.computed(job);
  const Node elsewhere = swarm.world.add_submitter({.slots = 1, .joins = swarm.workers[0], .owner = swarm.owner});
  swarm.world.seek(elsewhere, job);
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
  const double more = swarm.computed(job) - before;
  MESSAGE(more << " more attempts for " << spec.units << " units");
  CHECK(more < 0.5 * static_cast<double>(spec.units));
}

TEST_CASE("a submitter that is killed and back at once loses its stewards nothing, and goes on by itself") {
  Swarm swarm(3);
  const Submission& job = swarm.submit(by_copies(200));
  for (int i = 0; i < 5; ++i) {
    swarm.world.run_for(7s);
    swarm.world.crash(swarm.submitter);
    swarm.world.run_for(2s);
    swarm.world.restart(swarm.submitter);
  }
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
  CHECK(swarm.computed(job) < 1.3 * 2 * 200);
}

TEST_CASE("stewards forget a job that has ended") {
  Swarm swarm(4);
  const Submission& job = swarm.submit(by_copies(100));
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
  swarm.world.run_for(30s);
  for (const Node steward : swarm.stewards) CHECK(swarm.world.host(steward).peer()->held_jobs().empty());
}
