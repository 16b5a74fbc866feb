#include "coordinatorless/core/job_board.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/evidence.h"

namespace dugnad::core {

Job* JobBoard::find(const JobId& job) const {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? nullptr : at->second.get();
}

void JobBoard::submit(const JobId& id, Manifest manifest, JobSubmitted submitted, Now now, Output& out) {
  const auto& [manifest_body, manifest_signature] = submitted.manifest;
  const auto& [delegation, delegation_signature] = submitted.delegation;
  std::vector<Row> rows;
  rows.push_back(JobRow{id, manifest_body, submitted.recipe, now.wall});
  rows.push_back(PapersRow{id, self_.swarm, manifest_signature, delegation, delegation_signature});
  const auto [at, fresh] = jobs_.try_emplace(id);
  DUGNAD_ASSERT(fresh, "a job submitted twice");
  at->second = std::make_unique<Job>(self_, commons_, id, std::move(manifest), std::move(submitted), now);
  for (const PeerId& donor : at->second->earlier_donors()) at->second->expect(donor, reputations_.past(donor, now.wall));
  commons_.running = jobs_.size();
  journal_.write(std::move(rows), out);
}

void JobBoard::append(UnitsAppended appended, Now now, Output& out) {
  Job* job = find(appended.job);
  if (job == nullptr) return;  // cancelled while they were being cut
  job->append(std::move(appended), now);
  hear_early(*job, now, out);
  settle_up(*job, now, out);
}

void JobBoard::cancel(const JobId& id, Now now, Output& out) {
  Job* job = find(id);
  if (job == nullptr) return;
  job->cancel();
  settle_up(*job, now, out);
}

void JobBoard::on_want(const PeerId& from, const Want& want, std::optional<Endpoint> address, Now now, Output& out) {
  Job* job = find(want.job);
  if (job == nullptr && may_come(want.job, now.boot)) return early_.keep(EarlyMessages::Want{from, want});
  if (job == nullptr || (leaving_ && from != self_.id)) return out.send(from, Closed{want.job});
  job->on_want(from, want, address, reputations_.past(from, now.wall));
  settle_up(*job, now, out);
}

std::optional<Charge> JobBoard::on_results(const PeerId& from, const PublicKey& key, Results results, Now now, Output& out) {
  counted_all_ = false;
  Job* job = find(results.job);
  const bool waits = job == nullptr ? may_come(results.job, now.boot) : job->are_early(results);
  if (job == nullptr && !waits) {
    out.send(from, Closed{results.job});
    return std::nullopt;
  }
  // One's own results need no proof; what is kept of others' is the very thing that was verified.
  const bool own = from == self_.id;
  EvidenceBatch evidence = evidence_of(results, own ? self_.crypto->public_key() : key, own);
  if (!own && !is_signed(evidence, self_.swarm, results.job, *self_.crypto)) return charges::forged;
  if (waits) {
    early_.keep(EarlyMessages::Results{from, key, std::move(results)});
    return std::nullopt;
  }
  const auto charge = count(*job, std::move(evidence), from, std::move(results), now, out);
  const bool counted_all = counted_all_;
  settle_up(*job, now, out);  // which may adopt others
  counted_all_ = counted_all;
  return charge;
}

bool JobBoard::may_come(const JobId& job, BootTime now) {
  if (leaving_ || over_.contains(job)) return false;
  if (early_.may_wait(now)) return true;
  if (!early_.empty()) early_.drop_unknown([this](const JobId& each) { return runs(each); });
  return false;
}

void JobBoard::hear_early(Job& job, Now now, Output& out) {
  if (early_.empty()) return;
  for (EarlyMessages::Results& results : early_.take_results(job.id(), [&](const Results& said) { return !job.are_early(said); })) {
    const auto charge = count(job, evidence_of(results.said, results.key, false), results.from, results.said, now, out);
    if (!charge && counted_all_) heard_.push_back(std::move(results));
  }
}

std::optional<Charge> JobBoard::count(Job& job, EvidenceBatch evidence, const PeerId& from, Results results, Now now, Output& out,
                                      const std::vector<bool>* only) {
  const JobId id = results.job;
  const std::size_t came = results.results.size();
  const auto charge = job.on_results(from, std::move(results), now, out, only);
  counted_all_ = job.counted().size() == came;
  if (!job.counted().empty()) {
    veil_others(evidence, id, job.counted());
    journal_.keep(id, evidence, job.take_log(), now.boot, out);
  }
  return charge;
}

void JobBoard::set_waiting(const JobId& id, bool waits, Now now, Output& out) {
  Job* job = find(id);
  if (job == nullptr) return;
  job->set_waiting(waits);
  settle_up(*job, now, out);
}

void JobBoard::gathered(const JobId& id, Gathered gathered, std::vector<PeerId> stewards) {
  if (!runs(id)) return;
  find(id)->set_stewards(std::move(stewards));
  gathered_[id].push_back(std::move(gathered));
}

void JobBoard::adopt(Job& job, Now now, Output& out) {
  const auto at = gathered_.find(job.id());
  job.open_blocks(now);  // without leasing anything: what is here already is not to be asked for
  if (!job.may_adopt_more()) return;
  // In place: what waits is looked at whenever units come, and there may be much of it.
  auto& waiting = at->second;
  for (auto each = waiting.begin(); each != waiting.end();) {
    if (each->waits_for && job.is_to_come(*each->waits_for)) {
      ++each;
      continue;
    }
    if ((each->waits_for = job.first_to_come(each->results))) {
      ++each;
      continue;
    }
    const PeerId donor = peer_id_of(each->donor);
    if (const auto adopted = job.adopt(donor, each->results, each->counts, reputations_.past(donor, now.wall)); !adopted.empty()) {
      EvidenceBatch evidence = evidence_of(each->results, each->donor, false);
      (void)count(job, std::move(evidence), donor, std::move(each->results), now, out, &adopted);
    }
    each = waiting.erase(each);
  }
  if (waiting.empty()) gathered_.erase(at);
}

std::vector<DeedDonor> JobBoard::present(const JobId& id) const {
  const Job* job = find(id);
  return job == nullptr ? std::vector<DeedDonor>{} : job->present();
}

void JobBoard::on_checked(const std::vector<FinishedAttempt>& checks, Now now, Output& out) {
  for (const auto& [id, job] : jobs_) {
    for (const FinishedAttempt& check : checks) job->on_checked(check);
    settle_one(*job, now, out);
  }
  end_turn(now, out);
}

void JobBoard::on_return(const PeerId& from, const Return& returned, Now now, Output& out) {
  Job* job = find(returned.job);
  if (job == nullptr) return;
  job->on_return(from, returned, now);
  settle_up(*job, now, out);
}

void JobBoard::on_blob(const BlobWants::News& news, Now now, Output& out) {
  for (const auto& [id, job] : jobs_) {
    if (job->on_blob(news)) settle_one(*job, now, out);
  }
  end_turn(now, out);
}

void JobBoard::on_taken(const OutputTaken& taken, Now now, Output& out) {
  if (Job* job = find(taken.job)) {
    job->on_taken(taken.blob, out);
  } else {
    commons_.blobs.release(taken.blob, out);
    commons_.outputs.leave(taken.blob.length);
  }
  end_turn(now, out);
}

void JobBoard::connected(const PeerId& peer) {
  for (const auto& [id, job] : jobs_) job->connected(peer);
}

void JobBoard::lost(const PeerId& peer, Now now, Output& out) {
  early_.lost(peer);
  for (const auto& [id, job] : jobs_) {
    job->lost(peer, now);
    settle_one(*job, now, out);
  }
  end_turn(now, out);
}

void JobBoard::tick(Now now, Output& out) {
  for (const auto& [id, job] : jobs_) {
    if (job->next_deadline() <= now.boot) settle_one(*job, now, out);
  }
  journal_.tick(now.boot, out);
  end_turn(now, out);
}

void JobBoard::settle_one(Job& job, Now now, Output& out) {
  if (gathered_.contains(job.id())) adopt(job, now, out);
  job.settle_up(now, journal_, out);
  const auto verified = job.take_verified();
  verified_.insert(verified_.end(), verified.begin(), verified.end());
  if (!job.manifest().confidence) return;
  for (const VerifiedWork& work : verified) reputations_.verified(work.donor, work.results, now.wall);
  for (const auto& [donor, sentence] : job.take_sentenced()) reputations_.convicted(donor, sentence == Sentence::branded, now.wall);
  if (auto rows = reputations_.take_rows(self_.swarm, now.boot, job.ended()); !rows.empty()) (void)journal_.write(std::move(rows), out);
}

void JobBoard::settle_up(Job& job, Now now, Output& out) {
  settle_one(job, now, out);
  if (job.ended() || commons_.outputs.freed) end_turn(now, out);
}

void JobBoard::end_turn(Now now, Output& out) {
  // Whoever is given room may give up something else in turn: as often as there are outputs to give up.
  while (std::exchange(commons_.outputs.freed, false)) {
    for (const auto& [id, job] : jobs_) {
      if (job->waits_for_room()) settle_one(*job, now, out);
    }
  }
  clear_away();
}

void JobBoard::clear_away() {
  for (const auto& [id, job] : jobs_) {
    if (!job->ended()) continue;
    ended_.push_back({id, job->donors()});
    over_.emplace(id, job->progress());
    gathered_.erase(id);
    early_.drop(id);
  }
  std::erase_if(jobs_, [](const auto& entry) { return entry.second->ended(); });
  commons_.running = jobs_.size();
}

void JobBoard::leave(Output& out) {
  leaving_ = true;
  for (const auto& [id, job] : jobs_) job->leave(out);
  journal_.flush(out);
}

BootTime JobBoard::next_deadline() const {
  BootTime next = journal_.next_deadline();
  for (const auto& [id, job] : jobs_) next = std::min(next, job->next_deadline());
  return next;
}

std::optional<JobProgress> JobBoard::progress(const JobId& id) const {
  if (const Job* job = find(id)) return job->progress();
  const auto over = over_.find(id);
  return over == over_.end() ? std::nullopt : std::optional(over->second);
}

std::vector<JobBoard::Ended> JobBoard::take_ended() { return std::exchange(ended_, {}); }

std::optional<Job::InputHelp> JobBoard::help_with(const PeerId& donor, const BlobId& blob) const {
  for (const auto& [id, job] : jobs_) {
    if (auto help = job->help_with(donor, blob)) return help;
  }
  return std::nullopt;
}

bool JobBoard::uses(const BlobId& module) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second->manifest().module == module; });
}

bool JobBoard::employs(const PeerId& donor) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) { return entry.second->knows(donor); });
}

}  // namespace dugnad::core
