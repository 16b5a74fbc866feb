// The half of a job by confidence that carries out verdicts.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

void Job::take_turn(BootTime now) {
  JobTrust::Turn turn = trust_->turn(limits::settled_units_max);
  for (const auto& [unit, attempts] : turn.unneeded) unneeded(unit, attempts);
  for (const auto& [unit, convicted] : turn.convicted) convict(convicted, unit, now);
  for (auto& [unit, counted] : turn.finished) conclude(unit, std::move(counted));
}

void Job::convict(const TrustLedger::Convicted& convicted, UnitIndex unit, BootTime now) {
  Donor& donor = donors_[convicted.donor];
  const bool branded = convicted.sentence == Sentence::branded;
  able_changed_ = true;
  convicted_.push_back({id_, donor.id, unit, branded});
  if (!branded) return;
  donor.outvoted = limits::outvoted_max;
  for (const LeaseId lease : leases_.of(convicted.donor)) {
    const auto& units = leases_.find(lease)->units;
    auto& revoked = revoked_[convicted.donor];
    revoked.insert(revoked.end(), units.begin(), units.end());
    lapse_lease(lease, false, now);
  }
}

/// Not for every unit: it is for who cuts more of them.
void Job::say_what_is_held(Output& out) {
  constexpr std::uint64_t enough = 256;
  const std::uint64_t held = trust_->held();
  const std::uint64_t difference = held > said_held_ ? held - said_held_ : said_held_ - held;
  if (difference == 0 || (difference < enough && !units_.queue().empty())) return;
  said_held_ = held;
  out.push(UnitsHeld{id_, held});
}

}  // namespace dugnad::core
