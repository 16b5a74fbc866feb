// Donor: computes units of others' jobs, and of the own ones. Gives each job it serves standing credit, feeds the executor from what was
// leased, fairly among owners, and returns results in batches under one signature.
//
// Specification
//   1. A job is served when its task is known here or it brings a module, its code is allowed (code_policy.h), it is not closed and there is room
//      (donor_jobs_max). Where all places are taken, a
//      newcomer gets that of the job that gave no work for longest, if that is idle_place or more; else one of the owner with the most, if that
//      leaves this owner no more than that one. An own job always gets one. Rationale: jobs that are only announced, and one owner's many,
//      must not keep others out. One that does not donate serves its own jobs alone.
//   2. The executor holds a little more than executor_feed of work, so that no slot waits for this thread, and no more, so that fairness
//      and Revoke bite.
//   3. Results go off at once where nothing else of that job is in hand or units are long; else they gather up to result_gather, or until
//      half of what was in hand is done. Rationale: a lone unit must not wait; a thousand must not be a thousand messages.
//   4. What a submitter leases beyond the limits goes straight back. Rationale: its leases must not fill this machine's memory. A unit that
//      is here already is not begun again: it has a new lease, unless its input is another now.
//   5. A submitter whose link broke has absent_grace to come back, or as long as the longest of its attempts had run; nothing more is started beyond
//      absent_bytes_max of results. Then its work is dropped, and the job once its announcement must have run out; what is computed waits for
//      it, small values on disk (waiting_results.h) and large ones for their time (held_outputs.h). Rationale: what an hour has gone into is
//      not to be lost with a closed laptop, and nobody who stays away costs more than twice what it had cost.
//   6. Our own owner's jobs come first, then those of owners that have done us favours (favour_accounts.h); among the jobs of one owner, what
//      came first is done first. While somebody who comes first has units here others start in free slots alone, not ahead; and a slot that
//      such a unit leaves waits for the next of its job, for as long as one takes, outranked_pause at most. Rationale: the next lease is a
//      round trip away, and a stranger's unit in between would take as long as a favoured one. Where a unit has waited for outranked_patience
//      behind those of owners that come first, all that waits of its job goes back, and the job's credit is withdrawn until they have wanted
//      nothing for outranked_lull. Rationale: a lease that only waits keeps its units from other donors, and would lapse as this donor's fault.
//   7. A job with a module gets credit once the module is here, and none is started without it. Where the module cannot be had, the job
//      is shelved for a while. Rationale: a lease that only waits for its program keeps its units from others.
//   8. A large input is fetched from the submitter before its unit starts, and meanwhile others start. Where it cannot be had the unit goes back; so
//      does what exceeds the room for inputs or, from half of it on, one owner's share; and one that is slower than a slow relay goes back too.
//      Rationale: one submitter that drips must not keep all others' inputs out. A large output stays here for the submitter (held_outputs.h),
//      also while its job is not known again after a restart.
#pragma once

#include <array>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coordinatorless/core/blob_wants.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/code_policy.h"
#include "coordinatorless/core/fair_share.h"
#include "coordinatorless/core/favour_accounts.h"
#include "coordinatorless/core/held_outputs.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/mandate.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/shelf.h"
#include "coordinatorless/core/waiting_results.h"

namespace dugnad::core {

inline constexpr Duration outranked_pause = std::chrono::milliseconds(250);  // longer than any usual round trip

class Donor {
 public:
  /// `blob_room`: bytes of large inputs, and as many of large outputs, that may be here.
  Donor(const Self& self, BlobWants& blobs, FavourAccounts& accounts, Journal& journal,
        std::vector<std::pair<std::string, std::uint32_t>> tasks, CodePolicy code, unsigned slots, std::uint64_t blob_room);

  /// A job that may be served. True where it is new and will be, or has another submitter now: the caller then sees to a link with the submitter.
  /// `mandate`: the submitter's. It must outrank that of whoever the job is served for and is linked.
  bool learn(const JobId& job, const Manifest& manifest, const PeerId& submitter, Now now, Output& out, const Mandate& mandate = {});
  /// The same of somebody else's job that this peer leases out, as a steward: it is computed by the rules of others' jobs.
  bool learn_led(const JobId& job, const Manifest& manifest, const Mandate& mandate, Now now, Output& out) {
    return learn(job, manifest, self_.id, false, now, out, mandate);
  }
  [[nodiscard]] bool has_room() const { return jobs_.size() < limits::donor_jobs_max; }
  /// For jobs that may be over, which must not keep out those that are known to be live.
  [[nodiscard]] bool has_room_to_spare() const { return jobs_.size() < limits::donor_jobs_max / 2; }
  /// It has ended.
  void forget(const JobId& job, Output& out);
  /// Nothing more is done for whoever leases it out; of one with stewards, large outputs stay for whoever does next, until their time is over.
  void pass_on(const JobId& job, Output& out);

  void on_lease(const PeerId& from, Lease lease, Now now, Output& out);
  void on_revoke(const PeerId& from, const Revoke& revoke, Output& out);
  /// True where its work waits now for whoever leases the job out next.
  [[nodiscard]] bool on_closed(const PeerId& from, const Closed& closed, Now now, Output& out);
  void on_finished(std::vector<FinishedAttempt> finished, Now now, Output& out);
  /// What an earlier process of this donor held for submitters; their jobs are perhaps not known yet.
  void restore(const std::vector<HeldOutput>& outputs, Now now, Output& out) { outputs_.restore(outputs, now, out); }
  /// And what it could not deliver.
  void restore(const WaitingRestored& waiting, Now now, Output& out) { waiting_.restore(waiting.notes, now, out); }

  void on_blob(const BlobWants::News& news, Now now, Output& out);
  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer, Now now, Output& out);
  void allow(unsigned slots, Now now, Output& out);
  /// No new leases; what is not started goes back at once, what runs has leave_grace.
  void leave(Now now, Output& out);
  [[nodiscard]] bool has_left(Now now) const;

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  /// Whether this peer's work for `submitter` is why the link is there.
  [[nodiscard]] bool serves(const PeerId& submitter) const;
  [[nodiscard]] bool serves(const PeerId& submitter, const JobId& job) const;
  /// Submitters of the jobs served.
  [[nodiscard]] std::vector<PeerId> submitters() const;
  /// Jobs forgotten since last asked whose submitter is needed for nothing else.
  [[nodiscard]] std::vector<PeerId> take_released();
  [[nodiscard]] std::uint64_t units_computed() const { return units_computed_; }

 private:
  struct Held {
    UnitIndex unit;
    LeaseId lease;
    Value input;
    Duration valid{};  // of the lease, as it came
    BootTime expires{};
    BootTime fetch_ends = never;  // of an input that is fetched: however long the lease is
    BootTime came{};
    bool fetching = false;  // its input is not here yet
  };
  struct Place {
    std::optional<AttemptId> attempt;   // none: waiting
    std::list<Held>::iterator waiting;  // else meaningless
  };
  struct Served {
    [[nodiscard]] bool idle() const { return units.empty() && finished.empty(); }
    [[nodiscard]] bool may_start() const { return ready && !waiting.empty() && !full; }

    PublicKey owner;
    PeerId submitter;
    Mandate mandate;  // the submitter's
    std::string task;
    std::uint32_t task_version = 1;
    Duration unit_limit{};
    std::optional<BlobId> module;
    Sharing inputs = Sharing::alone;  // of large ones
    bool says_inputs = false;    // stewards may hold it: what was computed from what is signed
    std::uint64_t memory_bytes = 0;
    std::uint64_t fuel = 0;
    bool ready = false;  // its module is here, or it has none
    bool connected = false;
    bool full = false;  // its submitter is away, and enough waits for it
    BootTime lost_at = never;
    BootTime absent_until = never;  // its work is kept that long, where it is lost
    BootTime want_at = never;  // when the credit is said again
    std::list<Held> waiting;           // may start; in the order they came, or their inputs did
    std::list<Held> fetching;          // their inputs are not here yet
    std::map<UnitIndex, Place> units;  // waiting or wanted from the executor
    BootTime work_at{};                // when there was last any
    double unit_seconds = 0;           // measured here; 0: unknown
    std::vector<UnitResult> finished;  // not yet sent
    Bytes finished_inputs;             // their digests, where inputs are said
    std::vector<BlobId> offered;       // inputs of these that others may have then
    std::size_t finished_bytes = 0;
    BootTime finished_first{};  // when the oldest of them finished
    BootTime came_first{};      // when the unit of the oldest of them had come
    BootTime left_slot_at{};    // when a unit of its was done
    bool yields = false;        // rule 6: it has no credit
    BootTime yields_until{};
  };
  struct Running {
    JobId job;
    UnitIndex unit;
    LeaseId lease;
    BootTime came{};
    Duration valid{};
    Duration charged{};
    std::size_t bytes = 0;
    std::optional<BlobId> input{};  // a large one, needed until the attempt is over
    std::optional<std::array<std::uint8_t, input_digest_bytes>> digest{};  // of an input that is said
    PublicKey owner{};
    bool wanted = true;  // false: revoked, the result goes nowhere
    BootTime started{};
    std::optional<std::uint64_t> input_tag{};  // of an attempt that may take long
  };

  bool learn(const JobId& job, const Manifest& manifest, const PeerId& submitter, bool own, Now now, Output& out, const Mandate& mandate);
  /// From one steward to the next: what is in hand stays.
  void change_hands(const JobId& id, Served& job, const PeerId& submitter, const Mandate& mandate, Now now, Output& out);
  void lose(Served& job, BootTime now);
  void keep_what_runs(BootTime now);
  [[nodiscard]] bool can_compute(const Manifest& manifest, bool own) const;
  /// Gives everything back and forgets the job.
  void dismiss(const JobId& id, Output& out);
  void give_up(std::map<JobId, Served>::iterator at, Output& out);
  [[nodiscard]] Served* find(const JobId& job, const PeerId& submitter);
  [[nodiscard]] std::map<JobId, Served>::iterator least_worthy(const PublicKey& newcomer, bool own, BootTime now);
  void drop_work(Served& job, Output& out);
  void stop_waiting(Served& job, std::map<UnitIndex, Place>::iterator at, Output& out);
  void release_input(const PublicKey& owner, const std::optional<BlobId>& input, Output& out);
  [[nodiscard]] bool has_room_for_input(const PublicKey& owner, std::uint64_t bytes) const;
  /// Takes a leased unit in, and fetches what it needs; false where there is no room for that.
  [[nodiscard]] bool take_in(const PeerId& from, Served& job, LeasedUnit&& unit, const Lease& lease, Now now, Output& out);
  /// How an input is fetched. What is one chunk comes sooner than helpers are found.
  [[nodiscard]] static Sharing shares(const Served& job, const BlobId& input) {
    return job.inputs == Sharing::helped && input.length <= chunk_bytes ? Sharing::alone : job.inputs;
  }
  void on_input(const JobId& id, Served& job, const BlobWants::News& news, BootTime now, Output& out);
  /// When an input must be here that is asked for now, behind all others.
  [[nodiscard]] BootTime fetch_ends(BootTime now) const { return now + limits::bulk_patience + limits::blob_time_most(input_bytes_); }
  void drop_expired(const JobId& id, Served& job, BootTime now, Output& out);
  /// Cancels an attempt of `job`; nobody gets its result.
  void abandon(Served& job, std::map<UnitIndex, Place>::iterator at, CancelAttempts& cancel);
  [[nodiscard]] bool renew(const std::pair<const UnitIndex, Place>& here, const LeasedUnit& unit, const Lease& lease, BootTime now);
  void say_want(const JobId& id, Served& job, Now now, Output& out);
  void feed(Now now, Output& out);
  void start_some(const JobId& id, Served& job, Now now, std::vector<AttemptToStart>& starting, Output& out);
  void note(Served& job, const Running& running, FinishedAttempt finished, Now now, Output& out);
  [[nodiscard]] bool should_send(const Served& job, BootTime now) const;
  void send_results(const JobId& id, Served& job, Now now, Output& out);
  void hand_on(Served& job, const Results& batch, Now now, Output& out);
  void send_due(Now now, Output& out);
  void give_back_waiting(const JobId& id, Served& job, Output& out);
  void give_back_running(const JobId& id, Served& job, Output& out);
  void send_return(const JobId& id, const Served& job, const std::vector<UnitIndex>& units, Output& out);
  [[nodiscard]] bool has_work(const PublicKey& owner) const;
  // Rule 6.
  [[nodiscard]] std::optional<FavourAccounts::Rank> highest_waiting() const;
  [[nodiscard]] bool is_held_back(const PublicKey& owner, BootTime now);
  void yield_to_others(Now now, Output& out);
  [[nodiscard]] BootTime yield_deadline() const;

  const Self& self_;
  BlobWants& blobs_;
  FavourAccounts& accounts_;
  const std::vector<std::pair<std::string, std::uint32_t>> tasks_;
  const CodePolicy code_;
  unsigned slots_;
  bool leaving_ = false;
  BootTime left_at_ = never;

  std::map<JobId, Served> jobs_;
  Shelf shelf_;
  FairShare shares_;
  BootTime held_back_until_ = never;
  std::map<AttemptId, Running> running_;  // what the executor holds
  std::vector<PeerId> released_;          // submitters that nothing is done for any more
  Duration running_cost_{};               // expected, of all that the executor holds
  std::size_t units_held_ = 0;            // leased and not yet sent back, all jobs
  std::size_t bytes_held_ = 0;            // inside messages
  const std::uint64_t input_room_;
  std::uint64_t input_bytes_ = 0;         // of large inputs: here, or on their way
  std::map<PublicKey, std::uint64_t> inputs_of_;  // these, by owner
  HeldOutputs outputs_;
  WaitingResults waiting_;
  AttemptId last_attempt_{};
  std::uint64_t units_computed_ = 0;
};

}  // namespace dugnad::core
