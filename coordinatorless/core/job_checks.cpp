#include "coordinatorless/core/job_checks.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/job_trust.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

JobChecks::JobChecks(const WantedConfidence& wanted, std::uint64_t expected, UnitTable& units)
    : goal_(goal_of(wanted).confidence),
      combined_(wanted.combined),
      assumed_(goal_of(wanted).assumed),
      units_(units),
      expected_(expected) {}

// --- Donors ---

void JobChecks::joined(DonorIndex donor, Past past) {
  if (donor >= standings_.size()) standings_.resize(donor + 1);
  standings_[donor] = {};
  standings_[donor].latecomer = past == Past::convicted || (anyone_caught_ && past != Past::known);
}

void JobChecks::set_self(DonorIndex self) {
  self_ = self;
  units_.set_self(self);
}

void JobChecks::set_present(std::vector<Present> present, bool self_is_able) {
  self_is_able_ = self_is_able;
  present_.clear();
  for (const Present& each : present) {
    if (!standings_[each.donor].branded) present_.push_back(each.donor);
  }
}

std::size_t JobChecks::leases_allowed(DonorIndex donor, std::size_t units, const Load& load) const {
  const auto beyond = [](std::size_t most, std::size_t has) { return most > has ? most - has : 0; };
  if (donor == self_) {
    if (present_.empty()) return units;
    if (units_.any_own() && load.leased == 0) return 1;
    return std::min(units, beyond(own_wanted_.size() + std::max(load.slots, 1U) - 1, load.leased));
  }
  const Standing& standing = standings_[donor];
  if (standing.branded || standing.accused_of || units_held_.size() >= limits::checks_waiting_max) return 0;
  if (units_.bytes_held() > limits::held_bytes_max) return 0;
  const std::size_t untried = standing.latecomer ? 1 : limits::checks_untried_max;
  return std::min(units, beyond(untried + static_cast<std::size_t>(standing.right), standing.open + load.leased));
}

void JobChecks::found_right(DonorIndex donor) {
  Standing& standing = standings_[donor];
  --standing.open;
  ++standing.right;
  ++standing.record.verified;
}

void JobChecks::convict(DonorIndex donor, UnitIndex unit, bool colluded) {
  sentence(donor, unit, colluded);
  void_results(donor);
}

void JobChecks::sentence(DonorIndex donor, UnitIndex unit, bool colluded) {
  Standing& standing = standings_[donor];
  if (standing.branded) return;
  anyone_caught_ = true;
  ++convicted_;
  ++standing.record.errors;
  standing.record.colluded = standing.record.colluded || colluded;
  const Sentence sentence = judge_culprit(standing.record);
  standing.branded = sentence == Sentence::branded;
  standing.right = 0;
  standing.latecomer = true;
  convictions_.push_back({unit, {donor, TrustLedger::no_unit, sentence}});  // it may be none of the table's
}

void JobChecks::void_results(DonorIndex donor) {
  for (auto next = units_held_.begin(); next != units_held_.end();) {
    const auto at = next++;
    const Held& held = at->second;
    if (held.results.empty() || held.results.front().donor != donor || held.own) continue;
    if (held.stage == Stage::waiting || held.stage == Stage::doubted) void_first(at);
  }
}

void JobChecks::void_first(Units::iterator at) {
  const auto [unit, donor] = std::pair(at->first, at->second.results.front().donor);
  drop_output(at);
  --standings_[donor].open;
  at->second.results.erase(at->second.results.begin());
  at->second.stage = Stage::idle;
  units_.discard(unit, donor);
  if (at->second.results.empty()) units_held_.erase(at);
  else examine(at);
}

void JobChecks::drop_output(Units::iterator at) {
  if (!std::exchange(at->second.here, false)) return;
  if (const Candidate* claim = units_.claim_of(at->first, at->second.results.front().donor)) let_go_.push_back(claim->output.blob());
  units_.stop_awaiting(at->first);
}

// --- Units ---

std::optional<CostExpected> JobChecks::plan(BootTime, bool complete) {
  if (complete) expected_ = units_.known();
  units_.offer(units_.known());
  if (units_.known() == 0 || (present_.empty() && !self_is_able_) || std::exchange(said_cost_, true)) return std::nullopt;
  CostExpected cost;
  cost.units = std::max(expected_, units_.known());
  cost.checked = true;
  return cost;
}

void JobChecks::voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator&) {
  if (counted.kind != UnitTable::Counted::Kind::taken) return;  // perhaps there is no such unit
  if (const auto known = units_held_.find(unit); known != units_held_.end() && known->second.stage == Stage::decided) {
    if (donor == self_) own_wanted_.erase(unit);
    if (counted.settled) units_held_.erase(known);  // its final output was lost for good
    return;
  }
  if (!counted.fault.empty()) return given_up(unit, "this program could not compute it: " + counted.fault);
  if (counted.blamed) return want_own(unit, UnitTable::Urgency::third);
  if (!counted.is_result) return;
  if (donor == self_) return recomputed(unit, counted.digest);
  if (standings_[donor].branded) return units_.discard(unit, donor);
  const auto at = units_held_.try_emplace(unit).first;
  ++standings_[donor].open;
  at->second.results.push_back({donor, counted.digest, false});
  if (at->second.results.size() == 1 && !own_wanted_.contains(unit)) examine(at);
}

void JobChecks::examine(Units::iterator at) {
  Held& held = at->second;
  const Candidate* claim = units_.claim_of(at->first, held.results.front().donor);
  DUGNAD_ASSERT(claim != nullptr, "a result that the table does not have");
  if (claim->outcome != Outcome::ok) return want_own(at->first, UnitTable::Urgency::third);
  held.stage = claim->output.large ? Stage::fetched : Stage::waiting;
  (claim->output.large ? to_fetch_ : to_check_).push_back(at->first);
}

void JobChecks::want_own(UnitIndex unit, UnitTable::Urgency urgency) {
  if (const auto at = units_held_.find(unit); at != units_held_.end()) {
    at->second.own = true;
    drop_output(at);
  }
  own_wanted_.insert(unit);
  units_.want_own(unit, urgency);
}

void JobChecks::accuse(Units::iterator at) {
  const UnitIndex unit = at->first;
  const DonorIndex donor = at->second.results.front().donor;
  drop_output(at);
  at->second.stage = Stage::doubted;
  at->second.results.front().doubted = true;
  Standing& standing = standings_[donor];
  if (standing.branded) return void_first(at);
  if (standing.accused_of) return;
  standing.accused_of = unit;
  want_own(unit, UnitTable::Urgency::first);
}

void JobChecks::end_accusation(DonorIndex donor, UnitIndex unit) {
  Standing& standing = standings_[donor];
  if (standing.accused_of != unit) return;
  standing.accused_of.reset();
  // What else was called wrong of its, one unit at a time.
  for (auto at = units_held_.begin(); at != units_held_.end(); ++at) {
    const Held& held = at->second;
    if (held.stage == Stage::doubted && !held.own && !held.results.empty() && held.results.front().donor == donor) return accuse(at);
  }
}

void JobChecks::decide(Units::iterator at, ShortDigest digest) {
  Held& held = at->second;
  const bool is_here = std::exchange(held.here, false);
  held.stage = Stage::decided;
  held.final = digest;
  held.results.clear();
  ++final_;
  if (is_here) accepted_.push_back(at->first);
  else decided_.push_back(at->first);
}

void JobChecks::fail(Units::iterator at, std::string reason) {
  drop_output(at);
  at->second.stage = Stage::decided;
  at->second.results.clear();
  ++final_;
  failed_.emplace_back(at->first, std::move(reason));
}

void JobChecks::recomputed(UnitIndex unit, ShortDigest digest) {
  const auto at = units_held_.try_emplace(unit).first;
  // Whoever gives the output that is on its way is waited for: then the two are compared.
  if (at->second.stage == Stage::fetched) return units_.discard(unit, self_);
  own_wanted_.erase(unit);
  ++own_;
  const std::vector<Result> results = at->second.results;
  bool check_is_wrong = false;
  std::vector<DonorIndex> guilty;
  for (const Result& result : results) {
    if (result.digest == digest) {
      found_right(result.donor);
      check_is_wrong = check_is_wrong || result.doubted;
      continue;
    }
    --standings_[result.donor].open;
    const auto alike = std::count_if(results.begin(), results.end(), [&](const Result& other) { return other.digest == result.digest; });
    sentence(result.donor, unit, alike > 1);
    guilty.push_back(result.donor);
  }
  drop_output(at);
  if (check_is_wrong) fail(at, "the task's own check calls wrong what this program computes of it");
  else decide(at, digest);
  for (const DonorIndex donor : guilty) void_results(donor);
  for (const Result& result : results) end_accusation(result.donor, unit);
}

void JobChecks::given_up(UnitIndex unit, const std::string& reason) {
  const auto at = units_held_.try_emplace(unit).first;
  own_wanted_.erase(unit);
  const std::vector<Result> results = at->second.results;
  for (const Result& result : results) --standings_[result.donor].open;
  fail(at, reason);
  for (const Result& result : results) end_accusation(result.donor, unit);
}

void JobChecks::look_for_stuck() {
  constexpr std::size_t looks = 1024;
  std::vector<DonorIndex> able;
  std::copy_if(present_.begin(), present_.end(), std::back_inserter(able),
               [this](DonorIndex donor) { return !standings_[donor].branded && !standings_[donor].accused_of; });
  for (const UnitIndex unit : units_.stuck(looks, able)) want_own(unit, UnitTable::Urgency::third);
}

// --- Checks ---

std::vector<JobChecks::ToCheck> JobChecks::start(unsigned slots) {
  std::vector<ToCheck> starting;
  const double enough = seconds_of(limits::executor_feed) * slots;
  const auto is_fed = [&] {
    if (running_ < std::size_t{2} * slots) return false;
    return running_ >= limits::executor_attempts_max || static_cast<double>(running_) * check_seconds_ >= enough || checks_ == 0;
  };
  while (!to_check_.empty() && slots > 0 && !is_fed()) {
    const UnitIndex unit = to_check_.front();
    to_check_.pop_front();
    const auto at = units_held_.find(unit);
    if (at == units_held_.end() || at->second.stage != Stage::waiting || at->second.own) continue;
    const Candidate* claim = units_.claim_of(unit, at->second.results.front().donor);
    DUGNAD_ASSERT(claim != nullptr, "a result that the table does not have");
    at->second.stage = Stage::checking;
    ++running_;
    starting.push_back({unit, units_.input_of(unit), claim->output});
  }
  return starting;
}

void JobChecks::checked(UnitIndex unit, Says says, Duration cpu) {
  --running_;
  const double seconds = seconds_of(cpu);
  check_seconds_ = checks_++ == 0 ? seconds : check_seconds_ + 0.05 * (seconds - check_seconds_);
  const auto at = units_held_.find(unit);
  if (at == units_held_.end() || at->second.stage != Stage::checking) return;  // decided otherwise meanwhile
  switch (says) {
    case Says::right: {
      const std::vector<Result> results = at->second.results;
      for (const Result& result : results) {
        if (result.digest == results.front().digest) found_right(result.donor);
        else --standings_[result.donor].open;
      }
      own_wanted_.erase(unit);
      return decide(at, results.front().digest);
    }
    case Says::wrong: return accuse(at);
    case Says::nothing:
      at->second.stage = Stage::idle;
      return want_own(unit, UnitTable::Urgency::third);
  }
}

// --- Large outputs ---

bool JobChecks::is_to_be_checked(UnitIndex unit) {
  const auto at = units_held_.find(unit);
  if (at == units_held_.end()) return false;
  if (at->second.stage == Stage::decided) {
    units_held_.erase(at);
    return false;
  }
  DUGNAD_ASSERT(at->second.stage == Stage::fetched, "an output came that nobody waits for");
  at->second.here = true;
  at->second.stage = Stage::waiting;
  to_check_.push_back(unit);
  return true;
}

void JobChecks::output_lost(UnitIndex unit, bool blamed) {
  const auto at = units_held_.find(unit);
  if (at != units_held_.end() && at->second.stage != Stage::decided) {
    std::erase_if(at->second.results, [&](const Result& result) {
      if (units_.claim_of(unit, result.donor) != nullptr) return false;
      --standings_[result.donor].open;
      return true;
    });
    at->second.stage = Stage::idle;
    if (at->second.results.empty()) units_held_.erase(at);
    else examine(at);
  }
  if (blamed) want_own(unit, UnitTable::Urgency::third);
}

// --- What comes out ---

JobJudge::Turn JobChecks::turn(std::size_t finished_max) {
  Turn turn;
  turn.convicted = std::exchange(convictions_, {});
  turn.let_go = std::exchange(let_go_, {});
  turn.accepted = std::exchange(accepted_, {});
  for (auto& [unit, reason] : std::exchange(failed_, {})) {
    turn.unneeded.emplace_back(unit, units_.enough(unit));
    UnitTable::Counted failed;
    failed.settled = units_.fail(unit, reason);
    turn.finished.emplace_back(unit, std::move(failed));
    units_held_.erase(unit);
  }
  for (; !to_fetch_.empty(); to_fetch_.pop_front()) {
    const UnitIndex unit = to_fetch_.front();
    const auto at = units_held_.find(unit);
    if (at == units_held_.end() || at->second.stage != Stage::fetched) continue;
    turn.finished.emplace_back(unit, units_.await_output_of(unit, at->second.results.front().donor));
  }
  for (; !decided_.empty() && turn.finished.size() < finished_max; decided_.pop_front()) {
    const UnitIndex unit = decided_.front();
    turn.unneeded.emplace_back(unit, units_.enough(unit));
    turn.finished.emplace_back(unit, units_.finish(unit, units_held_.at(unit).final));
    if (turn.finished.back().second.settled) units_held_.erase(unit);  // else its large output is on its way
  }
  return turn;
}

StatedConfidence JobChecks::stated() const {
  StatedConfidence stated{goal_, combined_, assumed_, confidence(), {}, true};
  if (final_ > 0) stated.blocks.push_back({final_, 0, own_, convicted_});
  return stated;
}

}  // namespace dugnad::core
