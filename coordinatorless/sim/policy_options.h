// What a run of the trust policies without a network is given, and what it tells. See policy_job.h.
#pragma once

#include <cstdint>

#include "coordinatorless/core/confidence.h"
#include "coordinatorless/core/reputation.h"
#include "coordinatorless/sim/policy_liar.h"

namespace dugnad::sim {

struct PolicyOptions {
  std::uint64_t units = 4000;
  std::uint64_t donors = 100;
  double saboteurs = 0.2;  // their share of the leases, whatever their number
  Tactic tactic = Tactic::always;
  core::ConfidenceGoal goal{0.999, false, 0.2, core::Finality::end};
  bool newcomers_unrestricted = false;  // admission control off, for comparison
  double churn = 0;                     // share of the honest donors that leave during the job, others coming in their place
  std::uint64_t latency = 0;            // leases that are out at once; 0: two a donor
  std::uint64_t groups = 0;             // network groups, over which donors are spread; 0: one each
  double hardware_errors = 0;           // share of an honest donor's attempts that go wrong
  core::Past honest_past = core::Past::unknown;  // what the submitter knows of honest donors from earlier jobs, those that come later too
  core::Past liars_past = core::Past::unknown;   // and of saboteurs, as they begin: known ones were honest till now
  unsigned known_names = 0;                      // under which each saboteur may return that were honest too; then under new ones
  std::uint64_t seed = 1;
};

struct PolicyOutcome {
  std::uint64_t wrong = 0;      // final and not right
  std::uint64_t attempts = 0;   // by donors, audits included
  std::uint64_t own = 0;        // recomputed by the submitter
  std::uint64_t caught = 0;     // saboteurs' identities proven wrong, each time
  std::uint64_t erred = 0;      // the same of honest donors
  std::uint64_t branded = 0;    // honest donors that lost their name
  std::uint64_t newcomers = 0;  // identities that joined late
  double level = 0;             // audits a result in the end, the submitter's included; the mean over blocks
  double reached = 0;           // the confidence that the job says it reached
};

}  // namespace dugnad::sim
