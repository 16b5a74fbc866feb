#include "coordinatorless/core/confidence.h"

#include <algorithm>
#include <cmath>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

double unit_error(const ConfidenceGoal& goal, std::uint64_t units) {
  DUGNAD_ASSERT(units > 0 && goal.confidence > 0 && goal.confidence < 1, "a confidence lies strictly between 0 and 1, and a job has units");
  const double error = 1.0 - goal.confidence;
  return goal.combined ? error / static_cast<double>(units) : error;
}

std::uint64_t block_count(const ConfidenceGoal& goal, std::uint64_t units) {
  if (goal.combined) return 1;
  const double allowed = unit_error(goal, units) * static_cast<double>(units);
  double blocks = std::round(std::sqrt(goal.assumed * allowed / 2.5));
  if (goal.final == Finality::stream) blocks = std::max(blocks, std::round(allowed / 10.0));
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(blocks), 1, units);
}

std::uint64_t block_units(std::uint64_t units, std::uint64_t blocks, std::uint64_t block) {
  DUGNAD_ASSERT(blocks > 0 && block < blocks, "blocks are numbered from 0");
  return units / blocks + (block < units % blocks ? 1 : 0);
}

AuditTerms block_terms(const ConfidenceGoal& goal, const JobFacts& facts, std::uint64_t units_of_block) {
  return {unit_error(goal, facts.units), goal.assumed, units_of_block, std::min(own_share, facts.own_most)};
}

CostEstimate cost_expected(const ConfidenceGoal& goal, const JobFacts& facts) {
  const std::uint64_t blocks = block_count(goal, facts.units);
  const auto units = static_cast<double>(facts.units);
  const auto donors = static_cast<double>(facts.donors);
  const AuditTerms terms = block_terms(goal, facts, block_units(facts.units, blocks, 0));
  const double first = donors <= first_results_share * units ? donors / units : 0.0;
  const auto cost_of = [](const AuditLevel& level) { return level.own >= 1 ? 1.0 : level.own + (1.0 - level.own) * level.donors; };
  const AuditLevel quiet = level_needed(terms, {});
  const double saboteurs = std::ceil(goal.assumed * donors);
  AuditTerms then = terms;
  then.assumed = assumed_left(goal.assumed, goal.assumed);  // nearly all of them are caught
  const AuditLevel attacked = level_needed(then, {static_cast<std::uint64_t>(saboteurs), saboteurs});
  CostEstimate cost;
  cost.own = quiet.own + first;
  cost.quiet = 1.0 + cost_of(quiet) + first;
  const double blocks_of_it = 1.0 / static_cast<double>(blocks);  // the first block is attacked; then newcomers are held down
  cost.attacked = cost.quiet + blocks_of_it * (cost_of(attacked) - cost_of(quiet) + goal.assumed * (1.0 + cost_of(attacked)));
  return cost;
}

std::optional<double> best_instead(const ConfidenceGoal& goal, const JobFacts& facts) {
  const double auditors = facts.donors == 0 ? 0.0 : std::min(donor_audits_max, static_cast<double>(facts.donors - 1));
  std::uint64_t blocks = block_count(goal, facts.units);
  const AuditLevel needed = level_needed(block_terms(goal, facts, block_units(facts.units, blocks, 0)), {});
  if (facts.own_most >= 1.0 || (needed.own <= facts.own_most && needed.donors <= auditors)) return std::nullopt;
  const double missed = 1.0 - detection({std::min(own_share, facts.own_most), auditors}, goal.assumed);
  if (missed >= 1.0) return 0.0;
  const double wrong = missed / (1.0 - missed) * charge({}, 1.0);  // of a block; an empty tally's charge does not depend on what is allowed
  ConfidenceGoal offer = goal;
  while (true) {  // a lower confidence may mean more blocks, each of which has as much to bear; never more blocks than units
    const std::uint64_t smallest = block_units(facts.units, blocks, blocks - 1);
    offer.confidence = 1.0 - (goal.combined ? wrong : wrong / static_cast<double>(smallest));
    if (offer.confidence <= 0) return 0.0;
    const std::uint64_t then = block_count(offer, facts.units);
    if (then <= blocks) return offer.confidence;
    blocks = std::min(then, facts.units);
  }
}

double wrong_by_copies(unsigned copies, double assumed) {
  double term = std::pow(assumed, copies), sum = 0;
  for (unsigned k = 0; k < copies; ++k) {
    sum += term;
    term *= (1.0 - assumed) * (copies + k) / (k + 1);
  }
  return sum;
}

std::optional<unsigned> copies_instead(const ConfidenceGoal& goal, std::uint64_t units, unsigned most) {
  for (unsigned copies = 1; copies <= most; ++copies) {
    if (wrong_by_copies(copies, goal.assumed) <= unit_error(goal, units)) return copies;
  }
  return std::nullopt;
}

void ConfidenceReached::block_final(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally) {
  wrong_ += wrong_expected_most(terms, level, tally) + terms.set_aside;
  units_ += terms.units;
}

double ConfidenceReached::confidence() const {
  if (units_ == 0) return 0;
  return std::max(0.0, 1.0 - (goal_.combined ? wrong_ : wrong_ / static_cast<double>(units_)));
}

}  // namespace dugnad::core
