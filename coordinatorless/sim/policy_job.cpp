#include "coordinatorless/sim/policy_job.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/admission.h"
#include "coordinatorless/sim/draws.h"

namespace dugnad::sim {
namespace {

/// Whether donors are few enough beside the units for each one's first result to be recomputed.
bool few_donors(const PolicyOptions& options) {
  return static_cast<double>(options.donors) <= core::first_results_share * static_cast<double>(options.units);
}

}  // namespace

PolicyJob::PolicyJob(const PolicyOptions& options)
    : options_(options), generator_(Generator::from_seed(options.seed)), ledger_(options.goal) {
  ledger_.check_first(few_donors(options));
  if (options_.latency == 0) options_.latency = 2 * options_.donors;
}

PolicyOutcome PolicyJob::run() {
  gather_donors();
  const std::uint64_t blocks = core::block_count(options_.goal, options_.units);
  for (std::uint64_t block = 0; block < blocks; ++block) run_block(core::block_units(options_.units, blocks, block));
  outcome_.level = ledger_.mean_level();
  outcome_.reached = ledger_.confidence();
  outcome_.own = ledger_.own();
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
    if (donor.saboteur) donor.known_names = options_.known_names;
    ledger_.joined(static_cast<DonorIndex>(donors_.size()), donor.saboteur ? options_.liars_past : options_.honest_past);
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
  first_ = ledger_.units();
  ledger_.open_block(terms_);
  units_.assign(units, Unit{});
  landed_ = standing_ = 0;
  for (Donor& donor : donors_) donor.memory.lies_in_block = 0;
  std::vector<UnitNumber> order(units);
  std::iota(order.begin(), order.end(), first_);
  generator_.shuffle(std::span(order));
  for (const UnitNumber number : order) fresh_.push_back({number, 0, false});
  while (ledger_.final_units() < first_ + units) {
    work_off();
    const std::uint64_t own = ledger_.own();
    ledger_.end_turn();
    fulfil();  // what the submitter alone is to do is done with it
    const bool wants = !audits_.empty() || !fresh_.empty() || ledger_.own() > own;
    DUGNAD_ASSERT(ledger_.final_units() == first_ + units || wants, "a block that is not final wants something");
  }
  for (const Unit& unit : units_) outcome_.wrong += unit.digest != right;
  ledger_.release(ledger_.final_units());
  weighed_ = false;
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
  Unit& unit = unit_of(task.unit);
  if (task.epoch != unit.epoch) return;
  const auto state = ledger_.state(task.unit);
  if (state.decided || (task.audit && state.audits_out == 0)) return;
  const DonorIndex donor = task.audit ? pick_auditor(task.unit) : pick_worker();
  if (donor != nobody) {
    if (task.audit) unit.asked.push_back(donor);
    flights_.push_back({task, donor});
  } else if (task.audit) {
    ledger_.nobody_audits(task.unit);
  } else {
    ledger_.nobody_computes(task.unit);
  }
  fulfil();
  if (options_.churn > 0) churn();
}

void PolicyJob::land(const Flight& flight) {
  const Task& task = flight.task;
  Unit& unit = unit_of(task.unit);
  if (!donors_[flight.donor].gone) ++outcome_.attempts;
  if (task.epoch != unit.epoch) return;
  if (task.audit) --unit.audits_begun;
  if (ledger_.state(task.unit).decided) return;
  if (donors_[flight.donor].gone) {
    if (!task.audit)
      fresh_.push_back(task);
    else
      fill_audits(task.unit);
    return;
  }
  const core::ShortDigest said = answer(flight.donor, task.unit, task.audit);
  Donor& donor = donors_[flight.donor];
  if (!task.audit) {
    unit.digest = said;
    if (said != right) ++standing_;
    ++landed_;
    ++donor.memory.results;
  } else if (const auto holder = ledger_.state(task.unit).holder; options_.tactic == Tactic::targeted && holder != nobody) {
    if (donors_[holder].saboteur && donor.saboteur) donors_[holder].memory.bold = 2;
  }
  (void)ledger_.returned(task.unit, flight.donor, said, generator_);
  fulfil();
}

void PolicyJob::fulfil() {
  for (auto wishes = ledger_.take_wishes(); !wishes.empty(); wishes = ledger_.take_wishes()) {
    for (const UnitNumber number : wishes.decided) {
      if (std::exchange(unit_of(number).digest, right) != right) --standing_;
    }
    for (const auto& convicted : wishes.convicted) sentence(convicted);
    for (const UnitNumber number : wishes.reopened) {
      Unit& unit = unit_of(number);
      if (std::exchange(unit.digest, right) != right) --standing_;
      unit.asked.clear();
      unit.audits_begun = 0;
      fresh_.push_back({number, ++unit.epoch, false});
    }
    for (const UnitNumber number : wishes.more) fill_audits(number);
    for (const UnitNumber number : wishes.own) ledger_.recomputed(number, right);
  }
}

void PolicyJob::fill_audits(UnitNumber number) {
  Unit& unit = unit_of(number);
  for (const unsigned wanted = ledger_.state(number).audits_out; unit.audits_begun < wanted; ++unit.audits_begun) {
    audits_.push_back({number, unit.epoch, true});
  }
}

core::ShortDigest PolicyJob::answer(DonorIndex index, UnitNumber number, bool audit) {
  Donor& donor = donors_[index];
  if (!donor.saboteur) return options_.hardware_errors > 0 && generator_.chance(options_.hardware_errors) ? ++digests_ : right;
  const Tactic tactic = options_.tactic;
  const bool own_business = !audit || blind(tactic);
  if (!own_business) {
    const core::ShortDigest stands = unit_of(number).digest;
    if (stands == gangs) return covers(tactic) ? gangs : right;
    return frames(tactic) && stands == right ? ++digests_ : right;
  }
  const LiarView view{static_cast<double>(landed_) / static_cast<double>(units_.size()),
                      donor.speed / total_speed_ * static_cast<double>(units_.size()), ledger_.detection(),
                      terms_.error * static_cast<double>(terms_.units), standing_};
  if (!lies(tactic, donor.memory, view, generator_)) return right;
  if (audit) return ++digests_;
  ++donor.memory.lies_in_block;
  if (donor.memory.bold > 0) --donor.memory.bold;
  return blind(tactic) ? ++digests_ : gangs;
}

void PolicyJob::sentence(const core::TrustLedger::Convicted& convicted) {
  Donor& donor = donors_[convicted.donor];
  if (donor.gone) return;
  ++(donor.saboteur ? outcome_.caught : outcome_.erred);
  weighed_ = false;
  if (convicted.sentence == core::Sentence::forgiven) {
    donor.memory = {};
    return;
  }
  donor.gone = true;
  if (donor.saboteur)
    come_back(convicted.donor);
  else
    ++outcome_.branded;
}

void PolicyJob::come_back(DonorIndex index) {
  Donor donor;
  donor.speed = donors_[index].speed;
  donor.saboteur = donors_[index].saboteur;
  donor.group = donors_[index].group;
  donor.known_names = donors_[index].known_names;
  const bool spent = donor.known_names == 0;
  if (!spent) --donor.known_names;
  const core::Past liars = spent ? core::Past::unknown : core::Past::known;
  ledger_.joined(static_cast<DonorIndex>(donors_.size()), donor.saboteur ? liars : options_.honest_past);
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

void PolicyJob::weigh() {
  for (Crowd& crowd : crowds_) crowd = {};
  for (DonorIndex index = 0; index < donors_.size(); ++index) {
    const Donor& donor = donors_[index];
    const auto& standing = ledger_.standing(index);
    if (donor.gone) continue;
    const auto join = [&](Crowd& crowd, double speed) {
      crowd.donors.push_back(index);
      crowd.until.push_back(speed + (crowd.until.empty() ? 0.0 : crowd.until.back()));
    };
    const bool held_down = standing.probation && !standing.newcomer && !options_.newcomers_unrestricted;
    const double most = held_down ? total_speed_ * core::share_on_probation(standing.final_results, units_.size()) : donor.speed;
    join(crowds_[standing.newcomer ? newcomers : workers], std::min(donor.speed, most));
    if (!standing.probation) join(crowds_[auditors], donor.speed);
  }
  ledger_.set_anyone_established(!crowds_[workers].donors.empty());
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
  const bool limits = ledger_.anyone_caught() || options_.liars_past == core::Past::convicted;  // as JobTrust does
  const core::AdmissionFacts facts{limits, old > 0, options_.units, ledger_.cost_of_newcomers()};
  const double most = options_.newcomers_unrestricted ? 1.0 : core::share_for_newcomers(facts);
  if (fresh == 0) return pick(crowds_[workers]);
  return pick(crowds_[generator_.chance(std::min(most, fresh / (fresh + old))) ? newcomers : workers]);
}

PolicyJob::DonorIndex PolicyJob::pick_auditor(UnitNumber number) {
  if (!weighed_) weigh();
  const auto& asked = unit_of(number).asked;
  const DonorIndex holder = ledger_.state(number).holder;
  constexpr int tries = 50;
  for (int i = 0; i < tries; ++i) {
    const DonorIndex donor = pick(crowds_[crowds_[auditors].donors.empty() ? workers : auditors]);
    if (donor == nobody) return nobody;
    if (std::find(asked.begin(), asked.end(), donor) != asked.end() || donor == holder) continue;
    if (holder == nobody || donors_[donor].group != donors_[holder].group) return donor;
  }
  return nobody;
}

}  // namespace dugnad::sim
