// Witness: watches a submitter's links from outside and checks, as the world runs, what must hold whatever happens:
//
//   - an accepted unit has its copies: that many *different* donors, each of which held a lease of the unit from a
//     process of the submitter, have returned to it exactly this output under that lease before;
//   - no unit is leased again once it is final, by whatever process;
//   - no unit is accepted twice or lost (submission.h, journal.h), nor before its output is here, nor begun before what it needs is (host.h);
//   - a peer's containers keep their bounds, and it does not spin (host.h).
//
// It decodes what passes by itself and shares no state with the core.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/sim/event_queue.h"
#include "coordinatorless/sim/submission.h"

namespace dugnad::sim {

class Witness {
 public:
  explicit Witness(const EventQueue& queue) : queue_(queue) {}

  /// `submission` outlives the witness.
  void watch(Submission& submission);
  /// Its submitter has restarted: of leases of the process before, those count that its disk has, and what it computed itself is gone. What was
  /// returned before may be held still.
  void restarted(const JobId& job, const std::set<LeaseId>& on_disk);

  /// A submitter hands `frame` to its driver for `to`; and gets one from `from`.
  void sent(const PeerId& to, ByteView frame);
  void received(const PeerId& from, ByteView frame);
  /// The submitter's own attempts count as one donor's.
  void started(const PeerId& self, const core::StartAttempts& effect);
  void finished(const PeerId& self, const std::vector<FinishedAttempt>& attempts);
  void delivered(const core::DeliverResults& effect);
  void ended(const core::JobEnded& effect);

  /// Somebody has returned something for a unit that is not accepted yet.
  [[nodiscard]] bool has_result(const JobId& job, UnitIndex unit) const;

  void violated(const std::string& what);
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t results_seen() const { return results_seen_; }

 private:
  void received(const core::Record& record);
  /// What one unit's leaseholders have returned.
  struct Ballot {
    std::set<std::pair<PeerId, LeaseId>> leases;
    std::map<std::pair<Outcome, Hash>, std::set<PeerId>> votes;
  };
  struct Watched {
    Submission* submission = nullptr;
    std::map<UnitIndex, Ballot> ballots;                             // of units not yet accepted
    std::map<std::pair<PeerId, AttemptId>, UnitIndex> own_attempts;  // the submitters'
  };

  [[nodiscard]] Watched* find(const JobId& job);

  const EventQueue& queue_;
  std::map<JobId, Watched> jobs_;
  std::vector<std::string> violations_;
  std::uint64_t results_seen_ = 0;
};

}  // namespace dugnad::sim
