// The donor's jobs: which it serves, for whom, and what becomes of them when somebody else leases them out, or nobody any more.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/donor.h"

namespace dugnad::core {

bool Donor::can_compute(const Manifest& manifest, bool own) const {
  if (!code_.allows(manifest, own)) return false;
  return manifest.module || std::find(tasks_.begin(), tasks_.end(), std::pair(manifest.task, manifest.task_version)) != tasks_.end();
}

bool Donor::learn(const JobId& id, const Manifest& manifest, const PeerId& submitter, Now now, Output& out, const Mandate& mandate) {
  return learn(id, manifest, submitter, submitter == self_.id, now, out, mandate);
}

bool Donor::learn(const JobId& id, const Manifest& manifest, const PeerId& submitter, bool own, Now now, Output& out, const Mandate& mandate) {
  if (leaving_ || (!self_.donates && !own)) return false;
  if (!can_compute(manifest, own) || shelf_.holds(id, now.boot)) return false;
  if (const auto known = jobs_.find(id); known != jobs_.end()) {
    Served& job = known->second;
    if (job.submitter == submitter && mandate.epoch >= job.mandate.epoch) job.mandate = mandate;
    if (job.submitter == submitter) return !job.connected;  // it may have sent us away, and leads again
    if (job.connected && !own && !outranks(mandate, job.mandate, shift_at(now.wall))) return false;
    if (mandate.is_steward() && job.mandate.is_steward() && job.ready) {
      change_hands(id, job, submitter, mandate, now, out);
      return true;
    }
    pass_on(id, out);  // another leases it out now
  }
  if (!has_room()) {
    const auto worst = least_worthy(manifest.owner, own, now.boot);
    if (worst == jobs_.end()) return false;
    dismiss(JobId(worst->first), out);
  }
  Served& job = jobs_[id];
  job.owner = manifest.owner;
  job.submitter = submitter;
  job.mandate = mandate;
  job.task = manifest.task;
  job.task_version = manifest.task_version;
  job.unit_limit = manifest.unit_limit;
  const bool endless = job.unit_limit == Duration::zero();
  if (!own && (endless || job.unit_limit > limits::unit_limit_most)) job.unit_limit = limits::unit_limit_most;
  job.module = manifest.module;
  job.inputs = manifest.confidence ? Sharing::helped : manifest.copies > 1 ? Sharing::shared : Sharing::alone;
  job.says_inputs = manifest.stewarded.has_value();
  job.memory_bytes = manifest.memory_bytes;
  job.fuel = manifest.fuel;
  job.ready = !manifest.module || blobs_.need(*manifest.module, {&submitter, 1}, limits::blob_tries_max, now, out, Sharing::shared);
  job.work_at = job.lost_at = now.boot;
  job.absent_until = now.boot + limits::absent_grace;
  shares_.came(manifest.owner);
  return true;
}

std::map<JobId, Donor::Served>::iterator Donor::least_worthy(const PublicKey& newcomer, bool own, BootTime now) {
  auto worst = jobs_.end();
  std::map<PublicKey, std::size_t> places{{newcomer, 1}};
  for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
    ++places[at->second.owner];
    const bool idle = at->second.idle() && now >= at->second.work_at + limits::idle_place;
    if (idle && (worst == jobs_.end() || at->second.work_at < worst->second.work_at)) worst = at;
  }
  if (worst != jobs_.end()) return worst;
  std::size_t most = own ? 0 : places[newcomer];
  for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
    if (at->second.submitter == self_.id || places[at->second.owner] <= most) continue;
    most = places[at->second.owner];
    worst = at;
  }
  return worst;
}

void Donor::change_hands(const JobId& id, Served& job, const PeerId& submitter, const Mandate& mandate, Now now, Output& out) {
  const PeerId before = std::exchange(job.submitter, submitter);
  job.mandate = mandate;
  // What the one before was asked for will not come.
  while (!job.fetching.empty()) stop_waiting(job, job.units.find(job.fetching.front().unit), out);
  waiting_.change_hands(id, before, submitter, now, out);
  outputs_.change_hands(id, before, submitter);
  lose(job, now.boot);
  keep_what_runs(now.boot);
  if (before != self_.id && !serves(before)) released_.push_back(before);
}

bool Donor::on_closed(const PeerId& from, const Closed& closed, Now now, Output& out) {
  Served* job = find(closed.job, from);
  if (job == nullptr) return false;
  const bool is_idle = job->idle();
  if (job->mandate.is_steward()) {
    if (!job->connected && !is_idle) return false;  // it has said so before
    waiting_.change_hands(closed.job, from, from, now, out);  // perhaps it stopped before it had the last of them
  }
  if (is_idle || !job->mandate.is_steward()) {
    pass_on(closed.job, out);
    return false;
  }
  lose(*job, now.boot);
  keep_what_runs(now.boot);
  return true;
}

void Donor::dismiss(const JobId& id, Output& out) {
  Served& job = jobs_.at(id);
  out.send(job.submitter, Want{id, 0, {}});
  give_back_running(id, job, out);
  give_back_waiting(id, job, out);
  pass_on(id, out);
}

void Donor::forget(const JobId& id, Output& out) {
  outputs_.let_go_all(id, out);
  waiting_.drop(id, out);
  pass_on(id, out);
}

void Donor::pass_on(const JobId& id, Output& out) {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return;
  if (!at->second.says_inputs) outputs_.let_go_all(id, out);
  give_up(at, out);
}

void Donor::give_up(std::map<JobId, Served>::iterator at, Output& out) {
  drop_work(at->second, out);
  if (at->second.module) blobs_.release(*at->second.module, out);
  const PublicKey owner = at->second.owner;
  const PeerId submitter = at->second.submitter;
  jobs_.erase(at);
  if (std::none_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second.owner == owner; })) shares_.left(owner);
  if (submitter != self_.id && !serves(submitter)) released_.push_back(submitter);
}

bool Donor::serves(const PeerId& submitter) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second.submitter == submitter; });
}

bool Donor::serves(const PeerId& submitter, const JobId& job) const {
  const auto at = jobs_.find(job);
  return at != jobs_.end() && at->second.submitter == submitter;
}

std::vector<PeerId> Donor::submitters() const {
  std::vector<PeerId> found;
  for (const auto& [id, job] : jobs_) found.push_back(job.submitter);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<PeerId> Donor::take_released() { return std::exchange(released_, {}); }

Donor::Served* Donor::find(const JobId& id, const PeerId& submitter) {
  const auto at = jobs_.find(id);
  return at == jobs_.end() || at->second.submitter != submitter ? nullptr : &at->second;
}

}  // namespace dugnad::core
