#include "coordinatorless/core/donor.h"

#include <algorithm>
#include <iterator>

#include "coordinatorless/core/codec.h"

namespace dugnad::core {

Donor::Donor(const Self& self, BlobWants& blobs, FavourAccounts& accounts, Journal& journal,
             std::vector<std::pair<std::string, std::uint32_t>> tasks, CodePolicy code, unsigned slots, std::uint64_t blob_room)
    : self_(self),
      blobs_(blobs),
      accounts_(accounts),
      tasks_(std::move(tasks)),
      code_(std::move(code)),
      slots_(slots),
      input_room_(blob_room),
      outputs_(blobs, blob_room),
      waiting_(self, journal, [this](const JobId& job, UnitIndex unit, const BlobId& output) { return outputs_.holds(job, unit, output); }) {}

// --- Credit and leases ---

void Donor::say_want(const JobId& id, Served& job, Now now, Output& out) {
  if (!job.ready) return;
  const Duration work = limits::credit_most * static_cast<int>(std::max(slots_, 1U)) / static_cast<int>(jobs_.size());
  out.send(job.submitter, Want{id, leaving_ || job.yields ? 0 : slots_, work});
  job.want_at = now.boot + limits::want_refresh;
}

void Donor::allow(unsigned slots, Now now, Output& out) {
  slots_ = slots;
  for (auto& [id, job] : jobs_) {
    if (job.connected) say_want(id, job, now, out);
    if (slots_ == 0) give_back_waiting(id, job, out);  // it would only wait for its leases to run out
  }
  feed(now, out);
}

void Donor::on_lease(const PeerId& from, Lease lease, Now now, Output& out) {
  Served* job = find(lease.job, from);
  Return refused{lease.job, {}};
  CancelAttempts cancel;
  const bool owner_idle = job != nullptr && !has_work(job->owner);
  for (LeasedUnit& unit : lease.units) {
    if (job != nullptr) {
      if (const auto at = job->units.find(unit.unit); at != job->units.end()) {
        if (renew(*at, unit, lease, now.boot)) continue;
        if (at->second.attempt) abandon(*job, at, cancel);
        else stop_waiting(*job, at, out);
      }
    }
    const bool welcome = job != nullptr && job->ready && !leaving_ && !job->yields && slots_ > 0 && units_held_ < limits::donor_units_max;
    const UnitIndex index = unit.unit;
    if (!welcome || !take_in(from, *job, std::move(unit), lease, now, out)) refused.units.push_back(index);
  }
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
  if (!refused.units.empty()) out.send(from, std::move(refused));
  if (job == nullptr) return;
  if (owner_idle) shares_.woke(job->owner);
  feed(now, out);
}

/// A unit that is here is leased anew. False where it has another input now, or is so short that nobody knows.
bool Donor::renew(const std::pair<const UnitIndex, Place>& here, const LeasedUnit& unit, const Lease& lease, BootTime now) {
  if (here.second.attempt) {
    Running& running = running_.at(*here.second.attempt);
    if (running.input_tag != input_tag_of(unit.input)) return false;
    running.lease = lease.lease;
  } else {
    Held& held = *here.second.waiting;
    if (held.input != unit.input) return false;
    held.lease = lease.lease;
    held.expires = now + lease.valid;
  }
  return true;
}

void Donor::on_revoke(const PeerId& from, const Revoke& revoke, Output& out) {
  Served* job = find(revoke.job, from);
  CancelAttempts cancel;
  for (const UnitIndex unit : revoke.units) {
    if (job == nullptr) {
      if (outputs_.holds_for(from, revoke.job, unit)) (void)outputs_.let_go(revoke.job, unit, out);
      continue;
    }
    if (!job->units.contains(unit)) {
      (void)outputs_.let_go(revoke.job, unit, out);
      continue;
    }
    const auto at = job->units.find(unit);
    if (at->second.attempt) abandon(*job, at, cancel);
    else stop_waiting(*job, at, out);
  }
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
}

void Donor::stop_waiting(Served& job, std::map<UnitIndex, Place>::iterator at, Output& out) {
  const auto held = at->second.waiting;
  --units_held_;
  bytes_held_ -= held->input.bytes.size();
  if (held->input.large) release_input(job.owner, held->input.blob(), out);
  (held->fetching ? job.fetching : job.waiting).erase(held);
  job.units.erase(at);
}

void Donor::abandon(Served& job, std::map<UnitIndex, Place>::iterator at, CancelAttempts& cancel) {
  running_.at(*at->second.attempt).wanted = false;
  cancel.attempts.push_back(*at->second.attempt);
  job.units.erase(at);
}

void Donor::drop_work(Served& job, Output& out) {
  CancelAttempts cancel;
  while (!job.units.empty()) {
    if (const auto at = job.units.begin(); at->second.attempt) abandon(job, at, cancel);
    else stop_waiting(job, at, out);
  }
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
  units_held_ -= std::exchange(job.finished, {}).size();
  job.finished_inputs.clear();
  job.offered.clear();
  bytes_held_ -= std::exchange(job.finished_bytes, 0);
}

// --- The executor ---

bool Donor::has_work(const PublicKey& owner) const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [&](const auto& entry) { return entry.second.owner == owner && entry.second.may_start(); });
}

void Donor::start_some(const JobId& id, Served& job, Now now, std::vector<AttemptToStart>& starting, Output& out) {
  const Duration cost = from_seconds(job.unit_seconds);
  // A millisecond's worth at a time, so that owners take turns and small units do not cost a search each.
  Duration taken{};
  do {
    const auto place = job.units.find(job.waiting.front().unit);
    if (job.waiting.front().expires <= now.boot) {  // somebody else has it by now
      stop_waiting(job, place, out);
      continue;
    }
    Held held = std::move(job.waiting.front());
    job.waiting.pop_front();
    const AttemptId attempt{++last_attempt_.value};
    const bool takes_long = job.unit_seconds == 0 || job.unit_seconds >= limits::input_tagged_seconds;
    const auto tag = takes_long ? std::optional(input_tag_of(held.input)) : std::nullopt;
    place->second = {attempt, {}};
    running_.emplace_hint(running_.end(), attempt,
                          Running{id, held.unit, held.lease, held.came, held.valid, cost, held.input.bytes.size(),
                                  held.input.large ? std::optional(held.input.blob()) : std::nullopt,
                                  job.says_inputs ? std::optional(input_digest(held.input)) : std::nullopt, job.owner, true, now.boot, tag});
    starting.push_back({attempt, id, job.task, job.task_version, std::move(held.input), job.unit_limit, job.module, job.memory_bytes,
                        job.fuel});
    running_cost_ += cost;
    taken += cost;
    shares_.charge(job.owner, cost);
  } while (!job.waiting.empty() && cost > Duration{} && taken < std::chrono::milliseconds(1) &&
           running_.size() < limits::executor_attempts_max);
}

void Donor::feed(Now now, Output& out) {
  held_back_until_ = never;
  if (slots_ == 0) return;
  const Duration enough = limits::executor_feed * static_cast<int>(slots_);
  std::vector<AttemptToStart> starting;
  // Half a feed or less is left, or a slot may soon be without: fill up.
  if (running_cost_ > enough / 2 && running_.size() >= 2 * slots_) return;
  while (running_cost_ < enough || running_.size() < 2 * slots_) {
    if (running_.size() >= limits::executor_attempts_max) break;
    const bool unknown_cost_suffices = running_.size() >= 2 * slots_ && running_cost_ == Duration{};
    if (unknown_cost_suffices) break;
    const auto owner = shares_.next([&](const PublicKey& candidate) { return has_work(candidate) && !is_held_back(candidate, now.boot); },
                                    [&](const PublicKey& candidate) { return accounts_.rank(candidate); });
    if (!owner) break;
    auto first = jobs_.end();
    for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
      if (at->second.owner != *owner || !at->second.may_start()) continue;
      if (first == jobs_.end() || at->second.waiting.front().came < first->second.waiting.front().came) first = at;
    }
    start_some(first->first, first->second, now, starting, out);
  }
  if (!starting.empty()) out.push(StartAttempts{std::move(starting)});
}

void Donor::note(Served& job, const Running& running, FinishedAttempt finished, Now now, Output& out) {
  job.units.erase(running.unit);
  job.work_at = job.left_slot_at = now.boot;
  if (finished.outcome == Outcome::cancelled) return;
  ++units_computed_;
  const double cost = seconds_of(finished.cpu);
  job.unit_seconds = job.unit_seconds == 0 ? cost : job.unit_seconds + 0.05 * (cost - job.unit_seconds);
  shares_.charge(job.owner, finished.cpu - running.charged);
  if (job.finished.empty()) {
    job.finished_first = now.boot;
    job.came_first = running.came;
  }
  Bytes& bytes = finished.output.bytes;
  if (finished.outcome != Outcome::ok && bytes.size() > limits::failure_text_max) bytes.resize(limits::failure_text_max);
  DUGNAD_ASSERT(bytes.size() <= limits::unit_bytes_max, "a driver that keeps no large output");
  if (finished.output.large) {
    const Duration held_for = std::max<Duration>(limits::output_held_least, 2 * std::min<Duration>(running.valid, limits::lease_most));
    outputs_.hold({running.job, running.unit, finished.output.blob(), job.owner, job.submitter, {}}, held_for, now, out);
  }
  ++units_held_;
  bytes_held_ += bytes.size();
  job.finished_bytes += bytes.size();
  const bool is_result = finished.outcome == Outcome::ok || finished.outcome == Outcome::failed;
  if (is_result && running.input && shares(job, *running.input) == Sharing::helped) job.offered.push_back(*running.input);
  if (running.digest) job.finished_inputs.insert(job.finished_inputs.end(), running.digest->begin(), running.digest->end());
  job.finished.push_back({running.lease, running.unit, finished.outcome, std::move(finished.output)});
}

void Donor::on_finished(std::vector<FinishedAttempt> finished, Now now, Output& out) {
  for (FinishedAttempt& attempt : finished) {
    const auto at = running_.find(attempt.attempt);
    if (at == running_.end()) continue;
    const Running running = at->second;
    running_.erase(at);
    accounts_.serve(running.owner, attempt.cpu);
    running_cost_ -= running.charged;
    --units_held_;
    bytes_held_ -= running.bytes;
    release_input(running.owner, running.input, out);
    const std::optional<BlobId> output = attempt.output.large ? std::optional(attempt.output.blob()) : std::nullopt;
    if (output) blobs_.kept(*output);
    if (running.wanted) note(jobs_.at(running.job), running, std::move(attempt), now, out);
    else if (output) blobs_.release(*output, out);
  }
  feed(now, out);
  send_due(now, out);
}

// --- Leaving, and time ---

void Donor::send_return(const JobId& id, const Served& job, const std::vector<UnitIndex>& units, Output& out) {
  for (std::size_t from = 0; from < units.size(); from += limits::batch_units_max) {
    const std::size_t to = std::min(units.size(), from + limits::batch_units_max);
    out.send(job.submitter, Return{id, {units.begin() + from, units.begin() + to}});
  }
}

void Donor::give_back_waiting(const JobId& id, Served& job, Output& out) {
  std::vector<UnitIndex> returned;
  while (!job.waiting.empty() || !job.fetching.empty()) {
    returned.push_back((job.waiting.empty() ? job.fetching : job.waiting).front().unit);
    stop_waiting(job, job.units.find(returned.back()), out);
  }
  send_return(id, job, returned, out);
}

void Donor::give_back_running(const JobId& id, Served& job, Output& out) {
  std::vector<UnitIndex> returned;
  CancelAttempts cancel;
  for (auto at = job.units.begin(); at != job.units.end();) {
    const auto each = at++;
    if (!each->second.attempt) continue;
    returned.push_back(each->first);
    abandon(job, each, cancel);
  }
  if (!cancel.attempts.empty()) out.push(std::move(cancel));
  send_return(id, job, returned, out);
}

void Donor::leave(Now now, Output& out) {
  if (leaving_) return;
  leaving_ = true;
  left_at_ = now.boot;
  for (auto& [id, job] : jobs_) {
    if (job.connected) say_want(id, job, now, out);  // before the units, else they come straight back
    give_back_waiting(id, job, out);
  }
  send_due(now, out);
}

/// What is computed here must also be fetched from here.
bool Donor::has_left(Now now) const {
  return leaving_ && ((running_.empty() && outputs_.empty()) || now.boot >= left_at_ + limits::leave_grace);
}

void Donor::tick(Now now, Output& out) {
  if (has_left(now)) {
    for (auto& [id, job] : jobs_) give_back_running(id, job, out);
  }
  std::vector<JobId> gone;
  for (auto& [id, job] : jobs_) {
    if (job.lost_at != never && now.boot >= job.absent_until) {
      if (!job.finished.empty()) send_results(id, job, now, out);
      drop_work(job, out);
    }
    if (job.lost_at != never && job.idle() && now.boot >= job.lost_at + limits::announcement_lease) gone.push_back(id);
    if (job.connected && now.boot >= job.want_at) say_want(id, job, now, out);
    drop_expired(id, job, now.boot, out);
  }
  for (const JobId& id : gone) give_up(jobs_.find(id), out);  // what it may come back for stays for its time
  yield_to_others(now, out);
  if (now.boot >= held_back_until_) feed(now, out);
  outputs_.tick(now.boot, out);
  if (now.boot >= waiting_.next_deadline()) waiting_.tick(now, out);
  send_due(now, out);
}

BootTime Donor::next_deadline() const {
  BootTime next = std::min({outputs_.next_deadline(), waiting_.next_deadline(), yield_deadline()});
  if (left_at_ != never && !(running_.empty() && outputs_.empty())) next = std::min(next, left_at_ + limits::leave_grace);
  for (const auto& [id, job] : jobs_) {
    if (job.connected) next = std::min(next, job.want_at);
    for (const Held& held : job.fetching) next = std::min({next, held.expires, held.fetch_ends});
    if (!job.finished.empty()) next = std::min(next, job.finished_first + limits::result_gather);
    if (job.lost_at != never) next = std::min(next, job.idle() ? job.lost_at + limits::announcement_lease : job.absent_until);
  }
  return next;
}

}  // namespace dugnad::core
