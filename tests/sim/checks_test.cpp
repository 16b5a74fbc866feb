// Jobs whose task has a check, in the simulated network: every strategy, with faults and without, at what it costs.
#include <doctest/doctest.h>

#include <string>

#include "coordinatorless/sim/simulation.h"
#include "tests/sim/ended_well.h"

using namespace dugnad::sim;

namespace {

SimulationOptions checked(Strategy strategy) {
  SimulationOptions options;
  options.peers = 31;
  options.units = 1000;
  options.unit_seconds = 2;
  options.confidence = 0.999;
  options.check = 0.01;
  options.saboteurs = strategy == Strategy::honest ? 0 : 0.2;
  options.strategy = strategy;
  options.returns = 20;
  return options;
}

SimulationReport run(const SimulationOptions& options) {
  const SimulationReport report = simulate(options);
  check_right(report, options);
  CAPTURE(command_line(options));
  CHECK(report.honest_branded == 0);
  CHECK(report.convicted >= report.erred);
  return report;
}

}  // namespace

TEST_CASE("without an attack a job whose task has a check costs one attempt a unit and the checks") {
  SimulationOptions options = checked(Strategy::honest);
  const SimulationReport report = run(options);
  CHECK(report.attempts_per_unit < 1.02);
  CHECK(report.overhead < 1.02 + options.check);
  CHECK(report.own_share < 0.02);
}

TEST_CASE("whatever the strategy, no wrong result of a checked job is accepted, and no honest donor is convicted") {
  for (const Strategy strategy : tactics) {
    CAPTURE(name_of(strategy));
    SimulationOptions options = checked(strategy);
    options.overhear = true;
    const SimulationReport report = run(options);
    // Two lie only about audits, or where they believe that nobody looks: of which there are none.
    const bool lies = strategy != Strategy::honest && strategy != Strategy::framing && strategy != Strategy::targeted;
    CHECK((report.convicted > 0) == lies);
    CHECK(report.overhead < 1.5);
  }
}

TEST_CASE("crashes, loss, partitions, silence, NAT and failing hardware let no wrong result of a checked job through") {
  for (const Strategy strategy : {Strategy::always, Strategy::random, Strategy::collude, Strategy::sybil}) {
    SimulationOptions options = checked(strategy);
    options.loss = 0.05;
    options.crashes = 6;
    options.partitions = 12;
    options.suspends = 2;
    options.silent = 0.05;
    options.nat = 0.2;
    options.hardware_errors = 0.002;
    options.churn = 0.3;
    (void)run(options);
  }
}

TEST_CASE("large outputs are fetched, checked and only then accepted; who withholds them costs time") {
  for (const Strategy strategy : {Strategy::honest, Strategy::always, Strategy::collude}) {
    SimulationOptions options = checked(strategy);
    options.units = 200;
    options.input_bytes = 100'000;
    options.output_bytes = 300'000;
    options.withhold = 0.1;
    const SimulationReport report = run(options);
    CHECK(report.fetched >= options.units / 2);
  }
}

TEST_CASE("a checked job replays from its seed") {
  SimulationOptions options = checked(Strategy::sybil);
  options.loss = 0.02;
  options.crashes = 6;
  options.output_bytes = 100'000;
  options.units = 200;
  const SimulationReport first = simulate(options), second = simulate(options);
  CHECK(first.final_draw == second.final_draw);
  CHECK(first.events == second.events);
}
