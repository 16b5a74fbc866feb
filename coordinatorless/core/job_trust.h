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
//   5. A unit that no donor there may audit or be leased is recomputed by the submitter; one that nobody there can finish, too. No more of them
//      at a time than it does until the next look. Rationale: whom a partition or a restart has cost its donors has them back in a minute, and
//      would have a day's work of its own by then.
//   6. An auditor may be told who has returned the unit, to fetch a large input from there (core/job_inputs.cpp). Then no further donor is
//      leased it until this one has returned it: if it goes, gives it back or is late, this peer recomputes the unit. Rationale: whoever
//      is audited then learns by whom, after its result is signed. It could strike that auditor down, and hope for an accomplice next; so
//      next is who always finds it. Nor can an auditor that gives a unit back again and again hold it up.
//   7. What the ledger is told is logged (core/held_log.h). Taken up again, the log is told to a new ledger; units come back under their old
//      numbers, with what still stands of their results. One that came back with another input, or not at all, is withdrawn from its block.
#pragma once

#include <cstdint>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/endpoint.h"
#include "coordinatorless/core/held_log.h"
#include "coordinatorless/core/held_units.h"
#include "coordinatorless/core/job_judge.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

[[nodiscard]] ConfidenceGoal goal_of(const WantedConfidence& wanted);

class JobTrust final : public JobJudge {
 public:
  /// `expected`: units that will come; 0: unknown. `units` and `log` outlive it.
  JobTrust(const WantedConfidence& wanted, std::uint64_t expected, UnitTable& units, HeldLog& log);

  // --- Donors ---

  void joined(DonorIndex donor, Past past = Past::unknown) override;
  void set_self(DonorIndex self) override;
  void set_present(std::vector<Present> present, bool self_is_able) override;
  [[nodiscard]] bool is_branded(DonorIndex donor) const { return donor < joined_ && ledger_.standing(donor).branded; }
  /// Rule 4.
  [[nodiscard]] std::size_t leases_allowed(DonorIndex donor, std::size_t units, const Load& load) const override;
  void leased(DonorIndex donor, std::size_t units) override;

  // --- Units ---

  /// Rule 1.
  [[nodiscard]] std::optional<CostExpected> plan(BootTime now, bool complete) override;
  [[nodiscard]] BootTime next_deadline() const override { return plan_again_at_; }
  void appended(BootTime now) override;
  void voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator& generator) override;
  /// Rule 6: whether the donor, which the unit is leased to, is its auditor and may be told.
  [[nodiscard]] bool tell(UnitIndex unit, DonorIndex auditor);
  /// Rule 6: an auditor of it is late. False where none was told.
  bool is_late(UnitIndex unit);
  /// Rule 5, for units that wait.
  void look_for_stuck() override;
  [[nodiscard]] Turn turn(std::size_t finished_max) override;
  [[nodiscard]] bool has_more() const override { return finished_ < ledger_.final_units() || !came_final_.empty(); }

  // --- Of an earlier run: its log first, event by event, then what it was about ---

  /// False where it cannot have happened. `held` has the units that came.
  [[nodiscard]] bool replay(const HeldEvent& event, HeldUnits& held);
  /// A result that was counted. `own`: this peer's.
  [[nodiscard]] bool replay_result(UnitNumber unit, DonorIndex donor, bool own, ShortDigest digest, Generator& draws);
  /// The whole log is told.
  void replayed(const HeldUnits& held, BootTime now);
  /// A unit that the table has got again, under its number.
  void came_again(UnitNumber number, std::unique_ptr<UnitHistory> history);
  void withdraw(UnitNumber number);

  [[nodiscard]] const TrustLedger& ledger() const { return ledger_; }
  void convict(DonorIndex donor, UnitIndex unit, bool colluded) override;
  [[nodiscard]] StatedConfidence stated() const override {
    return {goal_.confidence, goal_.combined, goal_.assumed, ledger_.confidence(), ledger_.closed()};
  }
  [[nodiscard]] double confidence() const override { return ledger_.confidence(); }
  [[nodiscard]] std::uint64_t held() const override {
    return ledger_.held() + (ledger_.final_units() - finished_) + absent_final_.size() + came_final_.size();
  }
  [[nodiscard]] std::uint64_t convicted() const override { return convicted_; }
  [[nodiscard]] std::uint64_t own_units() const override { return ledger_.own(); }
  [[nodiscard]] bool lacks_self() const override { return !self_is_able_; }

 private:
  [[nodiscard]] bool may_audit(UnitNumber unit, DonorIndex donor) const;
  // Rule 6.
  [[nodiscard]] bool was_told(UnitNumber unit) const;
  [[nodiscard]] bool waits_for_told(UnitNumber unit) const;
  void forget_told(UnitNumber unit);
  /// Of those there. This peer is to, instead.
  void nobody_can(UnitNumber unit);
  [[nodiscard]] bool is_established(DonorIndex donor) const;
  [[nodiscard]] bool limits_newcomers() const { return ledger_.anyone_caught() || distrusted_; }
  [[nodiscard]] bool any_but_newcomers() const;
  [[nodiscard]] bool few_donors(std::uint64_t donors) const;
  void open_block(std::uint64_t units, double error);
  void count_block(const AuditTerms& terms);
  void check_first(bool check);
  void end_ledgers_turn();
  void fulfil(Turn& turn);
  struct Final {
    UnitNumber unit = 0;
    ShortDigest digest = 0;
  };
  /// Of the units that are final: notes those that are not here, up to the next one that is; but not what is over, as far as `held` tells.
  void pass_absent(const HeldUnits* held = nullptr);
  void finish(const Final& unit, Turn& turn);
  [[nodiscard]] std::vector<Final>::iterator absent(UnitNumber number);
  [[nodiscard]] static std::unique_ptr<UnitHistory> what_stands(const UnitHistory& history,
                                                                const std::function<bool(DonorIndex, ShortDigest)>& stands);
  void take_out(UnitNumber number);

  const ConfidenceGoal goal_;
  UnitTable& units_;
  HeldLog& log_;
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
  std::map<DonorIndex, UnitIndex> convicted_at_;  // units that are in no block; until the next turn
  std::set<std::pair<UnitNumber, DonorIndex>> told_;  // rule 6; until the donor has returned it, or nothing is audited there any more
  std::size_t recomputed_ = 0;  // by this peer, since the last look for units that are stuck
  bool logged_established_ = true;

  // Of an earlier run.
  std::vector<Final> absent_final_;   // ascending: they come again, or are withdrawn
  std::vector<Final> came_final_;     // and have come again
  std::set<UnitNumber> withdrawn_;    // before they were final

  DonorIndex self_ = TrustLedger::nobody;
  DonorIndex joined_ = 0;
  bool distrusted_ = false;  // somebody joined who was convicted in another job
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
