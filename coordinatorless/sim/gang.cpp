#include "coordinatorless/sim/gang.h"

#include <algorithm>

#include "coordinatorless/core/job_trust.h"

namespace dugnad::sim {
namespace {

constexpr std::uint64_t frames_one_in = 10;

/// Where nobody said otherwise, those who lie by chance do it as often as their names promised before there was a choice.
double usual_rate(Tactic tactic) {
  if (tactic == Tactic::random) return 0.5;
  if (tactic == Tactic::collude) return 1;
  return LiarView{}.rate;
}

}  // namespace

void Gang::joined(const PeerId& name, double speed) {
  names_[name].speed = speed;
  speed_of_gang_ += speed;
  speed_of_all_ += speed;
}

void Gang::left(const PeerId& name) {
  const auto at = names_.find(name);
  if (at == names_.end()) return;
  const double speed = std::exchange(at->second.speed, 0);
  speed_of_gang_ -= speed;
  speed_of_all_ -= speed;
}

void Gang::caught(const PeerId& name) {
  const auto at = names_.find(name);
  if (at == names_.end()) return;
  Name& liar = at->second;
  for (const auto& [block, lies] : liar.lies) standing_[block] -= lies;
  liar.lies.clear();
  liar.memory = {};
  ++liar.catches;
}

void Gang::submitted(const JobId& id, const JobSpec& spec, std::uint64_t donors) {
  Job job{std::max<std::uint64_t>(spec.units, 1), spec.copies > 1 ? 1.0 : 0.0, 0};
  if (spec.confidence) {
    const core::ConfidenceGoal goal = core::goal_of(*spec.confidence);
    job.block_units = std::max<std::uint64_t>(core::block_units(spec.units, core::block_count(goal, spec.units), 0), 1);
    const core::AuditTerms terms = core::block_terms(goal, {spec.units, std::max<std::uint64_t>(donors, 1), 1.0}, job.block_units);
    job.found = core::detection(core::level_needed(terms, {}), terms.assumed);
    job.allowed = terms.error * static_cast<double>(terms.units);
  }
  jobs_[id] = job;
}

LiarView Gang::view_of(const Name& name, Tactic tactic, const Job& job, const Block& block) const {
  const auto count = [&](const auto& counts) {
    const auto at = counts.find(block);
    return at == counts.end() ? std::uint64_t{0} : at->second;
  };
  const auto units = static_cast<double>(job.block_units);
  LiarView view;
  view.progress = std::min(1.0, static_cast<double>(count(own_)) / (units * speed_of_gang_ / speed_of_all_));
  view.expected = units * name.speed / speed_of_all_;
  view.found = job.found;
  view.allowed = job.allowed;
  view.standing = count(standing_);
  view.rate = rate_.value_or(usual_rate(tactic));
  return view;
}

std::optional<Gang::Answer> Gang::audit(const Name& name, Tactic tactic, const JobId& job, UnitIndex unit) {
  const auto at = seen_.find({job, unit});
  if (at != seen_.end() && stands(at->second)) {
    if (at->second.lied) return covers(tactic) ? Answer::alike : Answer::right;
    names_.at(at->second.by).memory.bold = 2;
    return Answer::right;
  }
  const bool is_looked_at = at == seen_.end() && has_result_ && has_result_(job, unit);
  if (is_looked_at) return frames(tactic) ? Answer::own : Answer::right;
  if (!has_result_ && frames(tactic) && name.memory.results % frames_one_in == frames_one_in - 1) return Answer::own;
  return std::nullopt;
}

Gang::Answer Gang::answer(const PeerId& by, Tactic tactic, const JobId& id, UnitIndex unit, Generator& generator) {
  Name& name = names_.at(by);
  const Job& job = jobs_[id];
  const Block block{id, unit.value / job.block_units};
  if (!blind(tactic)) {
    if (const auto said = audit(name, tactic, id, unit)) {
      name.memory.results += *said == Answer::own && !has_result_;  // or it would contradict for ever
      return *said;
    }
  }
  const auto lies_before = name.lies.find(block);
  name.memory.lies_in_block = lies_before == name.lies.end() ? 0 : lies_before->second;
  const bool lied = lies(tactic, name.memory, view_of(name, tactic, job, block), generator);
  ++name.memory.results;
  if (blind(tactic)) return lied ? Answer::own : Answer::right;
  ++own_[block];
  seen_.insert_or_assign({id, unit}, Seen{by, name.catches, lied});
  if (!lied) return Answer::right;
  ++name.lies[block];
  ++standing_[block];
  if (name.memory.bold > 0) --name.memory.bold;
  return Answer::alike;
}

}  // namespace dugnad::sim
