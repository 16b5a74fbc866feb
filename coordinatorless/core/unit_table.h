// UnitTable: the units of one job, each with its attempts while it is open, and the queue of those that want another lease. It knows donors as
// numbers and no time: who may have what when is the Job's affair.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/unit_queue.h"

namespace dugnad::core {

class UnitTable {
 public:
  explicit UnitTable(unsigned copies) : copies_(copies) {}

  /// How many donors there are to lease to.
  void set_present(std::size_t donors) { present_ = donors; }
  void append(std::vector<NewUnit> units);

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
  struct Counted {
    enum class Kind : std::uint8_t { taken, late, unasked };
    Kind kind = Kind::unasked;  // late: settled meanwhile; unasked: not this donor's
    std::optional<LeaseId> superseded;  // the donor holds the unit under this newer lease too, needlessly
    std::optional<Settled> settled;
    std::optional<Agreed> agreed;
    bool holds_too = false;  // it returned the output that the unit waits for
  };
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

  [[nodiscard]] bool is_open(UnitIndex unit) const { return unit.value < units_.size() && units_[unit.value].state == State::open; }
  [[nodiscard]] const UnitQueue& queue() const { return queue_; }
  /// Open units whose large output is agreed upon are open still.
  [[nodiscard]] std::uint64_t open() const { return open_; }
  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  enum class State : std::uint8_t { unknown, open, settled };
  struct Unit {
    Bytes input;
    std::unique_ptr<UnitHistory> history;  // while it has attempts
    State state = State::unknown;
    bool queued = false;
    bool large = false;        // `input` is a blob's name
    bool awaited = false;      // agreed upon; its large output is fetched
    std::uint8_t winner = 0;   // awaited: the candidate
    [[nodiscard]] Value value() const;
  };

  [[nodiscard]] Unit* open_unit(UnitIndex index);
  [[nodiscard]] Verdict judged(const Unit& unit) const { return judge(*unit.history, copies_, present_); }
  [[nodiscard]] UnitQueue::Fit fit(UnitIndex index, DonorIndex donor);
  [[nodiscard]] LeasedUnit begin(UnitIndex index, Unit& unit, DonorIndex donor, LeaseId lease);
  void requeue(UnitIndex index, Unit& unit);
  [[nodiscard]] Settled settle(UnitIndex index, Unit& unit, const Verdict& verdict);
  [[nodiscard]] Agreed agree(Unit& unit, std::uint8_t winner);
  /// Acts upon what the attempts amount to now.
  void conclude(UnitIndex index, Unit& unit, Counted& counted);

  const unsigned copies_;
  std::size_t present_ = 0;
  std::vector<Unit> units_;  // by index
  UnitQueue queue_;
  std::uint64_t open_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace dugnad::core
