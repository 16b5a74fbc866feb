#include "coordinatorless/core/held_outputs.h"

#include <algorithm>

namespace dugnad::core {
namespace {

/// The longest that any output is held.
constexpr WallTime::duration held_most =
    std::chrono::ceil<WallTime::duration>(std::max<Duration>(limits::output_held_least, 2 * limits::lease_most));

}  // namespace

void HeldOutputs::hold(HeldOutput held, Duration for_so_long, Now now, Output& out) {
  (void)let_go(held.job, held.unit, out);  // it was computed again
  held.until = now.wall + std::chrono::ceil<WallTime::duration>(for_so_long);
  out.push(OutputHeld{held});
  add(held, now.boot + for_so_long, out);
}

void HeldOutputs::restore(const std::vector<HeldOutput>& outputs, Now now, Output& out) {
  for (const HeldOutput& held : outputs) {
    blobs_.kept(held.output);
    (void)let_go(held.job, held.unit, out);
    add(held, now.boot + (std::clamp(held.until, now.wall, now.wall + held_most) - now.wall), out);
  }
  tick(now.boot, out);
}

void HeldOutputs::add(const HeldOutput& held, BootTime until, Output& out) {
  const At at = held_.insert(held_.end(), Held{held.job, held.unit, held.owner, held.submitter, held.output, {}});
  at->end = ends_.emplace(until, at);
  of_job_[held.job][held.unit] = at;
  of_owner_[held.owner] += held.output.length;
  bytes_ += held.output.length;
  while (bytes_ > room_ && held_.size() > 1) {
    const auto most = std::max_element(of_owner_.begin(), of_owner_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    drop(std::find_if(held_.begin(), held_.end(), [&](const Held& each) { return each.owner == most->first; }), out);
  }
}

bool HeldOutputs::let_go(const JobId& job, UnitIndex unit, Output& out) {
  const auto of_job = of_job_.find(job);
  if (of_job == of_job_.end()) return false;
  const auto found = of_job->second.find(unit);
  if (found == of_job->second.end()) return false;
  drop(found->second, out);
  return true;
}

void HeldOutputs::let_go_all(const JobId& job, Output& out) {
  for (auto of_job = of_job_.find(job); of_job != of_job_.end(); of_job = of_job_.find(job)) drop(of_job->second.begin()->second, out);
}

bool HeldOutputs::holds(const JobId& job, UnitIndex unit, const BlobId& output) const {
  const auto of_job = of_job_.find(job);
  if (of_job == of_job_.end()) return false;
  const auto found = of_job->second.find(unit);
  return found != of_job->second.end() && found->second->output == output;
}

bool HeldOutputs::holds_for(const PeerId& submitter, const JobId& job, UnitIndex unit) const {
  const auto of_job = of_job_.find(job);
  if (of_job == of_job_.end()) return false;
  const auto found = of_job->second.find(unit);
  return found != of_job->second.end() && found->second->submitter == submitter;
}

void HeldOutputs::change_hands(const JobId& job, const PeerId& before, const PeerId& after) {
  const auto of_job = of_job_.find(job);
  if (of_job == of_job_.end()) return;
  for (auto& [unit, held] : of_job->second) {
    if (held->submitter == before) held->submitter = after;
  }
}

void HeldOutputs::tick(BootTime now, Output& out) {
  while (!ends_.empty() && ends_.begin()->first <= now) drop(ends_.begin()->second, out);
}

void HeldOutputs::drop(At at, Output& out) {
  out.push(OutputLetGo{at->job, at->unit, at->output});
  blobs_.release(at->output, out);
  bytes_ -= at->output.length;
  if (const auto owner = of_owner_.find(at->owner); (owner->second -= at->output.length) == 0) of_owner_.erase(owner);
  const auto of_job = of_job_.find(at->job);
  of_job->second.erase(at->unit);
  if (of_job->second.empty()) of_job_.erase(of_job);
  ends_.erase(at->end);
  held_.erase(at);
}

}  // namespace dugnad::core
