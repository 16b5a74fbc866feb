#include "sdk/sought_jobs.h"

#include <utility>
#include <vector>

#include "coordinatorless/core/codec.h"
#include "sdk/recipe.h"

namespace dugnad::sdk {

void SoughtJobs::found(core::JobFound found) {
  const std::lock_guard lock(mutex_);
  const JobId job = found.job;
  found_.insert_or_assign(job, std::move(found));
  changed_.notify_all();
}

void SoughtJobs::give_up() {
  const std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

Result<void> SoughtJobs::fetch(worker::Node& node, const JobId& job, std::chrono::milliseconds patience) {
  const std::string name = "job " + job.hex();
  if (node.store() == nullptr) return Error{name + " cannot be taken up without a journal"};
  node.post(core::JobSought{job});
  core::JobFound found;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return over_ || found_.contains(job); });
    const auto at = found_.find(job);
    if (at == found_.end()) {
      return Error{"neither the journal in " + node.data_dir() + " nor any steward in reach has " + name +
                   " of this owner's key; copy owner.key of the machine that submitted it here, or wait for its stewards"};
    }
    found = std::move(at->second);
    found_.erase(at);
  }
  const auto manifest = core::decode_manifest(found.manifest.body);
  if (!manifest || !decode_recipe(found.recipe)) return Error{name + " was found, but its stewards do not say how it is to be gone on with"};
  // With no number of its own: the core waits for none of this.
  std::vector<Row> rows{JobRow{job, found.manifest.body, found.recipe, manifest->created}};
  if (!found.finals.empty()) rows.push_back(AcceptedRow{job, std::move(found.finals)});
  node.store()->write(PersistSeq{0}, std::move(rows));
  node.store()->flush();
  return {};
}

}  // namespace dugnad::sdk
