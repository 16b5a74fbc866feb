// Five swarms of a thousand peers. A program of its own, for its time.
#include <doctest/doctest.h>

#include "coordinatorless/sim/simulation.h"

using namespace dugnad::sim;

TEST_CASE("a thousand peers, ten thousand units, ten per cent loss, crashes, partitions, five per cent liars, three copies") {
  SimulationOptions options;
  options.peers = 1000;
  options.units = 10000;
  options.unit_seconds = 5;
  options.copies = 3;
  options.saboteurs = 0.05;
  options.loss = 0.1;
  options.crashes = 4;
  options.partitions = 300;  // a run lasts about a virtual minute
  for (options.seed = 1; options.seed <= 5; ++options.seed) {
    const SimulationReport report = simulate(options);
    CAPTURE(command_line(options));
    for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
    CHECK(report.accepted == options.units);
    CHECK(report.wrong == 0);
    CHECK(report.crashes > 0);
    CHECK(report.partitions > 0);
  }
}
