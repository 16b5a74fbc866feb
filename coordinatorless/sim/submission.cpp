#include "coordinatorless/sim/submission.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity.h"

namespace dugnad::sim {
namespace {

constexpr std::size_t append_units = 1000;  // at once
constexpr Duration limit_least = std::chrono::seconds(30);
constexpr int limit_units = 30;  // slow donors take several times a unit's mean

core::Signed sign(SimCrypto& owner, const SwarmId& swarm, core::Domain domain, Bytes body) {
  const Signature signature = owner.sign(core::signed_bytes(domain, swarm, body));
  return {std::move(body), signature};
}

}  // namespace

Submission::Submission(const SwarmId& swarm, const JobSpec& spec, SimCrypto& owner, const Hash& nonce, WallTime created)
    : swarm_(swarm), spec_(spec), final_(spec.units, false) {
  core::Manifest manifest;
  manifest.owner = owner.public_key();
  manifest.nonce = nonce;
  manifest.task = task_name;
  manifest.task_version = task_version;
  manifest.copies = spec.copies;
  manifest.unit_limit = std::max<Duration>(limit_least, spec.unit * limit_units);
  manifest.confidence = spec.confidence;
  manifest.created = created;
  if (spec.module_bytes > 0) manifest.module = module_ = BlobId{spec.module_bytes, hash_of(nonce.view())};
  if (spec.stewards > 0) manifest.stewarded = core::commitment_to(core::assignment_secret(owner, swarm_, nonce));
  manifest_ = sign(owner, swarm_, core::Domain::manifest, core::encode(manifest));
  id_ = JobId{hash_of(manifest_.body).bytes};
}

core::JobSubmitted Submission::event(SimCrypto& owner, const PeerId& submitter, const std::vector<PeerId>& stewards) {
  core::Delegation delegation;
  delegation.job = id_;
  delegation.epoch = epoch_ += 1000;  // a peer numbers on by itself
  if (delegation.epoch == 1000) delegation.epoch = 1;
  delegation.peers = {submitter};
  delegation.peers.insert(delegation.peers.end(), stewards.begin(), stewards.end());
  return {manifest_, sign(owner, swarm_, core::Domain::delegation, core::encode(delegation)), to_bytes("dugnad-sim"),
          static_cast<std::uint64_t>(std::count(final_.begin(), final_.end(), false)), spec_.check > 0, spec_.stewards};
}

std::vector<core::UnitsAppended> Submission::missing() const {
  std::vector<core::UnitsAppended> batches;
  batches.push_back({id_, {}, false});
  for (std::uint64_t i = 0; i < spec_.units; ++i) {
    if (final_[i]) continue;
    if (batches.back().units.size() == append_units) batches.push_back({id_, {}, false});
    batches.back().units.push_back({{i}, input({i})});
  }
  batches.back().last = true;
  return batches;
}

void Submission::count(const AcceptedUnit& unit) {
  final_[unit.unit.value] = true;
  if (unit.outcome != Outcome::ok) {
    ++failed_;
    return;
  }
  ++accepted_;
  honest_work_ += cost_of(unit.unit, spec_.unit);
  wrong_ += unit.output == honest_output(input(unit.unit), spec_.output_bytes) ? 0 : 1;
}

std::optional<std::string> Submission::accept(const AcceptedUnit& unit) {
  const std::string name = "unit " + std::to_string(unit.unit.value);
  if (unit.unit.value >= spec_.units) return name + " was never appended and was delivered";
  if (final_[unit.unit.value]) return name + " was delivered twice";
  if (ended()) return name + " was delivered after its job had ended";
  if (unit.input_tag != input_tag_of(input(unit.unit))) return name + " was delivered with another unit's input tag";
  count(unit);
  return std::nullopt;
}

void Submission::restore(const AcceptedUnit& unit) {
  if (unit.unit.value < spec_.units && !final_[unit.unit.value]) count(unit);
}

void Submission::forget() {
  final_.assign(spec_.units, false);
  accepted_ = wrong_ = failed_ = 0;
  honest_work_ = {};
}

std::optional<std::string> Submission::end(JobState state) {
  if (ended()) return "a job ended twice";
  state_ = state;
  const std::uint64_t lost = spec_.units - accepted_ - failed_;
  if (state != JobState::cancelled && lost > 0) return "a job ended with " + std::to_string(lost) + " units neither accepted nor failed";
  return std::nullopt;
}

}  // namespace dugnad::sim
