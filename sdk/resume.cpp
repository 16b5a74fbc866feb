#include "sdk/resume.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/zmq/clocks.h"

namespace dugnad::sdk {
namespace {

Result<std::optional<JobLock>> lock_of(const worker::Node& node, const JobId& job) {
  if (node.store() == nullptr) return std::optional<JobLock>();
  return JobLock::try_lock(node.data_dir(), job);
}

/// With the lock held, so that what was accepted is all there is.
Result<Prepared> take_up(const worker::Node& node, const store::StoredJob& stored, JobLock lock) {
  const auto owner = node.owner_keys();
  if (!owner) return owner.error();
  const auto papers = node.store()->papers(stored.job);
  if (!papers) return papers.error();
  // Each run's delegation is later than the one before, since peers believe the latest alone; also where the clock was put back between them.
  const auto clock = static_cast<std::uint64_t>(zmq::read_clocks().wall.time_since_epoch().count());
  const Bytes before = *papers ? (*papers)->delegation : Bytes{};
  auto job = worker::take_up_job(stored.manifest, stored.recipe, *owner, node.id(), node.swarm(), clock, before);
  if (!job) return job.error();
  if (const auto recipe = decode_recipe(stored.recipe)) job->event.stewards = recipe->stewards;
  KeptUnits kept;
  const auto accepted = node.store()->for_each_accepted(stored.job, [&kept](const std::vector<AcceptedUnit>& units) {
    for (const AcceptedUnit& unit : units) kept.add(unit);
  });
  if (!accepted) return accepted.error();
  kept.done();
  auto held = node.store()->held(stored.job);
  if (!held) return held.error();
  auto leases = node.store()->notes(NoteKind::lease);
  if (!leases) return leases.error();
  std::erase_if(*leases, [&](const NoteRow& lease) { return lease.job != stored.job; });
  job->event.held = *std::move(held);
  job->event.leases = *std::move(leases);
  job->event.accepted = kept.tags();
  return Prepared{*std::move(job), std::move(kept), std::move(lock), {}};
}

/// The state may have changed while nobody held the lock.
Result<bool> still_running(const worker::Node& node, const JobId& job) {
  const auto jobs = node.store()->jobs();
  if (!jobs) return jobs.error();
  return std::any_of(jobs->begin(), jobs->end(),
                     [&](const auto& stored) { return stored.job == job && stored.state == JobState::running; });
}

}  // namespace

worker::JobOrder order_of(const Recipe& recipe) {
  return {.task = recipe.task,
          .task_version = recipe.task_version,
          .copies = recipe.copies,
          .unit_limit = recipe.unit_timeout,
          .recipe = encode(recipe),
          .module = recipe.module,
          .memory_bytes = recipe.memory_bytes,
          .fuel = recipe.fuel,
          .confidence = recipe.confidence,
          .stewards = recipe.stewards};
}

Result<Prepared> prepare_new(const worker::Node& node, const Recipe& recipe) {
  const auto owner = node.owner_keys();
  if (!owner) return owner.error();
  auto job = worker::make_job(order_of(recipe), *owner, node.id(), node.swarm(), zmq::read_clocks().wall);
  if (!job) return job.error();
  auto lock = lock_of(node, job->id);
  if (!lock) return lock.error();
  return Prepared{*std::move(job), {}, *std::move(lock), {}};
}

Result<std::optional<Prepared>> find_unfinished(const worker::Node& node, const Recipe& recipe, const std::string& only) {
  if (node.store() == nullptr || recipe.kind == Recipe::Kind::open) return std::optional<Prepared>();
  const auto jobs = node.store()->jobs();
  if (!jobs) return jobs.error();
  for (auto stored = jobs->rbegin(); stored != jobs->rend(); ++stored) {
    if (stored->state != JobState::running || decode_recipe(stored->recipe) != recipe) continue;
    if (!only.empty() && stored->job.hex() != only) continue;
    auto lock = JobLock::try_lock(node.data_dir(), stored->job);
    if (!lock) return lock.error();
    if (!*lock) continue;
    const auto running = still_running(node, stored->job);
    if (!running) return running.error();
    if (!*running) continue;
    auto prepared = take_up(node, *stored, **std::move(lock));
    if (!prepared) return prepared.error();
    return std::optional(*std::move(prepared));
  }
  return std::optional<Prepared>();
}

Result<Named> take_up_named(const worker::Node& node, const std::string& id) {
  const auto cannot = [&](const std::string& reason) { return Error{"cannot resume job " + id + ": " + reason}; };
  const auto job = JobId::from_hex(id);
  if (!job) return cannot("an id is 64 lower-case hex digits");
  if (node.store() == nullptr) return cannot("there is no journal");
  const auto jobs = node.store()->jobs();
  if (!jobs) return jobs.error();
  const auto stored = std::find_if(jobs->begin(), jobs->end(), [&](const auto& each) { return each.job == *job; });
  if (stored == jobs->end()) return cannot("the journal in " + node.data_dir() + " does not have it");
  auto recipe = decode_recipe(stored->recipe);
  if (!recipe) return cannot("another version of dugnad has submitted it");
  if (recipe->kind != Recipe::Kind::run) return cannot("its inputs come from elsewhere; submit it as it was submitted before");
  auto lock = JobLock::try_lock(node.data_dir(), *job);
  if (!lock) return lock.error();
  if (!*lock) return cannot("a running program works on it");
  const auto running = still_running(node, *job);
  if (!running) return running.error();
  if (!*running) return cannot("it has ended");
  auto prepared = take_up(node, *stored, **std::move(lock));
  if (!prepared) return prepared.error();
  return Named{*std::move(recipe), *std::move(prepared)};
}

}  // namespace dugnad::sdk
