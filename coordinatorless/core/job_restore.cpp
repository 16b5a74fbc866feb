// The half of a job that takes up what an earlier run of it held (core/held_log.h): donors under their old places, results that are not final, and
// units under their old numbers as they come again.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr std::size_t results_max = 200;  // of one unit, that differ: its history numbers them in a byte

bool begins_afresh(const HeldRow& row) {
  packed::Reader in(row.held);
  const auto first = read_held(in);
  return first && std::holds_alternative<held::Afresh>(*first);
}

}  // namespace

void Job::choose_judge(const JobSubmitted& submitted) {
  if (!manifest_.confidence) return;
  if (submitted.checked) {
    auto checks = std::make_unique<JobChecks>(*manifest_.confidence, submitted.units_expected, units_);
    checks_ = checks.get();
    trust_ = std::move(checks);
  } else {
    auto judge = std::make_unique<JobTrust>(*manifest_.confidence, submitted.units_expected, units_, log_);
    ledger_ = judge.get();
    trust_ = std::move(judge);
  }
}

void Job::restore(JobSubmitted& submitted, Now now) {
  forget_earlier(submitted);
  bool well = logs_results();
  for (HeldRow& each : submitted.held) {
    const HeldRow row = std::exchange(each, {});  // once it is told, nothing needs it
    if (begins_afresh(row)) {
      forget_earlier(submitted);
      well = logs_results();
    }
    well = well && replay(row);
  }
  if (!well) {  // what cannot be told to a new ledger is computed again
    forget_earlier(submitted);
    held_.reset();
    (void)log_.take();
    log_.add(held::Afresh{});
    return;
  }
  if (ledger_ == nullptr) return;
  std::deque<UnitIndex> units;
  for (UnitNumber number = 0; number < held_->size(); ++number) units.push_back(held_->at(number).index());
  units_.set_earlier(std::move(units));
  ledger_->replayed(*held_, now.boot);
  for (DonorIndex donor = 0; donor < donors_.size(); ++donor) {
    if (ledger_->is_branded(donor)) donors_[donor].outvoted = limits::outvoted_max;
  }
  if (const auto self = index_of_.find(self_.id); self != index_of_.end()) ledger_->set_self(self->second);
}

void Job::forget_earlier(const JobSubmitted& submitted) {
  held_ = std::make_unique<HeldUnits>(submitted.accepted);
  donors_.clear();
  index_of_.clear();
  choose_judge(submitted);
}

bool Job::replay(const HeldRow& row) {
  packed::Reader log(row.held), evidence(row.evidence);
  while (log.left() > 0) {
    const auto event = read_held(log);
    if (!event || !replay(*event, evidence)) return false;
  }
  return true;
}

bool Job::replay(const HeldEvent& event, packed::Reader& evidence) {
  if (std::holds_alternative<held::Afresh>(event)) return true;
  if (const auto* came = std::get_if<held::ResultsCame>(&event)) {
    const auto batch = read_evidence(evidence);
    return batch && replay_results(*came, *batch);
  }
  if (ledger_ == nullptr) return false;
  if (const auto* key = std::get_if<held::DrawKey>(&event)) {
    draws_.emplace(key->key);
    return true;
  }
  if (const auto* joined = std::get_if<held::DonorJoined>(&event); joined != nullptr && !replay_donor(*joined)) return false;
  const UnitNumber final_before = ledger_->ledger().final_units();
  if (!ledger_->replay(event, *held_)) return false;
  const UnitNumber final_now = std::min(ledger_->ledger().final_units(), held_->size());
  for (UnitNumber number = final_before; number < final_now; ++number) {
    if (held_->is_over(number)) held_->at(number).history.reset();
  }
  return true;
}

bool Job::replay_donor(const held::DonorJoined& joined) {
  if (joined.donor > donors_.size() || joined.donor >= limits::donors_per_job_max || index_of_.contains(joined.peer)) return false;
  if (joined.donor == donors_.size()) donors_.emplace_back();
  index_of_.erase(donors_[joined.donor].id);
  donors_[joined.donor] = Donor{.id = joined.peer, .connected = false};
  index_of_[joined.peer] = joined.donor;
  return true;
}

bool Job::replay_results(const held::ResultsCame& came, const EvidenceBatch& batch) {
  const PeerId peer = peer_id_of(batch.donor);
  const auto known = index_of_.find(peer);
  if (ledger_ != nullptr && known == index_of_.end()) return false;
  const auto donor = place_for(peer);
  if (!donor) return true;
  if (known == index_of_.end()) donors_[*donor].connected = false;
  donors_[*donor].counted = true;
  auto fresh = came.fresh.begin();
  for (std::uint32_t place = 0; place < batch.results.size(); ++place) {
    const EvidenceResult& result = batch.results[place];
    const bool is_fresh = fresh != came.fresh.end() && fresh->place == place;
    const held::NewResult* const new_result = is_fresh ? &*fresh++ : nullptr;
    if (result.veiled || (result.claim.outcome != Outcome::ok && result.claim.outcome != Outcome::failed)) continue;
    if (!replay_result(*donor, !batch.signature, result, new_result)) return false;
  }
  return fresh == came.fresh.end();
}

bool Job::replay_result(DonorIndex donor, bool own, const EvidenceResult& result, const held::NewResult* fresh) {
  auto number = held_->number_of(result.unit);
  if (!number) {
    if (ledger_ != nullptr) return true;  // it was there to try donors, and nothing of it is held
    if (!held_->add(result.unit, 1)) return false;
    number = held_->number_of(result.unit);
  }
  if (ledger_ != nullptr && ledger_->ledger().is_final(*number)) return true;
  HeldUnits::Unit& unit = held_->at(*number);
  // Of a job by copies, a unit whose input has changed begins anew.
  if (ledger_ == nullptr && fresh != nullptr && unit.has_result() && unit.input_tag != fresh->input_tag) unit.history.reset();
  if (fresh != nullptr) unit.input_tag = fresh->input_tag;
  const bool over = held_->is_over(*number);
  if (ledger_ == nullptr && over) {
    unit.history.reset();
    return true;
  }
  if (const auto brief = result.claim.output(); over && brief) {  // it does not come again, and the ledger knows results by their digests
    if (!unit.has_result()) return false;
    Value output(Bytes(brief->begin(), brief->end()));
    output.large = result.claim.large;
    if (fresh != nullptr && claim_of(result.claim.outcome, output) != result.claim) return false;
    return ledger_->replay_result(*number, donor, own, short_digest(digest_of(result.claim.outcome, output)), *draws_);
  }
  if (unit.history == nullptr) unit.history = std::make_unique<UnitHistory>();
  UnitHistory& history = *unit.history;
  Value output;
  if (fresh != nullptr) {
    const auto brief = result.claim.output();
    output = brief ? Bytes(brief->begin(), brief->end()) : fresh->output;
    output.large = result.claim.large;
    if (claim_of(result.claim.outcome, output) != result.claim) return false;
  } else {
    const auto same = std::find_if(history.candidates.begin(), history.candidates.end(), [&](const Candidate& candidate) {
      return claim_of(candidate.outcome, candidate.output) == result.claim;
    });
    if (same == history.candidates.end()) return ledger_ == nullptr;  // by copies: it settled its unit
    output = same->output;
  }
  if (history.candidates.size() >= results_max) return false;
  if (const AttemptRecord* had = history.attempt_of(donor)) history.forget(*had);
  const Hash digest = digest_of(result.claim.outcome, output);
  history.vote(history.attempts.emplace_back(AttemptRecord{result.lease, donor}), digest, result.claim.outcome, std::move(output));
  return ledger_ == nullptr || ledger_->replay_result(*number, donor, own, short_digest(digest), *draws_);
}

void Job::append_one(NewUnit added) {
  const UnitIndex index = added.unit;
  auto taken = held_ ? held_->take(index, input_tag_of(added.input)) : std::nullopt;
  if (taken && taken->changed) {
    if (ledger_ != nullptr) ledger_->withdraw(taken->number);
    taken.reset();
  }
  if (added.known) known_.add(index, short_digest(digest_of(Outcome::ok, *added.known)));
  const bool is_wanted = !added.known;
  units_.append(std::move(added), taken && ledger_ != nullptr ? std::optional(taken->number) : std::nullopt);
  if (ledger_ == nullptr) {
    if (taken && taken->history != nullptr) conclude(index, units_.restore_votes(index, std::move(taken->history)));
  } else if (taken) {
    ledger_->came_again(taken->number, std::move(taken->history));
  } else if (is_wanted) {
    if (came_.first.value + came_.count != index.value) log_came();
    if (came_.count++ == 0) came_.first = index;
  }
}

void Job::expect(const PeerId& donor, Past past) {
  const bool is_new = find(donor) == nullptr;
  if (const auto place = join(donor, past); place && is_new) donors_[*place].connected = false;
}

bool Job::are_early(const Results& results) const {
  return lease_notes_.awaits_any() && std::any_of(results.results.begin(), results.results.end(), [this](const UnitResult& result) {
           return lease_notes_.awaits(result.lease, result.unit);
         });
}

void Job::take_up_leases(UnitIndex unit, BootTime now) {
  for (const LeaseNotes::Earlier& earlier : lease_notes_.take(unit)) {
    DonorIndex index = 0;
    Donor* donor = find(earlier.donor, &index);
    if (donor == nullptr || donor->outvoted >= limits::outvoted_max || units_.input_tag(unit) != earlier.input_tag) continue;
    if (ledger_ != nullptr && units_.number_of(unit) >= ledger_->ledger().units()) continue;  // of a block that was not on disk
    if (!units_.take_up(unit, index, earlier.lease)) continue;
    taken_up_.emplace(earlier.lease, unit);
    // One that is long overdue is not late before its donor could be here.
    const BootTime expires = std::max({earlier.expires, now + limits::restored_grace, restored_until_});
    leases_.take_up(earlier.lease, index, unit, static_cast<std::uint32_t>(units_.input_length(unit)), earlier.sent, expires);
    if (donor->leased++ == 0) donor->pace.became_busy(now);
    if (trust_) trust_->leased(index, 1);
    if (donor->connected) to_renew_.insert(index);
    else donor->lost_at = std::max(now, restored_until_) - limits::lost_grace;
  }
}

void Job::log_came() {
  if (came_.count > 0) log_.add(came_);
  came_ = {};
}

/// Nothing more comes: of what has not come, nothing is wanted.
void Job::withdraw_missing() {
  if (held_ != nullptr && ledger_ != nullptr) {
    const auto missing = held_->missing();
    std::for_each(missing.rbegin(), missing.rend(), [this](UnitNumber number) { ledger_->withdraw(number); });
  }
  held_.reset();
}

}  // namespace dugnad::core
