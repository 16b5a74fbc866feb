// The half of a job by confidence that takes up what an earlier run of it has logged.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/job_trust.h"

namespace dugnad::core {

bool JobTrust::replay(const HeldEvent& event, HeldUnits& held) {
  const auto is_unit = [this](UnitNumber unit) { return unit < ledger_.units(); };
  if (const auto* came = std::get_if<held::UnitsCame>(&event)) return held.add(came->first, came->count);
  if (const auto* joined = std::get_if<held::DonorJoined>(&event)) {
    joined_ = std::max(joined_, joined->donor + 1);
    distrusted_ = distrusted_ || joined->past == Past::convicted;
    ledger_.joined(joined->donor, joined->past);
    return true;
  }
  if (const auto* there = std::get_if<held::EstablishedThere>(&event)) {
    logged_established_ = there->any;
    ledger_.set_anyone_established(there->any);
    return true;
  }
  if (const auto* first = std::get_if<held::FirstsChecked>(&event)) {
    ledger_.check_first(first->check);
    return true;
  }
  if (const auto* opened = std::get_if<held::BlockOpened>(&event)) {
    // Of no more units than could be numbered, and with terms that a plan can have.
    const AuditTerms& terms = opened->terms;
    if (terms.units == 0 || terms.units > UINT32_MAX - ledger_.units() || terms.error <= 0 || terms.error >= 1 || terms.assumed >= 1) return false;
    planned_blocks_ += expected_ > 0;
    count_block(terms);
    return true;
  }
  if (const auto* ended = std::get_if<held::BlockEnded>(&event)) {
    if (!ledger_.can_end_block(ended->at)) return false;
    ledger_.end_block(ended->at);
    return true;
  }
  if (const auto* unit = std::get_if<held::NobodyAudits>(&event)) {
    ledger_.nobody_audits(unit->unit);
    return is_unit(unit->unit);
  }
  if (const auto* unit = std::get_if<held::NobodyComputes>(&event)) {
    ledger_.nobody_computes(unit->unit);
    return is_unit(unit->unit);
  }
  if (const auto* failed = std::get_if<held::GivenUp>(&event)) {
    failed_here_[failed->unit] = failed->reason;
    ledger_.given_up(failed->unit);
    return is_unit(failed->unit);
  }
  if (const auto* convicted = std::get_if<held::Convicted>(&event)) {
    if (convicted->donor >= joined_) return false;
    ++convicted_;
    ledger_.convict(convicted->donor, convicted->colluded);
  } else if (std::holds_alternative<held::TurnEnded>(event)) {
    if (!ledger_.end_turn()) return false;
    pass_absent(&held);
    ledger_.release(finished_);
  } else if (const auto* gone = std::get_if<held::Withdrawn>(&event)) {
    if (gone->unit >= held.size()) return false;
    held.at(gone->unit).gone = true;
    take_out(gone->unit);
  }
  (void)ledger_.take_wishes();  // where they lead is in the ledger, and asked of it when a unit comes
  return true;
}

bool JobTrust::replay_result(UnitNumber unit, DonorIndex donor, bool own, ShortDigest digest, Generator& draws) {
  if (unit >= ledger_.units()) return false;
  if (ledger_.is_final(unit)) return true;
  if (own) {
    ledger_.recomputed(unit, digest);
  } else {
    (void)ledger_.returned(unit, donor, digest, draws);
    leased(donor, 1);  // at least
  }
  for (const auto& convicted : ledger_.take_wishes().convicted) convicted_ += convicted.donor < joined_;
  return true;
}

void JobTrust::replayed(const HeldUnits& held, BootTime now) {
  last_appended_ = now;
  std::erase_if(absent_final_, [&](const Final& each) { return held.is_over(each.unit); });
  if (expected_ == 0) return;
  for (UnitNumber number = 0; number < held.size(); ++number) expected_ += held.is_over(number);  // those do not come again
}

void JobTrust::pass_absent(const HeldUnits* held) {
  for (; finished_ < ledger_.final_units() && !units_.is_here(finished_); ++finished_) {
    if (held != nullptr && held->is_over(finished_)) continue;
    if (!withdrawn_.contains(finished_)) absent_final_.push_back({finished_, ledger_.final_digest(finished_)});
  }
}

std::vector<JobTrust::Final>::iterator JobTrust::absent(UnitNumber number) {
  const auto at = std::lower_bound(absent_final_.begin(), absent_final_.end(), number, [](const Final& each, UnitNumber n) { return each.unit < n; });
  return at != absent_final_.end() && at->unit == number ? at : absent_final_.end();
}

/// Rule 6. nullptr where there is nothing.
std::unique_ptr<UnitHistory> JobTrust::what_stands(const UnitHistory& history, const std::function<bool(DonorIndex, ShortDigest)>& stands) {
  auto standing = std::make_unique<UnitHistory>();
  for (const AttemptRecord& attempt : history.attempts) {
    const Candidate& candidate = history.candidates[attempt.group];
    if (!stands(attempt.donor, short_digest(candidate.digest))) continue;
    AttemptRecord& record = standing->attempts.emplace_back(attempt);
    standing->vote(record, candidate.digest, candidate.outcome, candidate.output);
  }
  return standing->attempts.empty() ? nullptr : std::move(standing);
}

void JobTrust::came_again(UnitNumber number, std::unique_ptr<UnitHistory> history) {
  const UnitIndex unit = units_.unit_at(number);
  const bool passed = number < finished_;
  const auto final = absent(number);
  DUGNAD_ASSERT(passed == (final != absent_final_.end()), "a unit that is final and comes again was waited for");
  if (history != nullptr) {
    history = what_stands(*history, [&](DonorIndex donor, ShortDigest digest) {
      return passed ? digest == final->digest : ledger_.stands(number, donor, digest);
    });
  }
  if (history == nullptr && failed_here_.contains(number)) history = std::make_unique<UnitHistory>();
  const TrustLedger::State state = ledger_.state(number);
  units_.restore(unit, std::move(history), number < ledger_.units() ? ledger_.results_wanted(number) : 1);
  if (state.own_wanted) units_.want_own(unit, state.returned ? UnitTable::Urgency::second : UnitTable::Urgency::third);
  if (!passed) return;
  came_final_.push_back(*final);
  absent_final_.erase(final);
}

void JobTrust::withdraw(UnitNumber number) {
  log_.add(held::Withdrawn{number});
  if (expected_ > 0) ++expected_;  // another unit comes for it, or it is noticed when all have come
  take_out(number);
}

void JobTrust::take_out(UnitNumber number) {
  if (number < finished_) {
    if (const auto final = absent(number); final != absent_final_.end()) absent_final_.erase(final);
    return;
  }
  withdrawn_.insert(number);
  ledger_.given_up(number);
}

}  // namespace dugnad::core
