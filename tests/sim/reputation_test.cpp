// One submitter, one job after another, and what it remembers of its donors.
#include <doctest/doctest.h>

#include "coordinatorless/sim/faults.h"
#include "tests/sim/ended_well.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

JobSpec sure_job(std::uint64_t units) {
  JobSpec spec{units, 200ms, 1};
  spec.confidence = core::WantedConfidence{1'000'000, false, 200'000, false};
  return spec;
}

}  // namespace

TEST_CASE("a liar of one job gets next to nothing of the next, also when its submitter has been restarted") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World world({.seed = 91, .links = {}});
    world.add_workers(6, {.speed = 1.0});
    const Node liar = world.add_worker({.strategy = Strategy::always, .returns = 0, .speed = 1.0});
    const Node submitter = world.add_submitter({.slots = 1});
    world.run_for(30s);
    const Submission& first = world.submit(submitter, sure_job(1500));
    REQUIRE(world.run_until_ended(first, 60min));
    check_right(world, first);
    CHECK(first.convicted >= 1);
    world.run_for(40s);
    if (restarts) {
      world.crash(submitter);
      world.run_for(5s);
      world.restart(submitter);
      world.run_for(30s);
    }
    const Duration before = world.host(liar).spent();
    const Submission& second = world.submit(submitter, sure_job(1500));
    REQUIRE(world.run_until_ended(second, 60min));
    check_right(world, second);
    CHECK(world.host(liar).spent() - before < 15s);  // of some 300
  }
}

TEST_CASE("a second job with donors that are known costs no more than the first") {
  World world({.seed = 92, .links = {}});
  world.add_workers(10, {.speed = 1.0});
  const Node submitter = world.add_submitter({.slots = 1});
  world.run_for(30s);
  const auto run = [&] {
    const Duration before = world.cpu_spent();
    const Submission& job = world.submit(submitter, sure_job(3000));
    REQUIRE(world.run_until_ended(job, 60min));
    check_right(world, job);
    world.run_for(40s);
    return seconds_of(world.cpu_spent() - before) / seconds_of(job.honest_work());
  };
  const double cold = run(), warm = run();
  CHECK(warm < cold + 0.05);
}
