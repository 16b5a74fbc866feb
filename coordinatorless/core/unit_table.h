// UnitTable: the units of one job, each with its attempts while it is open, and the queue of those that want another lease. It knows donors as
// numbers and no time: who may have what when is the Job's affair.
//
// A unit is settled by agreement of `copies` results; or it is told how many results it wants and which one is final, by a ledger
// (core/trust_ledger.h) that counts units in the order in which they came.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/chunked.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/trust_ledger.h"
#include "coordinatorless/core/unit_queue.h"

namespace dugnad::core {

/// What tells one result from another: outcome and output, a large one by its name.
[[nodiscard]] Hash digest_of(Outcome outcome, const Value& output);

class UnitTable {
 public:
  /// `copies` 0: it is told.
  explicit UnitTable(unsigned copies) : copies_(copies) {}

  /// How many donors there are to lease to.
  void set_present(std::size_t donors) { present_ = donors; }
  /// Whether a donor may have a unit of which there are these attempts, where it is not told.
  using MayJoin = std::function<bool(std::span<const AttemptRecord>, DonorIndex)>;
  void set_may_join(MayJoin may_join) { may_join_ = std::move(may_join); }
  void append(std::vector<NewUnit> units);
  /// With the number that it had in an earlier run of the job, where it had one.
  void append(NewUnit unit, std::optional<UnitNumber> number);

  /// The next unit for `donor`, leased to it under `lease`; nullopt where nothing waits that it may have.
  [[nodiscard]] std::optional<LeasedUnit> lease_next(DonorIndex donor, LeaseId lease, Generator& generator);
  /// What `donor` has under lease `old`, under `lease` instead; nullopt where it is not out.
  [[nodiscard]] std::optional<LeasedUnit> renew(UnitIndex unit, DonorIndex donor, LeaseId old, LeaseId lease);
  /// Whether one more attempt at this unit may be made by somebody.
  [[nodiscard]] bool may_race(UnitIndex unit) const;
  /// One more attempt at a unit that waits for a straggler; nullopt where the donor has had it or it is settled, or raced already.
  [[nodiscard]] std::optional<LeasedUnit> lease_race(UnitIndex unit, DonorIndex donor, LeaseId lease);

  struct Settled {
    AcceptedUnit unit;
    std::vector<DonorIndex> agreed;                        // theirs was this one
    std::vector<DonorIndex> outvoted;                      // their results were others
    std::vector<std::pair<DonorIndex, LeaseId>> unneeded;  // still at it, in time or not
    std::vector<DonorIndex> holders;                       // keep a large output of it, whoever was right
  };
  /// The unit waits for a large output that is agreed upon.
  struct Agreed {
    BlobId output;
    std::vector<DonorIndex> holders;                       // the latest vote first: what was kept last is let go last
    std::vector<std::pair<DonorIndex, LeaseId>> unneeded;  // still at it
  };
  /// What is to be kept of a result that evidence does not have.
  struct Unheard {
    std::uint64_t input_tag = 0;
    Bytes output;  // empty where it is brief
  };
  struct Counted {
    enum class Kind : std::uint8_t { taken, late, unasked };
    Kind kind = Kind::unasked;  // late: settled meanwhile; unasked: not this donor's
    std::optional<LeaseId> superseded;  // the donor holds the unit under this newer lease too, needlessly
    std::optional<Settled> settled;
    std::optional<Agreed> agreed;
    bool holds_too = false;  // it returned the output that the unit waits for
    bool is_result = false;  // taken: and no fault of the donor's
    std::optional<Unheard> unheard{};  // it is a result that nobody had returned, and does not settle the unit by itself
    ShortDigest digest = 0;  // told: of the result
    bool blamed = false;     // told: so many could not finish it that the unit itself is to blame
    std::string fault;       // told: this peer could not finish what it alone is to compute
  };
  /// Where it is not told: what an earlier run held of a unit, and what that amounts to.
  [[nodiscard]] Counted restore_votes(UnitIndex unit, std::unique_ptr<UnitHistory> history);

  // --- Where it is told ---

  /// Units of an earlier run of the job, by their numbers: they may come again.
  void set_earlier(std::deque<UnitIndex> units) { by_number_ = std::move(units); }
  [[nodiscard]] bool is_here(UnitNumber number) const;
  /// One that is not here (any more) under this number is nowhere, and nothing can be done to it.
  [[nodiscard]] UnitIndex unit_at(UnitNumber number) const { return is_here(number) ? by_number_[number] : nowhere; }
  [[nodiscard]] UnitIndex name_of(UnitNumber number) const { return by_number_[number]; }
  /// The next unit gets this number, unless it has one.
  [[nodiscard]] UnitNumber numbers() const { return by_number_.size(); }
  /// What an earlier run held of a unit, as far as it stands; so many results are wanted of it.
  void restore(UnitIndex unit, std::unique_ptr<UnitHistory> history, unsigned results_wanted);
  [[nodiscard]] UnitNumber number_of(UnitIndex unit) const {
    const Unit* known = units_.find(unit.value);
    return known != nullptr ? known->number : over_number(unit);
  }
  /// Those below this number wait for leases from now on; others not yet.
  void offer(UnitNumber below);
  /// Who this peer is among the donors: it alone computes what the submitter is to.
  void set_self(DonorIndex self) { self_ = self; }
  /// Whether a donor may audit a unit that has a result.
  using MayAudit = std::function<bool(UnitIndex, DonorIndex)>;
  void set_may_audit(MayAudit may_audit) { may_audit_ = std::move(may_audit); }
  /// So many results in all, at first one.
  void want(UnitIndex unit, unsigned results);
  /// This peer's own, and no further ones; again where it has become more urgent.
  enum class Urgency : std::uint8_t { first, second, third };
  void want_own(UnitIndex unit, Urgency urgency = Urgency::third);
  /// Waiting for this peer, some of them no longer.
  [[nodiscard]] std::size_t own_waiting() const { return own_queues_[0].size() + own_queues_[1].size() + own_queues_[2].size(); }
  /// This donor's result is void; it may try again.
  void discard(UnitIndex unit, DonorIndex donor);
  /// All its results are void; whoever is at it goes on. One result is wanted. True where this peer is at it, whose own it stays.
  bool discard_all(UnitIndex unit);
  /// No further results are wanted; who is still at it.
  [[nodiscard]] std::vector<std::pair<DonorIndex, LeaseId>> enough(UnitIndex unit);
  /// The result of that digest is final: settled, or agreed where it is large.
  [[nodiscard]] Counted finish(UnitIndex unit, ShortDigest digest);
  /// It has failed, whatever was returned.
  [[nodiscard]] Settled fail(UnitIndex unit, const std::string& reason);
  /// A unit that was appended as known is over: who is at it, or keeps a large output of it.
  [[nodiscard]] Settled close(UnitIndex unit);
  /// Whether this peer is to compute anything.
  [[nodiscard]] bool any_own() const;
  /// What the donor has returned of an open unit; nullptr where it has not.
  [[nodiscard]] const Candidate* claim_of(UnitIndex unit, DonorIndex donor) const;
  /// The lease under which it is out to that donor, and in time.
  [[nodiscard]] std::optional<LeaseId> lease_of(UnitIndex unit, DonorIndex donor) const;
  /// Whose results an open unit has.
  [[nodiscard]] std::vector<DonorIndex> returned_by(UnitIndex unit) const;
  [[nodiscard]] Value input_of(UnitIndex unit) const { return units_[unit.value].value(); }
  /// The unit waits for the large output that the donor has returned, which is not final.
  [[nodiscard]] Counted await_output_of(UnitIndex unit, DonorIndex donor);
  /// It does so no more.
  void stop_awaiting(UnitIndex unit);
  /// Units that want a result which none of the donors that `able` names may give; at most `looks` are looked at.
  [[nodiscard]] std::vector<UnitIndex> stuck(std::size_t looks, const std::vector<DonorIndex>& able) const;
  /// Inputs and outputs of units that have a result.
  [[nodiscard]] std::uint64_t bytes_held() const { return bytes_held_; }
  /// Whether anything waits that `donor` may have.
  [[nodiscard]] bool waits_for(DonorIndex donor) const {
    return (donor == self_ && any_own()) || (!queue_.empty() && queue_.has_for(donor));
  }

  /// Whether the unit has come, and waits for results, or is over.
  [[nodiscard]] bool has_come(UnitIndex unit) const {
    return state_of(unit) != State::unknown && (!told() || number_of(unit) < offered_);
  }
  /// A result that somebody else has asked the donor for, under that lease, may be counted: from now on it is as if it had been asked for here. False
  /// where that would say nothing new: where it is told, a further result would be taken for an audit, whose auditor is chosen here alone.
  /// `instead`: the donor may have it under this lease, which is over then.
  [[nodiscard]] bool adopt(UnitIndex unit, DonorIndex donor, LeaseId lease, std::optional<LeaseId> instead = {});

  /// The unit is out to that donor under a lease of an earlier run, which had its reasons. False where it is not wanted of it.
  [[nodiscard]] bool take_up(UnitIndex unit, DonorIndex donor, LeaseId lease);
  /// nullopt where it is not open.
  [[nodiscard]] std::optional<std::uint64_t> input_tag(UnitIndex unit) const {
    return is_open(unit) ? std::optional(units_[unit.value].input_tag) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t input_length(UnitIndex unit) const { return units_[unit.value].input_length(); }

  [[nodiscard]] Counted vote(UnitIndex unit, DonorIndex donor, LeaseId lease, Outcome outcome, Value output);
  /// The output that the unit waits for is here.
  [[nodiscard]] Settled accept(UnitIndex unit);
  /// It is not to be had: the votes for it are void. Those of donors that `is_at_fault` names count as their fault, and they are returned.
  struct Reopened {
    std::vector<DonorIndex> at_fault;
    std::vector<DonorIndex> holders;  // of the output that was not to be had
    Counted counted;                  // what the rest of the attempts amounts to
  };
  [[nodiscard]] Reopened reopen(UnitIndex unit, const std::function<bool(DonorIndex)>& is_at_fault);

  /// The lease ran out: the donor may still answer, the unit does not wait for it. True where it was running.
  bool lapse(UnitIndex unit, DonorIndex donor, LeaseId lease);
  /// The donor gave it back, unstarted: as if it had never had it. The lease it had it under, if it did.
  std::optional<LeaseId> give_back(UnitIndex unit, DonorIndex donor);

  /// So many of the copies can be got of every unit, as far as those that wait tell. `able`: whether a donor is there and would be leased more,
  /// which `able_count` of them are. Units that every able donor has had already are why it may be fewer.
  [[nodiscard]] unsigned copies_in_reach(const std::function<bool(DonorIndex)>& able, std::size_t able_count) const;

  [[nodiscard]] bool is_open(UnitIndex unit) const { return state_of(unit) == State::open; }
  [[nodiscard]] const UnitQueue& queue() const { return queue_; }
  /// Open units whose large output is agreed upon are open still.
  [[nodiscard]] std::uint64_t open() const { return open_; }
  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  static constexpr UnitIndex nowhere{~std::uint64_t{0}};
  enum class State : std::uint8_t { unknown, open, settled };
  struct Unit {
    Bytes input;
    std::unique_ptr<UnitHistory> history;  // while it has attempts
    State state = State::unknown;
    bool queued = false;
    bool large = false;        // `input` is a blob's name
    bool awaited = false;      // agreed upon; its large output is fetched
    std::uint8_t winner = 0;   // awaited: the candidate
    std::uint8_t wanted = 1;      // told: results
    std::uint8_t own_faults = 0;  // told: this peer's
    bool own = false;             // told: this peer is to compute it
    bool known = false;           // told: its output was; it counts nowhere
    std::uint32_t number = 0;     // by the order of coming
    std::uint64_t input_tag = 0;
    [[nodiscard]] Value value() const;
    [[nodiscard]] std::uint64_t input_length() const;
  };

  /// Once all of its units are settled, nothing is left of a chunk but that, and their numbers.
  struct OverChunk {
    std::uint64_t settled = 0;
    std::vector<std::uint32_t> numbers;  // told, all of them settled
  };

  [[nodiscard]] State state_of(UnitIndex index) const {
    if (const Unit* unit = units_.find(index.value)) return unit->state;
    const std::uint64_t chunk = Chunked<Unit>::chunk_of(index.value);
    return chunk < over_.size() && over_[chunk].settled == Chunked<Unit>::chunk_size ? State::settled : State::unknown;
  }
  [[nodiscard]] std::uint32_t over_number(UnitIndex index) const;
  /// Lets go of the chunk that was settled last. Not at once: who settles a unit has it in hand.
  void drop_over();
  [[nodiscard]] Unit* open_unit(UnitIndex index);
  [[nodiscard]] Verdict judged(const Unit& unit) const;
  [[nodiscard]] bool told() const { return copies_ == 0; }
  [[nodiscard]] static Verdict lost_verdict(const std::string& why);
  [[nodiscard]] std::optional<UnitIndex> next_own();
  void hold(const Unit& unit, const Value& output);
  void let_go(const Unit& unit);
  void offer_known();
  [[nodiscard]] bool may_have(UnitIndex index, const Unit& unit, DonorIndex donor) const;
  [[nodiscard]] UnitQueue::Fit fit(UnitIndex index, DonorIndex donor);
  [[nodiscard]] LeasedUnit begin(UnitIndex index, Unit& unit, DonorIndex donor, LeaseId lease);
  void requeue(UnitIndex index, Unit& unit);
  [[nodiscard]] Settled settle(UnitIndex index, Unit& unit, const Verdict& verdict);
  [[nodiscard]] Agreed agree(Unit& unit, std::uint8_t winner);
  /// Acts upon what the attempts amount to now.
  void conclude(UnitIndex index, Unit& unit, Counted& counted);

  const unsigned copies_;
  std::size_t present_ = 0;
  Chunked<Unit> units_;          // by index; chunks that are over are not there
  std::vector<OverChunk> over_;  // by chunk
  std::optional<std::uint64_t> over_next_;  // a chunk that drop_over() is to let go of
  UnitQueue queue_;
  std::deque<UnitIndex> by_number_;  // told
  UnitNumber offered_ = 0;
  std::deque<std::pair<UnitNumber, UnitIndex>> known_units_;  // not offered yet: each comes before the unit of that number
  std::array<std::deque<UnitIndex>, 3> own_queues_;  // by urgency; a unit may stand in several, or be done
  DonorIndex self_ = ~DonorIndex{0};
  MayJoin may_join_;
  MayAudit may_audit_;
  std::uint64_t bytes_held_ = 0;
  std::uint64_t open_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace dugnad::core
