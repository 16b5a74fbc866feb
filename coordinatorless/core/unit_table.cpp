#include "coordinatorless/core/unit_table.h"

#include <algorithm>
#include <array>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/evidence.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

Hash digest_of(Outcome outcome, const Value& output) {
  const std::array<std::uint8_t, 1> head{static_cast<std::uint8_t>(static_cast<unsigned>(outcome) | (output.large ? 0x80U : 0U))};
  return hash_of(head, output.bytes);
}

void UnitTable::append(std::vector<NewUnit> units) {
  for (NewUnit& added : units) append(std::move(added), std::nullopt);
}

void UnitTable::append(NewUnit added, std::optional<UnitNumber> number) {
  DUGNAD_ASSERT(state_of(added.unit) == State::unknown, "a unit appended twice");
  Unit& unit = units_.make(added.unit.value);
  unit.input_tag = input_tag_of(added.input);
  unit.input = std::move(added.input.bytes);
  unit.large = added.input.large;
  unit.state = State::open;
  unit.number = static_cast<std::uint32_t>(number.value_or(told() ? by_number_.size() : known_));
  if (added.known) {
    DUGNAD_ASSERT(told(), "a known output in a job that counts votes");
    unit.known = true;
    unit.number = static_cast<std::uint32_t>(by_number_.size());
    known_units_.emplace_back(unit.number, added.unit);
    return;
  }
  if (!told()) {
    unit.queued = true;
    queue_.push_fresh(added.unit);
  } else if (!number) {
    by_number_.push_back(added.unit);
  }
  ++open_;
  ++known_;
}

Value UnitTable::Unit::value() const {
  Value value(input);
  value.large = large;
  return value;
}

Verdict UnitTable::judged(const Unit& unit) const {
  if (told()) return wanting(*unit.history, unit.own ? 0 : unit.wanted);
  return judge(*unit.history, copies_, present_);
}

/// Of a final output that its holders have not given.
Verdict UnitTable::lost_verdict(const std::string& why) {
  return {Verdict::Kind::failed, 0, 0, "its final output was not to be had, and could not be made again: " + why};
}

UnitTable::Unit* UnitTable::open_unit(UnitIndex index) { return is_open(index) ? &units_[index.value] : nullptr; }

/// Beside those who have it; whether it has had it itself is another question.
bool UnitTable::may_have(UnitIndex index, const Unit& unit, DonorIndex donor) const {
  if (donor == self_) return true;
  if (told()) return unit.wanted <= 1 || unit.known || !may_audit_ || may_audit_(index, donor);
  return !may_join_ || may_join_(unit.history->attempts, donor);
}

UnitQueue::Fit UnitTable::fit(UnitIndex index, DonorIndex donor) {
  Unit* unit = open_unit(index);
  if (unit == nullptr) return UnitQueue::Fit::stale;
  if (unit->history == nullptr) return UnitQueue::Fit::yes;
  if (judged(*unit).leases_wanted == 0) {  // a late result has made the lease needless
    unit->queued = false;
    return UnitQueue::Fit::stale;
  }
  if (!may_have(index, *unit, donor)) return UnitQueue::Fit::had_it;
  const AttemptRecord* had = unit->history->attempt_of(donor);
  return had == nullptr || had->state == AttemptState::lapsed ? UnitQueue::Fit::yes : UnitQueue::Fit::had_it;
}

LeasedUnit UnitTable::begin(UnitIndex index, Unit& unit, DonorIndex donor, LeaseId lease) {
  if (unit.history == nullptr) unit.history = std::make_unique<UnitHistory>();
  const AttemptRecord fresh{lease, donor, AttemptState::leased, 0};
  if (AttemptRecord* had = unit.history->attempt_of(donor)) {
    *had = fresh;
  } else {
    unit.history->attempts.push_back(fresh);
  }
  return {index, unit.value()};
}

void UnitTable::requeue(UnitIndex index, Unit& unit) {
  if (unit.queued || judged(unit).leases_wanted == 0) return;
  unit.queued = true;
  for (const AttemptRecord& attempt : unit.history->attempts) {
    if (attempt.state != AttemptState::lapsed) return queue_.push_again(index, attempt.donor);
  }
  queue_.push_fresh(index);
}

std::optional<LeasedUnit> UnitTable::lease_next(DonorIndex donor, LeaseId lease, Generator& generator) {
  if (donor == self_) {
    if (const auto own = next_own()) return begin(*own, units_[own->value], donor, lease);
  }
  const auto index = queue_.pop(donor, generator, [&](UnitIndex candidate) { return fit(candidate, donor); });
  if (!index) return std::nullopt;
  Unit& unit = units_[index->value];
  unit.queued = false;
  LeasedUnit leased = begin(*index, unit, donor, lease);
  requeue(*index, unit);
  return leased;
}

std::optional<LeasedUnit> UnitTable::renew(UnitIndex index, DonorIndex donor, LeaseId old, LeaseId lease) {
  Unit* unit = open_unit(index);
  AttemptRecord* attempt = unit == nullptr || unit->history == nullptr ? nullptr : unit->history->attempt_of(donor);
  if (attempt == nullptr || attempt->lease != old || attempt->state != AttemptState::leased) return std::nullopt;
  attempt->lease = lease;
  return LeasedUnit{index, unit->value()};
}

bool UnitTable::may_race(UnitIndex index) const {
  if (!is_open(index)) return false;
  const Unit& unit = units_[index.value];
  if (unit.history == nullptr || unit.queued || unit.awaited) return false;
  const auto& attempts = unit.history->attempts;
  const auto count = [&](AttemptState state) {
    return static_cast<std::size_t>(std::count_if(attempts.begin(), attempts.end(), [&](const AttemptRecord& a) { return a.state == state; }));
  };
  const std::size_t copies = told() ? unit.wanted : copies_;
  if (unit.own || copies == 0 || (told() && count(AttemptState::voted) >= copies)) return false;
  return count(AttemptState::leased) <= copies && attempts.size() - count(AttemptState::lapsed) < 2 * copies + 2;
}

std::optional<LeasedUnit> UnitTable::lease_race(UnitIndex index, DonorIndex donor, LeaseId lease) {
  if (!may_race(index) || units_[index.value].history->attempt_of(donor) != nullptr) return std::nullopt;
  if (!may_have(index, units_[index.value], donor)) return std::nullopt;
  return begin(index, units_[index.value], donor, lease);
}

bool UnitTable::adopt(UnitIndex index, DonorIndex donor, LeaseId lease, std::optional<LeaseId> instead) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->known || unit->awaited || unit->own) return false;
  if (unit->history != nullptr) {
    const AttemptRecord* had = unit->history->attempt_of(donor);
    if (had != nullptr && had->state != AttemptState::lapsed && !(had->state == AttemptState::leased && had->lease == instead)) return false;
    if (told() && unit->history->votes() > 0) return false;
  }
  (void)begin(index, *unit, donor, lease);
  return true;
}

bool UnitTable::take_up(UnitIndex index, DonorIndex donor, LeaseId lease) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->known || unit->awaited || unit->own) return false;
  if (unit->history != nullptr && unit->history->attempt_of(donor) != nullptr) return false;
  (void)begin(index, *unit, donor, lease);
  return true;
}

UnitTable::Settled UnitTable::settle(UnitIndex index, Unit& unit, const Verdict& verdict) {
  Settled settled;
  settled.unit.unit = index;
  settled.unit.input_tag = unit.input_tag;
  if (verdict.kind == Verdict::Kind::settled) {
    Candidate& winner = unit.history->candidates[verdict.group];
    settled.unit.outcome = winner.outcome;
    settled.unit.output = winner.output.large ? winner.output : std::move(winner.output);
  } else {
    settled.unit.outcome = Outcome::failed;
    settled.unit.output = to_bytes(verdict.reason);
  }
  for (const AttemptRecord& attempt : unit.history->attempts) {
    if (attempt.state == AttemptState::voted && unit.history->candidates[attempt.group].output.large) settled.holders.push_back(attempt.donor);
    switch (attempt.state) {
      case AttemptState::leased:
      case AttemptState::lapsed: settled.unneeded.emplace_back(attempt.donor, attempt.lease); break;
      case AttemptState::voted:
        if (verdict.kind != Verdict::Kind::settled) break;
        (attempt.group == verdict.group ? settled.agreed : settled.outvoted).push_back(attempt.donor);
        break;
    }
  }
  let_go(unit);
  unit.history.reset();
  unit.input = Bytes();
  unit.awaited = false;
  unit.state = State::settled;
  if (!unit.known) --open_;
  drop_over();
  const std::uint64_t chunk = Chunked<Unit>::chunk_of(index.value);
  if (chunk >= over_.size()) over_.resize(chunk + 1);
  if (++over_[chunk].settled == Chunked<Unit>::chunk_size) over_next_ = chunk;
  return settled;
}

void UnitTable::drop_over() {
  if (!over_next_) return;
  const std::uint64_t chunk = *std::exchange(over_next_, std::nullopt), first = chunk * Chunked<Unit>::chunk_size;
  if (told()) {
    auto& numbers = over_[chunk].numbers;
    numbers.reserve(Chunked<Unit>::chunk_size);
    for (std::uint64_t at = first; at < first + Chunked<Unit>::chunk_size; ++at) numbers.push_back(units_[at].number);
  }
  units_.drop_chunk(chunk);
}

std::uint32_t UnitTable::over_number(UnitIndex index) const {
  DUGNAD_ASSERT(told() && state_of(index) == State::settled, "a number of a unit that is nowhere");
  return over_[Chunked<Unit>::chunk_of(index.value)].numbers[index.value % Chunked<Unit>::chunk_size];
}

UnitTable::Counted UnitTable::vote(UnitIndex index, DonorIndex donor, LeaseId lease, Outcome outcome, Value output) {
  Counted counted;
  if (state_of(index) == State::unknown) return counted;
  Unit* unit = open_unit(index);
  if (unit == nullptr) {
    counted.kind = Counted::Kind::late;
    return counted;
  }
  AttemptRecord* attempt = unit->history == nullptr ? nullptr : unit->history->attempt_of(donor);
  if (attempt == nullptr) return counted;
  if (attempt->state == AttemptState::voted) {
    if (lease <= attempt->lease) counted.kind = Counted::Kind::late;  // sent again, since its link broke before it must have arrived
    return counted;
  }
  const bool is_result = outcome == Outcome::ok || outcome == Outcome::failed;
  if (attempt->lease != lease) {
    // A unit that outlasts its leases comes back under one that has lapsed since: else it never would.
    if (lease > attempt->lease) return counted;
    if (!is_result) {
      counted.kind = Counted::Kind::late;
      return counted;
    }
    counted.superseded = attempt->lease;
  }
  if (attempt->revoked && (unit->awaited || output.large)) {
    counted.kind = Counted::Kind::late;
    return counted;
  }
  counted.kind = Counted::Kind::taken;
  if (is_result) {
    // Where one vote settles, nothing is compared: the digest would be work for nothing.
    const bool settles = copies_ == 1 && !output.large && unit->history->candidates.empty();
    const Hash digest = settles ? Hash{} : digest_of(outcome, output);
    if (unit->awaited && digest != unit->history->candidates[unit->winner].digest && unit->history->votes() >= votes_max(copies_)) {
      counted.kind = Counted::Kind::late;  // it could change nothing, and who knows how many more come
      return counted;
    }
    if (told()) {
      if (unit->history->votes() >= limits::attempts_per_unit_max) {  // far more than audits and races come to
        unit->history->forget(*attempt);
        requeue(index, *unit);
        counted.kind = Counted::Kind::late;
        return counted;
      }
      if (unit->history->final() && digest != *unit->history->final()) {
        unit->history->fault(*attempt, "another result is final");
        if (donor == self_) counted.settled = settle(index, *unit, lost_verdict("this program computes another"));
        else conclude(index, *unit, counted);
        return counted;
      }
      counted.is_result = true;
      counted.digest = short_digest(digest);
      hold(*unit, output);
    }
    Bytes kept;
    if (!settles && !is_brief(output)) kept = output.bytes;
    const bool is_new = unit->history->vote(*attempt, digest, outcome, std::move(output));
    if (is_new && !settles) counted.unheard = Unheard{unit->input_tag, std::move(kept)};
    counted.holds_too = unit->awaited && attempt->group == unit->winner;
  } else {
    unit->history->fault(*attempt, to_text(output.bytes));
    if (unit->own && donor == self_) {
      constexpr std::uint8_t tries = 3;
      if (++unit->own_faults < tries) {
        own_queues_.back().push_back(index);
      } else if (unit->history->final()) {
        counted.settled = settle(index, *unit, lost_verdict(unit->history->last_fault()));
        return counted;
      } else {
        counted.fault = unit->history->last_fault();
      }
    }
  }
  if (!unit->awaited) conclude(index, *unit, counted);
  if (counted.agreed) {
    auto& holders = counted.agreed->holders;
    if (const auto latest = std::find(holders.begin(), holders.end(), donor); latest != holders.end()) {
      std::rotate(holders.begin(), latest, latest + 1);
    }
  }
  return counted;
}

unsigned UnitTable::copies_in_reach(const std::function<bool(DonorIndex)>& able, std::size_t able_count) const {
  // Whoever asks does so a few times a second, on the protocol's thread: a look at all of a large job's units would be too much. What cannot be
  // leased stays where it is while the rest is worked off, so that it is seen in the end.
  constexpr std::size_t looks_max = 4096;
  std::size_t reach = copies_;
  if (known_ == 0 || queue_.any_fresh()) reach = std::min(reach, able_count);
  queue_.each_again(looks_max, [&](UnitIndex index) {
    if (!is_open(index)) return;
    const Unit& unit = units_[index.value];
    if (unit.history == nullptr) return;
    const Verdict verdict = judged(unit);
    if (verdict.leases_wanted == 0) return;
    const auto& attempts = unit.history->attempts;
    const auto had = std::count_if(attempts.begin(), attempts.end(),
                                   [&](const AttemptRecord& a) { return a.state != AttemptState::lapsed && able(a.donor); });
    reach = std::min(reach, copies_ - verdict.leases_wanted + able_count - static_cast<std::size_t>(had));
  });
  return static_cast<unsigned>(reach);
}

UnitTable::Counted UnitTable::restore_votes(UnitIndex index, std::unique_ptr<UnitHistory> history) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->history == nullptr, "what was held goes to a unit that has just come");
  Counted counted;
  unit->history = std::move(history);
  conclude(index, *unit, counted);
  return counted;
}

void UnitTable::conclude(UnitIndex index, Unit& unit, Counted& counted) {
  if (told()) {
    const UnitHistory& history = *unit.history;
    counted.blamed = !unit.own && is_to_blame(history, present_);
    if (counted.blamed && history.final()) want_own(index);  // liars must not fail it; and where a lie is final, nobody honest makes it again
    const auto same = std::find_if(history.attempts.begin(), history.attempts.end(), [&](const AttemptRecord& attempt) {
      return attempt.state == AttemptState::voted && history.final() && history.candidates[attempt.group].digest == *history.final();
    });
    if (same != history.attempts.end()) counted.agreed = agree(unit, same->group);
    else requeue(index, unit);
    return;
  }
  const Verdict verdict = judged(unit);
  if (verdict.kind == Verdict::Kind::open) {
    requeue(index, unit);
  } else if (verdict.kind == Verdict::Kind::settled && unit.history->candidates[verdict.group].output.large) {
    counted.agreed = agree(unit, verdict.group);
  } else {
    counted.settled = settle(index, unit, verdict);
  }
}

UnitTable::Agreed UnitTable::agree(Unit& unit, std::uint8_t winner) {
  Agreed agreed{unit.history->candidates[winner].output.blob(), {}, {}};
  unit.awaited = true;
  unit.winner = winner;
  for (AttemptRecord& attempt : unit.history->attempts) {
    switch (attempt.state) {
      case AttemptState::leased:
        agreed.unneeded.emplace_back(attempt.donor, attempt.lease);
        attempt.state = AttemptState::lapsed;
        attempt.revoked = true;
        break;
      case AttemptState::lapsed: break;
      case AttemptState::voted:
        if (attempt.group == winner) agreed.holders.insert(agreed.holders.begin(), attempt.donor);
        break;
    }
  }
  return agreed;
}

UnitTable::Settled UnitTable::accept(UnitIndex index) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->awaited, "an output that no unit waits for");
  return settle(index, *unit, Verdict{Verdict::Kind::settled, unit->winner, 0, {}});
}

UnitTable::Reopened UnitTable::reopen(UnitIndex index, const std::function<bool(DonorIndex)>& is_at_fault) {
  Unit* unit = open_unit(index);
  DUGNAD_ASSERT(unit != nullptr && unit->awaited, "an output that no unit waits for");
  unit->awaited = false;
  Reopened reopened;
  UnitHistory& history = *unit->history;
  for (std::size_t i = 0; i < history.attempts.size();) {
    const AttemptRecord& attempt = history.attempts[i];
    if (attempt.state != AttemptState::voted || attempt.group != unit->winner) {
      ++i;
      continue;
    }
    reopened.holders.push_back(attempt.donor);
    if (is_at_fault(attempt.donor)) {
      reopened.at_fault.push_back(attempt.donor);
      history.fault(attempt, "its output was not to be had");
    } else {
      history.forget(attempt);
    }
  }
  conclude(index, *unit, reopened.counted);
  return reopened;
}

bool UnitTable::lapse(UnitIndex index, DonorIndex donor, LeaseId lease) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->history == nullptr) return false;
  AttemptRecord* attempt = unit->history->attempt_of(donor);
  if (attempt == nullptr || attempt->lease != lease || attempt->state != AttemptState::leased) return false;
  attempt->state = AttemptState::lapsed;
  if (unit->own && donor == self_) own_queues_.back().push_back(index);
  else requeue(index, *unit);
  return true;
}

std::optional<LeaseId> UnitTable::give_back(UnitIndex index, DonorIndex donor) {
  Unit* unit = open_unit(index);
  if (unit == nullptr || unit->history == nullptr) return std::nullopt;
  const AttemptRecord* attempt = unit->history->attempt_of(donor);
  if (attempt == nullptr || attempt->state == AttemptState::voted) return std::nullopt;
  const LeaseId lease = attempt->lease;
  unit->history->forget(*attempt);
  if (unit->own && donor == self_) own_queues_.back().push_back(index);
  else requeue(index, *unit);
  return lease;
}

}  // namespace dugnad::core
