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
//      Where donors that returned a share x of the results have been caught, their audits are void, and f is at most (f-x)/(1-x) among the
//      rest, of whom no newcomer audits. Never less than a quarter of f is assumed. Rationale: saboteurs that were caught are part of the f
//      that was assumed.
//   3. Good-Turing: an identity with w lies, all committed before their draws, keeps w·(1-λ)^w of them on average, since one hit forfeits all
//      that it returned. It is hit exactly once with probability w·λ·(1-λ)^(w-1). So
//          E[lies kept] = g · E[identities hit exactly once],  g = (1-λ)/λ,
//      whatever w is, however many identities there are, and without f. A quiet job needs about 1/ε audits in total.
//      Where draws come while the identity still works: let K be its lies still standing, C = 1 once it is caught. Each further lie changes
//      K - g·C by (1-λ)·1 - λ·(K + g) = -λ·K <= 0 on average: charging g for *every* catch bounds what is kept, for any adaptive strategy.
//   4. A catch without luck is free: a result that was sure to be recomputed (an identity's first one, a newcomer's, one that differs from
//      what a culprit returned for the unit before), a colluder exposed by another's lie, a false accuser.
//      Rationale: in 3 it changes K - g·C by -K at most.
//   5. Lies forfeited count against the charge. Where a catch at the level λ takes K other lies of the identity with it, none of which λ had
//      found, its exact charge is 1 - K·λ/(1-λ): with it, K - g·C of rule 3 changes by exactly 0 on average, and for lies committed before
//      their draws it averages to the single hits. Charged is max(0, that), with any number of the K lies that is *known*: knowing fewer
//      charges more. They come to light for nothing: forfeited units are computed again, and where the new result differs the submitter
//      settles it.
//      Rationale: this tells the careless liar, who cannot have kept a lie by luck, from the careful one. Accomplices who expose a
//      burnt liar's lies gain nothing, since the exact charge is what they bring it nearer to.
//      K counts lies that were committed before the one that was hit or, where the level was raised over both, all; λ is the level before the
//      raise.
//   6. Stopping at a level that depends on the catches seen is biased: one stops where luck was good, and an adversary with names to burn lies
//      one lie at a time until one survives. So the charge is more than the count. With E = ε · units, c charged catches and s
//      the sum of rule 5 over them,
//          charge = 1.2 · (1 + 1.1·s + ln(1+c)/2) + s² · min(8, 0.4/E²),
//      and the block is final when g · charge <= E. tests/core/audit_plan_test.cpp solves the adversary's game exactly (it knows the rule,
//      sees every catch, and may lie again at once under any of a hundred names): it keeps at most E, for E from 0.001 to 30.
//      Rationale of the terms: with many lies allowed the first alone suffices; with E below one, lies tried one by one under new names
//      would keep E · Σ 1/charge(c), which diverges where the charge grows linearly (1+2c keeps 3.5 E with 200 names). The square is
//      cheap there: at E < 1 nearly all is audited already, and audits grow as the logarithm of the charge.
//   7. Beyond donor_audits_max audits a result the submitter recomputes what is left: level.own is 1.
//      Rationale: f^8 is below any confidence that is asked for; who needs more wants the root of trust.
//   8. Each block is judged alone, with draws of its own. Rationale: finalising in rounds with the same audits doubles the error.
//   9. Donors on probation (core/admission.h) are audited more: so much that their g is at most E/50, and that what they may keep, which is
//      g · 1.2 · (1 + 1.1·s) with their own s, is at most E/2. That is set aside from E before the others' level is reckoned.
//      Rationale: 3 holds for each class of donors alone. A catch costs the same 1/ε audits however few leases the name had; names that
//      come back in numbers would otherwise cost a job many times the work that they were let near. More than E/50 is not worth it: donors
//      on probation may be many of a long job's, for the rest of it, and honest.
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
  double set_aside = 0;     // of the wrong results allowed, for donors on probation: rule 9
};

/// Rule 2: what is left to assume of auditors once donors that returned `caught` of all results are caught.
[[nodiscard]] double assumed_left(double assumed, double caught);

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
/// The probability that `audits` audits by donors, a whole number or one of two neighbouring ones by chance, miss a lie.
[[nodiscard]] double missed_by_donors(double audits, double assumed);
/// λ of rule 2.
[[nodiscard]] double detection(const AuditLevel& level, double assumed);
/// g of rule 3; detection > 0.
[[nodiscard]] inline double odds_missed(double detection) { return (1.0 - detection) / detection; }

/// One charged catch (rule 4): the detection in force, and what was forfeited with it.
struct Catch {
  double found = 1;        // λ of rule 5, in (0, 1]
  unsigned forfeited = 0;  // K as far as it is known

  /// Rule 5, in [0, 1].
  [[nodiscard]] double charge() const;
};

/// The charged catches of one block.
struct CatchTally {
  std::uint64_t catches = 0;  // c
  double charged = 0;         // s

  void add(const Catch& caught) { ++catches, charged += caught.charge(); }
  /// One more lie is known to have been forfeited with `caught`.
  void forfeit(Catch& caught);
};

inline constexpr double donor_audits_max = 8;

/// Rule 6; `allowed`: E, the wrong results that the block may keep.
[[nodiscard]] double charge(const CatchTally& tally, double allowed);
/// The least level at which a block with these catches is final.
[[nodiscard]] AuditLevel level_needed(const AuditTerms& terms, const CatchTally& tally);
[[nodiscard]] bool is_final(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);
/// Rule 9: the level for donors on probation, and what they may keep at it.
[[nodiscard]] AuditLevel probation_level(const AuditTerms& terms, const CatchTally& tally);
[[nodiscard]] double set_aside_for_probation(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);
/// A bound on the expected number of wrong results that a block keeps, but for what is set aside.
[[nodiscard]] double wrong_expected_most(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);

}  // namespace dugnad::core
