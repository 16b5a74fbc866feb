// Admission: which share of a job's leases newcomers get.
//
// Identities are free: a proof of work slows them down and no more. Where a caught liar's capacity is back at once under a new name, always
// lying costs the job a factor 1/(1-f), whatever its size; no choice of audits changes that. So:
//
// Specification
//   1. Whoever joins before anybody is caught in the job is established at once.
//      Rationale: an honest swarm that is all new must not starve, and before the first catch no capacity can have come back.
//   2. Whoever joins later and is not known from earlier jobs (core/reputation.h), whoever comes convicted from one, however early, and whoever was
//      forgiven (core/retraction.h), is on probation to the job's end: it audits nobody while others can,
//      and its results are audited more (core/audit_plan.h, 9). Until it has lived through the end of a block it is a newcomer.
//   3. Newcomers get newcomers_share of the leases, all of them together, and the submitter recomputes all their results.
//      Rationale: honest ones are let in; what returning liars can spoil is a hundredth of the job. Since their lies are found surely, their
//      catches are not charged (core/audit_plan.h, 4): else names that come back by the hundred would call for audits without end.
//   4. Once what is no longer new, but on probation, has final results, it gets in a block at most growth times as many leases as those are.
//      Rationale: else all that was caught in one block would be back at full strength in the next but one, and a job would pay for an attack
//      every other block. Trust doubles with work that turned out well, as a newcomer's credit does.
//   5. Once what caught newcomers have cost passes newcomers_cost_share of the job, newcomers get none.
//      Rationale: else each block would pay the hundredth again. The price: an attacker that pays for it keeps honest newcomers out of this
//      one job.
//   6. Where no donor is left that is established, all are admitted: there is nobody else. They are audited as on probation.
#pragma once

#include <cstdint>

namespace dugnad::core {

inline constexpr double newcomers_share = 0.01;
inline constexpr double newcomers_cost_share = 0.01;
inline constexpr std::uint64_t growth = 2;

struct AdmissionFacts {
  bool anyone_caught = false;           // in this job
  bool anyone_established = true;       // a donor that is no newcomer is left
  std::uint64_t units = 0;              // of the job
  std::uint64_t cost_of_newcomers = 0;  // attempts that were reopened or spent on settling, because of identities that joined late
};

/// The largest share of the leases that newcomers may have now; 1: no limit.
[[nodiscard]] inline double share_for_newcomers(const AdmissionFacts& facts) {
  if (!facts.anyone_established || !facts.anyone_caught) return 1.0;
  const bool spent = static_cast<double>(facts.cost_of_newcomers) > newcomers_cost_share * static_cast<double>(facts.units);
  return spent ? 0.0 : newcomers_share;
}

/// Rule 4: the largest share of a block's leases for a donor on probation that is no newcomer and has `final_results` in this job.
[[nodiscard]] inline double share_on_probation(std::uint64_t final_results, std::uint64_t units_of_block) {
  return static_cast<double>(growth * final_results) / static_cast<double>(units_of_block);
}

}  // namespace dugnad::core
