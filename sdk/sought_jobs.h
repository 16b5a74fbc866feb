// Jobs that are sought among their stewards, since another machine submitted them: who seeks waits on a thread of its own until the protocol's has
// found one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/seam.h"
#include "worker/node.h"

namespace dugnad::sdk {

class SoughtJobs {
 public:
  /// From the protocol's thread.
  void found(core::JobFound found);

  /// Finds the job and writes it into the node's journal, to be taken up like any job of an earlier run. An error in one line: nobody has it within
  /// `patience`, or it is damaged.
  [[nodiscard]] Result<void> fetch(worker::Node& node, const JobId& job, std::chrono::milliseconds patience);
  /// Whoever waits is told that there is nothing to wait for.
  void give_up();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<JobId, core::JobFound> found_;
  bool over_ = false;
};

}  // namespace dugnad::sdk
