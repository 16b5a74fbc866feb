// JobLock: says that a running program works on a job of the journal, so that another one with the same data directory does not take it up too.
// One file for all jobs: a lock is one byte of it, at a place that the job's id chooses, and goes with its program, however that ends.
#pragma once

#include <optional>
#include <string>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/store/files.h"

namespace dugnad::sdk {

class JobLock {
 public:
  /// nullopt where another Swarm, of this process or another, works on the job. An error in one line where the file cannot be made.
  [[nodiscard]] static Result<std::optional<JobLock>> try_lock(const std::string& data_dir, const JobId& job);

 private:
  explicit JobLock(store::Descriptor fd) : fd_(std::move(fd)) {}
  store::Descriptor fd_;
};

}  // namespace dugnad::sdk
