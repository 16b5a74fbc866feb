// JobLinks: gets a submitter and its donors linked, whichever of them can be dialled.
//
//   submitter can be dialled            the donor dials it
//   donor can be dialled                the submitter dials it, from its book
//   neither                             the donor goes through a relay that both have dialled, dialling one of the submitter's first where needed
//
// What could not be reached is tried again every job_link_retry; Links itself repeats dials with backoff.
#pragma once

#include <map>

#include "coordinatorless/core/gossip.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/membership.h"
#include "coordinatorless/core/relayed_links.h"

namespace dugnad::core {

class JobLinks {
 public:
  JobLinks(const Self& self, Links& links, Membership& membership, RelayedLinks& relayed)
      : self_(self), links_(links), membership_(membership), relayed_(relayed) {}

  /// A job is served: its submitter is needed. Also when its contact changed.
  void need(const KnownJob& job, Now now, Output& out);
  /// Any other peer with which a job has dealings.
  void need(const ContactRecord& contact, Now now, Output& out);
  void release(const PeerId& peer, Now now);
  /// We have a job and cannot be dialled: every public donor of the book is needed, until told otherwise.
  void seek_donors(bool seek, Now now, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return retry_at_; }
  [[nodiscard]] bool is_up(const PeerId& peer) const { return links_.is_up(peer) || relayed_.carries(peer); }

 private:
  struct Needed {
    ContactRecord contact;
    PeerId told_by;
  };
  void reach(const PeerId& peer, const Needed& needed, Now now, Output& out);
  void schedule(Now now);

  const Self& self_;
  Links& links_;
  Membership& membership_;
  RelayedLinks& relayed_;
  std::map<PeerId, Needed> needed_;  // at most donor_jobs_max, steward_jobs_max and stewards of own jobs
  bool seeking_ = false;
  BootTime retry_at_ = never;
};

}  // namespace dugnad::core
