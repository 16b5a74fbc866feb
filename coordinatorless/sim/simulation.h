// Simulation: one run as `dugnad-sim` describes it by its options: a swarm, one job, faults at given rates, and what came of it.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/sim/faults.h"

namespace dugnad::sim {

struct SimulationOptions {
  std::uint64_t peers = 60;  // one of them submits
  std::uint64_t units = 600;
  double unit_seconds = 1;  // mean, on a donor of speed 1
  std::uint64_t seed = 1;
  std::uint32_t copies = 2;
  double confidence = 0;  // per unit, instead of copies; 0: by copies
  double assume = 0.1;    // share of saboteurs that it reckons with
  double check = 0;       // what the task's own check costs, beside a unit; 0: it has none
  double saboteurs = 0;  // shares of the donors
  Strategy strategy = Strategy::always;
  double lie_rate = 0;        // of random, collude and confession; 0: as each has it (gang.h)
  std::uint64_t returns = 0;  // times that each saboteur comes back under a new name; a sybil does anyway
  bool overhear = false;      // saboteurs know an audit when they see one
  double silent = 0;
  double withhold = 0;             // of the donors: return large outputs and give none
  std::uint64_t input_bytes = 0;   // of each unit
  std::uint64_t output_bytes = 0;
  std::uint64_t module_bytes = 0;  // of the job's program; 0: built in
  double loss = 0;
  double latency_ms = 20;
  double crashes = 0;     // per peer and hour
  double suspends = 0;    // per peer and hour
  double partitions = 0;  // per hour
  double disk_failures = 0;  // share of commits and readings that fail
  double nat = 0;         // share of all peers but the first donor
  double churn = 0;       // share of the honest donors that are replaced while the job would take if nothing else happened
  std::uint64_t groups = 0;    // networks that all are in; 0: any
  double hardware_errors = 0;  // share of honest donors' results
  std::uint64_t local = 0;     // the submitter's own slots; 0: one with a confidence, else none
  double max_hours = 2;   // virtual; faults stop after half of it
  std::uint64_t difficulty = 0;  // of an identity's proof of work, in bits; a try takes half a millisecond
};

struct SimulationReport {
  std::uint64_t seed = 0;
  std::uint64_t peers = 0;
  std::uint64_t units = 0;
  std::uint64_t accepted = 0;
  std::uint64_t wrong = 0;
  std::uint64_t unfinished = 0;
  double attempts_per_unit = 0;
  double overhead = 0;
  double virtual_seconds = 0;
  std::uint64_t messages = 0;
  double bytes_per_peer_second = 0;
  std::uint64_t final_draw = 0;

  std::vector<std::string> troubles;  // broken invariants and lost units; empty where all is well
  std::uint64_t convicted = 0;       // times that a donor was proven wrong
  std::uint64_t erred = 0;           // of these, that it was an honest one
  std::uint64_t honest_branded = 0;  // of these, that it lost its name
  double own_share = 0;         // of the units, decided by the submitter's own work, since it last started
  std::uint64_t crashes = 0;
  std::uint64_t partitions = 0;
  std::uint64_t events = 0;
  std::uint64_t reopened = 0;  // units whose output nobody gave, since the submitter last started
  std::uint64_t fetched = 0;   // blobs that went from one peer to another
};

[[nodiscard]] SimulationReport simulate(const SimulationOptions& options);

/// The `dugnad-sim` command that runs exactly this.
[[nodiscard]] std::string command_line(const SimulationOptions& options);

}  // namespace dugnad::sim
