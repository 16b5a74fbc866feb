// Session: one job of this program while it runs. Between the user's Job, the plan that cuts units, and the node that gets them computed:
//
//   plan -> node:    units are cut ahead of what was accepted, as far as keeps everybody busy, and no further: a million units, or inputs
//                    without end, do not sit in memory.
//   node -> plan:    where the plan combines, its outputs are accepted by the session's thread before the user sees them.
//   node -> mailbox: else they go to the user directly; a lone unit's result costs the user's wake-up and no other.
//
// Large inputs are kept in the node's store until their unit is accepted, large outputs until they are read: neither lies in memory. Units are cut
// only as far as both have room there; where others have taken it all, the next unit waits for it.
//
// What an earlier run has accepted is told apart unit by unit, as they are cut again: one with the same input is delivered from the journal
// and never leased. A large output of such a unit comes from the store; where others have pushed it out of there, from where its program put it.
//
// Threads: the plan belongs to the session's own thread, which ends with the job. An opened job has neither.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "sdk/inputs.h"
#include "sdk/known_units.h"
#include "sdk/mailbox.h"
#include "sdk/rate.h"
#include "sdk/resume.h"

namespace dugnad::sdk {

using StoredOutput = std::function<std::optional<Bytes>(std::uint64_t unit)>;

/// Where a job's units come from.
struct Source {
  std::unique_ptr<tasks::Plan> plan;   // none: from Job::submit()
  bool combines = false;               // there is an answer
  bool commands = false;               // what Job::submit() takes are command units
  bool checked = false;                // this program checks each result, by the task's own check
  const InputsPlan* inputs = nullptr;  // `plan`, where it is one: it may fail
  KnownUnits known = {};               // mixed in; not where it combines, nor without a plan
  StoredOutput stored_output = {};     // as JobOptions has it
};

/// Why an input cannot be sent; nullopt where it can.
[[nodiscard]] std::optional<Error> fault_of_input(std::uint64_t unit, std::size_t size);

class Session {
 public:
  /// `node` outlives the session's leave().
  Session(worker::Node& node, Prepared prepared, Source source);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // --- The Swarm's side ---

  /// Submits the job. Its notices are to reach the session from now on.
  void start();
  /// Cuts no more units; what is under way goes on.
  void stop_cutting();
  /// The node is gone, or about to be: ends what has not ended. Waits for the session's thread.
  void leave();
  /// The job has ended and its thread with it.
  [[nodiscard]] bool over() const;

  /// What the protocol says of a unit, as its user knows it: for `notice`.
  void name_unit(Notice& notice, UnitIndex unit) const;

  // --- The protocol's thread ---

  void accepted(std::vector<AcceptedUnit> units);
  /// So many units have a result that is not final: they need nobody's time any more.
  void held(std::uint64_t units);
  void ended(JobState state);

  // --- The user's side ---

  [[nodiscard]] Mailbox& mailbox() { return mailbox_; }
  [[nodiscard]] const JobId& id() const { return id_; }
  [[nodiscard]] bool combines() const { return combines_; }
  [[nodiscard]] bool commands() const { return commands_; }
  Result<std::uint64_t> submit(std::vector<Bytes> inputs);
  void close_input();
  void stored(const std::vector<std::uint64_t>& units);
  void cancel();
  [[nodiscard]] Progress progress();

 private:
  using Lock = std::unique_lock<std::mutex>;

  // The session's own thread.
  void run();
  void give_memory_back();
  void cut();
  /// The unit's result of an earlier run, where its input is still the same, a large output still to be had, and the plan takes it.
  [[nodiscard]] std::optional<UnitResult> take_kept(std::uint64_t unit, const Bytes& input, Mailbox::LargeOutputs& large);
  /// Keeps a large input in the store.
  [[nodiscard]] Result<Value> as_value(Bytes& input);
  /// What cutting the unit would pin in the store.
  [[nodiscard]] std::uint64_t blob_bytes_of(std::uint64_t unit, const Bytes& input) const;
  /// A large output stays where it is.
  [[nodiscard]] static UnitResult result_of(AcceptedUnit unit, Mailbox::LargeOutputs& large);
  [[nodiscard]] std::optional<UnitResult> take_kept_large(AcceptedUnit kept, Mailbox::LargeOutputs& large);
  void combine(std::vector<AcceptedUnit> units);
  void finish_combined(JobState state);
  void inputs_failed(const Error& fault);

  // With mutex_ held.
  [[nodiscard]] bool may_cut();
  [[nodiscard]] std::uint64_t look_ahead() const;
  void count_accepted(const Mailbox::Batch& batch);
  [[nodiscard]] End end_of(JobState state) const;

  void wake();
  [[nodiscard]] Mailbox::LargeStore large_store();
  void let_output_go(const Mailbox::Large& large);
  /// Of the store, or of what the program has put elsewhere; nullptr where it is lost.
  [[nodiscard]] std::shared_ptr<const Bytes> read_output(const BlobId& output);
  /// What the program has put elsewhere, where it is that output.
  [[nodiscard]] std::shared_ptr<const Bytes> read_stored(std::uint64_t unit, const BlobId& output) const;
  /// With mutex_ held: the program is to say when it has stored them.
  void await_stored(const Mailbox::LargeOutputs& large);
  /// With mutex_ held.
  void let_inputs_go(const std::vector<AcceptedUnit>& units);
  void let_all_inputs_go();
  /// What large inputs, and large outputs of an earlier run, may pin of the store.
  [[nodiscard]] std::uint64_t blob_room() const;

  // Constant after construction.
  const JobId id_;
  const bool combines_;
  const bool commands_;
  const bool opened_;  // units come through submit()
  const std::shared_ptr<store::BlobStore> blobs_;
  const store::KeptOutputs kept_outputs_;
  const StoredOutput stored_output_;
  const KnownUnits known_;  // user's units have their own numbers, the protocol and the journal others

  Mailbox mailbox_;

  // The Swarm's thread, before start(); then the session's own.
  core::JobSubmitted submitted_;
  const unsigned stewards_;  // wanted
  const std::unique_ptr<tasks::Plan> plan_;
  const InputsPlan* const inputs_;
  KeptUnits kept_;
  std::size_t batch_ = 1;         // units that the next cut takes together
  std::optional<Bytes> waiting_;  // the next unit's input, for which the store had no room
  bool no_room_ = false;          // not because of this job
  bool takes_up_ = false;         // an earlier run's work, and has not given back the memory that it took to read it
  bool gone_said_ = false;        // that outputs of an earlier run are lost
  bool wait_said_ = false;        // that stewards must wait for inputs

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AcceptedUnit> inbox_;  // for the plan
  std::optional<JobState> core_ended_;
  bool stop_cutting_ = false;
  bool left_ = false;
  bool complete_ = false;          // the last unit was cut
  bool starved_ = false;           // the plan waits for outputs
  std::uint64_t cut_ = 0;          // the next unit's index
  std::uint64_t ahead_ = 0;        // appended and not yet accepted; by the plan, where it combines
  std::uint64_t held_ = 0;         // of these, units with a result that is not final
  std::uint64_t input_bytes_ = 0;  // of all small ones that were cut
  std::uint64_t input_blob_bytes_ = 0;  // of large_inputs_
  std::uint64_t earlier_bytes_ = 0;     // of large outputs of an earlier run that were not read yet
  std::uint64_t waiting_bytes_ = 0;     // that cutting the unit of waiting_ would pin
  std::map<std::uint64_t, BlobId> large_inputs_;  // by unit; pinned
  std::map<std::uint64_t, BlobId> unstored_;      // large outputs that were delivered, where the program says when it has stored them; by unit
  std::map<BlobId, std::size_t> unstored_count_;  // of these
  std::map<BlobId, std::vector<std::uint64_t>> elsewhere_;  // units whose output of an earlier run is not in the store but where the program put it
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t resumed_ = 0;
  std::optional<std::uint64_t> expected_;
  RateMeter rate_;
  std::optional<JobLock> job_lock_;
  KeptBlob module_;
  Progress said_;  // by the node, when it was last asked

  std::atomic<bool> thread_over_{true};

  // Guarded by attached_: nullptr once the session has left its swarm. The protocol's and the session's own thread have ended by then.
  std::shared_mutex attached_;
  worker::Node* node_;

  std::thread thread_;
};

}  // namespace dugnad::sdk
