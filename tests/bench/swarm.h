// A small swarm on loopback for one row: workers as processes, and this process as the submitter.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dugnad/swarm.h"
#include "tests/bench/process.h"

namespace dugnad::bench {

class Workers {
 public:
  /// So many processes of `program`, each with one core to donate; the first is whom the others join. All are ready.
  explicit Workers(std::size_t count, const std::string& program = "bench_worker");

  [[nodiscard]] const std::string& swarm() const { return swarm_; }
  [[nodiscard]] const std::vector<std::string>& contacts() const { return contacts_; }
  [[nodiscard]] pid_t pid(std::size_t i) const { return processes_.at(i)->pid(); }
  [[nodiscard]] std::size_t count() const { return processes_.size(); }
  /// Of all of them, so far.
  [[nodiscard]] double cpu_seconds() const;

 private:
  const std::string swarm_;
  std::vector<std::unique_ptr<TemporaryDirectory>> directories_;  // outlive the processes
  std::vector<std::string> contacts_;
  std::vector<std::unique_ptr<Child>> processes_;
};

class Submitter {
 public:
  /// `local`: threads with which it computes no-ops itself.
  Submitter(const Workers& workers, bool journal, unsigned local = 0);
  [[nodiscard]] sdk::Swarm& swarm() { return *swarm_; }
  /// Runs `units` no-ops, so that all workers are linked and have been timed.
  void warm_up(std::size_t units, unsigned copies);

 private:
  TemporaryDirectory directory_;
  std::optional<sdk::Swarm> swarm_;
};

/// `inputs` through `task`, from handing them in until the last verified result has come back, in seconds. Gives up where one fails.
[[nodiscard]] double seconds_to_run(sdk::Swarm& swarm, const std::string& task, std::vector<Bytes> inputs, unsigned copies);
/// The same with further options; and how the job stood at its end.
struct Run {
  double seconds = 0;
  sdk::Progress end;
};
[[nodiscard]] Run run_units(sdk::Swarm& swarm, const std::string& task, std::vector<Bytes> inputs, const sdk::JobOptions& options);

/// `count` inputs of eight bytes, all different.
[[nodiscard]] std::vector<Bytes> no_op_inputs(std::size_t count);
inline constexpr std::size_t no_op_bytes = 8;

}  // namespace dugnad::bench
