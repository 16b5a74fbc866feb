// Job: one job on its submitter's side. Leases units to donors that gave it credit, counts what they return, races stragglers, and hands on what is
// settled. Units and agreement are UnitTable's, the size of a lease is Pace's; here is who gets a lease when, and when one ends.
//
// Specification
//   1. Whoever has standing credit is served as soon as there is something to serve: no round trip between a unit and its lease.
//   2. A donor is refilled once a quarter of its window is free, so that leases and results travel in batches; near the end, a lease takes at most
//      its share of what is left (guided self-scheduling, Polychronopoulos and Kuck 1987), so that all finish together.
//   3. A lease ends when every unit came back, or lapses at its expiry, or lost_grace after its donor's link broke. A donor that lets leases lapse
//      is left out for a while, doubling: silence costs the job little. Where the link comes back in time, what is still out is leased again to
//      the same donor, until the same time: it goes on with what it has, and begins what was lost. So it is after a restart with leases that were
//      out for long (lease_notes.h), but that everybody has restored_grace to find the submitter again.
//   4. Units whose donor takes race_slack times the usual turnaround are leased once more to donors for whom nothing waits.
//   5. A donor that was outvoted outvoted_max times gets nothing more while enough others are there.
//   6. Whatever no longer matters is revoked.
//   7. Inputs and expected outputs leased to one donor at once keep within leased_bytes_max, large inputs within leased_blobs_max. Nothing is leased
//      while agreed outputs wait for room here. Large outputs expected of one donor and awaited from it keep within promised_blobs_max. Rationale:
//      what one donor computes faster than it is fetched it could not keep.
//   8. A donor that returns units, or fails at all it has while others are there, is left out for a while. Rationale: else the two would
//      pass the same units to and fro as fast as the link carries them.
//   9. A donor that outputs_unkept_max times in a row was gone with what it had promised, or had it no more, is left out for a while, doubling until
//      an output of its is here. Rationale: once is bad luck; over and over it costs the job as much as lies.
//  10. Of a job by confidence, verdicts are JobTrust's, or JobChecks' where the task can check a result; whoever is branded gets nothing more, and
//      what it had goes to others at once.
//  11. Of a job by copies, Placement says whose copies go together. It reckons with donors that answer: not with one that was silent or gave units
//      back, until a result of its comes. Rationale: nobody is waited for who might never come.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/core/awaited_outputs.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/favours.h"
#include "coordinatorless/core/held_log.h"
#include "coordinatorless/core/held_units.h"
#include "coordinatorless/core/job_checks.h"
#include "coordinatorless/core/job_judge.h"
#include "coordinatorless/core/job_trust.h"
#include "coordinatorless/core/journal.h"
#include "coordinatorless/core/known_answers.h"
#include "coordinatorless/core/lease_book.h"
#include "coordinatorless/core/lease_notes.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/pace.h"
#include "coordinatorless/core/peer.h"
#include "coordinatorless/core/placement.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/unit_table.h"

namespace dugnad::core {

/// What the jobs of one peer share.
struct JobCommons {
  BlobWants& blobs;
  OutputRoom outputs;
  std::size_t running = 0;  // jobs
  std::uint64_t last_check = 0;  // of the attempts that are checks
};

/// Attempts that are checks have numbers of their own, apart from those that a Donor gives.
inline constexpr std::uint64_t first_check = std::uint64_t{1} << 63;

class Job {
 public:
  /// `submitted`: what an earlier run of it held is taken up.
  Job(const Self& self, JobCommons& commons, const JobId& id, Manifest manifest, JobSubmitted submitted, Now now);

  /// Donors that have leases of an earlier run: each is told how it stands before the units come.
  [[nodiscard]] std::set<PeerId> earlier_donors() const { return lease_notes_.donors(); }
  void expect(const PeerId& donor, Past past);

  void append(UnitsAppended appended, Now now);
  /// `address`: where its link comes from; none behind a relay.
  void on_want(const PeerId& from, const Want& want, std::optional<Endpoint> address = {}, Past past = Past::unknown);
  /// The signature has been checked. nullopt where every result was asked for.
  [[nodiscard]] std::optional<Charge> on_results(const PeerId& from, Results results, Now now, Output& out,
                                                 const std::vector<bool>* only = nullptr);
  /// Places, ascending, of the results in the last such batch that were counted.
  [[nodiscard]] const std::vector<std::uint32_t>& counted() const { return counted_; }
  /// What is to be kept together with the evidence of that batch.
  [[nodiscard]] HeldLog::Part take_log() { return log_.take(); }
  void on_return(const PeerId& from, const Return& returned, Now now);
  /// Stewards are asked what they have gathered meanwhile: nothing is leased until then.
  void set_waiting(bool waits) { waits_ = waits; }
  /// Of a job by confidence: as settle_up() does, where that is possible.
  void open_blocks(Now now);
  /// More units have come, or are in blocks, since last asked.
  [[nodiscard]] bool may_adopt_more();
  /// The first unit of results that stewards have gathered which has not come, and still may.
  [[nodiscard]] std::optional<UnitIndex> first_to_come(const Results& results) const;
  /// Results under leases of an earlier run, of units that have not come.
  [[nodiscard]] bool are_early(const Results& results) const;
  [[nodiscard]] bool is_to_come(UnitIndex unit) const { return !units_.has_come(unit) && !(complete_ && !units_.is_open(unit)); }
  /// Takes those at the places that `counts` names for asked for here, where their donor computed them from the units' own inputs: by place, which.
  /// They, and nothing else of that frame, may come in next. Empty where nothing of it is news.
  [[nodiscard]] std::vector<bool> adopt(const PeerId& donor, const Results& results, const std::vector<bool>& counts, Past past);
  /// Who may have large outputs of what was adopted.
  void set_stewards(std::vector<PeerId> stewards) { stewards_ = std::move(stewards); }
  /// Donors that are there and have credit, this peer left out.
  [[nodiscard]] std::vector<DeedDonor> present() const;
  /// What a donor that asks who else has a large input is told: the others that have asked, or these.
  struct InputHelp {
    bool askers = false;
    std::vector<PeerId> holders{};
  };
  /// nullopt where that donor has been leased no such unit.
  [[nodiscard]] std::optional<InputHelp> help_with(const PeerId& donor, const BlobId& input);
  /// Whether it is about this job's outputs.
  bool on_blob(const BlobWants::News& news) { return outputs_.on_blob(news); }
  /// The program has read an output.
  void on_taken(const BlobId& output, Output& out) { outputs_.leave(output, out); }
  /// Outputs wait until others were taken.
  [[nodiscard]] bool waits_for_room() const { return outputs_.wait_for_room(); }
  /// A check that this peer has run, where it is one of this job's.
  void on_checked(const FinishedAttempt& check);
  void connected(const PeerId& peer);
  void lost(const PeerId& peer, Now now);
  void cancel() { ending_ = JobState::cancelled; }
  /// This process ends before the job does: nothing more is leased, and donors forget it until it is announced again.
  void leave(Output& out);

  /// Carries out what is due and what the calls above made possible; after each of them, and at the deadline.
  void settle_up(Now now, Journal& journal, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return deadline_; }

  [[nodiscard]] const JobId& id() const { return id_; }
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] JobProgress progress() const;
  [[nodiscard]] bool ended() const { return ended_; }
  /// nullptr where no results are held until a block is final.
  [[nodiscard]] const JobTrust* ledger() const { return ledger_; }
  [[nodiscard]] std::vector<PeerId> donors() const;
  [[nodiscard]] bool knows(const PeerId& donor) const { return index_of_.contains(donor); }
  /// Whose results were agreed upon or became final, others than this peer: what there is every thanks_interval and at the end.
  [[nodiscard]] std::vector<VerifiedWork> take_verified() { return std::exchange(verified_, {}); }
  /// Donors that were convicted since last asked.
  [[nodiscard]] std::vector<std::pair<PeerId, Sentence>> take_sentenced() { return std::exchange(sentenced_, {}); }

 private:
  struct Donor {
    PeerId id;
    std::optional<Endpoint> address{};
    Pace pace{};
    bool connected = true;
    unsigned slots = 0;
    std::size_t leased = 0;  // units out, not lapsed
    BootTime lost_at = never;
    BootTime shunned_until{};
    unsigned lapses = 0;  // in a row
    unsigned outvoted = 0;
    unsigned unkept = 0;  // times in a row that it was gone with an output, or had it no more
    double large_bytes = 0;  // of large outputs, a unit: moving average
    bool counted = false;  // a result of its was taken
    bool confirmed = false;  // one of its copies agreed with another's
    bool refused = false;    // it gave units back since
    std::uint64_t unthanked = 0;  // results of its that were verified since sum_up_work()
  };
  /// The same, known to the judge from now on.
  [[nodiscard]] std::optional<DonorIndex> join(const PeerId& peer, Past past);
  /// The place of a donor that is known, or of a newcomer; nullopt where all are taken.
  [[nodiscard]] std::optional<DonorIndex> place_for(const PeerId& peer);
  [[nodiscard]] Donor* find(const PeerId& peer, DonorIndex* index = nullptr);
  /// There, and leased more units, now or once it is not left out for a while any more.
  [[nodiscard]] bool is_able(const Donor& donor) const;
  [[nodiscard]] bool may_serve(const Donor& donor, BootTime now) const;
  [[nodiscard]] bool is_hungry(DonorIndex index, BootTime now) const;
  /// Beside what it has and `units` more, whose inputs are `besides`.
  [[nodiscard]] bool may_have_more(DonorIndex index, const BytesOut& besides, std::size_t units) const;

  void renew(BootTime now, Output& out);
  void serve(BootTime now, Output& out);
  bool serve_one(DonorIndex index, BootTime now, Output& out);
  void send_lease(DonorIndex index, std::vector<LeasedUnit> picked, BootTime now, Output& out);
  void race(const std::vector<DonorIndex>& idle, BootTime now, Output& out);
  [[nodiscard]] std::vector<UnitIndex> stragglers(BootTime now) const;
  [[nodiscard]] Duration validity(const Donor& donor) const;
  [[nodiscard]] Duration straggling() const;
  bool unit_back(LeaseId lease, DonorIndex donor, UnitIndex unit);
  void lapse_lease(LeaseId lease, bool silent, BootTime now);
  void shun(Donor& donor, BootTime now);
  void expire(BootTime now);
  void conclude(UnitIndex unit, UnitTable::Counted counted);
  void await_output(UnitIndex unit, const UnitTable::Agreed& agreed);
  void end_outputs(Now now, Output& out);
  void accept(UnitIndex unit);
  void reopen(const AwaitedOutputs::Ended& ended, BootTime now);
  void unneeded(UnitIndex unit, const std::vector<std::pair<DonorIndex, LeaseId>>& attempts);
  void take(UnitTable::Settled settled);
  void take_known(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Output& out);
  void end_known(UnitIndex unit);
  void start_checks(Output& out);
  void cancel_checks(Output& out);
  // What an earlier run of it held.
  void choose_judge(const JobSubmitted& submitted);
  void restore(JobSubmitted& submitted, Now now);
  void forget_earlier(const JobSubmitted& submitted);
  [[nodiscard]] bool replay(const HeldRow& row);
  [[nodiscard]] bool replay(const HeldEvent& event, packed::Reader& evidence);
  [[nodiscard]] bool replay_donor(const held::DonorJoined& joined);
  [[nodiscard]] bool replay_results(const held::ResultsCame& came, const EvidenceBatch& batch);
  [[nodiscard]] bool replay_result(DonorIndex donor, bool own, const EvidenceResult& result, const held::NewResult* fresh);
  void append_one(NewUnit unit);
  void take_up_leases(UnitIndex unit, BootTime now);
  void log_came();
  void withdraw_missing();
  /// Of a job that is judged by a check of each result, nothing is held that another run could use.
  [[nodiscard]] bool logs_results() const { return ledger_ != nullptr || trust_ == nullptr; }
  /// Those that a unit's auditor may be told of.
  void add_audited(UnitIndex unit, DonorIndex auditor, std::vector<PeerId>& holders);
  void say_who_is_able();
  // By confidence.
  void take_turn(BootTime now, Output& out);
  void convict(const TrustLedger::Convicted& convicted, UnitIndex unit, BootTime now);
  void say_what_is_held(Output& out);
  [[nodiscard]] bool gathers(BootTime now) const;
  void hand_on(BootTime now, Journal& journal, Output& out);
  void note_leases(Now now, Journal& journal, Output& out);
  void send_revokes(Output& out);
  void say_verdicts(Output& out);
  void say_who_is_there(BootTime now, Output& out);
  void finish(JobState state, Journal& journal, Output& out);
  void sum_up_work(BootTime now);
  [[nodiscard]] BootTime find_deadline() const;

  const Self& self_;
  JobCommons& commons_;
  const JobId id_;
  const Manifest manifest_;
  UnitTable units_;
  std::unique_ptr<JobJudge> trust_;  // of a job by confidence
  JobChecks* checks_ = nullptr;      // that, where it is one
  std::map<AttemptId, UnitIndex> checking_;
  KnownAnswers known_;
  HeldLog log_;
  Placement placement_;              // of one by copies
  JobTrust* ledger_ = nullptr;       // the judge, where it is one by audits: results are held until a block is final
  std::optional<Generator> draws_;   // of its audits
  std::unique_ptr<HeldUnits> held_;  // of an earlier run
  held::UnitsCame came_{};           // not logged yet

  std::deque<Donor> donors_;  // by index; donors_per_job_max
  std::map<PeerId, DonorIndex> index_of_;
  LeaseBook leases_;
  LeaseNotes lease_notes_;
  std::set<std::pair<LeaseId, UnitIndex>> taken_up_;  // lease_note_units_max
  BootTime restored_until_{};  // until then whoever had a lease of an earlier run may come back
  AwaitedOutputs outputs_;
  std::vector<PeerId> stewards_;       // stewards_max
  std::set<UnitIndex> adopted_large_;  // units whose large output was gathered by them, until it is here
  std::set<DonorIndex> to_renew_;  // their links broke and are back; leases may have been lost on the way, or results

  std::vector<std::uint32_t> counted_;
  std::vector<AcceptedUnit> settled_;  // since the last hand_on
  BootTime settled_first_ = never;        // when the oldest of them was
  std::map<DonorIndex, std::vector<UnitIndex>> revoked_;
  std::vector<DonorOutvoted> outvoted_;
  std::vector<DonorConvicted> convicted_;
  std::optional<CostExpected> cost_;
  std::uint64_t said_held_ = 0;
  bool able_changed_ = true;  // who could be leased more
  BootTime stuck_again_at_{};

  std::set<DonorIndex> unkept_;        // had no output to give in this turn, without being at fault
  double large_bytes_ = 0;           // of large outputs that were accepted, a unit: moving average; what is expected of a newcomer
  double output_bytes_ = 0;          // of a small output, moving average
  double turnaround_ = 0;            // seconds from lease to result, moving average
  BootTime serve_again_at_ = never;  // stragglers to look for, or a queue to look through further
  BootTime race_again_at_{};
  BootTime thanks_at_ = never;  // somebody is unthanked
  std::vector<VerifiedWork> verified_;
  std::vector<std::pair<PeerId, Sentence>> sentenced_;
  BootTime settled_up_at_{};
  BootTime deadline_ = never;  // as of then: it is asked for far more often than it changes
  std::size_t trusted_ = 0;    // donors there that were not outvoted too often
  BootTime alone_since_ = never;
  bool said_alone_ = false;
  bool complete_ = false;  // every unit was appended
  bool leaving_ = false;
  bool waits_ = false;
  std::uint64_t came_so_far_ = 0;  // when last asked
  bool ended_ = false;
  std::optional<JobState> ending_;
  JobProgress counts_;
};

}  // namespace dugnad::core
