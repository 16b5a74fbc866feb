// Stewards, their submitter and the links between them, of which any may fail at any time.
#include <doctest/doctest.h>

#include "coordinatorless/sim/faults.h"
#include "tests/sim/steward_swarm.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

/// Until a tenth of a job is computed.
void run_to_a_tenth(Swarm& swarm, const Submission& job) {
  const double attempts = static_cast<double>(job.spec().units) * (job.spec().confidence ? 1 : job.spec().copies);
  REQUIRE(swarm.world.run_until([&] { return swarm.computed(job) >= 0.1 * attempts; }, 10min));
}

std::uint64_t units_of(const Submission& job) { return job.spec().units; }

}  // namespace

TEST_CASE("stewards that are killed one after another lose nothing for the job") {
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    Swarm swarm(11);
    const Submission& job = swarm.submit(copies ? by_copies(200) : by_confidence(400));
    run_to_a_tenth(swarm, job);
    swarm.world.crash(swarm.submitter);
    for (int round = 0; round < 2; ++round) {
      for (const Node steward : swarm.stewards) {
        swarm.world.run_for(15s);
        swarm.world.crash(steward);
        swarm.world.run_for(15s);
        swarm.world.restart(steward);
      }
    }
    swarm.world.run_for(1min);
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 30min));
    check_right(swarm.world, job);
  }
}

TEST_CASE("a job whose submitter and stewards all lose power at once goes on when the stewards are back, and ends on another machine") {
  JobSpec spec;
  SUBCASE("by copies") { spec = by_copies(200); }
  SUBCASE("by confidence") { spec = by_confidence(400); }
  SUBCASE("with large inputs and outputs") { spec = with_large_values(by_copies(200)); }
  Swarm swarm(19);
  const Submission& job = swarm.submit(spec);
  run_to_a_tenth(swarm, job);
  swarm.world.run_for(5s);
  swarm.world.crash(swarm.submitter, Death::vanished);
  for (const Node steward : swarm.stewards) swarm.world.crash(steward, Death::vanished);
  swarm.world.run_for(1min);
  for (const Node steward : swarm.stewards) swarm.world.restart(steward);
  swarm.world.run_for(5min);
  const double before = swarm.computed(job);
  CHECK(before > 0.8 * static_cast<double>(units_of(job)) * (spec.confidence ? 1 : 2));
  const Node elsewhere = swarm.world.add_submitter({.slots = 1, .joins = swarm.workers[0], .owner = swarm.owner});
  swarm.world.seek(elsewhere, job);
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
  // Large outputs that were final lay on the machine that is gone.
  const double most = spec.confidence || spec.output_bytes > 0 ? 0.5 : 0.3;
  CHECK(swarm.computed(job) - before < most * static_cast<double>(units_of(job)));
}

TEST_CASE("a submitter that leaves in order is stood in for as one that was killed is") {
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    Swarm swarm(12);
    const Submission& job = swarm.submit(copies ? by_copies(200) : by_confidence(400));
    run_to_a_tenth(swarm, job);
    swarm.world.leave(swarm.submitter);
    swarm.world.run_for(5min);
    const double before = swarm.computed(job);
    CHECK(before > 0.8 * static_cast<double>(units_of(job)) * (copies ? 2 : 1));
    if (swarm.world.host(swarm.submitter).running()) swarm.world.crash(swarm.submitter);
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 10min));
    check_right(swarm.world, job);
    CHECK(swarm.computed(job) - before < (copies ? 0.3 : 0.5) * static_cast<double>(units_of(job)));
  }
}

TEST_CASE("a submitter that is parted from its stewards, or with half of its donors from the rest, ends its job once, rightly") {
  for (const bool copies : {true, false}) {
    for (const bool halves : {false, true}) {
      CAPTURE(copies);
      CAPTURE(halves);
      Swarm swarm(13);
      const Submission& job = swarm.submit(copies ? by_copies(300) : by_confidence(600));
      run_to_a_tenth(swarm, job);
      std::vector<Node> here{swarm.submitter}, there = swarm.stewards;
      if (halves) {
        here.insert(here.end(), swarm.workers.begin(), swarm.workers.begin() + 4);
        there.insert(there.end(), swarm.workers.begin() + 4, swarm.workers.end());
      }
      swarm.world.partition(here, there);
      swarm.world.run_for(90s);
      CHECK_FALSE(job.ended());
      swarm.world.heal();
      REQUIRE(swarm.world.run_until_ended(job, 30min));
      check_right(swarm.world, job);
      swarm.world.run_for(5min);
      for (const Node steward : swarm.stewards) CHECK(swarm.world.host(steward).peer()->held_jobs().empty());
    }
  }
}

TEST_CASE("a job all of whose stewards are dead goes on as if there had been none") {
  Swarm swarm(14);
  const Submission& job = swarm.submit(by_copies(200));
  leave_and_come_back(swarm, job, swarm.stewards);
  swarm.world.restart(swarm.submitter);
  REQUIRE(swarm.world.run_until_ended(job, 15min));
  check_right(swarm.world, job);
}

TEST_CASE("one steward is enough while it lives") {
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    Swarm swarm(15, SwarmOptions{.stewards = 1});
    const Submission& job = swarm.submit(copies ? by_copies(200) : by_confidence(400));
    leave_and_come_back(swarm, job, {});
    const double before = swarm.computed(job);
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 10min));
    check_right(swarm.world, job);
    CHECK(swarm.computed(job) - before < (copies ? 0.2 : 0.5) * static_cast<double>(units_of(job)));
  }
}

TEST_CASE("stewards that nobody can dial do their part") {
  Swarm swarm(16, SwarmOptions{.behind_nat = true});
  const Submission& job = swarm.submit(by_copies(200));
  leave_and_come_back(swarm, job, {swarm.stewards[0]});
  const double before = swarm.computed(job);
  CHECK(before > 0.8 * 2 * 200);
  swarm.world.restart(swarm.submitter);
  REQUIRE(swarm.world.run_until_ended(job, 10min));
  check_right(swarm.world, job);
}

TEST_CASE("on slow links that lose messages a job with stewards comes to its right end all the same") {
  for (const bool copies : {true, false}) {
    CAPTURE(copies);
    Swarm swarm(17, SwarmOptions{.links = {.latency = 250ms, .loss = 0.01}});
    const Submission& job = swarm.submit(copies ? by_copies(200) : by_confidence(400));
    leave_and_come_back(swarm, job, {swarm.stewards[1]});
    swarm.world.restart(swarm.submitter);
    REQUIRE(swarm.world.run_until_ended(job, 30min));
    check_right(swarm.world, job);
  }
}

TEST_CASE("stewards that lease to their gang alone get no more wrong results in than honest ones do with the gang among their donors") {
  const auto wrong = [](StewardConduct conduct, bool away) {
    std::uint64_t sum = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(seed);
      Swarm swarm(seed, SwarmOptions{.conduct = conduct, .liars = 3, .colluders = 3});
      const Submission& job = swarm.submit(by_copies(200));
      if (away) {
        leave_and_come_back(swarm, job, {});
        swarm.world.restart(swarm.submitter);
      }
      REQUIRE(swarm.world.run_until_ended(job, 30min));
      check_well(swarm.world);
      sum += job.wrong();
    }
    return static_cast<double>(sum);
  };
  const double favouring = wrong(StewardConduct::favouring, true);
  const double honest = wrong(StewardConduct::honest, true);
  const double there = wrong(StewardConduct::honest, false);
  constexpr double units = 6 * 200;
  // Three of twelve donors lie alike: of two drawn by lot both do so in one unit of 22.
  constexpr double by_chance = units * (3.0 / 12) * (2.0 / 11);
  MESSAGE("of " << units << " units wrong: " << favouring << " by stewards in the gang, " << honest << " by honest ones, " << by_chance
                << " by chance; " << there << " with the submitter there, who sees who is outvoted");
  CHECK(favouring > 0);
  CHECK(favouring < 1.5 * by_chance);
  CHECK(honest < 1.5 * by_chance);
}

TEST_CASE("a submitter may die at any effect while stewards take over, and finds everything right when it is back") {
  std::uint64_t points = 0;
  double most = 0;
  for (const bool copies : {true, false}) {
    const JobSpec spec = copies ? by_copies(60) : by_confidence(100);
    const double attempts = static_cast<double>(spec.units) * (copies ? 2 : 1);
    /// How many effects its job takes a submitter, where it dies at that one; 0: never.
    const auto play = [&](std::uint64_t point) {
      CAPTURE(copies);
      CAPTURE(point);
      Swarm swarm(18);
      World& world = swarm.world;
      const std::uint64_t first = world.host(swarm.submitter).effects();
      if (point > 0) {
        world.host(swarm.submitter).die_at(first + point, [&world, &swarm] {
          world.after(45s, [&world, &swarm] { world.restart(swarm.submitter); });
        });
      }
      JobSpec with_stewards = spec;
      with_stewards.stewards = 3;
      const Submission& job = world.submit(swarm.submitter, with_stewards);
      CHECK(world.run_until_ended(job, 30min));
      check_right(world, job);
      most = std::max(most, swarm.computed(job) / attempts);
      return world.host(swarm.submitter).effects() - first;
    };
    const std::uint64_t effects = play(0);
    REQUIRE(effects > 100);
    for (std::uint64_t point = 1; point < effects; point += std::max<std::uint64_t>(1, effects / 150), ++points) (void)play(point);
  }
  MESSAGE(points << " points; at most " << most << " times the attempts that are needed");
  CHECK(points >= 250);
}

TEST_CASE("jobs with stewards come to their right end in forty swarms in which everything fails at random") {
  std::uint64_t crashes = 0, partitions = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const bool copies = seed % 2 == 0;
    Swarm swarm(100 + seed, SwarmOptions{.links = {.latency = 60ms, .loss = seed % 4 == 0 ? 0.005 : 0}});
    const Submission& job = swarm.submit(copies ? by_copies(200) : by_confidence(400));
    Faults faults(swarm.world, {.crashes_per_peer_hour = 20, .suspends_per_peer_hour = 6, .partitions_per_hour = 20});
    swarm.world.run_for(from_seconds(60 + 20 * static_cast<double>(seed % 7)));
    if (seed % 3 == 0) {
      if (swarm.world.host(swarm.submitter).running()) swarm.world.crash(swarm.submitter);
      swarm.world.run_for(3min);
      if (!swarm.world.host(swarm.submitter).running()) swarm.world.restart(swarm.submitter);
    }
    faults.stop();
    REQUIRE(swarm.world.run_until_ended(job, 60min));
    check_right(swarm.world, job);
    crashes += faults.crashes();
    partitions += faults.partitions();
  }
  MESSAGE(crashes << " crashes and " << partitions << " partitions");
  CHECK(crashes > 40);
}
