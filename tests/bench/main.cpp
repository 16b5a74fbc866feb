// The benchmarks: what dugnad reaches, beside what runs without it, in one run on one machine.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>

#include "tests/bench/process.h"
#include "tests/bench/rows.h"

int main(int argc, char** argv) {
  using namespace dugnad::bench;
  const std::map<std::string, std::function<void(const Settings&, Report&)>> rows = {
      {"a", measure_throughput}, {"b", measure_efficiency}, {"c", measure_round_trip}, {"d", measure_idleness}, {"e", measure_gossip},
      {"f", measure_cages},
      {"h", measure_certainty},
      {"i", measure_spread},
      {"j", measure_million},
      {"k", measure_journal},
#ifdef DUGNAD_GUEST_DIR
      {"g", measure_guests},
#endif
  };

  std::vector<std::string> names;
  for (const auto& [row, measure] : rows) names.push_back(row);

  Settings settings;
  std::vector<std::string> only;
  std::string json;
  CLI::App app("Measures dugnad beside bare programs that do the same work. A table on stdout; a whole run takes about half an hour.");
  app.add_option("--only", only, "Rows: a throughput, b efficiency, c round trip, d idle workers and connected peers, e gossip, f caged slots, "
                 "h certainty, i uploads of large inputs, "
                 "j a million units, k the journal, "
                 "g guests beside native code (where this was built with a compiler for guests)")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  CLI::Option* pairs =
      app.add_option("--pairs", settings.pairs, "Interleaved pairs of each measurement")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_flag("--quick", settings.quick, "Small sizes and one pair, to see that it works: the figures mean nothing");
  app.add_option("--json", json, "Write every sample to this file");
  CLI11_PARSE(app, argc, argv);
  if (settings.quick && pairs->count() == 0) settings.pairs = 1;

  double load = 0;
  if (::getloadavg(&load, 1) == 1 && load > 0.5 && !settings.quick) {
    std::cerr << "bench: this machine is busy (load " << load
              << "): attempts give way to whatever else it does, so efficiency and the slowest "
              << "round trips will say more of that than of dugnad\n";
  }
  Report report;
  for (const auto& [row, measure] : rows) {
    if (only.empty() || std::find(only.begin(), only.end(), row) != only.end()) measure(settings, report);
  }
  report.print_table(std::cout);
  if (!json.empty()) {
    std::ofstream file(json);
    file << report.json() << std::endl;
    if (!file) give_up("cannot write " + json);
  }
}
