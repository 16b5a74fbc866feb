// The half of a job by confidence that carries out verdicts.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

void Job::take_turn(BootTime now, Output& out) {
  JobJudge::Turn turn = trust_->turn(limits::settled_units_max);
  for (const auto& [unit, attempts] : turn.unneeded) unneeded(unit, attempts);
  for (const auto& [unit, convicted] : turn.convicted) convict(convicted, unit, now);
  for (const BlobId& output : turn.let_go) outputs_.leave(output, out);
  for (auto& [unit, counted] : turn.finished) conclude(unit, std::move(counted));
  for (const UnitIndex unit : turn.accepted) accept(unit);
}

void Job::convict(const TrustLedger::Convicted& convicted, UnitIndex unit, BootTime now) {
  Donor& donor = donors_[convicted.donor];
  const bool branded = convicted.sentence == Sentence::branded;
  able_changed_ = true;
  convicted_.push_back({id_, donor.id, unit, branded});
  sentenced_.emplace_back(donor.id, convicted.sentence);
  if (!branded) return;
  donor.outvoted = limits::outvoted_max;
  for (const LeaseId lease : leases_.of(convicted.donor)) {
    const auto& units = leases_.find(lease)->units;
    auto& revoked = revoked_[convicted.donor];
    revoked.insert(revoked.end(), units.begin(), units.end());
    lapse_lease(lease, false, now);
  }
}

void Job::take_known(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Output& out) {
  using Next = KnownAnswers::Finding::Next;
  if (counted.kind != UnitTable::Counted::Kind::taken) return;
  if (counted.blamed || !counted.fault.empty()) {
    known_.forget(unit);
    return end_known(unit);
  }
  if (!counted.is_result) return;
  const bool is_own = donors_[donor].id == self_.id;
  const bool others = std::any_of(donors_.begin(), donors_.end(), [&](const Donor& other) {
    return other.id != self_.id && other.id != donors_[donor].id && is_able(other);
  });
  const auto finding = is_own ? known_.recomputed(unit, counted.digest) : known_.returned(unit, donor, counted.digest, others);
  for (const auto& guilty : finding.guilty) trust_->convict(guilty.donor, unit, guilty.colluded);
  if (finding.answer_is_wrong) out.push(KnownAnswerWrong{id_, unit});
  switch (finding.next) {
    case Next::nothing: break;
    case Next::second: units_.want(unit, 2); break;
    case Next::own: units_.want_own(unit, UnitTable::Urgency::second); break;
    case Next::done: end_known(unit); break;
  }
}

void Job::end_known(UnitIndex unit) {
  const UnitTable::Settled over = units_.close(unit);
  unneeded(unit, over.unneeded);
  for (const DonorIndex donor : over.holders) revoked_[donor].push_back(unit);
}

void Job::start_checks(Output& out) {
  if (checks_ == nullptr) return;
  const Donor* self = find(self_.id);
  StartAttempts starting;
  for (JobChecks::ToCheck& check : checks_->start(self != nullptr && self->connected ? self->slots : 0)) {
    const AttemptId attempt{first_check + commons_.last_check++};
    checking_.emplace(attempt, check.unit);
    const Duration limit = manifest_.unit_limit == Duration::zero() ? Duration(limits::unit_limit_most) : manifest_.unit_limit;
    starting.attempts.push_back({attempt, id_, manifest_.task, manifest_.task_version, std::move(check.input), limit, manifest_.module,
                                 manifest_.memory_bytes, manifest_.fuel, std::move(check.claimed)});
  }
  if (!starting.attempts.empty()) out.push(std::move(starting));
}

void Job::on_checked(const FinishedAttempt& check) {
  const auto at = checking_.find(check.attempt);
  if (at == checking_.end()) return;
  const UnitIndex unit = at->second;
  checking_.erase(at);
  JobChecks::Says says = JobChecks::Says::nothing;
  if (check.outcome == Outcome::ok && check.output.bytes.size() == 1) {
    says = check.output.bytes.front() == 1 ? JobChecks::Says::right : JobChecks::Says::wrong;
  }
  checks_->checked(unit, says, check.cpu);
}

void Job::cancel_checks(Output& out) {
  CancelAttempts cancel;
  for (const auto& [attempt, unit] : std::exchange(checking_, {})) cancel.attempts.push_back(attempt);
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
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
