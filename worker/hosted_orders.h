// HostedOrders: which jobs the worker of a data directory is to keep running, though whoever submitted them has gone: a file each in `hosted/`, named
// by the job, with the arguments of the program that runs it; beside it that program's log. An order is there until its job has ended.
//
// Written by `dugnad submit --detach`, read by the worker and by whoever wants to know. The file: "dugnad order 1\n", and each argument with a zero
// byte behind it; at most 64 KiB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"

namespace dugnad::worker {

class HostedOrders {
 public:
  explicit HostedOrders(const std::string& data_dir) : directory_(data_dir + "/hosted") {}

  /// On disk when it returns, in place of an earlier one. An error in one line.
  [[nodiscard]] Result<void> put(const JobId& job, const std::vector<std::string>& arguments) const;
  /// nullopt where there is none, or none that can be read.
  [[nodiscard]] std::optional<std::vector<std::string>> get(const JobId& job) const;
  [[nodiscard]] bool has(const JobId& job) const;
  /// The log stays, until the job is ordered again.
  void remove(const JobId& job) const;
  /// In the order of their ids; the first 4,096.
  [[nodiscard]] std::vector<JobId> all() const;
  [[nodiscard]] std::string log_of(const JobId& job) const { return directory_ + "/" + job.hex() + ".log"; }

 private:
  [[nodiscard]] std::string file_of(const JobId& job) const { return directory_ + "/" + job.hex() + ".order"; }
  std::string directory_;
};

}  // namespace dugnad::worker
