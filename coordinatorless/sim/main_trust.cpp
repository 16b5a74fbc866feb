// dugnad-trust: the trust policies against every strategy to cheat that we know, without a network; prints the tables of TRUST.md. One of them sets
// dugnad-sim's runs of the same jobs beside its own.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "coordinatorless/sim/confirmation.h"
#include "coordinatorless/sim/policy_grid.h"

namespace {

using namespace dugnad::sim;

constexpr int exit_well = 0, exit_broken = 1, exit_usage = 2;

/// Whether every measured share of wrong results is within what was allowed.
bool hold(const std::vector<PolicyRow>& rows) {
  bool well = true;
  for (const PolicyRow& row : rows) well = well && (row.holds() || row.options.saboteurs > row.options.goal.assumed) && row.branded == 0;
  return well;
}

bool print_kinds(std::string_view table, std::uint64_t seed) {
  bool well = true;
  std::printf("%s", summary_head().c_str());
  std::uint64_t compared = 0;
  for (PolicyJobKind& kind : jobs_of(table)) {
    kind.options.seed = seed;
    if (table == "variants" && !kind.options.goal.combined && std::exchange(compared, kind.options.units) != kind.options.units) {
      std::printf("%s", least_line(std::to_string(compared) + " units: the least possible, as argued below", least_possible(kind.options)).c_str());
    }
    const auto rows = measure_all(kind.options, kind.runs);
    std::printf("%s", summary_line(kind.label, summary_of(rows)).c_str());
    std::fflush(stdout);
    well = hold(rows) && well;
  }
  return well;
}

bool print_confirmations(std::uint64_t seed) {
  bool well = true;
  std::printf("%s", confirmation_head().c_str());
  for (const ConfirmationPoint& point : confirmation_points()) {
    const Confirmation confirmation = confirm(point, seed);
    std::printf("%s", confirmation_line(confirmation).c_str());
    std::fflush(stdout);
    for (const std::string& trouble : confirmation.troubles) std::fprintf(stderr, "dugnad-trust: %s\n", trouble.c_str());
    well = confirmation.holds() && well;
  }
  return well;
}

bool print_sizes(std::uint64_t seed) {
  bool well = true;
  for (const auto& [units, runs] : {std::pair{4000U, 60U}, {100000U, 5U}, {1000000U, 2U}}) {
    PolicyOptions options;
    options.units = units;
    options.seed = seed;
    std::printf("%u units, 100 donors, saboteurs 0.2 as assumed, 0.999 a unit, %u runs each:\n\n", units, runs);
    const auto rows = measure_all(options, runs);
    std::printf("%s\n", table_of_tactics(rows).c_str());
    std::fflush(stdout);
    well = hold(rows) && well;
  }
  return well;
}

}  // namespace

int main(int argc, char** argv) {
  PolicyOptions options;
  std::uint64_t runs = 20;
  std::string strategy = "all", table;
  bool stream = false;

  CLI::App app{"Runs the trust policies against strategies to cheat, without a network. The same seed gives the same table."};
  app.option_defaults()->always_capture_default();
  app.add_option("--units", options.units, "Units of the job")->check(CLI::Range(1, 10000000));
  app.add_option("--donors", options.donors, "Donors at the start")->check(CLI::Range(2, 100000));
  app.add_option("--saboteurs", options.saboteurs, "Share of the leases that saboteurs have")->check(CLI::Range(0.0, 0.95));
  app.add_option("--assume", options.goal.assumed, "Share of them that the submitter reckons with")->check(CLI::Range(0.0, 0.95));
  app.add_option("--confidence", options.goal.confidence, "Per unit, or of the answer")->check(CLI::Range(0.01, 0.999999999));
  app.add_flag("--combined", options.goal.combined, "All units go into one answer");
  app.add_flag("--stream", stream, "Results become final block by block");
  app.add_flag("--newcomers-unrestricted", options.newcomers_unrestricted, "No admission control");
  app.add_option("--churn", options.churn, "Share of the honest donors that are replaced during the job")->check(CLI::Range(0.0, 10.0));
  app.add_option("--latency", options.latency, "Leases out at once; 0: two a donor");
  app.add_option("--groups", options.groups, "Network groups; 0: one a donor");
  app.add_option("--hardware-errors", options.hardware_errors, "Share of honest attempts that go wrong")->check(CLI::Range(0.0, 0.5));
  const std::map<std::string, dugnad::core::Past> pasts{
      {"unknown", dugnad::core::Past::unknown}, {"known", dugnad::core::Past::known}, {"convicted", dugnad::core::Past::convicted}};
  app.add_option("--past", options.honest_past, "Of honest donors in earlier jobs: unknown, known, convicted")
      ->transform(CLI::CheckedTransformer(pasts));
  app.add_option("--liars-past", options.liars_past, "Of saboteurs, likewise")->transform(CLI::CheckedTransformer(pasts));
  app.add_option("--known-names", options.known_names, "Known ones under which each saboteur may return")->check(CLI::Range(0, 1000));
  app.add_option("--strategy", strategy, "One strategy, or all")->check([](const std::string& name) {
    return name == "all" || tactic_named(name) ? std::string{} : "no strategy is called " + name;
  });
  app.add_option("--runs", runs, "Runs of each kind")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", options.seed, "Of the first run");
  app.add_option("--table", table, "A table of TRUST.md instead: sizes, confidences, variants, confirm; or large, which takes an hour")
      ->check(CLI::IsMember({"sizes", "confidences", "million", "variants", "confirm", "large"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_well : exit_usage;
  }
  if (stream) options.goal.final = dugnad::core::Finality::stream;
  if (table == "sizes") return print_sizes(options.seed) ? exit_well : exit_broken;
  if (table == "confirm") return print_confirmations(options.seed) ? exit_well : exit_broken;
  if (!table.empty()) return print_kinds(table, options.seed) ? exit_well : exit_broken;
  std::vector<PolicyRow> rows;
  if (strategy == "all") {
    rows = measure_all(options, runs);
  } else {
    options.tactic = *tactic_named(strategy);
    rows.push_back(measure(options, runs));
  }
  std::printf("%s", table_of_tactics(rows).c_str());
  return hold(rows) ? exit_well : exit_broken;
}
