#include "coordinatorless/sim/witness.h"

#include <cstdio>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

/// What tells one output from another.
Hash digest_of(const Value& output) {
  const std::uint8_t large = output.large ? 1 : 0;
  return hash_of({&large, 1}, output.bytes);
}

constexpr std::size_t violations_max = 20;  // the first ones tell the story

}  // namespace

void Witness::watch(Submission& submission) { jobs_[submission.id()].submission = &submission; }

Witness::Watched* Witness::find(const JobId& job) {
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? nullptr : &it->second;
}

void Witness::restarted(const JobId& job, const std::set<LeaseId>& on_disk) {
  Watched* watched = find(job);
  if (watched == nullptr) return;
  watched->own_attempts.clear();
  for (auto& [unit, ballot] : watched->ballots) std::erase_if(ballot.leases, [&](const auto& lease) { return !on_disk.contains(lease.second); });
}

void Witness::sent(const PeerId& to, ByteView frame) {
  const auto message = core::decode(frame);
  if (!message) return violated("a submitter sent what cannot be decoded");
  const auto* lease = std::get_if<core::Lease>(&*message);
  Watched* watched = lease == nullptr ? nullptr : find(lease->job);
  if (watched == nullptr) return;
  for (const core::LeasedUnit& unit : lease->units) {
    if (unit_of(unit.input) != unit.unit) violated("unit " + std::to_string(unit.unit.value) + " was leased with another unit's input");
    if (watched->submission->is_final(unit.unit)) violated("unit " + std::to_string(unit.unit.value) + " was leased after it was final");
    watched->ballots[unit.unit].leases.emplace(to, lease->lease);
  }
}

void Witness::received(const PeerId& from, ByteView frame) {
  const auto message = core::decode(frame);
  if (const auto* record = message ? std::get_if<core::Record>(&*message) : nullptr) return received(*record);
  const auto* results = message ? std::get_if<core::Results>(&*message) : nullptr;
  Watched* watched = results == nullptr ? nullptr : find(results->job);
  if (watched == nullptr) return;
  for (const core::UnitResult& result : results->results) {
    ++results_seen_;
    const auto it = watched->ballots.find(result.unit);
    if (it == watched->ballots.end() || !it->second.leases.contains({from, result.lease})) continue;
    it->second.votes[{result.outcome, digest_of(result.output)}].insert(from);
  }
}

/// What donors have signed counts as theirs, whoever had asked for it.
void Witness::received(const core::Record& record) {
  const auto count = [this](const PublicKey& donor, ByteView frame) {
    const auto message = core::decode(frame);
    const auto* results = message ? std::get_if<core::Results>(&*message) : nullptr;
    Watched* watched = results == nullptr ? nullptr : find(results->job);
    if (watched == nullptr) return;
    for (const core::UnitResult& result : results->results) {
      watched->ballots[result.unit].votes[{result.outcome, digest_of(result.output)}].insert(peer_id_of(donor));
    }
  };
  for (const core::RecordEntry& entry : record.entries) {
    if (entry.donor) {
      count(*entry.donor, entry.body);
    } else if (const auto word = core::decode_owners_word(entry.body); word && word->collected) {
      count(word->collected->donor, word->collected->frame);
    }
  }
}

void Witness::started(const PeerId& self, const core::StartAttempts& effect) {
  for (const core::AttemptToStart& attempt : effect.attempts) {
    if (attempt.claimed) continue;  // a check is nobody's result
    if (Watched* watched = find(attempt.job)) watched->own_attempts[{self, attempt.attempt}] = unit_of(attempt.input);
  }
}

void Witness::finished(const PeerId& self, const std::vector<FinishedAttempt>& attempts) {
  for (auto& [job, watched] : jobs_) {
    for (const FinishedAttempt& attempt : attempts) {
      const auto it = watched.own_attempts.find({self, attempt.attempt});
      if (it == watched.own_attempts.end()) continue;
      ++results_seen_;
      watched.ballots[it->second].votes[{attempt.outcome, digest_of(attempt.output)}].insert(self);
      watched.own_attempts.erase(it);
    }
  }
}

void Witness::delivered(const core::DeliverResults& effect) {
  Watched* watched = find(effect.job);
  if (watched == nullptr) return violated("results were delivered of a job that nobody submitted");
  for (const AcceptedUnit& unit : effect.units) {
    const std::string name = "unit " + std::to_string(unit.unit.value);
    if (unit.outcome == Outcome::ok) {
      const auto ballot = watched->ballots.find(unit.unit);
      std::size_t votes = 0;
      if (ballot != watched->ballots.end()) {
        const auto group = ballot->second.votes.find({unit.outcome, digest_of(unit.output)});
        if (group != ballot->second.votes.end()) votes = group->second.size();
      }
      const JobSpec& spec = watched->submission->spec();
      const std::uint32_t needed = spec.confidence ? 1 : spec.copies;
      if (votes < needed) {
        violated(name + " was accepted on the word of " + std::to_string(votes) + " donors that held it, and needs " +
                 std::to_string(needed));
      }
    }
    if (const auto trouble = watched->submission->accept(unit)) violated(*trouble);
    watched->ballots.erase(unit.unit);
  }
}

void Witness::ended(const core::JobEnded& effect) {
  Watched* watched = find(effect.job);
  if (watched == nullptr) return violated("a job ended that nobody submitted");
  if (const auto trouble = watched->submission->end(effect.state)) violated(*trouble);
}

bool Witness::has_result(const JobId& job, UnitIndex unit) const {
  const auto watched = jobs_.find(job);
  if (watched == jobs_.end()) return false;
  const auto ballot = watched->second.ballots.find(unit);
  return ballot != watched->second.ballots.end() && !ballot->second.votes.empty();
}

void Witness::violated(const std::string& what) {
  if (violations_.size() >= violations_max) return;
  char time[32];
  std::snprintf(time, sizeof time, "%.3f s: ", seconds_of(queue_.now()));
  violations_.push_back(time + what);
}

}  // namespace dugnad::sim
