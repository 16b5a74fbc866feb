#include "coordinatorless/sim/held_disk.h"

namespace dugnad::sim {
namespace {

constexpr Duration unwritten = std::chrono::seconds(1);

}  // namespace

void HeldDisk::keep(core::KeepHeld&& keep, VirtualTime now) {
  Job& job = jobs_[keep.job];
  if (keep.papers) {
    job.papers = *std::move(keep.papers);
    job.heard = now;
  }
  for (core::RecordEntry& entry : keep.entries) job.entries.emplace_back(now, std::move(entry));
}

void HeldDisk::crash(VirtualTime now) {
  for (auto& [id, job] : jobs_) {
    while (!job.entries.empty() && job.entries.back().first + unwritten > now) job.entries.pop_back();
  }
}

core::HeldRestored HeldDisk::read(VirtualTime now) const {
  core::HeldRestored restored;
  for (const auto& [id, job] : jobs_) {
    auto& held = restored.jobs.emplace_back(core::HeldRestored::Job{job.papers.manifest, job.papers.delegation, now - job.heard, {}});
    for (const auto& [when, entry] : job.entries) held.entries.push_back(entry);
  }
  return restored;
}

}  // namespace dugnad::sim
