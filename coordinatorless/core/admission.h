// Admission: which share of a job's leases newcomers get.
//
// Identities are free: a proof of work slows them down and no more. Where a caught liar's capacity is back at once under a new name, always
// lying costs the job a factor 1/(1-f), whatever its size; no choice of audits changes that. So:
//
// Specification
//   1. A newcomer is an identity that joined after the job's first donors and has not yet lived through the end of a block without being
//      caught. A donor that was forgiven (core/retraction.h) is one again.
//   2. Until somebody is caught in the job, newcomers get whatever they can take.
//      Rationale: an honest swarm that is all new must not starve, and before the first catch no capacity can have come back.
//   3. From then on they get newcomers_share of the leases, all of them together.
//      Rationale: honest newcomers are let in, a block later; what returning liars can spoil is a hundredth of the job.
//   4. Once what caught newcomers have cost passes newcomers_cost_share of the job, they get none. One who has lived through a block's end
//      stays admitted.
//      Rationale: else each block would pay the hundredth again. The price: an attacker that pays for it keeps honest newcomers out of this
//      one job.
//   5. Where no donor is left that is not a newcomer, all are admitted: there is nobody else, and audits hold whoever comes.
//   6. A newcomer audits nobody. Rationale: auditors' saboteurs are f of them at most; newcomers may all be one adversary.
#pragma once

#include <cstdint>

namespace dugnad::core {

inline constexpr double newcomers_share = 0.01;
inline constexpr double newcomers_cost_share = 0.01;

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

}  // namespace dugnad::core
