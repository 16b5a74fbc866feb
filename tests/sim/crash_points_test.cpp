// A submitter that dies at each effect of its peer in turn, and once more a few effects into its next life: at a thousand points in all.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "coordinatorless/sim/world.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

struct Played {
  std::uint64_t effects = 0;  // of the submitter, until its job ended
  std::uint64_t deaths = 0;
  double overhead = 0;
};

/// Dies at `first`, and `then` effects later again. 0: never.
Played play(const JobSpec& spec, unsigned own_slots, Strategy liar, std::uint64_t first, std::uint64_t then) {
  CAPTURE(first);
  CAPTURE(then);
  World world({.seed = 5, .links = {}});
  world.add_workers(5, {.speed = 1.0});
  world.add_worker({.strategy = liar, .returns = 0, .speed = 1.0});
  const Node submitter = world.add_submitter({.slots = own_slots});
  Played outcome;
  const auto back = [&] { world.after(2s, [&world, submitter] { world.restart(submitter); }); };
  const auto died_again = [&] { ++outcome.deaths, back(); };
  const auto died = [&] {
    ++outcome.deaths;
    if (then > 0) world.host(submitter).die_at(first + then, died_again);
    back();
  };
  if (first > 0) world.host(submitter).die_at(first, died);
  const Submission& job = world.submit(submitter, spec);
  CHECK(world.run_until_ended(job, 30min));
  for (const std::string& violation : world.violations()) FAIL_CHECK(violation);
  CHECK(job.state() == JobState::done);
  CHECK(job.accepted() == spec.units);
  CHECK(job.wrong() == 0);
  outcome.effects = world.host(submitter).effects();
  outcome.overhead = seconds_of(world.cpu_spent()) / seconds_of(job.honest_work());
  return outcome;
}

/// At most `points` points of that job, evenly spread.
void die_everywhere(const JobSpec& spec, unsigned own_slots, Strategy liar, std::uint64_t points) {
  const Played undisturbed = play(spec, own_slots, liar, 0, 0);
  REQUIRE(undisturbed.effects > 100);
  const std::uint64_t step = std::max<std::uint64_t>(1, undisturbed.effects / points);
  std::uint64_t runs = 0, deaths = 0;
  double overhead = 0, most = 0;
  for (std::uint64_t point = 1; point < undisturbed.effects; point += step, ++runs) {
    const Played outcome = play(spec, own_slots, liar, point, runs % 3 == 0 ? 1 + runs % 40 : 0);
    deaths += outcome.deaths;
    overhead += outcome.overhead;
    most = std::max(most, outcome.overhead);
  }
  MESSAGE(runs << " points of " << undisturbed.effects << ", " << deaths << " deaths; overhead " << undisturbed.overhead << " undisturbed, "
               << overhead / static_cast<double>(runs) << " on average, " << most << " at most");
  CHECK(deaths >= runs);
  // What six donors had out when it died is computed again, at most.
  CHECK(overhead / static_cast<double>(runs) < 1.15 * undisturbed.overhead);
  CHECK(most < 1.5 * undisturbed.overhead);
}

core::WantedConfidence wanted(double error, bool stream) { return {static_cast<std::uint32_t>(error * 1e9), false, 200'000, stream}; }

}  // namespace

TEST_CASE("a submitter may die at any effect of a job by copies: each unit is accepted once, rightly, and none is computed again once final") {
  die_everywhere({100, 1s, 2}, 0, Strategy::honest, 250);
}

TEST_CASE("the same of a job by confidence, all of whose results wait for its end") {
  JobSpec spec{100, 1s, 1};
  spec.confidence = wanted(0.02, false);
  SUBCASE("among honest donors") { die_everywhere(spec, 1, Strategy::honest, 250); }
  SUBCASE("with a liar") { die_everywhere(spec, 1, Strategy::random, 250); }
}

TEST_CASE("the same with large outputs, which their donors hold") {
  SUBCASE("by copies") { die_everywhere({60, 1s, 2, 8, 200'000}, 0, Strategy::honest, 125); }
  SUBCASE("by confidence") {
    JobSpec spec{60, 1s, 1, 8, 200'000};
    spec.confidence = wanted(0.05, true);
    die_everywhere(spec, 1, Strategy::honest, 125);
  }
}
