// The half of a table of units that is told by a ledger what each unit wants.
#include <algorithm>

#include "coordinatorless/core/unit_table.h"

namespace dugnad::core {

std::uint64_t UnitTable::Unit::input_length() const { return large ? blob_id_from(input)->length : input.size(); }

void UnitTable::hold(const Unit& unit, const Value& output) { bytes_held_ += unit.input_length() + output.length(); }

/// Undoes hold() for every result that the unit has.
void UnitTable::let_go(const Unit& unit) {
  if (!told() || unit.history == nullptr) return;
  for (const AttemptRecord& attempt : unit.history->attempts) {
    if (attempt.state == AttemptState::voted) bytes_held_ -= unit.input_length() + unit.history->candidates[attempt.group].output.length();
  }
}

std::optional<UnitIndex> UnitTable::next_own() {
  for (auto& queue : own_queues_) {
    while (!queue.empty()) {
      const UnitIndex index = queue.front();
      queue.pop_front();
      const Unit* unit = open_unit(index);
      if (unit == nullptr || !unit->own) continue;
      const AttemptRecord* had = unit->history == nullptr ? nullptr : unit->history->attempt_of(self_);
      if (had == nullptr || had->state == AttemptState::lapsed) return index;
    }
  }
  return std::nullopt;
}

void UnitTable::offer(UnitNumber below) {
  for (; offered_ < below; ++offered_) {
    offer_known();
    const UnitIndex index = unit_at(offered_);
    if (!is_open(index)) continue;
    Unit& unit = units_[index.value];
    if (unit.history != nullptr || unit.own || unit.wanted == 0) continue;  // of an earlier run
    unit.queued = true;
    queue_.push_fresh(index);
  }
  offer_known();
}

bool UnitTable::is_here(UnitNumber number) const {
  if (number >= by_number_.size()) return false;
  const UnitIndex index = by_number_[number];
  return state_of(index) != State::unknown && number_of(index) == number;
}

void UnitTable::restore(UnitIndex index, std::unique_ptr<UnitHistory> history, unsigned results_wanted) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->history == nullptr, "what was held goes to a unit that has just come");
  unit->wanted = static_cast<std::uint8_t>(std::min(results_wanted, 255U));
  unit->history = std::move(history);
  if (unit->history != nullptr) {
    for (const AttemptRecord& attempt : unit->history->attempts) hold(*unit, unit->history->candidates[attempt.group].output);
    requeue(index, *unit);
  } else if (unit->number < offered_ && unit->wanted > 0) {
    unit->queued = true;
    queue_.push_fresh(index);
  }
  offer_known();
}

void UnitTable::offer_known() {
  for (; !known_units_.empty() && known_units_.front().first <= offered_; known_units_.pop_front()) {
    units_[known_units_.front().second.value].queued = true;
    queue_.push_fresh(known_units_.front().second);
  }
}

void UnitTable::want(UnitIndex index, unsigned results) {
  Unit* unit = open_unit(index);
  if (unit == nullptr) return;
  unit->wanted = static_cast<std::uint8_t>(std::min(results, 255U));
  requeue(index, *unit);
}

bool UnitTable::any_own() const {
  return std::any_of(own_queues_.begin(), own_queues_.end(), [](const auto& queue) { return !queue.empty(); });
}

void UnitTable::want_own(UnitIndex index, Urgency urgency) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || (unit->own && urgency == Urgency::third)) return;
  unit->own = true;
  own_queues_[static_cast<std::size_t>(urgency)].push_back(index);
}

void UnitTable::discard(UnitIndex index, DonorIndex donor) {
  Unit* unit = open_unit(index);
  AttemptRecord* attempt = unit == nullptr || unit->history == nullptr ? nullptr : unit->history->attempt_of(donor);
  if (attempt == nullptr) return;
  if (attempt->state == AttemptState::voted) bytes_held_ -= unit->input_length() + unit->history->candidates[attempt->group].output.length();
  unit->history->forget(*attempt);
  requeue(index, *unit);
}

bool UnitTable::discard_all(UnitIndex index) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->history == nullptr) return false;
  let_go(*unit);
  std::erase_if(unit->history->attempts, [](const AttemptRecord& attempt) { return attempt.state == AttemptState::voted; });
  unit->history->candidates.clear();
  unit->wanted = 1;
  const AttemptRecord* own = unit->own ? unit->history->attempt_of(self_) : nullptr;
  unit->own = own != nullptr && own->state == AttemptState::leased;
  requeue(index, *unit);
  return unit->own;
}

std::vector<std::pair<DonorIndex, LeaseId>> UnitTable::enough(UnitIndex index) {
  std::vector<std::pair<DonorIndex, LeaseId>> unneeded;
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->history == nullptr) return unneeded;
  unit->wanted = 0;
  unit->own = false;
  for (AttemptRecord& attempt : unit->history->attempts) {
    if (attempt.state != AttemptState::leased) continue;
    unneeded.emplace_back(attempt.donor, attempt.lease);
    attempt.state = AttemptState::lapsed;
    attempt.revoked = true;
  }
  return unneeded;
}

UnitTable::Counted UnitTable::finish(UnitIndex index, ShortDigest digest) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->history != nullptr, "a final unit has a result");
  const auto& candidates = unit->history->candidates;
  const auto winner = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return short_digest(c.digest) == digest; });
  DUGNAD_ASSERT(winner != candidates.end(), "a final result was returned by somebody");
  const auto group = static_cast<std::uint8_t>(winner - candidates.begin());
  Counted counted;
  if (winner->output.large) {
    unit->history->set_final(winner->digest);
    unit->wanted = 1;
    unit->own = false;
    counted.agreed = agree(*unit, group);
  } else {
    counted.settled = settle(index, *unit, {Verdict::Kind::settled, group, 0, {}});
  }
  return counted;
}

UnitTable::Settled UnitTable::close(UnitIndex index) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->known && unit->history != nullptr, "a known unit that was tried");
  return settle(index, *unit, Verdict{});
}

const Candidate* UnitTable::claim_of(UnitIndex index, DonorIndex donor) const {
  if (!is_open(index) || units_[index.value].history == nullptr) return nullptr;
  UnitHistory& history = *units_[index.value].history;
  const AttemptRecord* attempt = history.attempt_of(donor);
  return attempt == nullptr || attempt->state != AttemptState::voted ? nullptr : &history.candidates[attempt->group];
}

std::optional<LeaseId> UnitTable::lease_of(UnitIndex index, DonorIndex donor) const {
  if (!is_open(index) || units_[index.value].history == nullptr) return std::nullopt;
  const AttemptRecord* attempt = units_[index.value].history->attempt_of(donor);
  return attempt != nullptr && attempt->state == AttemptState::leased ? std::optional(attempt->lease) : std::nullopt;
}

std::vector<DonorIndex> UnitTable::returned_by(UnitIndex index) const {
  std::vector<DonorIndex> donors;
  if (!is_open(index) || units_[index.value].history == nullptr) return donors;
  for (const AttemptRecord& attempt : units_[index.value].history->attempts) {
    if (attempt.state == AttemptState::voted) donors.push_back(attempt.donor);
  }
  return donors;
}

UnitTable::Counted UnitTable::await_output_of(UnitIndex index, DonorIndex donor) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && claim_of(index, donor) != nullptr, "an output that nobody has returned");
  Counted counted;
  counted.agreed = agree(*unit, unit->history->attempt_of(donor)->group);
  return counted;
}

void UnitTable::stop_awaiting(UnitIndex index) {
  if (Unit* unit = open_unit(index)) unit->awaited = false;
}

UnitTable::Settled UnitTable::fail(UnitIndex index, const std::string& reason) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->history != nullptr, "a unit fails that was tried");
  return settle(index, *unit, {Verdict::Kind::failed, 0, 0, reason});
}

std::vector<UnitIndex> UnitTable::stuck(std::size_t looks, const std::vector<DonorIndex>& able) const {
  std::vector<UnitIndex> found;
  queue_.each_again(looks, [&](UnitIndex index) {
    if (!is_open(index)) return;
    const Unit& unit = units_[index.value];
    if (unit.own || unit.known || unit.history == nullptr || judged(unit).leases_wanted == 0) return;
    const bool somebody = std::any_of(able.begin(), able.end(), [&](DonorIndex donor) {
      const AttemptRecord* had = unit.history->attempt_of(donor);
      if (had != nullptr && had->state != AttemptState::lapsed) return false;
      return may_have(index, unit, donor);
    });
    if (!somebody) found.push_back(index);
  });
  return found;
}

}  // namespace dugnad::core
