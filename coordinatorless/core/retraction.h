// Retraction: what happens once a result is proven wrong, and to whom.
//
// Specification
//   1. Only the submitter's own recomputation proves a result wrong. A mismatch between donors is a question, never an answer.
//      Rationale: whoever accuses an honest donor is found wrong itself; framing brands the framer.
//   2. Whoever returned a wrong result loses all its results that are not final and that the submitter did not recompute, and all its audits
//      of others' results: those units are open again. Final results stay: their block's bound counted on what escapes (core/audit_plan.h).
//      Rationale: forfeiture is what makes a lie expensive, and the proof of the bound rests on it. It is the same for an honest donor's
//      hardware error, which costs work and not the name: nobody can tell one lie from one error, and nothing needs to.
//   3. A donor that returned the same wrong result as another is a colluder. Rationale: two machines do not err alike; tasks are deterministic.
//   4. Forgiven is whose proven errors are at most tolerated_errors + verified / results_per_error, verified being results of it that audits
//      found right. It goes on as a newcomer on probation (core/admission.h). Beyond that, and for collusion, the name is branded: nothing
//      more in this job, and whoever remembers it counts that against it.
//      Rationale: a donor with one hardware error in 10,000 results is branded once in millions of jobs; one that errs in over one of 200 is
//      of no use.
//   5. No door. A forgiven donor has nothing that a fresh name would not have: no standing results, a newcomer's share of the leases, all of
//      its results recomputed, no audits to do. Each of its lives is charged in the tally like a name of its own, so that the bound on what
//      escapes is untouched. Past reputation never lessens the checks, so that keeping it buys no lie.
#pragma once

#include <cstdint>

namespace dugnad::core {

inline constexpr std::uint64_t tolerated_errors = 2;
inline constexpr std::uint64_t results_per_error = 200;

/// A donor whose result was just proven wrong.
struct Culprit {
  std::uint64_t errors = 1;    // proven against this name, with this one
  std::uint64_t verified = 0;  // of its results that audits found right
  bool colluded = false;       // another donor returned the same wrong result
};

enum class Sentence : std::uint8_t { forgiven, branded };

/// Rules 3 and 4. Rule 2 holds for both sentences.
[[nodiscard]] constexpr Sentence judge_culprit(const Culprit& culprit) {
  const bool tolerable = culprit.errors <= tolerated_errors + culprit.verified / results_per_error;
  return tolerable && !culprit.colluded ? Sentence::forgiven : Sentence::branded;
}

/// A donor's standing with one unit of a block that is not final.
struct Stake {
  bool returned = false;  // the accepted result is its own
  bool audited = false;   // it confirmed the accepted result
  bool settled_by_submitter = false;
  bool final = false;
};

enum class Reopening : std::uint8_t {
  nothing,
  result,  // the unit wants a new attempt, by another donor
  audit,   // the result stands, but wants another auditor
};

/// Rule 2: what a culprit's stake comes to.
[[nodiscard]] constexpr Reopening reopened_by(const Stake& stake) {
  if (stake.final || stake.settled_by_submitter) return Reopening::nothing;
  if (stake.returned) return Reopening::result;
  return stake.audited ? Reopening::audit : Reopening::nothing;
}

}  // namespace dugnad::core
