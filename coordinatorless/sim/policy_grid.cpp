#include "coordinatorless/sim/policy_grid.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "coordinatorless/sim/policy_job.h"

namespace dugnad::sim {

PolicyRow measure(PolicyOptions options, std::uint64_t runs) {
  PolicyRow row{options, runs};
  const auto units = static_cast<double>(options.units);
  const double allowed = 1.0 - options.goal.confidence;
  double squares = 0;
  for (std::uint64_t run = 0; run < runs; ++run, ++options.seed) {
    const PolicyOutcome outcome = PolicyJob(options).run();
    const auto wrong_units = static_cast<double>(outcome.wrong);
    const double wrong = (options.goal.combined ? std::min(1.0, wrong_units) : wrong_units / units) / allowed;
    row.wrong += wrong;
    squares += wrong * wrong;
    row.overhead += static_cast<double>(outcome.attempts + outcome.own) / units;
    row.own += static_cast<double>(outcome.own) / units;
    row.caught += static_cast<double>(outcome.caught);
    row.level += outcome.level;
    row.erred += outcome.erred;
    row.branded += outcome.branded;
  }
  const auto count = static_cast<double>(runs);
  for (double* sum : {&row.wrong, &row.overhead, &row.own, &row.caught, &row.level}) *sum /= count;
  constexpr double normal = 1.96;
  if (runs > 1) row.wrong_margin = normal * std::sqrt(std::max(0.0, squares / count - row.wrong * row.wrong) / (count - 1));
  return row;
}

std::vector<PolicyRow> measure_all(const PolicyOptions& options, std::uint64_t runs) {
  std::vector<PolicyRow> rows;
  for (const Tactic tactic : tactics) {
    PolicyOptions one = options;
    one.tactic = tactic;
    rows.push_back(measure(one, runs));
  }
  return rows;
}

namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

const char* text_of(Tactic tactic) { return name_of(tactic).data(); }  // names are literals

}  // namespace

std::string table_of_tactics(const std::vector<PolicyRow>& rows) {
  std::string text =
      "| strategy | overhead | the submitter's part | wrong / allowed | liars caught a run | honest branded |\n|---|---|---|---|---|---|\n";
  for (const PolicyRow& row : rows) {
    text += formatted("| %s | %.3f | %.3f | %.2f ± %.2f | %.0f | %llu |\n", text_of(row.options.tactic), row.overhead, row.own, row.wrong,
                      row.wrong_margin, row.caught, static_cast<unsigned long long>(row.branded));
  }
  return text;
}

PolicySummary summary_of(const std::vector<PolicyRow>& rows) {
  PolicySummary summary;
  for (const PolicyRow& row : rows) {
    summary.branded += row.branded;
    if (row.options.tactic == Tactic::none) summary.quiet = row;
    if (row.overhead > summary.costliest.overhead) summary.costliest = row;
    if (row.wrong >= summary.wrongest.wrong) summary.wrongest = row;
  }
  return summary;
}

std::string summary_head() {
  return "| job | runs | no attack | worst strategy | the submitter's part there | most wrong / allowed | honest branded |\n"
         "|---|---|---|---|---|---|---|\n";
}

std::string summary_line(std::string_view label, const PolicySummary& summary) {
  const PolicyRow &costliest = summary.costliest, &wrongest = summary.wrongest;
  return formatted("| %s | %llu | %.3f | %.3f (%s) | %.3f | %.2f ± %.2f (%s) | %llu |\n", std::string(label).c_str(),
                   static_cast<unsigned long long>(costliest.runs), summary.quiet.overhead, costliest.overhead,
                   text_of(costliest.options.tactic), costliest.own, wrongest.wrong, wrongest.wrong_margin,
                   text_of(wrongest.options.tactic), static_cast<unsigned long long>(summary.branded));
}

LeastPossible least_possible(const PolicyOptions& options) {
  const auto units = static_cast<double>(options.units);
  const double audits = 1.0 / (std::exp(1.0) * (1.0 - options.goal.confidence));
  const double saboteurs = std::max(1.0, options.saboteurs * static_cast<double>(options.donors));
  return {1.0 + std::min(1.0, audits / units), 1.0 + std::min(1.0, saboteurs * audits / units)};
}

std::string least_line(std::string_view label, const LeastPossible& least) {
  return formatted("| %s | | %.4f | %.4f | | | |\n", std::string(label).c_str(), least.quiet, least.attacked);
}

namespace {

PolicyOptions job_of(std::uint64_t units, std::uint64_t donors, double confidence) {
  PolicyOptions options;
  options.units = units;
  options.donors = donors;
  options.goal.confidence = confidence;
  return options;
}

void add_confidences(std::vector<PolicyJobKind>& kinds, std::uint64_t units, std::uint64_t runs) {
  for (const std::uint64_t donors : {10U, 100U, 1000U}) {
    if (donors * 2 > units) continue;  // a donor of one result is no donor
    for (const double confidence : {0.99, 0.999, 0.9999}) {
      const std::string label = formatted("%llu units, %llu donors, %g", static_cast<unsigned long long>(units),
                                          static_cast<unsigned long long>(donors), confidence);
      kinds.push_back({label, job_of(units, donors, confidence), runs});
    }
  }
}

void add_variants(std::vector<PolicyJobKind>& kinds, std::uint64_t units, std::uint64_t runs) {
  const auto add = [&](const char* what, auto change) {
    PolicyOptions options = job_of(units, 100, 0.999);
    change(options);
    kinds.push_back({formatted("%llu units: %s", static_cast<unsigned long long>(units), what), options, runs});
  };
  add("as above", [](PolicyOptions&) {});
  add("`--final stream`", [](PolicyOptions& o) { o.goal.final = core::Finality::stream; });
  add("newcomers unrestricted", [](PolicyOptions& o) { o.newcomers_unrestricted = true; });
  add("half of the donors replaced, 10 network groups", [](PolicyOptions& o) { o.churn = 0.5, o.groups = 10; });
  constexpr auto known = core::Past::known;
  add("the same, honest donors known from earlier jobs", [](PolicyOptions& o) { o.churn = 0.5, o.groups = 10, o.honest_past = known; });
  add("donors known from earlier jobs, liars too", [](PolicyOptions& o) { o.honest_past = o.liars_past = known; });
  add("the same, and each liar has five more names that are known", [](PolicyOptions& o) {
    o.honest_past = o.liars_past = known, o.known_names = 5;
  });
  add("honest donors known, liars convicted in an earlier job", [](PolicyOptions& o) {
    o.honest_past = known, o.liars_past = core::Past::convicted;
  });
  add("1,000 leases out at once", [](PolicyOptions& o) { o.latency = 1000; });
  add("honest donors err in 1 of 10,000", [](PolicyOptions& o) { o.hardware_errors = 1e-4; });
  add("saboteurs 0.35, assumed 0.2", [](PolicyOptions& o) { o.saboteurs = 0.35; });
  add("saboteurs 0.5, assumed 0.2", [](PolicyOptions& o) { o.saboteurs = 0.5; });
  add("saboteurs 0.1, assumed 0.1", [](PolicyOptions& o) { o.saboteurs = o.goal.assumed = 0.1; });
}

}  // namespace

std::vector<PolicyJobKind> jobs_of(std::string_view table) {
  std::vector<PolicyJobKind> kinds;
  if (table == "confidences") {
    add_confidences(kinds, 1000, 100);
    add_confidences(kinds, 4000, 40);
    add_confidences(kinds, 100000, 4);
  } else if (table == "million") {
    add_confidences(kinds, 1000000, 2);
  } else if (table == "variants") {
    add_variants(kinds, 4000, 60);
    add_variants(kinds, 100000, 3);
    add_variants(kinds, 1000000, 1);
    PolicyOptions combined = job_of(400, 20, 0.99);
    combined.goal.combined = true;
    kinds.push_back({"400 units, 20 donors, one answer at 0.99", combined, 200});
    combined.saboteurs = combined.goal.assumed = 0.1;
    kinds.push_back({"the same, saboteurs 0.1, assumed 0.1", combined, 200});
  } else if (table == "large") {
    add_confidences(kinds, 1000, 2000);
    add_confidences(kinds, 4000, 500);
    add_confidences(kinds, 100000, 40);
    add_confidences(kinds, 1000000, 10);
  }
  return kinds;
}

}  // namespace dugnad::sim
