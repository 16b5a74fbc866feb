// What every scenario ends with: nothing broke, and the job came to its right end.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "coordinatorless/sim/simulation.h"
#include "coordinatorless/sim/world.h"

namespace dugnad::sim {

/// No invariant broke.
inline void check_well(const World& world) {
  for (const std::string& violation : world.violations()) FAIL_CHECK(violation);
}

/// Besides, all units were accepted, and none is wrong.
inline void check_right(const World& world, const Submission& job) {
  check_well(world);
  CHECK(job.state() == JobState::done);
  CHECK(job.accepted() == job.spec().units);
  CHECK(job.wrong() == 0);
}

/// A run that dugnad-sim could do: nothing broke, and all units were accepted. Where that does not hold, what replays it is said.
inline void check_ended(const SimulationReport& report, const SimulationOptions& options) {
  CAPTURE(command_line(options));
  for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
  CHECK(report.accepted == options.units);
}

/// Besides, none is wrong.
inline void check_right(const SimulationReport& report, const SimulationOptions& options) {
  check_ended(report, options);
  CAPTURE(command_line(options));
  CHECK(report.wrong == 0);
}

}  // namespace dugnad::sim
