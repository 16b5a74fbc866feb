// A simulated host's own jobs: as the program that submits them would, over restarts.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/sim/host.h"

namespace dugnad::sim {
namespace {

constexpr Duration found_job_read = std::chrono::milliseconds(50);  // by a program that had only its id

/// Who held a job last, by the delegation on disk.
std::vector<PeerId> stewards_in(const Bytes& delegation) {
  const auto decoded = core::decode_delegation(delegation);
  if (!decoded || decoded->peers.empty()) return {};
  return {decoded->peers.begin() + 1, decoded->peers.end()};
}

}  // namespace

void Host::join(const core::Contact& contact) { feed(core::JoinRequested{contact}); }

void Host::submit(Submission& submission, SimCrypto& owner) {
  own_jobs_.push_back({&submission, &owner});
  if (running()) resubmit(own_jobs_.back());
}

void Host::resubmit(const OwnJob& job) {
  Submission& submission = *job.submission;
  if (submission.ended()) return;
  std::vector<NoteRow> leases = journal_.notes(NoteKind::lease);
  std::erase_if(leases, [&](const NoteRow& lease) { return lease.job != submission.id(); });
  std::set<LeaseId> on_disk;
  for (const NoteRow& lease : leases) on_disk.insert({lease.key});
  surroundings_.witness.restarted(submission.id(), on_disk);
  const Journal::Job* const kept = journal_.find(submission.id());
  if (kept != nullptr) {
    // What was read before is with the user already; what was not must be here still.
    for (const auto& [index, unit] : kept->accepted) {
      if (unit.output.large && !submission.is_final(index) && !blobs_.holds(unit.output.blob())) {
        surroundings_.witness.violated("unit " + std::to_string(index.value) +
                                       " is accepted, and its output was lost before anybody had read it");
      }
      submission.restore(unit);
      if (unit.output.large) blobs_.taken(unit.output.blob());
    }
    if (kept->state != JobState::running && submission.accepted() + submission.failed() == submission.spec().units) {
      surroundings_.witness.ended({submission.id(), kept->state, {}});
      return;
    }
  }
  if (submission.module()) blobs_.keep(*submission.module());
  core::JobSubmitted event = submission.event(*job.owner, peer_->id(), kept == nullptr ? std::vector<PeerId>{} : stewards_in(kept->delegation));
  if (kept != nullptr) {
    event.held = kept->held;
    for (const auto& [index, unit] : kept->accepted) event.accepted.push_back({index, unit.input_tag});
    event.leases = std::move(leases);
  }
  feed(std::move(event));
  for (core::UnitsAppended& batch : submission.missing()) {
    for (const core::NewUnit& unit : batch.units) {
      if (unit.input.large) blobs_.keep(unit.input.blob());
    }
    feed(std::move(batch));
  }
}

void Host::seek(Submission& submission, SimCrypto& owner) {
  sought_.push_back({&submission, &owner});
  if (running()) feed(core::JobSought{submission.id()});
}

void Host::act(core::JobFound effect) {
  const auto found = std::find_if(sought_.begin(), sought_.end(), [&](const OwnJob& job) { return job.submission->id() == effect.job; });
  if (found == sought_.end()) return surroundings_.witness.violated("a job was found that nobody had sought");
  const OwnJob job = *found;
  sought_.erase(found);
  if (effect.recipe != to_bytes("dugnad-sim")) surroundings_.witness.violated("a job was found without its recipe");
  job.submission->forget();
  for (const AcceptedUnit& unit : effect.finals) job.submission->restore(unit);
  own_jobs_.push_back(job);
  surroundings_.queue.after(found_job_read, [this, job, process = process_] {
    if (process == process_) resubmit(job);
  });
}

void Host::act(core::StewardsHold effect) {
  if (Submission* submission = submission_of(effect.job)) submission->stewards = effect.stewards;
}

void Host::cancel(const JobId& job) { feed(core::JobCancelled{job}); }

Submission* Host::submission_of(const JobId& job) const {
  const auto it = std::find_if(own_jobs_.begin(), own_jobs_.end(), [&](const OwnJob& own) { return own.submission->id() == job; });
  return it == own_jobs_.end() ? nullptr : it->submission;
}

}  // namespace dugnad::sim
