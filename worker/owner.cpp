#include "worker/owner.h"

#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity.h"

namespace dugnad::worker {
namespace {

Result<SignedJob> sign(Bytes manifest, Bytes recipe, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                       std::uint64_t epoch) {
  const auto crypto = make_sodium(owner);
  const auto vouched = [&](core::Domain domain, Bytes body) {
    const Signature signature = crypto->sign(core::signed_bytes(domain, swarm, body));
    return core::Signed{std::move(body), signature};
  };
  const JobId job{hash_of(manifest).bytes};
  Bytes delegation = core::encode(core::Delegation{job, epoch, {submitter}});
  return SignedJob{job, core::JobSubmitted{vouched(core::Domain::manifest, std::move(manifest)),
                                           vouched(core::Domain::delegation, std::move(delegation)), std::move(recipe)}};
}

}  // namespace

Result<SignedJob> make_job(const JobOrder& order, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                           WallTime created) {
  const core::Manifest manifest{.owner = public_key_of(owner),
                                .nonce = {fresh_seed()},
                                .task = order.task,
                                .task_version = order.task_version,
                                .copies = order.copies,
                                .unit_limit = order.unit_limit,
                                .memory_bytes = 0,
                                .created = created};
  Bytes body = core::encode(manifest);
  if (core::decode_manifest(body) != manifest) {
    return Error{"no swarm takes such a job: a task's name is 1 to 64 of a-z 0-9 _ . -, copies are 1 to 64, a unit's limit is "
                 "whole microseconds up to ten years"};
  }
  return sign(std::move(body), order.recipe, owner, submitter, swarm, 1);
}

Result<SignedJob> take_up_job(Bytes manifest, Bytes recipe, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                              std::uint64_t epoch) {
  const auto decoded = core::decode_manifest(manifest);
  if (!decoded) return Error{"the journalled job is damaged, or from another version of dugnad"};
  if (decoded->owner != public_key_of(owner)) return Error{"the journalled job belongs to another owner key"};
  return sign(std::move(manifest), std::move(recipe), owner, submitter, swarm, epoch);
}

}  // namespace dugnad::worker
