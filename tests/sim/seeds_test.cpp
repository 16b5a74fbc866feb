// Many seeds of one swarm with everything going wrong at once. How many: DUGNAD_SIM_SEEDS, 200 unless told.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "coordinatorless/sim/simulation.h"
#include "tests/sim/ended_well.h"

using namespace dugnad::sim;

namespace {

std::uint64_t seeds_in_all() {
  const char* text = std::getenv("DUGNAD_SIM_SEEDS");
  return text == nullptr ? 200 : std::strtoull(text, nullptr, 10);
}

/// 60 peers, 600 units, two copies, a bit of everything but lies.
SimulationOptions rough() {
  SimulationOptions options;
  options.unit_seconds = 10;
  options.loss = 0.05;
  options.crashes = 6;
  options.partitions = 12;
  options.suspends = 2;
  options.silent = 0.05;
  options.nat = 0.2;
  return options;
}

void run(SimulationOptions options, std::uint64_t first, std::uint64_t count) {
  for (options.seed = first; options.seed < first + count; ++options.seed) check_right(simulate(options), options);
}

/// The options of a command line as seeds.txt has them.
SimulationOptions parse(const std::string& line) {
  SimulationOptions options;
  std::istringstream words(line);
  std::string name;
  words >> name;
  REQUIRE(name == "dugnad-sim");
  while (words >> name) {
    if (name == "--overhear") {
      options.overhear = true;
      continue;
    }
    std::string value;
    words >> value;
    if (name == "--strategy") {
      REQUIRE(tactic_named(value).has_value());
      options.strategy = *tactic_named(value);
      continue;
    }
    const double number = std::stod(value);
    if (name == "--peers")
      options.peers = std::stoull(value);
    else if (name == "--units")
      options.units = std::stoull(value);
    else if (name == "--seed")
      options.seed = std::stoull(value);
    else if (name == "--copies")
      options.copies = static_cast<std::uint32_t>(std::stoul(value));
    else if (name == "--unit-seconds")
      options.unit_seconds = number;
    else if (name == "--saboteurs")
      options.saboteurs = number;
    else if (name == "--silent")
      options.silent = number;
    else if (name == "--loss")
      options.loss = number;
    else if (name == "--latency")
      options.latency_ms = number;
    else if (name == "--crashes")
      options.crashes = number;
    else if (name == "--suspends")
      options.suspends = number;
    else if (name == "--partitions")
      options.partitions = number;
    else if (name == "--nat")
      options.nat = number;
    else if (name == "--withhold")
      options.withhold = number;
    else if (name == "--input-bytes")
      options.input_bytes = std::stoull(value);
    else if (name == "--output-bytes")
      options.output_bytes = std::stoull(value);
    else if (name == "--module-bytes")
      options.module_bytes = std::stoull(value);
    else if (name == "--difficulty")
      options.difficulty = std::stoull(value);
    else if (name == "--max-hours")
      options.max_hours = number;
    else if (name == "--confidence")
      options.confidence = number;
    else if (name == "--assume")
      options.assume = number;
    else if (name == "--lie-rate")
      options.lie_rate = number;
    else if (name == "--returns")
      options.returns = std::stoull(value);
    else if (name == "--churn")
      options.churn = number;
    else if (name == "--groups")
      options.groups = std::stoull(value);
    else if (name == "--hardware-errors")
      options.hardware_errors = number;
    else if (name == "--local")
      options.local = std::stoull(value);
    else
      FAIL("seeds.txt has an option that nobody knows: " << name);
  }
  return options;
}

}  // namespace

TEST_CASE("the same seed ends in the same final draw, and another in another") {
  SimulationOptions options = rough();
  options.copies = 3;
  options.saboteurs = 0.1;
  options.strategy = Strategy::sybil;
  std::map<std::uint64_t, std::uint64_t> draws;
  for (options.seed = 1; options.seed <= 3; ++options.seed) {
    const SimulationReport first = simulate(options), second = simulate(options);
    CAPTURE(command_line(options));
    CHECK(first.final_draw == second.final_draw);
    CHECK(first.messages == second.messages);
    CHECK(first.events == second.events);
    draws[first.final_draw] = options.seed;
  }
  CHECK(draws.size() == 3);
}

TEST_CASE("a command line says all that a run depends on") {
  SimulationOptions options = rough();
  options.seed = 77;
  options.copies = 3;
  options.saboteurs = 1.0 / 3;
  options.strategy = Strategy::collude;
  options.latency_ms = 7.5;
  options.max_hours = 1.25;
  options.withhold = 0.125;
  options.input_bytes = 200000;
  options.output_bytes = 70000;
  options.module_bytes = 5;
  options.difficulty = 9;
  options.confidence = 0.999;
  options.assume = 0.25;
  options.lie_rate = 0.375;
  options.returns = 3;
  options.overhear = true;
  options.churn = 0.5;
  options.groups = 9;
  options.hardware_errors = 0.001;
  options.local = 4;
  CHECK(command_line(parse(command_line(options))) == command_line(options));
}

TEST_CASE("seeds that failed once pass") {
  std::ifstream file(DUGNAD_SEEDS_FILE);
  REQUIRE(file.good());
  std::string line;
  while (std::getline(file, line)) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    const SimulationOptions options = parse(line);
    const SimulationReport report = simulate(options);
    CAPTURE(line);
    for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
  }
}

TEST_CASE("rough weather: crashes, partitions, loss, suspends, silent donors and NAT, two copies") { run(rough(), 1, seeds_in_all() / 4); }

TEST_CASE("rough weather and liars, three copies") {
  SimulationOptions options = rough();
  options.copies = 3;
  options.saboteurs = 0.05;
  run(options, 1001, seeds_in_all() / 4);
}

TEST_CASE("rough weather and liars of every kind, by confidence") {
  SimulationOptions options = rough();
  options.unit_seconds = 2;
  options.confidence = 0.99;
  options.saboteurs = 0.1;
  options.returns = 3;
  options.seed = 4001;
  std::uint64_t wrong = 0;
  const std::uint64_t runs = seeds_in_all() / 4;
  for (std::uint64_t run = 0; run < runs; ++run, ++options.seed) {
    options.strategy = tactics[run % tactics.size()];
    const SimulationReport report = simulate(options);
    CAPTURE(command_line(options));
    for (const std::string& trouble : report.troubles) FAIL_CHECK(trouble);
    CHECK(report.accepted == options.units);
    wrong += report.wrong;
  }
  CHECK(static_cast<double>(wrong) <= 0.01 * static_cast<double>(options.units * runs));
}

TEST_CASE("a storm: ten per cent loss, a crash every three minutes, an identity that costs a proof of work") {
  SimulationOptions options = rough();
  options.loss = 0.1;
  options.crashes = 20;
  options.partitions = 30;
  options.difficulty = 15;  // the submitter's search takes a quarter of a minute
  run(options, 2001, seeds_in_all() / 4);
}

TEST_CASE("short units on a calm network, one copy") {
  SimulationOptions options;
  options.unit_seconds = 0.05;
  options.copies = 1;
  options.nat = 0.3;
  run(options, 3001, seeds_in_all() / 4);
}
