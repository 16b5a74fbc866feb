#include "worker/owner.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/codec_fields.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::worker {
namespace {

Result<SignedJob> sign(Bytes manifest, Bytes recipe, const SecretKeys& owner, std::vector<PeerId> delegates, const SwarmId& swarm,
                       std::uint64_t epoch) {
  const auto crypto = make_sodium(owner);
  const auto vouched = [&](core::Domain domain, Bytes body) {
    const Signature signature = crypto->sign(core::signed_bytes(domain, swarm, body));
    return core::Signed{std::move(body), signature};
  };
  const JobId job{hash_of(manifest).bytes};
  Bytes delegation = core::encode(core::Delegation{job, epoch, std::move(delegates)});
  return SignedJob{job, core::JobSubmitted{vouched(core::Domain::manifest, std::move(manifest)),
                                           vouched(core::Domain::delegation, std::move(delegation)), std::move(recipe)}};
}

}  // namespace

Result<SignedJob> make_job(const JobOrder& order, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                           WallTime created) {
  if (!core::is_task_name(order.task)) {
    return Error{"a task's name is 1 to " + std::to_string(core::limits::task_name_max) + " of a-z 0-9 _ . -, unlike this one"};
  }
  if (order.copies < 1 || order.copies > core::limits::copies_max) {
    return Error{"a job takes 1 to " + std::to_string(core::limits::copies_max) + " copies of a unit, not " + std::to_string(order.copies)};
  }
  if (order.unit_limit < Duration{} || order.unit_limit > core::duration_max) return Error{"a unit's time limit is 0 (none) to ten years"};
  if (order.memory_bytes > core::limits::memory_bytes_max) return Error{"a unit gets at most 4 GiB of memory"};
  if (order.module && (order.module->length == 0 || order.module->length > core::limits::module_bytes_max)) {
    return Error{"a compressed module has 1 to " + std::to_string(core::limits::module_bytes_max) + " bytes, not " +
                 std::to_string(order.module->length)};
  }
  if (order.fuel > core::limits::fuel_max || (order.fuel > 0 && !order.module)) return Error{"fuel is a module's, and less than 2^63"};
  core::Manifest manifest{.owner = public_key_of(owner),
                          .nonce = {fresh_seed()},
                          .task = order.task,
                          .task_version = order.task_version,
                          .copies = order.copies,
                          .unit_limit = order.unit_limit,
                          .memory_bytes = order.memory_bytes,
                          .module = order.module,
                          .fuel = order.fuel,
                          .confidence = order.confidence,
                          .created = created};
  if (order.stewards > 0) {
    manifest.stewarded = core::commitment_to(core::assignment_secret(*make_sodium(owner), swarm, manifest.nonce));
  }
  auto job = sign(core::encode(manifest), order.recipe, owner, {submitter}, swarm, 1);
  if (job) job->event.stewards = order.stewards;
  return job;
}

Result<SignedJob> take_up_job(Bytes manifest, Bytes recipe, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                              std::uint64_t epoch, ByteView before) {
  const auto decoded = core::decode_manifest(manifest);
  if (!decoded) return Error{"the journalled job is damaged, or from another version of dugnad"};
  if (decoded->owner != public_key_of(owner)) return Error{"the journalled job belongs to another owner key"};
  std::vector<PeerId> delegates{submitter};
  if (const auto earlier = core::decode_delegation(before)) {
    for (std::size_t i = 1; i < earlier->peers.size() && i <= core::limits::stewards_max; ++i) {
      if (earlier->peers[i] != submitter) delegates.push_back(earlier->peers[i]);
    }
    if (earlier->epoch < UINT64_MAX) epoch = std::max(epoch, earlier->epoch + 1);
  }
  return sign(std::move(manifest), std::move(recipe), owner, std::move(delegates), swarm, epoch);
}

}  // namespace dugnad::worker
