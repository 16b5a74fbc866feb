// JobTrust: what a job by confidence does beside leasing: it puts units into blocks, tells the ledger of results and the table of units of what the
// ledger wants, and knows which donor may have what.
//
// Specification
//   1. Blocks. Where it is known how many units there will be, they are cut as core/confidence.h says. Else a block is what has come once there is
//      enough for a stream's block, or once nothing more has come for block_idle: perhaps the program waits for these results. A combined
//      answer of unknown size gives each further block half of the error that is left.
//   2. A block ends early where what its results hold in memory or at donors passes held_bytes_max, or where all that has come is done and nothing
//      more has for block_starved: perhaps whoever cuts units waits for room.
//   3. Audits: never by a donor on probation while two are established; by one at another address, and in another network, than the holder's, where
//      such donors are enough to bear the load (a tenth, a half). Rationale: who holds an address can have many names there; but one donor elsewhere
//      cannot audit a hundred.
//      Whose results are disputed, two at once, gets nothing more until the submitter has looked. Rationale: what returns garbage at once would
//      otherwise have a window full of it before the first look; and an honest donor waits for one unit's time.
//   4. Admission (core/admission.h) counts leases from the first catch on. Of a donor on probation that is no newcomer, those of the block.
//   5. A unit that no donor there may audit or be leased is recomputed by the submitter; one that nobody there can finish, too.
#pragma once

#include <cstdint>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/endpoint.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/trust_ledger.h"
#include "coordinatorless/core/unit_table.h"

namespace dugnad::core {

[[nodiscard]] ConfidenceGoal goal_of(const WantedConfidence& wanted);

class JobTrust {
 public:
  /// `expected`: units that will come; 0: unknown. `units` outlives it.
  JobTrust(const WantedConfidence& wanted, std::uint64_t expected, UnitTable& units);

  // --- Donors ---

  void joined(DonorIndex donor);
  /// This peer itself, whose results are the truth.
  void set_self(DonorIndex self);
  struct Present {
    DonorIndex donor = 0;
    std::optional<Endpoint> address{};  // none: behind a relay
  };
  /// Who could be leased more, this peer left out.
  void set_present(std::vector<Present> present, bool self_is_able);
  [[nodiscard]] bool is_branded(DonorIndex donor) const { return donor < joined_ && ledger_.standing(donor).branded; }
  /// Rule 4: of `units` more, so many.
  [[nodiscard]] std::size_t leases_allowed(DonorIndex donor, std::size_t units) const;
  void leased(DonorIndex donor, std::size_t units);

  // --- Units ---

  /// Rule 1. What it will cost, the first time that it is known. `complete`: no more will come.
  [[nodiscard]] std::optional<CostExpected> plan(BootTime now, bool complete);
  [[nodiscard]] BootTime next_deadline() const { return plan_again_at_; }
  void appended(BootTime now);
  /// What the table made of a donor's result.
  void voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator& generator);
  /// Rule 5, for units that wait.
  void look_for_stuck();

  /// What has come of it all since last asked.
  struct Turn {
    std::vector<std::pair<UnitIndex, std::vector<std::pair<DonorIndex, LeaseId>>>> unneeded;  // who is still at it
    std::vector<std::pair<UnitIndex, UnitTable::Counted>> finished;                           // final
    std::vector<std::pair<UnitIndex, TrustLedger::Convicted>> convicted;
  };
  /// At most `finished_max` final units at a time; the rest the next time.
  [[nodiscard]] Turn turn(std::size_t finished_max);
  [[nodiscard]] bool has_more() const { return finished_ < ledger_.final_units(); }

  [[nodiscard]] const TrustLedger& ledger() const { return ledger_; }
  /// What it came to so far, for the evidence.
  [[nodiscard]] StatedConfidence stated() const {
    return {goal_.confidence, goal_.combined, goal_.assumed, ledger_.confidence(), ledger_.closed()};
  }
  [[nodiscard]] std::uint64_t held() const { return ledger_.held() + (ledger_.final_units() - finished_); }
  [[nodiscard]] std::uint64_t convicted() const { return convicted_; }
  /// What only this peer can do waits, and it does not compute.
  [[nodiscard]] bool lacks_self() const { return !self_is_able_; }

 private:
  [[nodiscard]] bool may_audit(UnitNumber unit, DonorIndex donor) const;
  /// Of those there. This peer is to, instead.
  void nobody_can(UnitNumber unit);
  [[nodiscard]] bool is_established(DonorIndex donor) const;
  [[nodiscard]] bool any_but_newcomers() const;
  [[nodiscard]] bool few_donors(std::uint64_t donors) const;
  void open_block(std::uint64_t units, double error);
  void fulfil(Turn& turn);

  const ConfidenceGoal goal_;
  UnitTable& units_;
  TrustLedger ledger_;
  std::uint64_t expected_;
  std::uint64_t planned_blocks_ = 0;  // of those that are cut from a known number
  std::uint64_t opened_ = 0;
  double error_left_;  // of a combined answer
  BootTime last_appended_{};
  BootTime waits_since_ = never;  // the first unit that is in no block
  BootTime plan_again_at_ = never;
  UnitNumber finished_ = 0;  // units below were handed on
  std::map<UnitNumber, std::string> failed_here_;  // why this peer could not compute what it alone was to; at most one a unit
  std::uint64_t convicted_ = 0;

  DonorIndex self_ = TrustLedger::nobody;
  DonorIndex joined_ = 0;
  bool self_is_able_ = false;
  std::vector<Endpoint> addresses_;  // by donor; all that are behind a relay count as one
  std::vector<DonorIndex> present_;
  std::map<std::array<std::uint8_t, 16>, std::size_t> at_address_;  // of those present
  std::map<std::uint64_t, std::size_t> in_network_;
  std::size_t established_ = 0;

  std::uint64_t leases_ = 0, newcomers_leases_ = 0;  // since the first catch
  std::map<DonorIndex, std::uint64_t> leased_on_probation_;  // in the block
  UnitNumber probation_block_ = 0;
};

}  // namespace dugnad::core
