#include "coordinatorless/core/job_trust.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "coordinatorless/core/admission.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

namespace {
constexpr unsigned disputes_most = 2;
constexpr std::size_t stuck_at_once = 4;  // for a start
}  // namespace

ConfidenceGoal goal_of(const WantedConfidence& wanted) {
  return {1.0 - wanted.error_ppb / 1e9, wanted.combined, wanted.assumed_ppm / 1e6, wanted.stream ? Finality::stream : Finality::end};
}

JobTrust::JobTrust(const WantedConfidence& wanted, std::uint64_t expected, UnitTable& units, HeldLog& log)
    : goal_(goal_of(wanted)), units_(units), log_(log), ledger_(goal_), expected_(expected), error_left_(1.0 - goal_.confidence) {
  units_.set_may_audit([this](UnitIndex unit, DonorIndex donor) { return may_audit(units_.number_of(unit), donor); });
}

// --- Donors ---

void JobTrust::joined(DonorIndex donor, Past past) {
  joined_ = std::max(joined_, donor + 1);
  distrusted_ = distrusted_ || past == Past::convicted;
  ledger_.joined(donor, past);
  if (opened_ > 0 && !few_donors(joined_)) check_first(false);
}

void JobTrust::check_first(bool check) {
  log_.add(held::FirstsChecked{check});
  ledger_.check_first(check);
}

void JobTrust::set_self(DonorIndex self) {
  self_ = self;
  units_.set_self(self);
}

void JobTrust::set_present(std::vector<Present> present, bool self_is_able) {
  self_is_able_ = self_is_able;
  present_.clear();
  at_address_.clear();
  in_network_.clear();
  established_ = 0;
  for (Present& each : present) {
    if (is_branded(each.donor)) continue;
    present_.push_back(each.donor);
    established_ += is_established(each.donor);
    if (each.donor >= addresses_.size()) addresses_.resize(each.donor + 1);
    const Endpoint& address = addresses_[each.donor] = each.address.value_or(Endpoint{});
    ++at_address_[address.ip];
    ++in_network_[group_of(address)];
  }
  const bool any = any_but_newcomers();
  if (any != std::exchange(logged_established_, any)) log_.add(held::EstablishedThere{any});
  ledger_.set_anyone_established(any);
}

bool JobTrust::any_but_newcomers() const {
  return std::any_of(present_.begin(), present_.end(), [this](DonorIndex donor) { return !ledger_.standing(donor).newcomer; });
}

bool JobTrust::is_established(DonorIndex donor) const { return !ledger_.standing(donor).probation; }

bool JobTrust::may_audit(UnitNumber unit, DonorIndex donor) const {
  const DonorIndex holder = ledger_.state(unit).holder;
  if (holder == TrustLedger::nobody) return true;
  if (was_told(unit)) return false;
  if (!is_established(donor) && established_ > 1) return false;
  const auto address_of = [this](DonorIndex who) { return who < addresses_.size() ? addresses_[who] : Endpoint{}; };
  const Endpoint one = address_of(holder), other = address_of(donor);
  const auto elsewhere = [this](std::size_t here) { return present_.size() - std::min(present_.size(), here); };
  const auto count = [](const auto& map, const auto& key) { const auto at = map.find(key); return at == map.end() ? std::size_t{0} : at->second; };
  if (one.ip == other.ip) return 10 * elsewhere(count(at_address_, one.ip)) < present_.size();
  const std::uint64_t network = group_of(one);
  return network != group_of(other) || 2 * elsewhere(count(in_network_, network)) < present_.size();
}

std::size_t JobTrust::leases_allowed(DonorIndex donor, std::size_t units, const Load&) const {
  if (donor == self_) return units;
  const auto& standing = ledger_.standing(donor);
  if (standing.branded || standing.disputes >= disputes_most) return 0;
  if (!limits_newcomers()) return units;
  if (standing.newcomer) {
    const double share = share_for_newcomers({true, any_but_newcomers(), std::max(expected_, units_.numbers()), ledger_.cost_of_newcomers()});
    if (share >= 1) return units;
    if (share <= 0) return 0;
    const double most = 1.0 + share * static_cast<double>(leases_) - static_cast<double>(newcomers_leases_);
    return most < 1 ? 0 : std::min(units, static_cast<std::size_t>(most));
  }
  if (!standing.probation) return units;
  const auto at = leased_on_probation_.find(donor);
  const std::uint64_t had = at == leased_on_probation_.end() ? 0 : at->second;
  const std::uint64_t most = growth * standing.final_results;
  return had >= most ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(units, most - had));
}

void JobTrust::leased(DonorIndex donor, std::size_t units) {
  if (donor == self_ || !limits_newcomers()) return;
  leases_ += units;
  const auto& standing = ledger_.standing(donor);
  if (standing.newcomer) newcomers_leases_ += units;
  if (!standing.probation || standing.newcomer) return;
  if (probation_block_ != ledger_.final_units()) leased_on_probation_.clear();
  probation_block_ = ledger_.final_units();
  leased_on_probation_[donor] += units;
}

// --- Blocks ---

bool JobTrust::few_donors(std::uint64_t donors) const {
  return static_cast<double>(donors) <= first_results_share * static_cast<double>(std::max(expected_, units_.numbers()));
}

void JobTrust::open_block(std::uint64_t units, double error) {
  const JobFacts facts{std::max({expected_, units_.numbers(), units}), std::max<std::uint64_t>(present_.size(), 1), 1.0};
  AuditTerms terms = block_terms(goal_, facts, units);
  terms.error = error;
  if (opened_ == 0) check_first(few_donors(facts.donors));
  log_.add(held::BlockOpened{terms});
  count_block(terms);
  waits_since_ = never;
}

void JobTrust::count_block(const AuditTerms& terms) {
  ++opened_;
  if (goal_.combined) error_left_ = std::max(0.0, error_left_ - terms.error * static_cast<double>(terms.units));
  ledger_.open_block(terms);
  for (auto gone = withdrawn_.lower_bound(ledger_.units() - terms.units); gone != withdrawn_.end(); ++gone) ledger_.given_up(*gone);
}

void JobTrust::appended(BootTime now) {
  last_appended_ = now;
  waits_since_ = std::min(waits_since_, now);
}

std::optional<CostExpected> JobTrust::plan(BootTime now, bool complete) {
  plan_again_at_ = never;
  if (complete) expected_ = units_.numbers();
  if (units_.numbers() > 0 && ledger_.units() > units_.numbers()) {
    const bool idle = ledger_.only_lacks_from(units_.numbers());
    if (complete || units_.bytes_held() > limits::held_bytes_max || (idle && now >= last_appended_ + limits::block_starved)) {
      log_.add(held::BlockEnded{units_.numbers()});
      ledger_.end_block(units_.numbers());
    } else if (idle) {
      plan_again_at_ = last_appended_ + limits::block_starved;
    }
  }
  units_.offer(std::min(ledger_.units(), units_.numbers()));
  const std::uint64_t waiting = units_.numbers() - std::min(units_.numbers(), ledger_.units());
  if (waiting == 0 || (present_.empty() && !self_is_able_)) return std::nullopt;
  const bool first = opened_ == 0;
  if (expected_ > ledger_.units()) {
    double error = unit_error(goal_, expected_);
    if (goal_.combined) error = std::clamp(error_left_ / static_cast<double>(expected_ - ledger_.units()), 1e-15, error);
    const std::uint64_t blocks = block_count(goal_, expected_);
    while (ledger_.units() < units_.numbers()) {
      const std::uint64_t left = expected_ - ledger_.units();
      open_block(std::min(left, block_units(expected_, blocks, std::min(planned_blocks_++, blocks - 1))), error);
    }
  } else {
    const double stream_block = goal_.combined ? 1e300 : 10.0 / (1.0 - goal_.confidence);
    const BootTime due = std::min(last_appended_ + limits::block_idle, waits_since_ + limits::block_wait);
    if (static_cast<double>(waiting) < stream_block && now < due) {
      plan_again_at_ = due;
      return std::nullopt;
    }
    const double half = std::max(error_left_ / 2.0 / static_cast<double>(waiting), 1e-15);
    open_block(waiting, goal_.combined ? half : 1.0 - goal_.confidence);
  }
  units_.offer(std::min(ledger_.units(), units_.numbers()));
  if (!first) return std::nullopt;
  if (expected_ == 0) return CostExpected{};
  const CostEstimate cost = cost_expected(goal_, {expected_, std::max<std::uint64_t>(present_.size(), 1), 1.0});
  return CostExpected{{}, expected_, cost.quiet, cost.attacked, cost.own};
}

// --- Units ---

void JobTrust::voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator& generator) {
  if (counted.kind != UnitTable::Counted::Kind::taken) return;  // perhaps there is no such unit
  const UnitNumber number = units_.number_of(unit);
  if (ledger_.is_final(number)) return;
  if (!counted.fault.empty()) {
    failed_here_[number] = counted.fault;
    log_.add(held::GivenUp{number, counted.fault}, true);
    return ledger_.given_up(number);
  }
  if (counted.is_result) {
    told_.erase({number, donor});
    if (donor == self_) {
      ++recomputed_;
      ledger_.recomputed(number, counted.digest);
    } else if (!ledger_.returned(number, donor, counted.digest, generator)) {
      units_.discard(unit, donor);
    }
  }
  if (counted.blamed) nobody_can(number);
}

void JobTrust::nobody_can(UnitNumber unit) {
  const bool returned = ledger_.state(unit).returned, wanted = ledger_.state(unit).own_wanted;
  if (returned) ledger_.nobody_audits(unit);
  else ledger_.nobody_computes(unit);
  if (wanted || !ledger_.state(unit).own_wanted) return;
  if (returned) log_.add(held::NobodyAudits{unit});
  else log_.add(held::NobodyComputes{unit});
}

bool JobTrust::tell(UnitIndex unit, DonorIndex auditor) {
  const UnitNumber number = units_.number_of(unit);
  if (number >= ledger_.units() || ledger_.is_final(number)) return false;
  const auto state = ledger_.state(number);
  if (state.holder == TrustLedger::nobody || state.holder == auditor || is_branded(auditor)) return false;
  told_.emplace(number, auditor);
  return true;
}

bool JobTrust::was_told(UnitNumber unit) const {
  const auto at = told_.lower_bound({unit, 0});
  return at != told_.end() && at->first == unit;
}

void JobTrust::forget_told(UnitNumber unit) { told_.erase(told_.lower_bound({unit, 0}), told_.lower_bound({unit + 1, 0})); }

bool JobTrust::waits_for_told(UnitNumber unit) const {
  return std::any_of(told_.lower_bound({unit, 0}), told_.lower_bound({unit + 1, 0}),
                     [&](const auto& told) { return units_.lease_of(units_.unit_at(unit), told.second).has_value(); });
}

bool JobTrust::is_late(UnitIndex unit) {
  const UnitNumber number = units_.number_of(unit);
  if (!was_told(number)) return false;
  if (units_.own_waiting() < stuck_at_once) nobody_can(number);
  return true;
}

void JobTrust::look_for_stuck() {
  constexpr std::size_t looks = 1024;
  std::vector<DonorIndex> able;
  std::copy_if(present_.begin(), present_.end(), std::back_inserter(able), [this](DonorIndex donor) { return leases_allowed(donor, 1, {}) > 0; });
  const std::size_t room = std::max<std::size_t>(stuck_at_once, 2 * std::exchange(recomputed_, 0));
  std::size_t waiting = units_.own_waiting();
  for (const UnitIndex unit : waiting < room ? units_.stuck(looks, able) : std::vector<UnitIndex>{}) {
    const UnitNumber number = units_.number_of(unit);
    if (waits_for_told(number)) continue;
    nobody_can(number);
    if (++waiting >= room) return;
  }
}

void JobTrust::convict(DonorIndex donor, UnitIndex unit, bool colluded) {
  log_.add(held::Convicted{donor, colluded}, true);
  convicted_at_[donor] = unit;
  ledger_.convict(donor, colluded);
}

void JobTrust::fulfil(Turn& turn) {
  for (auto wishes = ledger_.take_wishes(); !wishes.empty(); wishes = ledger_.take_wishes()) {
    for (const auto& convicted : wishes.convicted) {
      const bool in_block = convicted.unit != TrustLedger::no_unit;
      turn.convicted.emplace_back(in_block ? units_.name_of(convicted.unit) : convicted_at_.at(convicted.donor), convicted);
      ++convicted_;
    }
    for (const UnitNumber number : wishes.decided) {
      forget_told(number);
      const UnitIndex unit = units_.unit_at(number);
      turn.unneeded.emplace_back(unit, units_.enough(unit));
    }
    for (const UnitNumber number : wishes.reopened) {
      forget_told(number);
      if (ledger_.state(number).decided) continue;  // in the same turn, by this peer, whose own result is not void
      if (units_.discard_all(units_.unit_at(number))) nobody_can(number);  // but for this peer, which does
    }
    const auto want_own = [this](const std::vector<UnitNumber>& wanted, UnitTable::Urgency urgency) {
      for (const UnitNumber number : wanted) {
        if (ledger_.state(number).own_wanted) units_.want_own(units_.unit_at(number), urgency);
      }
    };
    want_own(wishes.firsts, UnitTable::Urgency::first);
    want_own(wishes.disputed, UnitTable::Urgency::second);
    want_own(wishes.own, UnitTable::Urgency::third);
    for (const auto& [number, donor] : wishes.void_audits) units_.discard(units_.unit_at(number), donor);
    for (const UnitNumber number : wishes.more) units_.want(units_.unit_at(number), ledger_.results_wanted(number));
  }
}

void JobTrust::end_ledgers_turn() {
  if (ledger_.end_turn()) log_.add(held::TurnEnded{}, true);
}

JobTrust::Turn JobTrust::turn(std::size_t finished_max) {
  Turn turn;
  fulfil(turn);
  end_ledgers_turn();
  fulfil(turn);
  for (; !came_final_.empty() && turn.finished.size() < finished_max; came_final_.pop_back()) finish(came_final_.back(), turn);
  for (pass_absent(); finished_ < ledger_.final_units() && turn.finished.size() < finished_max; pass_absent()) {
    finish({finished_, ledger_.final_digest(finished_)}, turn);
    ++finished_;
  }
  told_.erase(told_.begin(), told_.lower_bound({finished_, 0}));
  ledger_.release(finished_);
  return turn;
}

void JobTrust::finish(const Final& final, Turn& turn) {
  const UnitIndex unit = units_.unit_at(final.unit);
  turn.unneeded.emplace_back(unit, units_.enough(unit));
  if (const auto failed = failed_here_.find(final.unit); failed != failed_here_.end()) {
    turn.finished.emplace_back(unit, UnitTable::Counted{});
    turn.finished.back().second.settled = units_.fail(unit, "this program could not compute it: " + failed->second);
    failed_here_.erase(failed);
  } else {
    turn.finished.emplace_back(unit, units_.finish(unit, final.digest));
  }
}

}  // namespace dugnad::core
