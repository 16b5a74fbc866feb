#include "coordinatorless/core/proof_checks.h"

#include <iterator>

#include "coordinatorless/core/identity_proof.h"

namespace dugnad::core {

ProofChecks::Standing ProofChecks::standing(const ContactRecord& record, WallTime now) const {
  if (self_.difficulty == 0) return Standing::proven;
  if (!record.proof) return Standing::unproven;
  switch (dating_of(record.proof->month, now)) {
    case Dating::off: return Standing::off;
    case Dating::absurd: return Standing::absurd;
    case Dating::current: break;
  }
  const auto known = proven_.find(record.key);
  return known != proven_.end() && known->second == *record.proof ? Standing::proven : Standing::unchecked;
}

bool ProofChecks::afford(Allowance& teller, BootTime now) { return teller.checks.take(1, now) && checks_.take(1, now); }

ProofChecks::Verdict ProofChecks::check(const ContactRecord& record) {
  const ProofInput input = proof_input(self_.swarm, record.key, *record.proof);
  const auto hash = self_.crypto->dear_hash(input.password, input.salt);
  if (!hash) return Verdict::unknown;
  if (!meets(*hash, self_.difficulty)) return Verdict::false_proof;
  if (!proven_.contains(record.key) && proven_.size() >= limits::proofs_kept_max) make_room(record.proof->month);
  proven_[record.key] = *record.proof;
  return Verdict::holds;
}

/// Those of earlier months go; where there are none, anybody: whoever made so many has paid for each, and one forgotten costs a check.
void ProofChecks::make_room(std::uint32_t month) {
  if (std::erase_if(proven_, [month](const auto& entry) { return entry.second.month + 1 < month; }) > 0) return;
  proven_.erase(std::next(proven_.begin(), static_cast<std::ptrdiff_t>(self_.generator->below(proven_.size()))));
}

}  // namespace dugnad::core
