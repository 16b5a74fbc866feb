#include "sdk/register_job.h"

#include "coordinatorless/store/keys.h"
#include "coordinatorless/store/store.h"
#include "coordinatorless/zmq/clocks.h"
#include "sdk/job_control.h"
#include "sdk/job_lock.h"
#include "sdk/resume.h"
#include "worker/owner.h"

namespace dugnad::sdk {
namespace {

/// nullopt where there is none.
Result<std::optional<JobId>> find_free(const store::Store& store, const std::string& data_dir, const Recipe& recipe) {
  const auto jobs = store.jobs();
  if (!jobs) return jobs.error();
  for (auto stored = jobs->rbegin(); stored != jobs->rend(); ++stored) {
    if (stored->state != JobState::running || decode_recipe(stored->recipe) != recipe) continue;
    const auto lock = JobLock::try_lock(data_dir, stored->job);
    if (!lock) return lock.error();
    if (*lock) return std::optional(stored->job);
  }
  return std::optional<JobId>();
}

}  // namespace

Result<JobId> register_job(const std::string& data_dir, const SwarmId& swarm, const Recipe& recipe) {
  const auto owner = store::load_or_make_keys(data_dir + "/owner.key");
  if (!owner) return owner.error();
  auto store = store::Store::open(data_dir + "/" + submitter_role + ".journal");
  if (!store) return store.error();
  const auto free = find_free(**store, data_dir, recipe);
  if (!free) return free.error();
  if (*free) return **free;

  const WallTime now = zmq::read_clocks().wall;
  // Whoever resumes it signs a delegation of its own: the one made here is for nobody.
  auto job = worker::make_job(order_of(recipe), *owner, PeerId{}, swarm, now);
  if (!job) return job.error();
  std::string trouble;
  (*store)->on_trouble([&trouble](const std::string& line) { trouble = line; });
  (*store)->write(PersistSeq{1}, {JobRow{job->id, job->event.manifest.body, job->event.recipe, now}});
  (*store)->flush();
  store->reset();  // its thread has ended: trouble is ours alone
  if (!trouble.empty()) return Error{trouble};
  return job->id;
}

}  // namespace dugnad::sdk
