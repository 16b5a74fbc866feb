// Submission: a job as the user who submitted it sees it. It survives its submitter's crashes, as the user's command line does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/sim/crypto.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {

struct JobSpec {
  std::uint64_t units = 0;
  Duration unit{};  // mean CPU time of a unit at speed 1
  std::uint32_t copies = 2;
  std::uint64_t input_bytes = 0;  // of each unit; above small_bytes_max they are blobs
  std::uint64_t output_bytes = 0;
  std::uint64_t module_bytes = 0;  // of its program; 0: the task is built in
  std::optional<core::WantedConfidence> confidence{};  // instead of copies
  double check = 0;  // what a check costs beside a unit; 0: its task has none
  unsigned stewards = 0;  // peers that hold it while its submitter is away
};

class Submission {
 public:
  /// Signs the manifest with `owner`.
  Submission(const SwarmId& swarm, const JobSpec& spec, SimCrypto& owner, const Hash& nonce, WallTime created);

  [[nodiscard]] const JobId& id() const { return id_; }
  [[nodiscard]] const JobSpec& spec() const { return spec_; }
  [[nodiscard]] std::optional<BlobId> module() const { return module_; }
  [[nodiscard]] Value input(UnitIndex unit) const { return input_of(unit, spec_.input_bytes); }
  /// The event that hands the job to `submitter`'s peer, anew after each crash.
  /// `stewards`: who held it last, as far as the submitter's disk says.
  [[nodiscard]] core::JobSubmitted event(SimCrypto& owner, const PeerId& submitter, const std::vector<PeerId>& stewards = {});
  /// The units that `has` does not name, in batches; the last says so.
  [[nodiscard]] std::vector<core::UnitsAppended> missing() const;

  /// A final result has come; an error says what is wrong with that.
  [[nodiscard]] std::optional<std::string> accept(const AcceptedUnit& unit);
  /// The job has ended; an error says what is wrong with that.
  [[nodiscard]] std::optional<std::string> end(JobState state);
  /// From the journal, after a crash: as accept(), where it is not known yet.
  void restore(const AcceptedUnit& unit);
  /// On another machine, which has nothing of the first one's: nothing is final yet.
  void forget();

  [[nodiscard]] bool is_final(UnitIndex unit) const { return unit.value < final_.size() && final_[unit.value]; }
  [[nodiscard]] bool ended() const { return state_ != JobState::running; }
  [[nodiscard]] JobState state() const { return state_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }  // wrong ones included, failed ones not
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] Duration honest_work() const { return honest_work_; }  // one attempt of each accepted unit

  // What was said to the user.
  std::uint64_t outvoted = 0;
  std::uint64_t convicted = 0;
  std::uint64_t nobody_to_compute = 0;
  std::uint64_t donors_back = 0;
  unsigned stewards = 0;  // that hold all of it

 private:
  void count(const AcceptedUnit& unit);

  SwarmId swarm_;
  JobSpec spec_;
  JobId id_;
  std::optional<BlobId> module_;
  core::Signed manifest_;
  std::uint64_t epoch_ = 0;
  JobState state_ = JobState::running;
  std::vector<bool> final_;
  std::uint64_t accepted_ = 0, wrong_ = 0, failed_ = 0;
  Duration honest_work_{};
};

}  // namespace dugnad::sim
