// JobBoard: the submitter's side. Holds the own jobs and hands each message to the job it is about. Who speaks of a job that does not run
// here is told so with Closed: a donor of an earlier life of this process means no harm.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/core/early_messages.h"
#include "coordinatorless/core/job.h"
#include "coordinatorless/core/reputation.h"

namespace dugnad::core {

class JobBoard {
 public:
  /// `output_room`: bytes of large outputs that may be here, fetched and not yet taken.
  JobBoard(const Self& self, Journal& journal, BlobWants& blobs, std::uint64_t output_room)
      : self_(self), journal_(journal), commons_{blobs, {output_room, 0}, 0} {}

  /// Before any job.
  void restored(const std::vector<ReputationRow>& donors) { reputations_.restored(donors); }
  [[nodiscard]] const Reputations& reputations() const { return reputations_; }

  // Each carries out what it makes possible.
  void submit(const JobId& id, Manifest manifest, JobSubmitted submitted, Now now, Output& out);
  void append(UnitsAppended appended, Now now, Output& out);
  void cancel(const JobId& job, Now now, Output& out);
  /// Running jobs are left as they are, for another time.
  void leave(Output& out);

  /// `address`: where its link comes from; none behind a relay.
  void on_want(const PeerId& from, const Want& want, std::optional<Endpoint> address, Now now, Output& out);
  /// What was said of a job before it was here: to be said again now.
  [[nodiscard]] std::vector<EarlyMessages::Want> take_early_wants(const JobId& job) { return early_.take_wants(job); }
  /// Results that came before their units were here, and were counted since, each of them.
  [[nodiscard]] std::vector<EarlyMessages::Results> take_heard() { return std::exchange(heard_, {}); }
  [[nodiscard]] std::optional<Charge> on_results(const PeerId& from, const PublicKey& key, Results results, Now now, Output& out);
  /// The last results that came were asked for, each of them, and counted.
  [[nodiscard]] bool counted_all() const { return counted_all_; }
  void on_return(const PeerId& from, const Return& returned, Now now, Output& out);

  // --- Where a job has stewards (core/entrusting.h) ---

  /// Nothing is leased while they are asked what they have.
  void set_waiting(const JobId& job, bool waits, Now now, Output& out);
  /// Results that they have gathered, signed by their donors; `counts` says which. They come in once their units have come.
  struct Gathered {
    PublicKey donor;
    Results results;
    std::vector<bool> counts;
    std::optional<UnitIndex> waits_for{};
  };
  /// `stewards`: who may have large outputs of these.
  void gathered(const JobId& job, Gathered gathered, std::vector<PeerId> stewards);
  [[nodiscard]] std::vector<DeedDonor> present(const JobId& job) const;

  /// Checks of results that this peer has run.
  void on_checked(const std::vector<FinishedAttempt>& checks, Now now, Output& out);
  void on_blob(const BlobWants::News& news, Now now, Output& out);
  /// The program has read an output; the job may be over.
  void on_taken(const OutputTaken& taken, Now now, Output& out);
  void connected(const PeerId& peer);
  void lost(const PeerId& peer, Now now, Output& out);
  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  [[nodiscard]] bool holds(const JobId& job) const { return runs(job) || over_.contains(job); }
  [[nodiscard]] bool runs(const JobId& job) const { return jobs_.contains(job); }
  [[nodiscard]] std::optional<JobProgress> progress(const JobId& job) const;
  /// Jobs that ended since last asked: they are to be un-announced, and their donors' links are no longer needed for them.
  struct Ended {
    JobId job;
    std::vector<PeerId> donors;
  };
  [[nodiscard]] std::vector<Ended> take_ended();
  /// What donors are to be thanked for since last asked.
  [[nodiscard]] std::vector<VerifiedWork> take_verified() { return std::exchange(verified_, {}); }
  /// Whether a job that runs has dealings with this donor.
  [[nodiscard]] bool employs(const PeerId& donor) const;
  /// What a donor may be told of who else has this blob; nullopt where it has been leased nothing that needs it.
  [[nodiscard]] std::optional<Job::InputHelp> help_with(const PeerId& donor, const BlobId& blob) const;
  /// A job that runs has this module.
  [[nodiscard]] bool uses(const BlobId& module) const;
  [[nodiscard]] bool any_running() const { return !jobs_.empty(); }

 private:
  [[nodiscard]] Job* find(const JobId& job) const;
  /// May be the job's end.
  void settle_up(Job& job, Now now, Output& out);
  void settle_one(Job& job, Now now, Output& out);
  /// Whether what is said of an unknown job is to wait.
  [[nodiscard]] bool may_come(const JobId& job, BootTime now);
  /// Results that came before it, or its units, were here.
  void hear_early(Job& job, Now now, Output& out);
  void adopt(Job& job, Now now, Output& out);
  std::optional<Charge> count(Job& job, EvidenceBatch evidence, const PeerId& from, Results results, Now now, Output& out,
                              const std::vector<bool>* only = nullptr);
  /// Room that some job has left serves those that wait for it; jobs that have ended go.
  void end_turn(Now now, Output& out);
  void clear_away();

  const Self& self_;
  Journal& journal_;
  JobCommons commons_;  // before the jobs
  std::map<JobId, std::unique_ptr<Job>> jobs_;  // that run
  std::map<JobId, std::list<Gathered>> gathered_;  // gathered_bytes_max of each steward
  EarlyMessages early_;
  std::vector<EarlyMessages::Results> heard_;
  std::map<JobId, JobProgress> over_;           // those that ended: what became of them is all that is kept
  bool counted_all_ = false;
  bool leaving_ = false;
  std::vector<Ended> ended_;
  Reputations reputations_;
  std::vector<VerifiedWork> verified_;
};

}  // namespace dugnad::core
