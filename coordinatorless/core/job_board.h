// JobBoard: the submitter's side. Holds the own jobs, hands each message to the job it is about, and keeps ended ones just long enough to be asked.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "coordinatorless/core/job.h"

namespace dugnad::core {

class JobBoard {
 public:
  JobBoard(const Self& self, Journal& journal) : self_(self), journal_(journal) {}

  // Each carries out what it makes possible.
  void submit(const JobId& id, Manifest manifest, const JobSubmitted& submitted, Now now, Output& out);
  void append(UnitsAppended appended, Now now, Output& out);
  void cancel(const JobId& job, Now now, Output& out);

  void on_want(const PeerId& from, const Want& want, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on_results(const PeerId& from, const PublicKey& key, Results results, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on_return(const PeerId& from, const Return& returned, Now now, Output& out);

  void connected(const PeerId& peer, Now now);
  void lost(const PeerId& peer, Now now, Output& out);
  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  [[nodiscard]] bool holds(const JobId& job) const { return find(job) != nullptr; }
  [[nodiscard]] std::optional<JobProgress> progress(const JobId& job) const;
  /// Jobs that ended since last asked: they are to be un-announced, and their donors' links are no longer needed for them.
  struct Ended {
    JobId job;
    std::vector<PeerId> donors;
  };
  [[nodiscard]] std::vector<Ended> take_ended();
  /// Whether a job that runs has dealings with this donor.
  [[nodiscard]] bool employs(const PeerId& donor) const;
  [[nodiscard]] bool any_running() const;

 private:
  [[nodiscard]] Job* find(const JobId& job) const;
  void settle_up(const JobId& id, Job& job, Now now, Output& out);

  const Self& self_;
  Journal& journal_;
  std::map<JobId, std::unique_ptr<Job>> jobs_;
  std::vector<Ended> ended_;
};

}  // namespace dugnad::core
