#include "coordinatorless/core/job_board.h"

#include <algorithm>

#include "coordinatorless/core/codec.h"

namespace dugnad::core {

Job* JobBoard::find(const JobId& job) const {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? nullptr : at->second.get();
}

void JobBoard::submit(const JobId& id, Manifest manifest, const JobSubmitted& submitted, Now now, Output& out) {
  const auto [at, fresh] = jobs_.try_emplace(id);
  DUGNAD_ASSERT(fresh, "a job submitted twice");
  at->second = std::make_unique<Job>(self_, id, std::move(manifest), now);
  journal_.write({JobRow{id, submitted.manifest.body, submitted.recipe, now.wall}}, out);
}

void JobBoard::append(UnitsAppended appended, Now now, Output& out) {
  const JobId id = appended.job;
  Job* job = find(id);
  if (job == nullptr || job->ended()) return;  // cancelled while they were being cut
  job->append(std::move(appended));
  settle_up(id, *job, now, out);
}

void JobBoard::cancel(const JobId& id, Now now, Output& out) {
  Job* job = find(id);
  if (job == nullptr || job->ended()) return;
  job->cancel();
  settle_up(id, *job, now, out);
}

void JobBoard::on_want(const PeerId& from, const Want& want, Now now, Output& out) {
  Job* job = find(want.job);
  if (job == nullptr || job->ended()) return out.send(from, Closed{want.job});
  job->on_want(from, want);
  settle_up(want.job, *job, now, out);
}

std::optional<Charge> JobBoard::on_results(const PeerId& from, const PublicKey& key, Results results, Now now, Output& out) {
  const JobId id = results.job;
  Job* job = find(id);
  if (job == nullptr) return charges::unasked;
  if (job->ended()) return std::nullopt;
  // One's own results need no proof.
  if (from != self_.id && !self_.verify(Domain::results, key, results_root(results).view(), results.signature)) return charges::forged;
  const auto charge = job->on_results(from, std::move(results), now);
  settle_up(id, *job, now, out);
  return charge;
}

std::optional<Charge> JobBoard::on_return(const PeerId& from, const Return& returned, Now now, Output& out) {
  Job* job = find(returned.job);
  if (job == nullptr) return charges::unasked;
  job->on_return(from, returned);
  settle_up(returned.job, *job, now, out);
  return std::nullopt;
}

void JobBoard::connected(const PeerId& peer, Now now) {
  for (const auto& [id, job] : jobs_) job->connected(peer, now);
}

void JobBoard::lost(const PeerId& peer, Now now, Output& out) {
  for (const auto& [id, job] : jobs_) {
    job->lost(peer, now);
    settle_up(id, *job, now, out);
  }
}

void JobBoard::tick(Now now, Output& out) {
  for (const auto& [id, job] : jobs_) {
    if (job->next_deadline() <= now.boot) settle_up(id, *job, now, out);
  }
}

void JobBoard::settle_up(const JobId& id, Job& job, Now now, Output& out) {
  const bool was_ended = job.ended();
  job.settle_up(now, journal_, out);
  if (job.ended() && !was_ended) ended_.push_back({id, job.donors()});
}

BootTime JobBoard::next_deadline() const {
  BootTime next = never;
  for (const auto& [id, job] : jobs_) next = std::min(next, job->next_deadline());
  return next;
}

std::optional<JobProgress> JobBoard::progress(const JobId& id) const {
  const Job* job = find(id);
  return job == nullptr ? std::nullopt : std::optional(job->progress());
}

std::vector<JobBoard::Ended> JobBoard::take_ended() { return std::exchange(ended_, {}); }

bool JobBoard::employs(const PeerId& donor) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return !entry.second->ended() && entry.second->knows(donor); });
}

bool JobBoard::any_running() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const auto& entry) { return !entry.second->ended(); });
}

}  // namespace dugnad::core
