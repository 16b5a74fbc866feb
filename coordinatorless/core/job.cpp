#include "coordinatorless/core/job.h"

#include <algorithm>
#include <span>
#include <utility>

#include "coordinatorless/core/job_trust.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

Job::Job(const Self& self, JobCommons& commons, const JobId& id, Manifest manifest, JobSubmitted submitted, Now now)
    : self_(self),
      commons_(commons),
      id_(id),
      manifest_(std::move(manifest)),
      units_(manifest_.confidence ? 0 : manifest_.copies),
      leases_(LeaseNotes::first_after(submitted.leases, LeaseId{self_.generator->next() >> 16})),
      lease_notes_(submitted.leases, now),
      restored_until_(now.boot + limits::restored_grace),
      outputs_(commons.blobs, commons.outputs),
      alone_since_(now.boot) {
  if (!manifest_.confidence && manifest_.copies > 1) {
    units_.set_may_join([this](std::span<const AttemptRecord> attempts, DonorIndex donor) { return placement_.may_join(attempts, donor); });
  }
  choose_judge(submitted);
  if (!submitted.held.empty()) restore(submitted, now);
  for (const AcceptedTag& accepted : submitted.accepted) (void)lease_notes_.take(accepted.unit);  // those do not come again
  if (ledger_ == nullptr) return;
  const held::DrawKey draws{self_.generator->key()};
  draws_.emplace(draws.key);
  log_.add(draws);
}

// --- Events ---

void Job::append(UnitsAppended appended, Now now) {
  DUGNAD_ASSERT(!complete_, "units appended after the last one");
  if (trust_ && !appended.units.empty()) trust_->appended(now.boot);
  for (NewUnit& unit : appended.units) {
    const UnitIndex index = unit.unit;
    append_one(std::move(unit));
    take_up_leases(index, now.boot);
  }
  complete_ = appended.last;
  if (complete_) lease_notes_.all_came();
  log_came();
  if (complete_) withdraw_missing();
}

std::optional<DonorIndex> Job::place_for(const PeerId& peer) {
  if (const auto known = index_of_.find(peer); known != index_of_.end()) return known->second;
  auto place = donors_.end();
  if (donors_.size() < limits::donors_per_job_max) {
    place = donors_.emplace(donors_.end());
  } else {
    // Whoever has voted keeps its place, gone or not: under another it could vote again.
    place = std::find_if(donors_.begin(), donors_.end(), [](const Donor& d) { return !d.connected && d.leased == 0 && !d.counted; });
    if (place == donors_.end()) return std::nullopt;
    index_of_.erase(place->id);
    *place = Donor{};
  }
  place->id = peer;
  return index_of_[peer] = static_cast<DonorIndex>(place - donors_.begin());
}

Job::Donor* Job::find(const PeerId& peer, DonorIndex* index) {
  const auto at = index_of_.find(peer);
  if (at == index_of_.end()) return nullptr;
  if (index != nullptr) *index = at->second;
  return &donors_[at->second];
}

std::optional<DonorIndex> Job::join(const PeerId& peer, Past past) {
  const bool is_known = find(peer) != nullptr;
  const auto place = place_for(peer);
  if (!place || is_known) return place;
  if (ledger_) log_.add(held::DonorJoined{*place, peer, past});
  if (trust_) trust_->joined(*place, past);
  if (trust_ && peer == self_.id) trust_->set_self(*place);
  return place;
}

void Job::on_want(const PeerId& from, const Want& want, std::optional<Endpoint> address, Past past) {
  if (want.slots == 0 && find(from) == nullptr) return;
  const auto place = join(from, past);
  if (!place) return;
  Donor& donor = donors_[*place];
  donor.address = address;
  able_changed_ = true;
  if (!donor.connected) outputs_.links_changed();
  if (!donor.connected && donor.leased > 0) to_renew_.insert(*place);
  donor.connected = true;
  donor.lost_at = never;
  donor.slots = std::min<unsigned>(want.slots, limits::slots_max);
  donor.pace.slots(donor.slots);
  donor.pace.wanted(want.work);
}

std::optional<Charge> Job::on_results(const PeerId& from, Results results, Now now, Output& out, const std::vector<bool>* only) {
  counted_.clear();
  DonorIndex index = 0;
  Donor* donor = find(from, &index);
  if (donor == nullptr) return charges::hasty;  // perhaps the donor of an earlier life, which asks next
  std::size_t in_time = 0;
  held::ResultsCame came;
  std::vector<std::pair<UnitIndex, UnitTable::Counted>> tried;  // units whose outputs are known
  const std::size_t logged = log_.bytes_now();
  bool good = false, bad = false, promised = false;  // promised: by its name
  std::optional<Charge> charge;
  BootTime oldest = now.boot;
  LeaseId last{};
  bool is_earlier = true;  // `last` is
  for (UnitResult& result : results.results) {
    if (only != nullptr && !(*only)[static_cast<std::size_t>(&result - results.results.data())]) continue;
    if (result.lease != last) {
      last = result.lease;
      is_earlier = !leases_.issued(last);
      const LeaseRecord* lease = is_earlier ? nullptr : leases_.find(last);
      if (lease != nullptr && lease->donor == index) oldest = std::min(oldest, lease->sent);
    }
    if (unit_back(result.lease, index, result.unit) && !is_earlier) ++in_time;
    // Under a lease of an earlier run, what was taken up counts: another may be of another input.
    if (is_earlier && only == nullptr && !taken_up_.contains({result.lease, result.unit})) {
      if (!charge) charge = charges::hasty;
      continue;
    }
    const bool is_result = result.outcome == Outcome::ok || result.outcome == Outcome::failed;
    (!is_result ? bad : result.output.large ? promised : good) = true;
    if (is_result) {
      const double large = result.output.large ? static_cast<double>(result.output.length()) : 0;
      donor->large_bytes += (donor->counted ? 0.1 : 1) * (large - donor->large_bytes);
    }
    if (!result.output.large) output_bytes_ += 0.1 * (static_cast<double>(result.output.bytes.size()) - output_bytes_);
    auto counted = units_.vote(result.unit, index, result.lease, result.outcome, std::move(result.output));
    switch (counted.kind) {
      case UnitTable::Counted::Kind::taken:
        ++counts_.attempts;
        donor->counted = true;
        counted_.push_back(static_cast<std::uint32_t>(&result - results.results.data()));
        if (counted.unheard && !known_.holds(result.unit)) {
          came.fresh.push_back({counted_.back(), counted.unheard->input_tag, std::move(counted.unheard->output)});
        }
        break;
      case UnitTable::Counted::Kind::late: break;
      case UnitTable::Counted::Kind::unasked:
        // Perhaps a lease of this job's earlier life, in a process that died: no offence, yet not for nothing.
        if (leases_.issued(result.lease)) charge = charges::unasked;
        else if (!charge) charge = charges::hasty;
        break;
    }
    if (counted.superseded) {
      unit_back(*counted.superseded, index, result.unit);
      revoked_[index].push_back(result.unit);
    }
    if (known_.holds(result.unit)) {
      UnitTable::Counted& said = tried.emplace_back(result.unit, UnitTable::Counted{}).second;
      said.kind = counted.kind;
      said.is_result = counted.is_result;
      said.digest = counted.digest;
      said.blamed = counted.blamed;
      said.fault = counted.fault;
    } else if (trust_) {
      trust_->voted(result.unit, index, counted, draws_ ? *draws_ : *self_.generator);
    }
    if (counted.holds_too) outputs_.also_held(result.unit, from, now, out);
    conclude(result.unit, std::move(counted));
  }
  for (const auto& [unit, counted] : tried) take_known(unit, index, counted, out);  // last: so are convictions logged
  if (!counted_.empty() && logs_results()) log_.add_before(logged, came, ledger_ != nullptr || !came.fresh.empty());
  if (in_time > 0) {
    const Duration turnaround = now.boot - oldest;
    donor->pace.returned(in_time, turnaround, results.held, now.boot);
    if (good) {
      able_changed_ = able_changed_ || donor->lapses > 0 || donor->refused;
      donor->lapses = 0;
      donor->refused = false;
    }
    turnaround_ = turnaround_ == 0 ? seconds_of(turnaround) : turnaround_ + 0.1 * (seconds_of(turnaround) - turnaround_);
  }
  if (bad && !good && !promised && counts_.donors > 1) shun(*donor, now.boot);
  return charge;
}

void Job::on_return(const PeerId& from, const Return& returned, Now now) {
  DonorIndex index = 0;
  Donor* donor = find(from, &index);
  if (donor == nullptr) return;
  bool any = false;
  for (const UnitIndex unit : returned.units) {
    const auto lease = units_.give_back(unit, index);
    if (lease) any = unit_back(*lease, index, unit) || any;
  }
  if (!any) return;
  donor->shunned_until = std::max(donor->shunned_until, now.boot + limits::shun_first);
  donor->refused = able_changed_ = true;
}

bool Job::unit_back(LeaseId lease, DonorIndex donor, UnitIndex unit) {
  if (!leases_.unit_back(lease, donor, unit)) return false;
  --donors_[donor].leased;
  return true;
}

void Job::connected(const PeerId& peer) {
  DonorIndex index = 0;
  Donor* donor = find(peer, &index);
  outputs_.links_changed();
  if (donor == nullptr) return;
  donor->connected = able_changed_ = true;
  donor->lost_at = never;
  if (donor->leased > 0) to_renew_.insert(index);
}

void Job::lost(const PeerId& peer, Now now) {
  DonorIndex index = 0;
  if (Donor* donor = find(peer, &index)) {
    donor->connected = false;
    outputs_.links_changed();
    donor->slots = 0;  // until it asks again
    able_changed_ = true;
    to_renew_.erase(index);
    donor->pace.slots(0);
    donor->lost_at = now.boot;
    deadline_ = now.boot;
  }
}

void Job::leave(Output& out) {
  leaving_ = true;
  for (const Donor& donor : donors_) {
    if (donor.connected && donor.id != self_.id) out.send(donor.id, Closed{id_});
  }
}

// --- What came of it ---

void Job::take(UnitTable::Settled settled) {
  ++counts_.units_accepted;
  large_bytes_ += 0.1 * ((settled.unit.output.large ? static_cast<double>(settled.unit.output.length()) : 0) - large_bytes_);
  if (settled.unit.outcome != Outcome::ok) ++counts_.units_failed;
  if (trust_) settled.outvoted.clear();  // they were convicted
  for (const DonorIndex donor : settled.outvoted) {
    able_changed_ = true;
    if (donors_[donor].outvoted++ < limits::outvoted_max) outvoted_.push_back({id_, donors_[donor].id, settled.unit.unit});
  }
  for (const DonorIndex donor : settled.agreed) {
    ++donors_[donor].unthanked;
    if (!trust_ && manifest_.copies > 1) able_changed_ = !std::exchange(donors_[donor].confirmed, true) || able_changed_;
  }
  unneeded(settled.unit.unit, settled.unneeded);
  for (const DonorIndex donor : settled.holders) revoked_[donor].push_back(settled.unit.unit);  // they may let go of it
  settled_.push_back(std::move(settled.unit));
}

/// More is on its way: a row, a flush and a wake-up can serve several units. The last one out, and a lone one, waits for nothing.
bool Job::gathers(BootTime now) const {
  return !ending_ && !leases_.empty() && units_.open() > 0 && settled_.size() < limits::settled_units_max &&
         now < settled_first_ + limits::settled_gather;
}

void Job::send_revokes(Output& out) {
  for (auto& [donor, units] : revoked_) {
    for (std::size_t from = 0; from < units.size(); from += limits::batch_units_max) {
      const std::size_t to = std::min(units.size(), from + limits::batch_units_max);
      if (donors_[donor].connected) out.send(donors_[donor].id, Revoke{id_, {units.begin() + from, units.begin() + to}});
    }
  }
  revoked_.clear();
}

void Job::hand_on(BootTime now, Journal& journal, Output& out) {
  if (!log_.empty()) journal.note(id_, log_.take(), now);
  if (!settled_.empty()) {
    settled_first_ = std::min(settled_first_, now);
    if (thanks_at_ == never) thanks_at_ = now + limits::thanks_interval;
  }
  if (!settled_.empty() && !gathers(now)) {
    // The journal and the program each keep their own copy: neither waits for the other.
    std::vector<Row> rows;  // a list in braces would be copied once more
    rows.push_back(AcceptedRow{id_, settled_});
    const PersistSeq after = journal.write(std::move(rows), out);
    out.push(DeliverResults{id_, std::move(settled_), after});
    settled_.clear();
    settled_first_ = never;
  }
  send_revokes(out);
  say_verdicts(out);
}

void Job::say_verdicts(Output& out) {
  for (DonorOutvoted& said : outvoted_) out.push(std::move(said));
  outvoted_.clear();
  for (DonorConvicted& said : convicted_) out.push(std::move(said));
  convicted_.clear();
  if (!trust_) return;
  if (cost_) out.push(*std::exchange(cost_, std::nullopt));
  say_what_is_held(out);
}

void Job::say_who_is_there(BootTime now, Output& out) {
  counts_.donors = trusted_ = 0;
  for (const Donor& donor : donors_) {
    if (!donor.connected || donor.slots == 0) continue;
    ++counts_.donors;
    trusted_ += donor.outvoted < limits::outvoted_max;
  }
  units_.set_present(counts_.donors);
  if (counts_.donors > 0) {
    if (said_alone_) out.push(DonorsBack{id_});
    said_alone_ = false;
    alone_since_ = never;
  } else if (alone_since_ == never) {
    alone_since_ = now;
  } else if (!said_alone_ && now >= alone_since_ + limits::lost_grace && units_.open() > 0) {
    said_alone_ = true;
    out.push(NobodyToCompute{id_});
  }
}

void Job::finish(JobState state, Journal& journal, Output& out) {
  ended_ = true;
  counts_.ended = true;
  cancel_checks(out);
  outputs_.clear(out);
  if (!log_.empty()) journal.note(id_, log_.take(), settled_up_at_);
  std::vector<Row> rows;
  if (trust_) rows.push_back(SummaryRow{id_, encode(trust_->stated())});
  rows.push_back(JobStateRow{id_, state});
  lease_notes_.end(id_, rows);
  const PersistSeq after = journal.write(std::move(rows), out);
  for (const Donor& donor : donors_) {
    if (donor.connected) out.send(donor.id, Closed{id_});
  }
  out.push(JobEnded{id_, state, after});
}

void Job::settle_up(Now now, Journal& journal, Output& out) {
  if (ended_) return;
  settled_up_at_ = now.boot;
  expire(now.boot);
  say_who_is_there(now.boot, out);
  say_who_is_able();
  if (trust_) {
    open_blocks(now);
    take_turn(now.boot, out);
  }
  end_outputs(now, out);
  send_revokes(out);  // before the leases: a donor may have a unit again that it is to let go of
  if (!ending_ && !leaving_ && !waits_) {
    renew(now.boot, out);
    serve(now.boot, out);
    start_checks(out);
  }
  hand_on(now.boot, journal, out);
  note_leases(now, journal, out);
  if (ending_) {
    finish(*ending_, journal, out);
  } else if (complete_ && units_.open() == 0) {
    finish(counts_.units_failed > 0 ? JobState::failed : JobState::done, journal, out);
  }
  sum_up_work(now.boot);
  deadline_ = find_deadline();
}

BootTime Job::find_deadline() const {
  if (ended_) return never;
  BootTime next = std::min({serve_again_at_, leases_.next_expiry(), outputs_.next_deadline(), thanks_at_, lease_notes_.next_look()});
  if (!settled_.empty()) next = std::min(next, settled_first_ + limits::settled_gather);
  if (trust_) next = trust_->has_more() ? settled_up_at_ : std::min(next, trust_->next_deadline());
  if (!said_alone_ && alone_since_ != never && units_.open() > 0) next = std::min(next, alone_since_ + limits::lost_grace);
  for (const Donor& donor : donors_) {
    if (donor.lost_at != never) next = std::min(next, donor.lost_at + limits::lost_grace);
    if (donor.shunned_until > settled_up_at_) next = std::min(next, donor.shunned_until);
  }
  return next;
}

JobProgress Job::progress() const {
  JobProgress progress = counts_;
  progress.units_known = units_.known();
  double seconds = 0;
  unsigned timed = 0;
  for (const Donor& donor : donors_) {
    if (!ended_) progress.attempts_running += donor.leased;
    if (donor.pace.unit_seconds() == 0) continue;
    seconds += donor.pace.unit_seconds();
    ++timed;
  }
  if (timed > 0) progress.unit_seconds = seconds / timed;
  const auto able = std::count_if(donors_.begin(), donors_.end(), [this](const Donor& donor) { return is_able(donor); });
  if (trust_) {
    progress.units_held = trust_->held();
    progress.own_units = trust_->own_units();
    progress.convicted = trust_->convicted();
    progress.confidence = trust_->confidence();
    progress.copies_in_reach = trust_->lacks_self() ? 0 : 1;
    return progress;
  }
  progress.copies_in_reach =
      units_.copies_in_reach([this](DonorIndex donor) { return is_able(donors_[donor]); }, static_cast<std::size_t>(able));
  return progress;
}

void Job::sum_up_work(BootTime now) {
  if (thanks_at_ == never || (!ended_ && now < thanks_at_)) return;
  thanks_at_ = never;
  std::vector<double> costs;  // of a unit, as each donor's were timed
  for (const Donor& donor : donors_) {
    if (donor.pace.unit_seconds() > 0) costs.push_back(donor.pace.unit_seconds());
  }
  if (costs.empty()) return;
  const auto middle = costs.begin() + static_cast<std::ptrdiff_t>((costs.size() - 1) / 2);
  std::nth_element(costs.begin(), middle, costs.end());
  for (Donor& donor : donors_) {
    const auto units = std::exchange(donor.unthanked, 0);
    if (units > 0 && donor.id != self_.id) verified_.push_back({donor.id, from_seconds(static_cast<double>(units) * *middle), units});
  }
}

std::vector<PeerId> Job::donors() const {
  std::vector<PeerId> ids;
  for (const Donor& donor : donors_) ids.push_back(donor.id);
  return ids;
}

}  // namespace dugnad::core
