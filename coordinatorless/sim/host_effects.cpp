// What a simulated host does for its peer: each effect, as the real driver carries it out.
#include <utility>

#include "coordinatorless/core/identity_proof.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/sim/draws.h"
#include "coordinatorless/sim/host.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

namespace limits = core::limits;

constexpr Duration try_takes = std::chrono::microseconds(500);  // of a search for a proof of work
constexpr Duration reading_most = std::chrono::seconds(2);  // until a program has read a large output

}  // namespace

void Host::carry_out(core::Effect effect) {
  std::visit([this](auto&& each) { act(std::move(each)); }, std::move(effect));
}

void Host::act(core::SendMessage effect) {
  if (steward_ != StewardConduct::honest && !twist(effect.frame, effect.to, steward_, surroundings_.gang, lies_)) return;
  if (!own_jobs_.empty()) surroundings_.witness.sent(effect.to, effect.frame);
  const auto it = node_of_.find(effect.to);
  if (it != node_of_.end() && surroundings_.network.send(node_, it->second, effect.frame)) return;
  inbox_.push_back(core::SendRefused{effect.to, std::move(effect.frame)});
}

void Host::act(core::Dial effect) {
  if (const auto it = node_of_.find(effect.peer); it != node_of_.end() && surroundings_.network.linked(node_, it->second)) {
    return;  // the other's dial came first, and was told
  }
  dialling_[effect.curve] = effect.peer;
  surroundings_.network.dial(node_, surroundings_.directory.at(effect.endpoint), effect.curve, limits::dial_timeout);
}

void Host::act(core::Disconnect effect) {
  if (effect.ban_until > now().boot) banned_[effect.peer] = effect.ban_until;
  const auto it = node_of_.find(effect.peer);
  if (it == node_of_.end()) return;
  surroundings_.network.disconnect(node_, it->second);
  peer_at_.erase(it->second);
  node_of_.erase(it);
  blobs_.lost(effect.peer);
  inbox_.push_back(core::PeerLost{effect.peer});
}

void Host::act(core::StartAttempts effect) {
  if (!own_jobs_.empty()) surroundings_.witness.started(peer_->id(), effect);
  worked_at_ = surroundings_.queue.now();
  std::vector<Executor::Work> work;
  for (core::AttemptToStart& attempt : effect.attempts) {
    const auto spec = surroundings_.jobs.find(attempt.job);
    if (spec == surroundings_.jobs.end()) {
      surroundings_.witness.violated("an attempt was started of a job that nobody submitted");
      continue;
    }
    check_needs(attempt);
    Duration cost = cost_of(unit_of(attempt.input), spec->second.unit);
    if (attempt.claimed) cost = from_seconds(seconds_of(cost) * spec->second.check);
    work.push_back({std::move(attempt), cost, spec->second.output_bytes});
  }
  executor_.start(std::move(work));
}

void Host::act(core::CancelAttempts effect) { executor_.cancel(effect.attempts); }
void Host::act(core::FetchBlob effect) { blobs_.fetch(effect); }
void Host::act(core::HelpFetch effect) { blobs_.help(effect); }
void Host::act(core::OfferBlob effect) { blobs_.offer(effect.blob); }
void Host::act(core::ReleaseBlob effect) { blobs_.release(effect.blob); }
void Host::act(core::BulkReceived) { surroundings_.witness.violated("a bulk frame came, and nobody here sends any"); }
void Host::act(core::Persist effect) {
  for (const Row& row : effect.rows) {
    const auto* accepted = std::get_if<AcceptedRow>(&row);
    if (accepted == nullptr) continue;
    for (const AcceptedUnit& unit : accepted->units) {
      if (unit.output.large) blobs_.keep_output(unit.output.blob());
    }
  }
  journal_.write(effect.seq, std::move(effect.rows));
}
void Host::act(core::DeliverResults effect) {
  surroundings_.witness.delivered(effect);
  read_outputs(effect);
}
void Host::act(core::JobEnded effect) { surroundings_.witness.ended(effect); }
void Host::act(core::Departed) { departed_ = true; }

/// Finds it at once, and tells of it when a real search would have come so far.
void Host::act(core::MintIdentity effect) {
  if (!options_.proves) return;
  core::IdentityTicket ticket{effect.month, generator_.next()};
  Duration search{};
  for (;; ++ticket.nonce, search += try_takes) {
    const core::ProofInput input = core::proof_input(surroundings_.swarm, crypto_->public_key(), ticket);
    if (core::meets(crypto_->dear_hash(input.password, input.salt).value(), effect.difficulty)) break;
  }
  surroundings_.queue.after(search, [this, ticket, process = process_] {
    if (process != process_) return;
    ticket_ = ticket;
    feed(core::IdentityMinted{ticket});
  });
}

void Host::act(core::DonorOutvoted effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->outvoted;
  if (outvoted) outvoted(effect.donor);
}

void Host::act(core::DonorConvicted effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->convicted;
  if (convicted) convicted(effect.donor, effect.branded);
}

void Host::act(core::KnownAnswerWrong effect) {
  surroundings_.witness.violated("unit " + std::to_string(effect.unit.value) + " is not what its known answer says, which is right");
}
void Host::act(core::NobodyToCompute effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->nobody_to_compute;
}

void Host::act(core::DonorsBack effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->donors_back;
}

void Host::check_needs(const core::AttemptToStart& attempt) {
  if (attempt.module && !blobs_.holds(*attempt.module)) surroundings_.witness.violated("an attempt was started before its module was here");
  if (attempt.input.large && !blobs_.holds(attempt.input.blob())) {
    surroundings_.witness.violated("an attempt was started before its input was here");
  }
  if (attempt.claimed && attempt.claimed->large && !blobs_.holds(attempt.claimed->blob())) {
    surroundings_.witness.violated("a check was started before the output was here");
  }
}

/// What the program does with what was delivered: it reads large outputs, in its own time, and lets go of inputs.
void Host::read_outputs(const core::DeliverResults& effect) {
  const Submission* submission = submission_of(effect.job);
  for (const AcceptedUnit& unit : effect.units) {
    if (submission != nullptr && submission->input(unit.unit).large) blobs_.let_go(submission->input(unit.unit).blob());
    if (!unit.output.large) continue;
    const BlobId output = unit.output.blob();
    if (!blobs_.holds(output)) {
      surroundings_.witness.violated("unit " + std::to_string(unit.unit.value) + " was accepted, and its output is not here");
    }
    surroundings_.queue.after(between(generator_, {}, reading_most), [this, job = effect.job, output, process = process_] {
      if (process != process_) return;
      blobs_.taken(output);
      feed(core::OutputTaken{job, output});
    });
  }
}

}  // namespace dugnad::sim
