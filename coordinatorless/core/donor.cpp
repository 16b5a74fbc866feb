#include "coordinatorless/core/donor.h"

#include <algorithm>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

Donor::Donor(const Self& self, std::vector<std::pair<std::string, std::uint32_t>> tasks, unsigned slots)
    : self_(self), tasks_(std::move(tasks)), slots_(slots) {}

// --- Jobs ---

template <class Which>
void Donor::cancel_running(const JobId& job, const Which& which, Output& out) {
  CancelAttempts cancel;
  for (auto& [attempt, running] : running_) {
    if (!running.wanted || running.job != job || !which(running)) continue;
    running.wanted = false;
    cancel.attempts.push_back(attempt);
  }
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
}

bool Donor::learn(const JobId& id, const Manifest& manifest, const PeerId& submitter) {
  if (leaving_ || jobs_.contains(id) || jobs_.size() >= limits::donor_jobs_max) return false;
  if (!self_.donates && submitter != self_.id) return false;
  if (std::find(tasks_.begin(), tasks_.end(), std::pair(manifest.task, manifest.task_version)) == tasks_.end()) return false;
  Served& job = jobs_[id];
  job.owner = manifest.owner;
  job.submitter = submitter;
  job.task = manifest.task;
  job.task_version = manifest.task_version;
  job.unit_limit = manifest.unit_limit;
  shares_.came(manifest.owner);
  return true;
}

void Donor::forget(const JobId& id, Output& out) {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return;
  Served& job = at->second;
  for (const Held& held : job.waiting) bytes_held_ -= held.input.size();
  bytes_held_ -= job.finished_bytes;
  units_held_ -= job.waiting.size() + job.finished.size();
  if (job.running > 0)
    cancel_running(
        id, [](const Running&) { return true; }, out);
  const PublicKey owner = job.owner;
  const PeerId submitter = job.submitter;
  jobs_.erase(at);
  if (std::none_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second.owner == owner; })) shares_.left(owner);
  if (submitter != self_.id && !serves(submitter)) released_.push_back(submitter);
}

bool Donor::serves(const PeerId& submitter) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second.submitter == submitter; });
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

// --- Credit and leases ---

void Donor::say_want(const JobId& id, Served& job, Now now, Output& out) {
  const Duration work = limits::credit_most * static_cast<int>(std::max(slots_, 1U)) / static_cast<int>(jobs_.size());
  out.send(job.submitter, Want{id, leaving_ ? 0 : slots_, work});
  job.want_at = now.boot + limits::want_refresh;
}

void Donor::connected(const PeerId& peer, Now now, Output& out) {
  for (auto& [id, job] : jobs_) {
    if (job.submitter != peer) continue;
    job.connected = true;
    job.lost_at = never;
    say_want(id, job, now, out);
  }
  send_due(now, out);
}

void Donor::lost(const PeerId& peer, Now now) {
  for (auto& [id, job] : jobs_) {
    if (job.submitter != peer) continue;
    job.connected = false;
    job.want_at = never;
    job.lost_at = now.boot;
  }
}

void Donor::allow(unsigned slots, Now now, Output& out) {
  slots_ = slots;
  for (auto& [id, job] : jobs_) {
    if (job.connected) say_want(id, job, now, out);
  }
  feed(now, out);
}

void Donor::on_lease(const PeerId& from, Lease lease, Now now, Output& out) {
  Served* job = find(lease.job, from);
  Return refused{lease.job, {}};
  const bool idle = job != nullptr && job->waiting.empty();
  for (LeasedUnit& unit : lease.units) {
    if (job == nullptr || leaving_ || units_held_ >= limits::donor_units_max || bytes_held_ + unit.input.size() > limits::donor_bytes_max) {
      refused.units.push_back(unit.unit);
      continue;
    }
    ++units_held_;
    bytes_held_ += unit.input.size();
    job->waiting.push_back({unit.unit, lease.lease, std::move(unit.input), now.boot + lease.valid, now.boot});
  }
  if (!refused.units.empty()) out.send(from, std::move(refused));
  if (job == nullptr) return;
  if (idle) shares_.woke(job->owner);
  feed(now, out);
}

void Donor::on_revoke(const PeerId& from, const Revoke& revoke, Output& out) {
  Served* job = find(revoke.job, from);
  if (job == nullptr) return;
  for (const UnitIndex unit : revoke.units) {
    const auto waiting = std::find_if(job->waiting.begin(), job->waiting.end(), [&](const Held& held) { return held.unit == unit; });
    if (waiting == job->waiting.end()) continue;
    --units_held_;
    bytes_held_ -= waiting->input.size();
    job->waiting.erase(waiting);
  }
  if (job->running == 0) return;
  cancel_running(
      revoke.job,
      [&](const Running& running) { return std::find(revoke.units.begin(), revoke.units.end(), running.unit) != revoke.units.end(); }, out);
}

void Donor::on_closed(const PeerId& from, const Closed& closed, Output& out) {
  if (find(closed.job, from) != nullptr) forget(closed.job, out);
}

// --- The executor ---

bool Donor::has_work(const PublicKey& owner) const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [&](const auto& entry) { return entry.second.owner == owner && !entry.second.waiting.empty(); });
}

void Donor::start_some(const JobId& id, Served& job, Now now, std::vector<AttemptToStart>& starting) {
  const Duration cost = from_seconds(job.unit_seconds);
  // A millisecond's worth at a time, so that owners take turns and small units do not cost a search each.
  Duration taken{};
  do {
    Held held = std::move(job.waiting.front());
    job.waiting.pop_front();
    if (held.expires <= now.boot) {  // somebody else has it by now
      --units_held_;
      bytes_held_ -= held.input.size();
      continue;
    }
    const AttemptId attempt{++last_attempt_.value};
    running_.emplace_hint(running_.end(), attempt, Running{id, held.unit, held.lease, held.came, cost, held.input.size(), true});
    starting.push_back({attempt, id, job.task, job.task_version, std::move(held.input), job.unit_limit});
    ++job.running;
    running_cost_ += cost;
    taken += cost;
    shares_.charge(job.owner, cost);
  } while (!job.waiting.empty() && cost > Duration{} && taken < std::chrono::milliseconds(1) &&
           running_.size() < limits::executor_attempts_max);
}

void Donor::feed(Now now, Output& out) {
  if (slots_ == 0) return;
  const Duration enough = limits::executor_feed * static_cast<int>(slots_);
  std::vector<AttemptToStart> starting;
  // Half a feed or less is left, or a slot may soon be without: fill up.
  if (running_cost_ > enough / 2 && running_.size() >= 2 * slots_) return;
  while (running_cost_ < enough || running_.size() < 2 * slots_) {
    if (running_.size() >= limits::executor_attempts_max) break;
    const bool unknown_cost_suffices = running_.size() >= 2 * slots_ && running_cost_ == Duration{};
    if (unknown_cost_suffices) break;
    const auto owner = shares_.next([&](const PublicKey& candidate) { return has_work(candidate); });
    if (!owner) break;
    for (auto& [id, job] : jobs_) {
      if (job.owner == *owner && !job.waiting.empty()) {
        start_some(id, job, now, starting);
        break;
      }
    }
  }
  if (!starting.empty()) out.push(StartAttempts{std::move(starting)});
}

void Donor::note(Served& job, const Running& running, FinishedAttempt finished, Now now) {
  --job.running;
  if (!running.wanted) return;
  if (finished.outcome == Outcome::cancelled) return;
  ++units_computed_;
  const double cost = seconds_of(finished.cpu);
  job.unit_seconds = job.unit_seconds == 0 ? cost : job.unit_seconds + 0.05 * (cost - job.unit_seconds);
  shares_.charge(job.owner, finished.cpu - running.charged);
  if (job.finished.empty()) {
    job.finished_first = now.boot;
    job.came_first = running.came;
  }
  if (finished.outcome != Outcome::ok && finished.output.size() > limits::failure_text_max)
    finished.output.resize(limits::failure_text_max);
  if (finished.output.size() > limits::unit_bytes_max) {
    finished.outcome = Outcome::failed;
    finished.output = to_bytes("its output of " + std::to_string(finished.output.size()) + " bytes is larger than " +
                               std::to_string(limits::unit_bytes_max));
  }
  ++units_held_;
  bytes_held_ += finished.output.size();
  job.finished_bytes += finished.output.size();
  job.finished.push_back({running.lease, running.unit, finished.outcome, std::move(finished.output)});
}

void Donor::on_finished(std::vector<FinishedAttempt> finished, Now now, Output& out) {
  for (FinishedAttempt& attempt : finished) {
    const auto at = running_.find(attempt.attempt);
    if (at == running_.end()) continue;
    const Running running = at->second;
    running_.erase(at);
    running_cost_ -= running.charged;
    --units_held_;
    bytes_held_ -= running.bytes;
    if (const auto job = jobs_.find(running.job); job != jobs_.end()) note(job->second, running, std::move(attempt), now);
  }
  feed(now, out);
  send_due(now, out);
}

// --- Results ---

bool Donor::should_send(const Served& job, BootTime now) const {
  if (job.finished.empty() || !job.connected) return false;
  const std::size_t in_hand = job.waiting.size() + job.running;
  return job.finished.size() >= in_hand || job.finished.size() >= limits::batch_units_max ||
         job.finished_bytes >= limits::batch_bytes_max / 2 || now >= job.finished_first + limits::result_gather ||
         from_seconds(job.unit_seconds) >= limits::result_gather || leaving_;
}

void Donor::send_results(const JobId& id, Served& job, Now now, Output& out) {
  std::vector<UnitResult> all = std::exchange(job.finished, {});
  units_held_ -= all.size();
  bytes_held_ -= std::exchange(job.finished_bytes, 0);
  Results batch{id, now.boot - job.came_first, {}, {}};
  std::size_t bytes = 0;
  const auto send = [&] {
    if (batch.results.empty()) return;
    if (job.submitter != self_.id) batch.signature = self_.sign(Domain::results, results_root(batch).view());
    out.send(job.submitter, batch);
    batch.results.clear();
    bytes = 0;
  };
  for (UnitResult& result : all) {
    if (batch.results.size() == limits::batch_units_max || bytes + result.output.size() > limits::batch_bytes_max) send();
    bytes += result.output.size();
    batch.results.push_back(std::move(result));
  }
  send();
}

void Donor::send_due(Now now, Output& out) {
  for (auto& [id, job] : jobs_) {
    if (should_send(job, now.boot)) send_results(id, job, now, out);
  }
}

// --- Leaving, and time ---

void Donor::give_back_waiting(const JobId& id, Served& job, Output& out) {
  Return returned{id, {}};
  for (const Held& held : job.waiting) {
    returned.units.push_back(held.unit);
    bytes_held_ -= held.input.size();
    --units_held_;
    if (returned.units.size() == limits::batch_units_max) out.send(job.submitter, std::exchange(returned, Return{id, {}}));
  }
  job.waiting.clear();
  if (!returned.units.empty()) out.send(job.submitter, std::move(returned));
}

void Donor::give_back_running(const JobId& id, Served& job, Output& out) {
  Return returned{id, {}};
  const auto abandon = [&](const Running& running) {
    returned.units.push_back(running.unit);
    return true;
  };
  cancel_running(id, abandon, out);
  for (std::size_t from = 0; from < returned.units.size(); from += limits::batch_units_max) {
    const std::size_t to = std::min(returned.units.size(), from + limits::batch_units_max);
    out.send(job.submitter, Return{id, {returned.units.begin() + from, returned.units.begin() + to}});
  }
}

void Donor::leave(Now now, Output& out) {
  if (leaving_) return;
  leaving_ = true;
  left_at_ = now.boot;
  for (auto& [id, job] : jobs_) {
    give_back_waiting(id, job, out);
    if (job.connected) say_want(id, job, now, out);
  }
  send_due(now, out);
}

bool Donor::has_left(Now now) const { return leaving_ && (running_.empty() || now.boot >= left_at_ + limits::leave_grace); }

void Donor::tick(Now now, Output& out) {
  if (has_left(now)) {
    for (auto& [id, job] : jobs_) give_back_running(id, job, out);
  }
  std::vector<JobId> gone;
  for (auto& [id, job] : jobs_) {
    if (job.lost_at != never && now.boot >= job.lost_at + limits::absent_grace) gone.push_back(id);
    if (job.connected && now.boot >= job.want_at) say_want(id, job, now, out);
  }
  for (const JobId& id : gone) forget(id, out);
  send_due(now, out);
}

BootTime Donor::next_deadline() const {
  BootTime next = left_at_ == never || running_.empty() ? never : left_at_ + limits::leave_grace;
  for (const auto& [id, job] : jobs_) {
    if (job.connected) next = std::min(next, job.want_at);
    if (job.connected && !job.finished.empty()) next = std::min(next, job.finished_first + limits::result_gather);
    if (job.lost_at != never) next = std::min(next, job.lost_at + limits::absent_grace);
  }
  return next;
}

}  // namespace dugnad::core
