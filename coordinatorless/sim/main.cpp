// dugnad-sim: the product's own protocol core, thousands of peers in one process, in virtual time.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/sim/simulation.h"

namespace {

using namespace dugnad::sim;

constexpr int exit_well = 0, exit_trouble = 1, exit_usage = 2;

std::string hex_of(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

nlohmann::ordered_json as_json(const SimulationReport& report) {
  return {{"seed", report.seed},
          {"peers", report.peers},
          {"units", report.units},
          {"accepted", report.accepted},
          {"wrong", report.wrong},
          {"unfinished", report.unfinished},
          {"attempts_per_unit", report.attempts_per_unit},
          {"overhead", report.overhead},
          {"own_share", report.own_share},
          {"convicted", report.convicted},
          {"erred", report.erred},
          {"honest_branded", report.honest_branded},
          {"virtual_seconds", report.virtual_seconds},
          {"messages", report.messages},
          {"bytes_per_peer_second", report.bytes_per_peer_second},
          {"final_draw", hex_of(report.final_draw)}};
}

std::vector<std::string> names_of_strategies() {
  std::vector<std::string> names;
  for (const Strategy strategy : tactics) {
    if (strategy != Strategy::honest) names.emplace_back(name_of(strategy));
  }
  return names;
}

/// One line a field, names and values aligned.
void print(const SimulationReport& report) {
  const nlohmann::ordered_json fields = as_json(report);
  for (const auto& [name, value] : fields.items()) {
    if (value.is_number_float())
      std::printf("%-22s %.3f\n", name.c_str(), value.get<double>());
    else if (value.is_string())
      std::printf("%-22s %s\n", name.c_str(), value.get<std::string>().c_str());
    else
      std::printf("%-22s %s\n", name.c_str(), value.dump().c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  SimulationOptions options;
  std::uint64_t runs = 1;
  std::string strategy = "always";
  bool json = false;

  CLI::App app{"Runs a swarm of simulated peers, the product's own protocol core, in virtual time. The same seed gives the same run."};
  app.option_defaults()->always_capture_default();
  app.add_option("--peers", options.peers, "Peers, one of which submits the job")->check(CLI::Range(2, 100000));
  app.add_option("--units", options.units, "Units of the job")->check(CLI::Range(1, 10000000));
  app.add_option("--unit-seconds", options.unit_seconds, "Mean CPU time of a unit; units and donors differ")->check(CLI::Range(1e-6, 1e6));
  app.add_option("--seed", options.seed, "The run's seed");
  app.add_option("--copies", options.copies, "Different donors that must agree on a unit")->check(CLI::Range(1, 16));
  app.add_option("--confidence", options.confidence, "Wanted confidence per unit, instead of copies; 0: by copies")
      ->check(CLI::Range(0.0, 0.999999999));
  app.add_option("--assume", options.assume, "Share of saboteurs that a confidence reckons with")->check(CLI::Range(0.0, 0.95));
  app.add_option("--check", options.check, "What the task's own check costs, beside a unit: with --confidence each result is checked; 0: it has none")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--saboteurs", options.saboteurs, "Share of donors that lie")->check(CLI::Range(0.0, 1.0));
  app.add_option("--strategy", strategy, "How they lie")->check(CLI::IsMember(names_of_strategies()));
  app.add_option("--lie-rate", options.lie_rate,
                 "Share of results that random, collude and confession lie about; 0: a half, all, and one in ten")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--returns", options.returns, "Times that each saboteur comes back under a new name once its own is lost; a sybil does anyway")
      ->check(CLI::Range(0, 1000000));
  app.add_flag("--overhear", options.overhear, "Saboteurs know an audit when they see one, which is more than they could");
  app.add_option("--silent", options.silent, "Share of donors that take work and never answer")->check(CLI::Range(0.0, 1.0));
  app.add_option("--withhold", options.withhold, "Share of donors that return large outputs and give none of them")->check(CLI::Range(0.0, 1.0));
  app.add_option("--input-bytes", options.input_bytes, "Bytes of each unit's input; above 65536 they travel as blobs")
      ->check(CLI::Range(std::uint64_t{0}, dugnad::core::limits::blob_bytes_max));
  app.add_option("--output-bytes", options.output_bytes, "Bytes of each unit's output, likewise")
      ->check(CLI::Range(std::uint64_t{0}, dugnad::core::limits::blob_bytes_max));
  app.add_option("--module-bytes", options.module_bytes, "Bytes of the job's program, which each donor fetches first; 0: built in")
      ->check(CLI::Range(std::uint64_t{0}, dugnad::core::limits::module_bytes_max));
  app.add_option("--loss", options.loss,
                 "Share of packets lost. Links are TCP's: a loss delays what follows it by 200 ms and more, and one in ten breaks the link "
                 "with all that is in flight")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--latency", options.latency_ms, "Mean latency one way, in milliseconds")->check(CLI::Range(0.0, 60000.0));
  app.add_option("--crashes", options.crashes, "Crashes per peer and hour; a crashed peer is back after 5 s to 2 min")
      ->check(CLI::Range(0.0, 1000.0));
  app.add_option("--suspends", options.suspends, "Suspends per peer and hour, of 10 s to 5 min")->check(CLI::Range(0.0, 1000.0));
  app.add_option("--partitions", options.partitions, "Partitions of the swarm per hour, of 10 s to 3 min")->check(CLI::Range(0.0, 1000.0));
  app.add_option("--disk-failures", options.disk_failures,
                 "Share of commits that fail, tried again a second later, of starts that cannot read, and of large values that cannot be kept "
                 "or read")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--nat", options.nat, "Share of peers that nobody can dial")->check(CLI::Range(0.0, 1.0));
  app.add_option("--difficulty", options.difficulty,
                 "Bits of the proof of work that the submitter needs before others pass its job on; a try takes it half a millisecond")
      ->check(CLI::Range(0U, dugnad::core::limits::proof_bits_most));
  app.add_option("--churn", options.churn, "Share of the honest donors that leave for good during the job, others coming in their place")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--groups", options.groups, "Networks (of a /16) that all peers are in; 0: any")->check(CLI::Range(0, 16384));
  app.add_option("--hardware-errors", options.hardware_errors, "Share of honest donors' results that go wrong")->check(CLI::Range(0.0, 0.5));
  app.add_option("--local", options.local, "The submitter's own slots; 0: one with a confidence, else none")->check(CLI::Range(0, 1000));
  app.add_option("--max-hours", options.max_hours, "Virtual time for the job; faults stop after half of it")
      ->check(CLI::Range(0.001, 10000.0));
  app.add_option("--runs", runs, "Runs, with this and the following seeds")->check(CLI::Range(1, 1000000000));
  app.add_flag("--json", json, "One JSON object a run");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? exit_well : exit_usage;
  }
  options.strategy = *tactic_named(strategy);

  int code = exit_well;
  for (std::uint64_t run = 0; run < runs; ++run, ++options.seed) {
    const SimulationReport report = simulate(options);
    if (json)
      std::cout << as_json(report).dump() << std::endl;
    else
      print(report);
    if (report.troubles.empty()) continue;
    code = exit_trouble;
    for (const std::string& trouble : report.troubles) std::cerr << "dugnad-sim: " << trouble << "\n";
    std::cerr << "replay: " << command_line(options) << std::endl;
  }
  return code;
}
