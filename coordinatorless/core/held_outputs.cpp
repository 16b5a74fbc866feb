#include "coordinatorless/core/held_outputs.h"

#include <algorithm>

namespace dugnad::core {

void HeldOutputs::hold(const JobId& job, UnitIndex unit, const PublicKey& owner, const BlobId& output, BootTime until, Output& out) {
  (void)let_go(job, unit, out);  // it was computed again
  const At at = held_.insert(held_.end(), Held{job, unit, owner, output, {}});
  at->end = ends_.emplace(until, at);
  of_job_[job][unit] = at;
  of_owner_[owner] += output.length;
  bytes_ += output.length;
  while (bytes_ > room_ && held_.size() > 1) {
    const auto most = std::max_element(of_owner_.begin(), of_owner_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    drop(std::find_if(held_.begin(), held_.end(), [&](const Held& held) { return held.owner == most->first; }), out);
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

void HeldOutputs::tick(BootTime now, Output& out) {
  while (!ends_.empty() && ends_.begin()->first <= now) drop(ends_.begin()->second, out);
}

void HeldOutputs::drop(At at, Output& out) {
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
