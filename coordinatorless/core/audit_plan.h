// AuditPlan: how many results of a block are audited, which, and when the block is final.
//
// A block is a part of a job that becomes final at once. One attempt at each unit is accepted provisionally; then audits look for lies. The
// submitter's own recomputation settles every mismatch. `error` (ε) is the share of wrong results allowed among those that become final.
//
// Specification and derivation
//   1. Each result gets an AuditDraw, two uniform numbers, from a secret that no donor sees and that nothing the donor chooses enters. The
//      submitter recomputes it where draw.own < level.own; donors audit it as often as audits_wanted() says. Raising the level only ever adds
//      audits. Rationale: lies are committed in ignorance of the draw, so that no timing (sleeper, liar at the end) gains anything.
//   2. Detection: the probability λ that a lie is found. An audit by a donor that the submitter drew finds it unless that donor is a
//      saboteur too, which has the probability `assumed` (f): λ = 1 - (1 - own)·miss, and k audits miss with f^k.
//      Rationale: the submitter's own audits need no assumption at all; this is the only place where f enters.
//   3. Good-Turing: an identity with w lies, all committed before their draws, keeps w·(1-λ)^w of them on average, since one hit forfeits all
//      that it returned. It is hit exactly once with probability w·λ·(1-λ)^(w-1). So
//          E[lies kept] = g · E[identities hit exactly once],  g = (1-λ)/λ,
//      whatever w is, however many identities there are, and without f. A quiet job needs about 1/ε audits in total.
//      Where draws come while the identity still works: let K be its lies still standing, C = 1 once it is caught. Each further lie changes
//      K - g·C by (1-λ)·1 - λ·(K + g) = -λ·K <= 0 on average: charging g for *every* catch bounds what is kept, for any adaptive strategy.
//   4. A catch without luck is free: a result that was sure to be recomputed (an identity's first one), a colluder exposed by another's lie, a
//      false accuser. Rationale: in 3 it changes K - g·C by -K at most.
//   5. A liar's discarded results are still looked at, by the submitter alone, until it has hits_until_free hits: then it is not charged, since
//      3 charges only single hits. Rationale: this tells the careless liar, who cannot have kept a lie by luck, from the careful one. The
//      submitter alone, or accomplices would expose a burnt liar's further lies to erase its charge.
//   6. Stopping at a level that depends on the catches seen is biased: one stops where luck was good, and an adversary with names to burn lies
//      one lie at a time until one survives. So the charge is more than the count. With E = ε · units, c charged catches, s of them with one
//      or two hits,
//          charge = 1.25 · (1 + s + ln(1+c)/2) + s² · min(8, E^(-3/2) / 2),
//      and the block is final when g · charge <= E. tests/core/audit_plan_test.cpp solves the adversary's game exactly (it knows the rule,
//      sees every catch, and may lie again at once under any of a hundred names): it keeps at most 0.97 E, for E from 0.001 to 30.
//      Rationale of the terms: with many lies allowed the first alone suffices; with E below one, lies tried one by one under new names
//      would keep E · Σ 1/charge(c), which diverges where the charge grows linearly (1+2c keeps 3.5 E with 200 names). The square is
//      cheap there: at E < 1 nearly all is audited already, and audits grow as the logarithm of the charge.
//   7. Beyond donor_audits_max audits a result the submitter recomputes what is left: level.own is 1.
//      Rationale: f^8 is below any confidence that is asked for; who needs more wants the root of trust.
//   8. Each block is judged alone, with draws of its own. Rationale: finalising in rounds with the same audits doubles the error.
#pragma once

#include <cstdint>

#include "coordinatorless/base/generator.h"

namespace dugnad::core {

/// What a block must live up to.
struct AuditTerms {
  double error = 0.001;     // ε: allowed share of wrong results among the final ones, in (0, 1)
  double assumed = 0.1;     // f: share of leases that saboteurs may have, in [0, 1)
  std::uint64_t units = 0;  // of the block
  double own = 0.02;        // the most that the submitter recomputes of its own accord, as a share of the units
};

/// How much is audited.
struct AuditLevel {
  double own = 0;     // share of results that the submitter recomputes; 1: all
  double donors = 0;  // audits by donors of each result, on average

  bool operator==(const AuditLevel&) const = default;
};

/// The fate of one result, drawn once it is committed.
struct AuditDraw {
  double own = 1;
  double donors = 1;
};
[[nodiscard]] AuditDraw draw_audits(Generator& generator);

[[nodiscard]] inline bool audited_by_submitter(const AuditDraw& draw, const AuditLevel& level) { return draw.own < level.own; }
/// How many donors audit it; never less at a higher level.
[[nodiscard]] unsigned audits_wanted(const AuditDraw& draw, const AuditLevel& level);
/// Rule 5: whether a discarded result is one that audits of this level would have found wrong.
[[nodiscard]] bool within_detection(const AuditDraw& draw, const AuditLevel& level, double assumed);

/// The probability that `audits` audits by donors, a whole number or one of two neighbouring ones by chance, miss a lie.
[[nodiscard]] double missed_by_donors(double audits, double assumed);
/// λ of rule 2.
[[nodiscard]] double detection(const AuditLevel& level, double assumed);
/// g of rule 3; detection > 0.
[[nodiscard]] inline double odds_missed(double detection) { return (1.0 - detection) / detection; }

/// The identities caught in one block that are charged (rule 4), by how often each was hit.
struct CatchTally {
  static constexpr unsigned hits_until_free = 3;

  std::uint64_t once = 0;
  std::uint64_t twice = 0;
  std::uint64_t more = 0;

  /// An identity that had `hits` before was hit once more.
  void hit(unsigned hits);
  [[nodiscard]] std::uint64_t total() const { return once + twice + more; }
};

inline constexpr double donor_audits_max = 8;

/// Rule 6; `allowed`: E, the wrong results that the block may keep.
[[nodiscard]] double charge(const CatchTally& tally, double allowed);
/// The least level at which a block with these catches is final.
[[nodiscard]] AuditLevel level_needed(const AuditTerms& terms, const CatchTally& tally);
[[nodiscard]] bool is_final(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);
/// A bound on the expected number of wrong results that a block keeps.
[[nodiscard]] double wrong_expected_most(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);

}  // namespace dugnad::core
