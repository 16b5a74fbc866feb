// Entrusting: how a submitter leaves its jobs with stewards, and what it does when it is back.
//
// Specification
//   1. Stewards are chosen among the peers that say they are willing, by rendezvous hash: who a job's are follows from its id and from who is there,
//      as near as may be, so that few are asked in vain. Whoever refuses, or says nothing, is passed over; whoever is lost for long is replaced.
//   2. Those that hold the job are named, in that order, by a delegation of the owner's, a newer one whenever they change.
//   3. They are told everything that they need to go on, signed by the owner: the recipe, units, what is final, and a deed (core/assignment.h) of the
//      donors that were there; and, of a job by confidence, results that are not final.
//   4. A submitter that is back follows the records of all stewards that show an owner's delegation, however old, and leases nothing until those
//      of the last one have told all they have, or say that they hold it no more, or gather_patience is over. What they have counts only where
//      it proves itself: signed by its donor, for the unit's own input, by a donor that the newest deed assigns to the unit or that this owner
//      says it asked itself. What follows from it is the job's affair: a steward's word is in none of it. Rationale of the newest alone: with
//      each deed more that counted, whoever knows them all could choose among more donors for a unit. Nor is a deed made that no steward is
//      there to get: the one they have would count no more; nor before all is gathered that the last one lets count. What no deed could
//      assign is dropped as it comes: of a steward's results there are gathered_bytes_max at most.
//   5. A job that was submitted elsewhere is sought (JobSought): the announcement of whoever leads it names its stewards; the owner's key delegates
//      it to this peer, and they tell what they have.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/gossip.h"
#include "coordinatorless/core/job_record.h"
#include "coordinatorless/core/membership.h"
#include "coordinatorless/core/record_check.h"

namespace dugnad::core {

class Entrusting {
 public:
  /// Both outlive it. Without an owner's key nothing is entrusted.
  Entrusting(const Self& self, Membership& membership) : self_(self), membership_(membership) {}

  /// `known`: the epoch of a delegation of the job that somebody has announced; 0: none. Ours is to be later.
  void begin(const JobId& id, const Manifest& manifest, const JobSubmitted& submitted, std::uint64_t known, Now now, Output& out);
  void seek(const JobId& job, Now now);
  /// Of the jobs that are sought, those that nobody was heard to lead.
  [[nodiscard]] std::vector<JobId> sought() const { return {sought_.begin(), sought_.end()}; }
  /// An announcement of a job: perhaps of one that is sought.
  void on_news(const KnownJob& known, Now now, Output& out);
  void end(const JobId& job);
  [[nodiscard]] bool entrusts(const JobId& job) const { return jobs_.contains(job); }
  /// The newest; `other` where the job is not entrusted to anybody.
  [[nodiscard]] Signed delegation_of(const JobId& job, const Signed& other) const {
    const auto at = jobs_.find(job);
    return at == jobs_.end() ? other : at->second->delegation_raw;
  }
  /// Nothing is to be leased yet.
  [[nodiscard]] bool gathers(const JobId& job) const;

  // --- What stewards are told ---

  void appended(const UnitsAppended& units, Now now);
  void accepted(const JobId& job, const std::vector<AcceptedUnit>& units, Now now);
  /// Results that were asked for, all of them, and are signed. Rationale of all: the owner's word covers the frame, and a donor that added what it
  /// was not asked would have chosen its own units.
  void collected(const PublicKey& donor, const Results& results, Now now);

  // --- What they say ---

  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Follow& message, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on(const PeerId& from, Record&& message, Now now, Output& out);
  /// It does not hold the job (any more).
  void on_closed(const PeerId& from, const JobId& job, Now now);
  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer, Now now);

  /// Donors of a job that are there.
  using Present = std::function<std::vector<DeedDonor>(const JobId&)>;
  void tick(Now now, const Present& present, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  // --- What its peer is to see to, since last asked ---

  /// Results that stewards have gathered; `counts`: which of them, by place.
  struct Gathered {
    JobId job;
    SignedResults results;
    std::vector<bool> counts;
    std::vector<PeerId> stewards{};  // who may have large outputs of theirs
  };
  [[nodiscard]] std::vector<Gathered> take_gathered() { return std::exchange(gathered_, {}); }
  /// Jobs whose stewards were all heard, or waited for in vain.
  [[nodiscard]] std::vector<JobId> take_told() { return std::exchange(told_, {}); }
  struct Delegated {
    JobId job;
    Signed manifest;
    Signed delegation;
  };
  [[nodiscard]] std::vector<Delegated> take_delegated() { return std::exchange(delegated_, {}); }
  /// A link with them is needed.
  [[nodiscard]] std::vector<ContactRecord> take_needed() { return std::exchange(needed_, {}); }
  /// It is not, any more.
  [[nodiscard]] std::vector<PeerId> take_released() { return std::exchange(released_, {}); }
  [[nodiscard]] bool needs(const PeerId& peer) const;

 private:
  struct Steward {
    BootTime asked_at{};
    bool linked = false;
    bool holds = false;
    bool whole = false;  // it has had all units that there were, and who may compute them
    BootTime lost_at = never;
  };
  struct Entrusted {
    Entrusted(const JobId& job, std::uint64_t series) : record(job, series) {}
    Manifest manifest;
    Signed manifest_raw, delegation_raw;
    std::uint64_t epoch = 0;
    unsigned wanted = 0;
    Hash secret;
    JobRecord record;
    std::map<PeerId, Steward> stewards;  // asked or holding; stewards_max
    std::set<PeerId> passed_over;        // stewards_passed_over_max
    std::set<PeerId> gave_up;            // of these, that said so themselves: they are not taken at their word again
    BootTime passed_over_since{};        // the first of them
    std::map<PeerId, std::uint64_t> given;  // bytes of results, by each that a delegation named: gathered_bytes_max
    BootTime delegated_at{};
    std::vector<PeerId> delegates;       // as the newest delegation has them, this peer left out
    BootTime choose_at{};
    BootTime delegate_at = never;
    std::vector<Assignment> deeds;       // the newest last; deeds_max
    BootTime deed_at = never;
    Duration deed_again{};               // doubling
    std::uint64_t whole_at = 0;          // the place in the record behind the last units and the first deed
    bool complete = false;               // no more units come
    bool has_large = false;              // some of their inputs are large
    bool begun = false;                  // submitted here
    bool resumed = false;                // after another run of it, here or elsewhere
    bool gathers = false;
    BootTime gather_until = never;
    std::vector<std::pair<SignedResults, bool>> waiting;  // until all were heard; whether the owner says it asked itself
    Bytes recipe;
    std::vector<FinalUnit> finals;       // of a job that is sought
    unsigned said_whole = 0;
  };
  [[nodiscard]] Entrusted* find(const JobId& job);
  [[nodiscard]] std::vector<PeerId> in_order(const JobId& id, std::vector<PeerId> peers) const;
  void say(Entrusted& job, OwnersWord word, Now now);
  void choose(const JobId& id, Entrusted& job, Now now, Output& out);
  static void ask(const Entrusted& job, const PeerId& peer, Output& out);
  void delegate(const JobId& id, Entrusted& job, Now now, Output& out);
  [[nodiscard]] bool is_assigned(const Entrusted& job, const SignedResults& results) const;
  [[nodiscard]] static BootTime delegates_at(const Entrusted& job);
  void renew_deed(const JobId& id, Entrusted& job, const Present& present, Now now);
  void end_gathering(const JobId& id, Entrusted& job, Output& out);
  void judge(const JobId& id, Entrusted& job, SignedResults results, bool collected);
  [[nodiscard]] bool take(const JobId& id, Entrusted& job, RecordEntry entry, const PeerId& from, Now now);
  [[nodiscard]] bool all_heard(const Entrusted& job) const;
  void drop(Entrusted& job, const PeerId& peer, Now now);

  const Self& self_;
  Membership& membership_;
  std::map<JobId, std::unique_ptr<Entrusted>> jobs_;  // own: as many as the program has
  std::set<JobId> sought_;
  std::set<PeerId> linked_;
  std::vector<Gathered> gathered_;
  std::vector<JobId> told_;
  std::vector<Delegated> delegated_;
  std::vector<ContactRecord> needed_;
  std::vector<PeerId> released_;
};

}  // namespace dugnad::core
