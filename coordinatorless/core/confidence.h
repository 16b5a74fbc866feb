// Confidence: what the submitter asked for, what that means for a block, what it will cost, and what came of it.
//
// Specification and derivation
//   1. Per unit, a confidence P allows an expected share ε = 1-P of wrong results among the final ones. For an answer that combines n units,
//      which is wrong where one of them is, the expected *number* of wrong results is at most 1-P, which bounds the probability that there is
//      any (Markov): ε = (1-P)/n. That costs several copies of each unit; a task with a cheap check needs none of it.
//   2. Blocks. B blocks take B · 1.25/ε audits without attack, since each has its own (core/audit_plan.h, 8). A liar that waits for the end of
//      the first block spoils f/B of the job, and costs about as much again in audits. The sum, with an attack reckoned half as likely as
//      peace, is least at B = sqrt(f · n · ε / 2.5), which is 1 up to 20,000 units, 3 at 100,000 and 9 at 1,000,000 for f = 0.2, ε = 0.001.
//      `stream` makes blocks of about 10/ε units at most, whose results are final, and delivered, block by block, at an eighth more audits.
//      A combined answer is one block: nothing of it is worth anything before the end.
//   3. Cost. Without attack: one attempt a unit, the audits of the level for an empty tally, and the first result of each donor. Under attack
//      the estimate takes a good strategy: in the first block every saboteur is caught, each with a single lie by luck; f of its results are
//      reopened once, and the level rises to what the catches then call for. It is an estimate, within a quarter of the costliest that
//      `dugnad-trust` measures (tests/sim/policy_test.cpp).
//   4. Reach. With d independent donors a result has at most d-1 donors to audit it. Where that and the submitter's share of its own are not
//      enough, the confidence is out of reach, and `best` is what can be had. A submitter that may recompute everything reaches anything.
//      Rationale: it never quietly accepts less.
//      Without a submitter that computes there is no confidence, since nothing settles disputes. What copies give instead: where a unit is settled
//      by the first c results that are the same, and saboteurs, a share f of what comes in, all return the same wrong one, that one is first
//      with probability Σ_{k<c} C(c-1+k, k) f^c (1-f)^k.
//   5. Reached. At the end, ε is bounded by the sum over blocks of g · charge over n, all that was recomputed counting as right.
#pragma once

#include <cstdint>
#include <optional>

#include "coordinatorless/core/audit_plan.h"

namespace dugnad::core {

enum class Finality : std::uint8_t { end, stream };

struct ConfidenceGoal {
  double confidence = 0.999;
  bool combined = false;  // P is of one answer that all units go into
  double assumed = 0.1;
  Finality final = Finality::end;
};

/// What is known of a job before it starts.
struct JobFacts {
  std::uint64_t units = 0;
  std::uint64_t donors = 0;  // independent ones: in different network groups, as far as there are
  double own_most = 1.0;     // share of the units that the submitter can recompute itself
};

/// First results are recomputed unless donors are more than this share of the units: then it would be no small thing.
inline constexpr double first_results_share = 0.03;
/// The submitter's own part of the audits in peace.
inline constexpr double own_share = 0.01;

/// Rule 1: ε.
[[nodiscard]] double unit_error(const ConfidenceGoal& goal, std::uint64_t units);
/// Rule 2.
[[nodiscard]] std::uint64_t block_count(const ConfidenceGoal& goal, std::uint64_t units);
/// Of block `block` of them; blocks differ by one unit at most.
[[nodiscard]] std::uint64_t block_units(std::uint64_t units, std::uint64_t blocks, std::uint64_t block);
[[nodiscard]] AuditTerms block_terms(const ConfidenceGoal& goal, const JobFacts& facts, std::uint64_t units_of_block);

/// Attempts and audits a unit; 1 is one honest attempt and no check.
struct CostEstimate {
  double quiet = 1;
  double attacked = 1;
  double own = 0;  // of `quiet`, what the submitter computes itself
};
/// Rule 3.
[[nodiscard]] CostEstimate cost_expected(const ConfidenceGoal& goal, const JobFacts& facts);

/// Rule 4: the highest confidence that these donors can give without attack; nullopt where the goal is within reach.
[[nodiscard]] std::optional<double> best_instead(const ConfidenceGoal& goal, const JobFacts& facts);

/// Rule 4: the share of wrong results that plain voting accepts. `copies` at least 1.
[[nodiscard]] double wrong_by_copies(unsigned copies, double assumed);
/// Rule 4: the fewest copies, up to `most`, that accept no larger share of wrong results than the goal allows of a job of so many units.
[[nodiscard]] std::optional<unsigned> copies_instead(const ConfidenceGoal& goal, std::uint64_t units, unsigned most);

/// Rule 5: collects what the blocks of a job came to.
class ConfidenceReached {
 public:
  explicit ConfidenceReached(const ConfidenceGoal& goal) : goal_(goal) {}
  void block_final(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally);
  /// In the goal's own terms: of the answer where it is combined, else of a unit; 0 before the first block.
  [[nodiscard]] double confidence() const;

 private:
  ConfidenceGoal goal_;
  double wrong_ = 0;
  std::uint64_t units_ = 0;
};

}  // namespace dugnad::core
