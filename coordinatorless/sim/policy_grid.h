// Grids of trust policy runs: what many runs of one kind come to, and the tables that TRUST.md shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinatorless/sim/policy_options.h"

namespace dugnad::sim {

/// What `runs` runs came to; the runs are the independent samples.
struct PolicyRow {
  PolicyOptions options;
  std::uint64_t runs = 0;
  double wrong = 0;         // in units of what the confidence allows: of a combined answer, how often it was wrong
  double wrong_margin = 0;  // half of its 95 % interval
  double overhead = 0;      // attempts and audits a unit
  double own = 0;           // of these, the submitter's
  double caught = 0;        // a run
  double level = 0;
  std::uint64_t erred = 0;    // honest donors' proven errors, all runs
  std::uint64_t branded = 0;  // honest donors that lost their name, all runs

  /// The interval does not lie above what is allowed.
  [[nodiscard]] bool holds() const { return wrong - wrong_margin <= 1.0; }
};

/// Runs with the seeds options.seed, options.seed + 1, ...
[[nodiscard]] PolicyRow measure(PolicyOptions options, std::uint64_t runs);
/// The same for every tactic.
[[nodiscard]] std::vector<PolicyRow> measure_all(const PolicyOptions& options, std::uint64_t runs);

/// One job under every tactic, as a table in Markdown.
[[nodiscard]] std::string table_of_tactics(const std::vector<PolicyRow>& rows);

/// One line a job: without attack, and the worst of all tactics.
struct PolicySummary {
  PolicyRow quiet, costliest, wrongest;
  std::uint64_t branded = 0;
};
[[nodiscard]] PolicySummary summary_of(const std::vector<PolicyRow>& rows);
[[nodiscard]] std::string summary_head();
[[nodiscard]] std::string summary_line(std::string_view label, const PolicySummary& summary);

/// What no policy that draws audits can do without, as is argued: to hold what one donor may keep below ε, 1/(e·ε) audits of it (core/audit_plan.h,
/// rule 1); in peace of all donors together, under attack of each saboteur, which may tell a single lie; and never more than all units once.
struct LeastPossible {
  double quiet = 1, attacked = 1;  // attempts and audits a unit
};
[[nodiscard]] LeastPossible least_possible(const PolicyOptions& options);
[[nodiscard]] std::string least_line(std::string_view label, const LeastPossible& least);

struct PolicyJobKind {
  std::string label;
  PolicyOptions options;
  std::uint64_t runs;
};
/// The jobs of a table: `confidences` (sizes, donors and confidences), `million` (the same at a million units), `variants` (what if), `large` (all
/// with more runs).
[[nodiscard]] std::vector<PolicyJobKind> jobs_of(std::string_view table);

}  // namespace dugnad::sim
