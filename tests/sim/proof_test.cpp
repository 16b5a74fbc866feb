// Identities that cost a proof of work, in whole swarms.
#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/sim/world.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

void check_right(const World& world, const Submission& job) {
  for (const std::string& violation : world.violations()) FAIL_CHECK(violation);
  CHECK(job.state() == JobState::done);
  CHECK(job.accepted() == job.spec().units);
  CHECK(job.wrong() == 0);
}

/// Of the first `count` hosts, those that know of a job.
std::size_t informed(World& world, std::size_t count) {
  std::size_t known = 0;
  for (Node node = 0; node < count; ++node) known += world.host(node).peer()->counters().jobs_known > 0;
  return known;
}

}  // namespace

TEST_CASE("a submitter without a proof works with whom it is linked with, and one with a proof with the whole swarm") {
  constexpr std::size_t donors = 200;
  for (const bool proves : {false, true}) {
    CAPTURE(proves);
    World world({.seed = 21, .links = {}, .difficulty = 12});
    world.add_workers(donors);
    const Node submitter = world.add_submitter({.proves = proves});
    world.run_for(3min);
    const Submission& job = world.submit(submitter, {1'000'000, 10s, 1});
    REQUIRE(world.run_until([&] { return informed(world, donors) > 0; }, 10s));
    CHECK_FALSE(world.host(submitter).has_ticket());  // nobody waited for it
    world.run_for(1min);
    CHECK(job.accepted() > 0);
    CHECK(world.host(submitter).has_ticket() == proves);
    if (proves) {
      CHECK(informed(world, donors) == donors);
    } else {
      CHECK(informed(world, donors) > 0);
      CHECK(informed(world, donors) <= core::limits::overlay_outbound + core::limits::overlay_inbound_max);
    }
    for (const std::string& violation : world.violations()) FAIL_CHECK(violation);
  }
}

TEST_CASE("where a third peer stands between all, a job without a proof reaches nobody") {
  for (const bool proves : {false, true}) {
    CAPTURE(proves);
    World world({.seed = 22, .links = {}, .difficulty = 10});
    const Node relay = world.add_submitter();  // dialable, and computes nothing
    world.add_workers(4, {.behind_nat = true, .joins = relay});
    const Node submitter = world.add_submitter({.behind_nat = true, .proves = proves, .joins = relay});
    const Submission& job = world.submit(submitter, {100, 1s, 2});
    CHECK(world.run_until_ended(job, 10min) == proves);
    if (proves) {
      check_right(world, job);
    } else {
      CHECK(job.accepted() == 0);
      CHECK(world.host(relay).peer()->counters().jobs_known == 1);  // it knows, and does not tell
    }
  }
}

TEST_CASE("a restarted submitter has the proof that it found before, and one that dies in the search begins anew") {
  World world({.seed = 23, .links = {}, .difficulty = 15});
  world.add_workers(8);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {400, 10s, 2});
  for (int crash = 0; crash < 3; ++crash) {
    world.run_for(1s);
    CHECK_FALSE(world.host(submitter).has_ticket());
    world.crash(submitter);
    world.restart(submitter);
  }
  REQUIRE(world.run_until([&] { return world.host(submitter).has_ticket(); }, 5min));
  world.crash(submitter);
  CHECK(world.host(submitter).has_ticket());
  world.restart(submitter);
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
}

TEST_CASE("a new name has to work for a proof of its own") {
  World world({.seed = 24, .links = {}, .difficulty = 8});
  world.add_workers(3);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {2, 1s, 1});
  REQUIRE(world.run_until_ended(job, 5min));
  REQUIRE(world.run_until([&] { return world.host(submitter).has_ticket(); }, 1min));
  world.host(submitter).be_reborn();
  CHECK_FALSE(world.host(submitter).has_ticket());
}
