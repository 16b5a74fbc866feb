// Credibility: how likely a donor's result, or one that several donors agree on, is right.
//
// For evidence ("why do we believe unit 17?") and for telling what plain agreement is worth. What makes a job final is core/audit_plan.h,
// which needs no such probabilities.
//
// Specification and derivation
//   1. A donor whose results passed `audits` audits, drawn uniformly over all that it returned: if it lies in a share x of them, it passes with
//      (1-x)^a. The lies that survive are at most max x·(1-x)^a = a^a/(a+1)^(a+1) < 1/(e·a), at x = 1/(a+1).
//      Rationale: the best liar knows the number of audits; knowing it gains no more than this.
//   2. Its doubt, the probability that a result of it is wrong: it is a saboteur with probability f at first, and has passed with at least
//      1-f, so
//          doubt <= min(f, f/(1-f) · a^a/(a+1)^(a+1)).
//      Rationale: the first is the prior, which passing audits can only lower; the second is Bayes with the liar of rule 1.
//   3. Results that disagree: all donors of one group are right and all others wrong, or all are wrong. With each donor's doubt d taken
//      as independent, group G is right with the probability
//          R(G) / (W + Σ R),  R(G) = Π_G (1-d) · Π_others d,  W = Π_all d.
//      Rationale: Sarmenta's formula. Colluders break the independence; what holds then is rule 4.
//   4. Colluding donors, who all say the same: a unit drawn for donors that cannot choose is theirs alone with f^k. After k agreeing results
//      out of k:
//          doubt <= f^k / (f^k + (1-f)^k).
//   5. What the submitter recomputed, or the task's own check confirmed, is right.
#pragma once

#include <cstdint>
#include <span>

namespace dugnad::core {

/// Rule 1: the largest share of lies, among all results, that `audits` uniform audits let pass on average; 1 for no audits.
[[nodiscard]] double lies_passed_most(std::uint64_t audits);
/// Rule 2: the doubt about a donor that passed `audits` audits; `assumed` (f) in [0, 1).
[[nodiscard]] double donor_doubt(std::uint64_t audits, double assumed);
/// Rule 4.
[[nodiscard]] double agreement_doubt(unsigned agreeing, double assumed);

/// A donor's result for one unit: which group it agrees with, and the doubt about the donor, in (0, 1).
struct Voice {
  unsigned group = 0;
  double doubt = 0;
};
/// Rule 3: the probability that `group` is right.
[[nodiscard]] double group_credibility(std::span<const Voice> voices, unsigned group);

}  // namespace dugnad::core
