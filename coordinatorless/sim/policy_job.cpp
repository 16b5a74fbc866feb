#include "coordinatorless/sim/policy_job.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/admission.h"
#include "coordinatorless/sim/draws.h"

namespace dugnad::sim {

PolicyJob::PolicyJob(const PolicyOptions& options)
    : options_(options), generator_(Generator::from_seed(options.seed)), reached_(options.goal) {
  if (options_.latency == 0) options_.latency = 2 * options_.donors;
  first_checked_ = static_cast<double>(options_.donors) <= core::first_results_share * static_cast<double>(options_.units);
}

PolicyOutcome PolicyJob::run() {
  gather_donors();
  const std::uint64_t blocks = core::block_count(options_.goal, options_.units);
  for (std::uint64_t block = 0; block < blocks; ++block) run_block(core::block_units(options_.units, blocks, block));
  outcome_.level /= static_cast<double>(blocks);
  outcome_.reached = reached_.confidence();
  return outcome_;
}

void PolicyJob::gather_donors() {
  const bool attacked = options_.saboteurs > 0 && options_.tactic != Tactic::none;
  const double wanted = options_.saboteurs * static_cast<double>(options_.donors);
  const std::uint64_t saboteurs =
      attacked ? std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted + 0.5), 1, options_.donors - 1) : 0;
  double speeds[2] = {0, 0};
  for (std::uint64_t i = 0; i < options_.donors; ++i) {
    Donor donor;
    donor.speed = lognormal(generator_, 0.7);
    donor.saboteur = i < saboteurs;
    donor.group = static_cast<std::uint32_t>(options_.groups == 0 ? i : generator_.below(options_.groups));
    speeds[donor.saboteur] += donor.speed;
    donors_.push_back(std::move(donor));
  }
  // The share of the leases is what is assumed of saboteurs; how many names they have for it is left to chance.
  const double factor = saboteurs == 0 ? 1.0 : options_.saboteurs / (1.0 - options_.saboteurs) * speeds[0] / speeds[1];
  for (Donor& donor : donors_) {
    if (donor.saboteur) donor.speed *= factor;
    total_speed_ += donor.speed;
  }
}

void PolicyJob::run_block(std::uint64_t units) {
  const core::JobFacts facts{options_.units, options_.donors, 1.0};
  terms_ = core::block_terms(options_.goal, facts, units);
  tally_ = probation_tally_ = {};
  level_ = core::level_needed(terms_, tally_);
  probation_level_ = core::probation_level(terms_, probation_tally_);
  anyone_on_probation_ = false;
  units_.assign(units, Unit{});
  round_ = 0;
  catches_.clear();
  landed_ = standing_ = caught_results_ = 0;
  std::vector<UnitNumber> order(units);
  std::iota(order.begin(), order.end(), UnitNumber{0});
  generator_.shuffle(std::span(order));
  for (const UnitNumber number : order) fresh_.push_back({number, 0, false});
  do work_off();
  while (raise_levels());
  close_block();
}

void PolicyJob::work_off() {
  while (!fresh_.empty() || !audits_.empty() || !flights_.empty()) {
    if (flights_.size() <= options_.latency && (!fresh_.empty() || !audits_.empty())) {
      std::deque<Task>& queue = audits_.empty() ? fresh_ : audits_;
      const Task task = queue.front();
      queue.pop_front();
      launch(task);
    } else {
      const Flight flight = flights_.front();
      flights_.pop_front();
      land(flight);
    }
  }
}

void PolicyJob::launch(const Task& task) {
  Unit& unit = units_[task.unit];
  if (task.epoch != unit.epoch || (task.audit && unit.settled)) return;
  const DonorIndex donor = task.audit ? pick_auditor(unit) : pick_worker();
  if (donor != nobody) {
    if (task.audit) unit.auditors.push_back({donor, false});
    flights_.push_back({task, donor});
  } else if (task.audit) {
    recompute(task.unit, Cause::drawn);  // there is nobody else to look at it
  } else {
    unit.returned = unit.settled = true;  // nobody is left: the submitter does it itself
    ++outcome_.own;
  }
  if (options_.churn > 0) churn();
}

void PolicyJob::land(const Flight& flight) {
  const Task& task = flight.task;
  Unit& unit = units_[task.unit];
  if (!donors_[flight.donor].gone) {
    ++outcome_.attempts;
    if (task.audit) return compare(flight);
    return accept(task.unit, flight.donor);
  }
  if (task.epoch != unit.epoch) return;
  std::erase_if(unit.auditors, [&](const Auditor& a) { return a.donor == flight.donor; });
  if (!task.audit)
    fresh_.push_back(task);
  else
    fill_audits(task.unit);
}

std::uint32_t PolicyJob::answer(DonorIndex index, const Unit& unit, bool audit) {
  Donor& donor = donors_[index];
  if (!donor.saboteur) return options_.hardware_errors > 0 && generator_.chance(options_.hardware_errors) ? ++digests_ : right;
  const Tactic tactic = options_.tactic;
  const bool own_business = !audit || blind(tactic);
  if (!own_business) {
    if (unit.digest == gangs) return covers(tactic) ? gangs : right;
    return frames(tactic) && unit.digest == right ? ++digests_ : right;
  }
  const LiarView view{static_cast<double>(landed_) / static_cast<double>(units_.size()),
                      donor.speed / total_speed_ * static_cast<double>(units_.size()), core::detection(level_, terms_.assumed),
                      terms_.error * static_cast<double>(terms_.units), standing_};
  if (!lies(tactic, donor.memory, view, generator_)) return right;
  if (audit) return ++digests_;
  ++donor.memory.lies_in_block;
  if (donor.memory.bold > 0) --donor.memory.bold;
  return blind(tactic) ? ++digests_ : gangs;
}

void PolicyJob::accept(UnitNumber number, DonorIndex index) {
  Unit& unit = units_[number];
  Donor& donor = donors_[index];
  unit.digest = answer(index, unit, false);
  unit.holder = index;
  unit.returned = true;
  unit.round = round_;
  unit.probation = donor.probation;
  anyone_on_probation_ = anyone_on_probation_ || donor.probation;
  unit.draw = core::draw_audits(generator_);
  if (unit.digest != right) ++standing_;
  ++landed_;
  ++donor.memory.results;
  donor.held.push_back(number);
  const bool is_first = first_checked_ && !std::exchange(donor.checked, true);
  const bool is_new = donor.newcomer && !crowds_[workers].donors.empty();
  if (is_first || is_new) {
    recompute(number, Cause::sure);
  } else if (!unit.forfeited.empty()) {
    compare_with_forfeited(number);
  }
  if (!unit.returned || unit.settled) return;
  if (core::audited_by_submitter(unit.draw, level_of(unit)))
    recompute(number, Cause::drawn);
  else
    fill_audits(number);
}

void PolicyJob::compare_with_forfeited(UnitNumber number) {
  Unit& unit = units_[number];
  const auto telling = [&](const Forfeited& former) { return former.digest != unit.digest && catches_[former.life].first.charge() > 0; };
  if (std::none_of(unit.forfeited.begin(), unit.forfeited.end(), telling)) return;
  recompute(number, Cause::sure);
  for (const Forfeited& former : unit.forfeited) {
    auto& [caught, probation] = catches_[former.life];
    if (former.digest != right) tally_of(probation).forfeit(caught);
  }
  unit.forfeited.clear();
}

void PolicyJob::fill_audits(UnitNumber number) {
  const Unit& unit = units_[number];
  if (!unit.returned || unit.settled) return;
  const std::size_t wanted = core::audits_wanted(unit.draw, level_of(unit));
  const auto queued = static_cast<std::size_t>(
      std::count_if(audits_.begin(), audits_.end(), [&](const Task& t) { return t.unit == number && t.epoch == unit.epoch; }));
  for (std::size_t have = unit.auditors.size() + queued; have < wanted; ++have) audits_.push_back({number, unit.epoch, true});
}

void PolicyJob::compare(const Flight& flight) {
  Unit& unit = units_[flight.task.unit];
  const bool outdated = flight.task.epoch != unit.epoch || unit.settled;
  const auto asked = std::find_if(unit.auditors.begin(), unit.auditors.end(), [&](const Auditor& a) { return a.donor == flight.donor; });
  if (outdated || asked == unit.auditors.end()) return;
  const std::uint32_t said = answer(flight.donor, unit, true);
  Donor& holder = donors_[unit.holder];
  if (options_.tactic == Tactic::targeted && holder.saboteur && donors_[flight.donor].saboteur) holder.memory.bold = 2;
  if (said == unit.digest) {
    asked->confirmed = true;
    donors_[flight.donor].audited.push_back(flight.task.unit);
    ++holder.record.verified;
    return;
  }
  recompute(flight.task.unit, Cause::drawn);
  if (said != right) convict(flight.donor, std::nullopt, false);
}

void PolicyJob::recompute(UnitNumber number, Cause cause) {
  Unit& unit = units_[number];
  DUGNAD_ASSERT(unit.returned && !unit.settled, "only an unsettled result is recomputed");
  ++outcome_.own;
  unit.settled = true;
  if (unit.digest == right) {
    ++donors_[unit.holder].record.verified;
    return;
  }
  unit.digest = right;
  --standing_;
  std::vector<DonorIndex> accomplices;
  for (const Auditor& auditor : unit.auditors) {
    if (auditor.confirmed) accomplices.push_back(auditor.donor);
  }
  unit.auditors.clear();
  convict(unit.holder, cause == Cause::drawn ? std::optional(number) : std::nullopt, !accomplices.empty());
  for (const DonorIndex accomplice : accomplices) {
    if (!donors_[accomplice].gone) convict(accomplice, std::nullopt, true);
  }
}

void PolicyJob::convict(DonorIndex index, std::optional<UnitNumber> hit, bool colluded) {
  if (donors_[index].gone) return;
  anyone_caught_ = true;
  if (hit) {
    const Unit& unit = units_[*hit];
    const double found = unit.round < round_ ? found_before_[unit.probation] : core::detection(level_of(unit), terms_.assumed);
    catches_.push_back({{found, 0}, unit.probation});
    tally_of(unit.probation).add(catches_.back().first);
  }
  reopen_stakes(index, hit);
  Donor& donor = donors_[index];
  ++(donor.saboteur ? outcome_.caught : outcome_.erred);
  ++donor.record.errors;
  donor.record.colluded = donor.record.colluded || colluded;
  weighed_ = false;
  if (core::judge_culprit(donor.record) == core::Sentence::forgiven) {
    donor.newcomer = true;
    donor.probation = true;
    donor.final_results = 0;
    donor.checked = false;
    donor.memory = {};
    return;
  }
  donor.gone = true;
  if (donor.saboteur)
    come_back(index);
  else
    ++outcome_.branded;
}

void PolicyJob::reopen_stakes(DonorIndex index, std::optional<UnitNumber> hit) {
  const auto held = std::exchange(donors_[index].held, {});
  const auto audited = std::exchange(donors_[index].audited, {});
  std::uint64_t cost = 1;
  if (!donors_[index].probation) caught_results_ += held.size();
  // Rule 5 of core/audit_plan.h: lies told before the one that was hit, or before the level was raised over both, of which no audit is still out.
  bool counts = hit.has_value();
  const bool raised_over = hit && units_[*hit].round < round_;
  for (const UnitNumber number : held) {
    Unit& unit = units_[number];
    if (hit && number == *hit && unit.holder == index && !raised_over) counts = false;
    if (core::reopened_by({unit.holder == index && unit.returned, false, unit.settled, false}) != core::Reopening::result) continue;
    if (raised_over) {
      counts = unit.round < round_;
    } else if (counts && std::any_of(unit.auditors.begin(), unit.auditors.end(), [](const Auditor& a) { return !a.confirmed; })) {
      // Drawn, and its audit is still out: had it been the first hit, only lies before it would count. The submitter looks at once.
      counts = unit.digest == right;
      if (!counts) --standing_;
      unit.digest = right;
      unit.settled = true;
      ++outcome_.own;
      continue;
    }
    if (counts) unit.forfeited.push_back({catches_.size() - 1, unit.digest});
    if (unit.digest != right) --standing_;
    ++unit.epoch;
    unit.holder = nobody;
    unit.digest = right;
    unit.returned = false;
    unit.auditors.clear();
    fresh_.push_back({number, unit.epoch, false});
    ++cost;
  }
  for (const UnitNumber number : audited) {
    Unit& unit = units_[number];
    const bool had = std::erase_if(unit.auditors, [&](const Auditor& a) { return a.donor == index; }) > 0;
    if (core::reopened_by({false, had, unit.settled, false}) == core::Reopening::audit) fill_audits(number), ++cost;
  }
  if (donors_[index].probation) cost_of_newcomers_ += cost;
}

void PolicyJob::come_back(DonorIndex index) {
  Donor donor;
  donor.speed = donors_[index].speed;
  donor.saboteur = donors_[index].saboteur;
  donor.group = donors_[index].group;
  donor.probation = donor.newcomer = anyone_caught_;
  donors_.push_back(std::move(donor));
  ++outcome_.newcomers;
  weighed_ = false;
}

void PolicyJob::churn() {
  const double leaving = options_.churn * static_cast<double>(options_.donors) / static_cast<double>(options_.units);
  if (!generator_.chance(leaving)) return;
  const auto index = static_cast<DonorIndex>(generator_.below(donors_.size()));
  if (donors_[index].gone || donors_[index].saboteur) return;
  donors_[index].gone = true;
  come_back(index);
}

bool PolicyJob::raise_levels() {
  const auto higher = [](const core::AuditLevel& a, const core::AuditLevel& b) {
    return core::AuditLevel{std::max(a.own, b.own), std::max(a.donors, b.donors)};
  };
  found_before_[0] = core::detection(level_, terms_.assumed);
  found_before_[1] = core::detection(probation_level_, terms_.assumed);
  terms_.assumed = core::assumed_left(options_.goal.assumed, static_cast<double>(caught_results_) / static_cast<double>(landed_));
  core::AuditLevel on_probation = probation_level_;
  if (anyone_on_probation_) {
    on_probation = higher(on_probation, core::probation_level(terms_, probation_tally_));
    terms_.set_aside = core::set_aside_for_probation(terms_, on_probation, probation_tally_);
  }
  if (core::is_final(terms_, level_, tally_) && on_probation == probation_level_) return false;
  ++round_;
  level_ = higher(level_, core::level_needed(terms_, tally_));
  probation_level_ = higher(on_probation, level_);
  for (UnitNumber number = 0; number < units_.size(); ++number) {
    const Unit& unit = units_[number];
    if (!unit.returned || unit.settled) continue;
    if (core::audited_by_submitter(unit.draw, level_of(unit))) {
      recompute(number, Cause::drawn);
    } else if (const std::size_t wanted = core::audits_wanted(unit.draw, level_of(unit)); unit.auditors.size() < wanted) {
      for (std::size_t have = unit.auditors.size(); have < wanted; ++have) audits_.push_back({number, unit.epoch, true});
    }
  }
  return true;
}

void PolicyJob::close_block() {
  for (const Unit& unit : units_) {
    DUGNAD_ASSERT(unit.returned, "a final block has every result");
    outcome_.wrong += unit.digest != right;
  }
  for (Donor& donor : donors_) {
    if (!donor.gone && !donor.held.empty()) donor.newcomer = false;
    donor.final_results += donor.held.size();
    donor.held.clear();
    donor.audited.clear();
    donor.memory.lies_in_block = 0;
  }
  weighed_ = false;
  reached_.block_final(terms_, level_, tally_);
  outcome_.level += level_.own + (1.0 - level_.own) * level_.donors;
}

void PolicyJob::weigh() {
  for (Crowd& crowd : crowds_) crowd = {};
  for (DonorIndex index = 0; index < donors_.size(); ++index) {
    const Donor& donor = donors_[index];
    if (donor.gone) continue;
    const auto join = [&](Crowd& crowd, double speed) {
      crowd.donors.push_back(index);
      crowd.until.push_back(speed + (crowd.until.empty() ? 0.0 : crowd.until.back()));
    };
    const bool held_down = donor.probation && !donor.newcomer && !options_.newcomers_unrestricted;
    const double most = held_down ? total_speed_ * core::share_on_probation(donor.final_results, units_.size()) : donor.speed;
    join(crowds_[donor.newcomer ? newcomers : workers], std::min(donor.speed, most));
    if (!donor.probation) join(crowds_[auditors], donor.speed);
  }
  weighed_ = true;
}

PolicyJob::DonorIndex PolicyJob::pick(const Crowd& crowd) {
  if (crowd.donors.empty()) return nobody;
  const auto place = std::upper_bound(crowd.until.begin(), crowd.until.end(), generator_.share() * crowd.until.back());
  return crowd.donors[std::min<std::size_t>(static_cast<std::size_t>(place - crowd.until.begin()), crowd.donors.size() - 1)];
}

PolicyJob::DonorIndex PolicyJob::pick_worker() {
  if (!weighed_) weigh();
  const auto speed_of = [](const Crowd& crowd) { return crowd.until.empty() ? 0.0 : crowd.until.back(); };
  const double old = speed_of(crowds_[workers]), fresh = speed_of(crowds_[newcomers]);
  const core::AdmissionFacts facts{anyone_caught_, old > 0, options_.units, cost_of_newcomers_};
  const double most = options_.newcomers_unrestricted ? 1.0 : core::share_for_newcomers(facts);
  if (fresh == 0) return pick(crowds_[workers]);
  return pick(crowds_[generator_.chance(std::min(most, fresh / (fresh + old))) ? newcomers : workers]);
}

PolicyJob::DonorIndex PolicyJob::pick_auditor(const Unit& unit) {
  if (!weighed_) weigh();
  constexpr int tries = 50;
  for (int i = 0; i < tries; ++i) {
    const DonorIndex donor = pick(crowds_[crowds_[auditors].donors.empty() ? workers : auditors]);
    if (donor == nobody) return nobody;
    const bool asked = std::any_of(unit.auditors.begin(), unit.auditors.end(), [&](const Auditor& a) { return a.donor == donor; });
    if (donor != unit.holder && !asked && donors_[donor].group != donors_[unit.holder].group) return donor;
  }
  return nobody;
}

}  // namespace dugnad::sim
