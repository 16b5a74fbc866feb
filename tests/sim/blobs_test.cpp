// Modules and large inputs and outputs in a swarm where holders vanish, lie about what they hold, or give nothing. That nothing is begun before its
// blobs are here, nor accepted before its output is, the hosts watch themselves; here the swarm must get through all the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "coordinatorless/sim/simulation.h"
#include "tests/sim/ended_well.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t input_bytes = 200 << 10, output_bytes = 5 << 20, module_bytes = 1 << 20;

JobSpec large(std::uint64_t units, Duration unit = 1s, std::uint32_t copies = 2) {
  return {units, unit, copies, input_bytes, output_bytes, module_bytes};
}

std::uint64_t reopened(World& world, Node submitter, const Submission& job) {
  const core::Peer* peer = world.host(submitter).peer();
  REQUIRE(peer != nullptr);
  return peer->progress(job.id())->units_reopened;
}

std::uint64_t fetched(World& world) {
  std::uint64_t all = 0;
  for (Node node = 0; node < world.size(); ++node) all += world.host(node).blobs().fetched();
  return all;
}

}  // namespace

TEST_CASE("a program, its inputs and its outputs travel as blobs, each to whoever needs it and once") {
  World world({.seed = 1, .links = {}});
  world.add_workers(5);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, large(60));
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
  CHECK(reopened(world, submitter, job) == 0);
  CHECK(world.results() < 130);
  // Five times the module, an input for each attempt, an output for each unit.
  CHECK(fetched(world) >= 5 + 120 + 60);
  CHECK(fetched(world) <= 5 + world.results() + 10 + 60);
}

TEST_CASE("donors that come after one another get a program from each other, and inputs that two of them need leave the submitter about once") {
  World world({.seed = 8, .links = {}});
  const Node submitter = world.add_submitter();
  for (int i = 0; i < 8; ++i) world.add_worker({.speed = 1.0, .joins = submitter, .starts_after = i * 20s});
  constexpr std::uint64_t program = 8 << 20, input = 1 << 20;
  const Submission& job = world.submit(submitter, {100, 20s, 2, input, 0, program});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
  const auto fetches_of_inputs = static_cast<double>(fetched(world) - 8);
  const auto uploads = static_cast<double>(world.host(submitter).blobs().served() - program) / static_cast<double>(100 * input);
  MESSAGE("inputs were fetched ", fetches_of_inputs / 100, " times each, and uploaded by the submitter ", uploads, " times");
  CHECK(world.host(submitter).blobs().served() >= program + 100 * input);
  CHECK(world.host(submitter).blobs().served() <= 2 * program + 100 * input * 3 / 2);
}

TEST_CASE("donors of a quick task with large inputs may ask for each of them who else has it, and stay") {
  World world({.seed = 10, .links = {.latency = 1ms, .bytes_per_second = 100e6}});
  const Node submitter = world.add_submitter();
  for (int i = 0; i < 2; ++i) world.add_worker({.speed = 1.0, .joins = submitter});
  const Submission& job = world.submit(submitter, {1500, 20ms, 2, 1 << 20, 0, 0});
  REQUIRE(world.run_until_ended(job, 5min));
  check_right(world, job);
  CHECK(world.results() == 3000);
}

TEST_CASE("in a job that audits, an auditor gets the input from whoever has returned the unit, and nobody hears of anybody before that") {
  for (const std::uint64_t seed : {9, 10, 11}) {
    World world({.seed = seed, .links = {}});
    const auto workers = world.add_workers(8, {.speed = 1.0});
    const Node submitter = world.add_submitter({.slots = 1});
    std::uint64_t asked = 0;
    std::map<BlobId, Node> first;  // to help with it
    for (const Node worker : workers) {
      world.host(worker).blobs().asked_for_help = [&, worker](Node asker, const BlobId& blob) {
        ++asked;
        CHECK(first.try_emplace(blob, worker).first->second != asker);
        CHECK(world.host(worker).peer()->counters().units_computed > 0);
      };
    }
    constexpr std::uint64_t units = 100, input = 1 << 20;
    JobSpec spec{units, 2s, 1, input, 0, 0};
    spec.confidence = core::WantedConfidence{.error_ppb = 1'000'000};
    const Submission& job = world.submit(submitter, spec);
    REQUIRE(world.run_until_ended(job, 60min));
    check_right(world, job);
    // Nearly every unit is audited.
    const auto fetches = static_cast<double>(fetched(world)) / units;
    const auto uploads = static_cast<double>(world.host(submitter).blobs().served()) / (units * input);
    MESSAGE("inputs were fetched ", fetches, " times each, and uploaded by the submitter ", uploads, " times");
    CHECK(fetches >= 1.5);
    CHECK(uploads <= 1.3);  // a quarter of what nobody needs is evicted at once here
    CHECK(asked > units / 3);
  }
}

namespace {

/// Saboteurs, a quarter of all and assumed to be, return the same wrong results now and then, cover for each other, and strike down whoever
/// asks one of them for an input. What is kept of their lies, as a multiple of what is allowed.
double kept_by_strikers(std::uint64_t seed, std::uint64_t& strikes) {
  constexpr double error = 0.005;
  World world({.seed = seed, .links = {}});
  const auto honest = world.add_workers(12, {.speed = 1.0});
  const auto saboteurs = world.add_workers(4, {.strategy = Strategy::collude, .returns = 10, .speed = 1.0});
  const Node submitter = world.add_submitter({.slots = 2});
  world.gang().set_rate(0.05);
  world.let_saboteurs_overhear();
  std::set<Node> down;
  for (const Node saboteur : saboteurs) {
    world.host(saboteur).blobs().asked_for_help = [&](Node asker, const BlobId&) {
      if (std::find(honest.begin(), honest.end(), asker) == honest.end() || !down.insert(asker).second) return;
      ++strikes;
      world.after({}, [&, asker] { world.crash(asker, Death::vanished); });
      world.after(40s, [&, asker] {
        down.erase(asker);
        world.restart(asker);
      });
    };
  }
  JobSpec spec{300, 2s, 1, 1 << 20, 0, 0};
  spec.confidence = core::WantedConfidence{.error_ppb = static_cast<std::uint32_t>(error * 1e9), .assumed_ppm = 250'000};
  const Submission& job = world.submit(submitter, spec);
  CHECK(world.run_until_ended(job, 24h));
  check_well(world);
  CHECK(job.accepted() == 300);
  CHECK(world.convictions().honest == 0);
  return static_cast<double>(job.wrong()) / (error * 300);
}

}  // namespace

TEST_CASE("saboteurs that strike down whoever is to audit them get no more lies through than the confidence allows") {
  double kept = 0;
  std::uint64_t strikes = 0;
  constexpr std::uint64_t runs = 12;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) kept += kept_by_strikers(seed, strikes) / runs;
  MESSAGE("wrong / allowed ", kept, ", ", strikes, " auditors struck down");
  CHECK(strikes > 5 * runs);
  CHECK(kept <= 1);
}

TEST_CASE("a submitter computes units with large inputs and outputs with its own slots") {
  World world({.seed = 2, .links = {}});
  const Node submitter = world.add_submitter({.slots = 2});
  const Submission& job = world.submit(submitter, {20, 500ms, 1, input_bytes, output_bytes, 0});
  REQUIRE(world.run_until_ended(job, 10min));
  check_right(world, job);
  CHECK(fetched(world) == 0);
}

TEST_CASE("where a job's donors vanish once they have voted, its units are computed again by others") {
  World world({.seed = 3, .links = {}});
  const auto first = world.add_workers(4, {.speed = 1.0});
  const Node submitter = world.add_submitter();
  // Outputs so large that none gets through before its holder is gone.
  const Submission& job = world.submit(submitter, {8, 2s, 1, 0, 60 << 20, 0});
  REQUIRE(world.run_until([&] { return world.results() >= 4; }, 5min));
  for (const Node node : first) world.crash(node, Death::vanished);
  CHECK(job.accepted() < 8);
  world.add_workers(4, {.joins = submitter});
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
  CHECK(reopened(world, submitter, job) > 0);
}

TEST_CASE("donors that are killed after they have voted, and come back soon, give what they had promised, and nothing is computed again") {
  for (const bool by_confidence : {false, true}) {
    World world({.seed = 11, .links = {}});
    const auto workers = world.add_workers(4, {.speed = 1.0});
    const Node submitter = world.add_submitter({.slots = by_confidence ? 1U : 0U});
    // Outputs so large that most are still to be fetched when their holders die, and not so large that a donor could not hold all of its.
    JobSpec spec{16, 2s, 1, 0, 15 << 20, 0};
    if (by_confidence) spec.confidence = core::WantedConfidence{};
    const Submission& job = world.submit(submitter, spec);
    REQUIRE(world.run_until([&] { return world.results() >= 8; }, 5min));
    CHECK(job.accepted() < 8);
    for (const Node node : workers) world.crash(node, Death::killed);
    world.run_for(5s);
    for (const Node node : workers) world.restart(node);
    REQUIRE(world.run_until_ended(job, 60min));
    check_right(world, job);
    CAPTURE(by_confidence);
    CHECK(reopened(world, submitter, job) == 0);
  }
}

TEST_CASE("a donor that returns large outputs and gives none delays the job for a bounded time, and then gets no more of it") {
  World world({.seed = 4, .links = {}});
  world.add_workers(4, {.speed = 1.0});
  const Node liar = world.add_worker({.withholds = true, .speed = 1.0});
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, large(200, 1s, 1));
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
  CHECK(reopened(world, submitter, job) > 0);
  CHECK(world.host(liar).peer()->counters().units_computed < 40);
}

TEST_CASE("where one of two that agree gives nothing, the other does, and no unit is computed again") {
  World world({.seed = 5, .links = {}});
  world.add_worker({.speed = 1.0});
  world.add_worker({.withholds = true, .speed = 1.0});
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, large(40));
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
  CHECK(reopened(world, submitter, job) == 0);
}

TEST_CASE("a submitter that crashes amid large outputs goes on with those it still has") {
  World world({.seed = 6, .links = {}});
  world.add_workers(6);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, large(150));
  REQUIRE(world.run_until([&] { return job.accepted() >= 40; }, 30min));
  world.crash(submitter, Death::killed);
  world.run_for(20s);
  world.restart(submitter);
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
}

TEST_CASE("large outputs are not produced faster than their program reads them") {
  World world({.seed = 7, .links = {}});
  world.add_workers(20, {.speed = 4.0});
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {400, 100ms, 1, 0, 60 << 20, 0});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
  // Four fit the submitter's room at a time, and each stays up to two seconds.
  CHECK(world.now() > 100s);
}

TEST_CASE("twenty seeds of a rough swarm whose peers vanish, sleep and withhold: every unit is accepted, with its output") {
  SimulationOptions options;
  options.peers = 30;
  options.units = 200;
  options.unit_seconds = 5;
  options.input_bytes = input_bytes;
  options.output_bytes = output_bytes;
  options.module_bytes = module_bytes;
  options.loss = 0.05;
  options.crashes = 10;
  options.partitions = 12;
  options.suspends = 2;
  options.nat = 0.2;
  options.withhold = 0.15;
  std::uint64_t reopened_in_all = 0;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    options.copies = 1 + options.seed % 2;
    const SimulationReport report = simulate(options);
    CAPTURE(command_line(options));
    for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
    CHECK(report.accepted == options.units);
    CHECK(report.wrong == 0);
    CHECK(report.fetched > options.units);
    reopened_in_all += report.reopened;
  }
  CHECK(reopened_in_all > 0);  // else the swarm was not rough enough to show anything
}

TEST_CASE("a run with blobs ends in the same final draw each time") {
  SimulationOptions options;
  options.peers = 15;
  options.units = 60;
  options.input_bytes = input_bytes;
  options.output_bytes = output_bytes;
  options.crashes = 20;
  options.withhold = 0.2;
  CHECK(simulate(options).final_draw == simulate(options).final_draw);
}
