// A submitter that dies at each effect of its peer in turn, and once more a few effects into its next life: at more than a
// thousand points in all, of every kind of job, with a disk that works and with one that does not.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "coordinatorless/sim/world.h"
#include "tests/sim/ended_well.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

struct Played {
  std::uint64_t effects = 0;  // of the submitter, until its job ended
  std::uint64_t deaths = 0;
  double overhead = 0;
};

/// What is submitted, and among whom.
struct Trial {
  JobSpec spec;
  unsigned own_slots = 0;
  Strategy liar = Strategy::honest;
  double disk_failing = 0;  // everybody's: share of commits, of blobs, and of readings
};

/// Dies at `first`, and `then` effects later again. 0: never.
Played play(const Trial& trial, std::uint64_t first, std::uint64_t then) {
  CAPTURE(first);
  CAPTURE(then);
  World world({.seed = 5, .links = {}});
  world.add_workers(5, {.speed = 1.0});
  world.add_worker({.strategy = trial.liar, .returns = 0, .speed = 1.0});
  const Node submitter = world.add_submitter({.slots = trial.own_slots});
  for (Node node = 0; node < world.size(); ++node) world.host(node).set_disk_failing(trial.disk_failing);
  Played outcome;
  const auto back = [&] { world.after(2s, [&world, submitter] { world.restart(submitter); }); };
  const auto died_again = [&] { ++outcome.deaths, back(); };
  const auto died = [&] {
    ++outcome.deaths;
    if (then > 0) world.host(submitter).die_at(first + then, died_again);
    back();
  };
  if (first > 0) world.host(submitter).die_at(first, died);
  const Submission& job = world.submit(submitter, trial.spec);
  CHECK(world.run_until_ended(job, 30min));
  check_right(world, job);
  outcome.effects = world.host(submitter).effects();
  outcome.overhead = seconds_of(world.cpu_spent()) / seconds_of(job.honest_work());
  return outcome;
}

// What a sanitizer can find at a point it finds at its neighbours too, and each costs it ten times as much.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t points_passed_over = 5;
#else
constexpr std::uint64_t points_passed_over = 1;
#endif

/// At most `points` points of that job, evenly spread.
void die_everywhere(const Trial& trial, std::uint64_t points) {
  points /= points_passed_over;
  const Played undisturbed = play(trial, 0, 0);
  REQUIRE(undisturbed.effects > 100);
  const std::uint64_t step = std::max<std::uint64_t>(1, undisturbed.effects / points);
  std::uint64_t runs = 0, deaths = 0;
  double overhead = 0, most = 0;
  for (std::uint64_t point = 1; point < undisturbed.effects; point += step, ++runs) {
    const Played outcome = play(trial, point, runs % 3 == 0 ? 1 + runs % 40 : 0);
    deaths += outcome.deaths;
    overhead += outcome.overhead;
    most = std::max(most, outcome.overhead);
  }
  MESSAGE(runs << " points of " << undisturbed.effects << ", " << deaths << " deaths; overhead " << undisturbed.overhead << " undisturbed, "
               << overhead / static_cast<double>(runs) << " on average, " << most << " at most");
  CHECK(deaths >= runs);
  // What six donors had out when it died is computed again, at most: a unit that ran and one or two that waited, for each.
  const auto units = static_cast<double>(trial.spec.units);
  CHECK((overhead - undisturbed.overhead * static_cast<double>(runs)) * units < 15 * static_cast<double>(deaths));
  CHECK((most - undisturbed.overhead) * units < 50);
}

constexpr std::uint64_t large = 200'000;  // bytes

JobSpec by_copies(std::uint64_t units, std::uint64_t input_bytes = 8, std::uint64_t output_bytes = 8) {
  return {units, 1s, 2, input_bytes, output_bytes};
}
JobSpec by_confidence(std::uint64_t units, double error, bool stream, std::uint64_t input_bytes = 8, std::uint64_t output_bytes = 8) {
  JobSpec spec{units, 1s, 1, input_bytes, output_bytes};
  spec.confidence = core::WantedConfidence{static_cast<std::uint32_t>(error * 1e9), false, 200'000, stream};
  return spec;
}
JobSpec by_check(std::uint64_t units, std::uint64_t input_bytes = 8, std::uint64_t output_bytes = 8) {
  JobSpec spec = by_confidence(units, 0.001, true, input_bytes, output_bytes);
  spec.check = 0.02;
  return spec;
}

}  // namespace

TEST_CASE("a submitter may die at any effect of a job by copies: each unit is accepted once, rightly, and none is computed again once final") {
  die_everywhere({.spec = by_copies(100)}, 250);
}

TEST_CASE("the same of a job by confidence, all of whose results wait for its end") {
  const JobSpec spec = by_confidence(100, 0.02, false);
  SUBCASE("among honest donors") { die_everywhere({.spec = spec, .own_slots = 1}, 250); }
  SUBCASE("with a liar") { die_everywhere({.spec = spec, .own_slots = 1, .liar = Strategy::random}, 250); }
}

TEST_CASE("the same of a job whose task checks each result") {
  SUBCASE("among honest donors") { die_everywhere({.spec = by_check(100), .own_slots = 1}, 200); }
  SUBCASE("with a liar") { die_everywhere({.spec = by_check(100), .own_slots = 1, .liar = Strategy::random}, 200); }
}

TEST_CASE("the same with large outputs, which their donors hold") {
  SUBCASE("by copies") { die_everywhere({.spec = by_copies(60, 8, large)}, 125); }
  SUBCASE("by confidence") { die_everywhere({.spec = by_confidence(60, 0.05, true, 8, large), .own_slots = 1}, 125); }
  SUBCASE("by a check") { die_everywhere({.spec = by_check(60, 8, large), .own_slots = 1}, 125); }
}

TEST_CASE("the same with large inputs, which the submitter holds") {
  SUBCASE("by copies") { die_everywhere({.spec = by_copies(60, large)}, 100); }
  SUBCASE("by confidence") { die_everywhere({.spec = by_confidence(60, 0.05, true, large), .own_slots = 1}, 100); }
  SUBCASE("by a check, with large outputs too") { die_everywhere({.spec = by_check(60, large, large), .own_slots = 1}, 100); }
}

TEST_CASE("the same where disks are full, or cannot be read: with small values every third time, with large ones every tenth") {
  constexpr double failing = 0.3, failing_blobs = 0.1;
  SUBCASE("by copies") { die_everywhere({.spec = by_copies(60), .disk_failing = failing}, 100); }
  SUBCASE("by confidence") { die_everywhere({.spec = by_confidence(60, 0.05, false), .own_slots = 1, .disk_failing = failing}, 100); }
  SUBCASE("by a check") { die_everywhere({.spec = by_check(60), .own_slots = 1, .disk_failing = failing}, 100); }
  SUBCASE("large inputs and outputs, by copies") {
    die_everywhere({.spec = by_copies(40, large, large), .disk_failing = failing_blobs}, 60);
  }
  SUBCASE("large inputs and outputs, by confidence") {
    die_everywhere({.spec = by_confidence(40, 0.05, true, large, large), .own_slots = 1, .disk_failing = failing_blobs}, 60);
  }
  SUBCASE("large inputs and outputs, by a check") {
    die_everywhere({.spec = by_check(40, large, large), .own_slots = 1, .disk_failing = failing_blobs}, 60);
  }
}
