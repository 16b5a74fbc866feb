// Every strategy to cheat against jobs by confidence, in the simulated network.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "coordinatorless/sim/simulation.h"
#include "tests/sim/ended_well.h"

using namespace dugnad::sim;

namespace {

SimulationOptions attacked(Strategy strategy) {
  SimulationOptions options;
  options.peers = 31;
  options.units = 600;
  options.unit_seconds = 2;
  options.confidence = 0.99;
  options.assume = 0.2;
  options.saboteurs = 0.2;
  options.strategy = strategy;
  options.returns = 20;
  options.local = 2;
  return options;
}

struct Sum {
  std::vector<double> wrong;  // each run's, in units of what is allowed
  std::uint64_t convicted = 0;
};

/// Runs with the seeds 1 to `runs`, each of which must end well; that no honest donor is convicted without an error of its own is among what
/// makes a run's troubles.
void add_runs(Sum& sum, SimulationOptions options, std::uint64_t runs) {
  const double allowed = (1 - options.confidence) * static_cast<double>(options.units);
  for (options.seed = 1; options.seed <= runs; ++options.seed) {
    const SimulationReport report = simulate(options);
    check_ended(report, options);
    CAPTURE(command_line(options));
    CHECK(report.honest_branded == 0);
    sum.wrong.push_back(static_cast<double>(report.wrong) / allowed);
    sum.convicted += report.convicted - report.erred;
  }
}

double mean(const std::vector<double>& samples) {
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

/// The 95 % interval of the mean does not lie above what is allowed.
bool holds(const std::vector<double>& wrong) {
  const double middle = mean(wrong);
  double squares = 0;
  for (const double each : wrong) squares += (each - middle) * (each - middle);
  const auto count = static_cast<double>(wrong.size());
  return middle - 1.96 * std::sqrt(squares / (count - 1) / count) <= 1.0;
}

}  // namespace

TEST_CASE("no strategy gets more wrong results into a job than its confidence allows, and no honest donor is convicted") {
  double wrong = 0;
  for (const Strategy strategy : tactics) {
    Sum sum;
    for (const bool overhear : {false, true}) {
      SimulationOptions options = attacked(strategy);
      options.overhear = overhear;
      add_runs(sum, options, 4);
    }
    CHECK_MESSAGE(holds(sum.wrong), name_of(strategy), ": wrong ", mean(sum.wrong));
    if (strategy != Strategy::honest) CHECK_MESSAGE(sum.convicted > 0, name_of(strategy));
    wrong += mean(sum.wrong);
  }
  CHECK(wrong > 0);  // the liars do try
  CHECK(wrong / static_cast<double>(tactics.size()) < 1);
}

TEST_CASE("crashes, loss, partitions, silence and NAT help no liar") {
  Sum sum;
  for (const Strategy strategy : tactics) {
    SimulationOptions options = attacked(strategy);
    options.loss = 0.05;
    options.crashes = 6;
    options.partitions = 12;
    options.suspends = 2;
    options.silent = 0.05;
    options.nat = 0.2;
    add_runs(sum, options, 2);
  }
  CHECK(mean(sum.wrong) < 1);
}

TEST_CASE("donors that go and come, in few networks, and err now and then, help no liar and lose no name") {
  std::uint64_t erred = 0;
  for (const Strategy strategy : {Strategy::honest, Strategy::collude, Strategy::single, Strategy::sybil}) {
    SimulationOptions options = attacked(strategy);
    options.churn = 0.5;
    options.groups = 4;
    options.hardware_errors = 0.002;
    for (options.seed = 1; options.seed <= 4; ++options.seed) {
      const SimulationReport report = simulate(options);
      CAPTURE(command_line(options));
      for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
      CHECK(report.accepted == options.units);
      CHECK(report.honest_branded == 0);
      CHECK(report.wrong <= 6);  // as many as the confidence allows
      erred += report.erred;
    }
  }
  CHECK(erred > 0);
}

TEST_CASE("a gang with all it knows replays from its seed") {
  for (const Strategy strategy : {Strategy::collude, Strategy::framing, Strategy::sybil, Strategy::targeted}) {
    SimulationOptions options = attacked(strategy);
    options.overhear = true;
    options.churn = 0.3;
    options.loss = 0.02;
    options.crashes = 6;
    const SimulationReport first = simulate(options), second = simulate(options);
    CAPTURE(command_line(options));
    CHECK(first.final_draw == second.final_draw);
    CHECK(first.events == second.events);
    CHECK(first.convicted == second.convicted);
  }
}
