// JobChecks: what a job does whose task can check a result, beside leasing: each result is checked here before it is final, so that one attempt a
// unit is enough, and no share of saboteurs has to be assumed.
//
// Specification
//   1. A unit's first result is checked, with a fresh instance and within the limits of an attempt; where it is right it is final. A large one
//      is fetched first, since a check wants its bytes.
//   2. A check says what to look at, never who is guilty. A result that it calls wrong is computed here; whoever returned something else is convicted
//      (core/retraction.h), and the unit is done. Rationale: somebody has to compute that unit again anyway, so that this costs nothing more than
//      leasing it would; and a check with a bug brands nobody.
//   3. Where this peer computes the very result that the check calls wrong, the check is wrong, and the unit fails with that reason. Rationale: the
//      task's author is to hear of it, rather than the job going on as if it had been checked.
//   4. A check that traps, runs over its time or cannot be run says nothing: the unit is computed here. So is one whose result is that it fails: no
//      check says anything of that.
//   5. Whose result was called wrong gets nothing more until this peer has computed that unit; of its further ones that are called wrong, one at a
//      time is computed. With a conviction, its results that wait, or were called wrong, are void, and their units are leased again.
//   6. A donor may have as many units, leased or with a result that waits, as were found right of it, and checks_untried_max; one that came after
//      the first conviction, or was convicted itself, as many as were found right since, and one. Rationale: whoever lies costs
//      a window, then a unit; under free names, one unit each time.
//   7. This peer computes others' units itself only while nobody else is there, or in slots beyond the first. Rationale: a check is short, and all
//      others would wait for it until a unit was done.
// Further results of a unit, of raced stragglers, count only where the first one does not.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinatorless/core/job_judge.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

class JobChecks final : public JobJudge {
 public:
  /// `expected`: units that will come; 0: unknown. `units` outlives it.
  JobChecks(const WantedConfidence& wanted, std::uint64_t expected, UnitTable& units);

  // --- JobJudge ---

  void joined(DonorIndex donor, Past past = Past::unknown) override;
  void set_self(DonorIndex self) override;
  void set_present(std::vector<Present> present, bool self_is_able) override;
  [[nodiscard]] std::size_t leases_allowed(DonorIndex donor, std::size_t units, const Load& load) const override;
  void leased(DonorIndex, std::size_t) override {}
  [[nodiscard]] std::optional<CostExpected> plan(BootTime now, bool complete) override;
  [[nodiscard]] BootTime next_deadline() const override { return never; }
  void appended(BootTime) override {}
  void voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator& generator) override;
  void look_for_stuck() override;
  [[nodiscard]] Turn turn(std::size_t finished_max) override;
  [[nodiscard]] bool has_more() const override { return !decided_.empty(); }
  void convict(DonorIndex donor, UnitIndex unit, bool colluded) override;
  [[nodiscard]] StatedConfidence stated() const override;
  /// Of results that were all checked, or computed here.
  [[nodiscard]] double confidence() const override { return final_ > 0 ? 1 : 0; }
  [[nodiscard]] std::uint64_t held() const override { return units_held_.size(); }
  [[nodiscard]] std::uint64_t convicted() const override { return convicted_; }
  [[nodiscard]] std::uint64_t own_units() const override { return own_; }
  [[nodiscard]] bool lacks_self() const override { return !self_is_able_; }

  // --- Checks ---

  struct ToCheck {
    UnitIndex unit;
    Value input;
    Value claimed;
  };
  /// Checks to be run now, so that this many slots have enough to do; the result of each is told to checked().
  [[nodiscard]] std::vector<ToCheck> start(unsigned slots);
  enum class Says : std::uint8_t { right, wrong, nothing };
  void checked(UnitIndex unit, Says says, Duration cpu);
  [[nodiscard]] std::size_t running() const { return running_; }
  /// Checks of results, whatever they said.
  [[nodiscard]] std::uint64_t checks() const { return checks_; }

  // --- Large outputs ---

  /// What a unit's result names is here. False where the unit is decided, and so accepted; else it is checked first.
  [[nodiscard]] bool is_to_be_checked(UnitIndex unit);
  /// It is not to be had, and those who returned it have no result any more. `blamed`: the unit itself is to blame.
  void output_lost(UnitIndex unit, bool blamed);

 private:
  enum class Stage : std::uint8_t {
    idle,      // the first result is another, or this peer computes the unit
    fetched,   // its large output is on its way
    waiting,   // for its check
    checking,
    doubted,   // called wrong
    decided,
  };
  struct Result {
    DonorIndex donor = 0;
    ShortDigest digest = 0;
    bool doubted = false;
  };
  /// A unit that has a result and is not final.
  struct Held {
    std::vector<Result> results;  // the first one is looked at
    Stage stage = Stage::idle;
    bool own = false;         // this peer is to compute it
    bool here = false;        // the first result's large output is
    ShortDigest final = 0;    // decided
  };
  struct Standing {
    std::uint64_t right = 0;  // of its results
    std::size_t open = 0;     // that wait to be found right or wrong
    bool latecomer = false;   // came after the first conviction
    bool branded = false;
    std::optional<UnitIndex> accused_of;  // whose unit this peer computes because of it
    Culprit record{0, 0, false};
  };
  using Units = std::map<UnitIndex, Held>;

  /// Looks at the unit's first result.
  void examine(Units::iterator at);
  void want_own(UnitIndex unit, UnitTable::Urgency urgency);
  void accuse(Units::iterator at);
  void decide(Units::iterator at, ShortDigest digest);
  void fail(Units::iterator at, std::string reason);
  void recomputed(UnitIndex unit, ShortDigest digest);
  void given_up(UnitIndex unit, const std::string& reason);
  void sentence(DonorIndex donor, UnitIndex unit, bool colluded);
  /// Takes a donor's results that wait, or were called wrong, away from it.
  void void_results(DonorIndex donor);
  void void_first(Units::iterator at);
  /// Nothing hangs any more on what this peer computes of that unit.
  void end_accusation(DonorIndex donor, UnitIndex unit);
  void drop_output(Units::iterator at);
  void found_right(DonorIndex donor);

  const double goal_;
  const bool combined_;
  const double assumed_;
  UnitTable& units_;
  std::uint64_t expected_;
  bool said_cost_ = false;

  std::vector<Standing> standings_;  // by donor
  std::vector<DonorIndex> present_;
  DonorIndex self_ = TrustLedger::nobody;
  bool self_is_able_ = false;
  bool anyone_caught_ = false;

  Units units_held_;  // at most checks_waiting_max and what is leased
  std::deque<UnitIndex> to_check_;
  std::deque<UnitIndex> to_fetch_;
  std::set<UnitIndex> own_wanted_;
  std::deque<UnitIndex> decided_;
  std::vector<std::pair<UnitIndex, std::string>> failed_;
  std::vector<UnitIndex> accepted_;
  std::vector<BlobId> let_go_;
  std::vector<std::pair<UnitIndex, TrustLedger::Convicted>> convictions_;
  std::size_t running_ = 0;
  double check_seconds_ = 0;  // moving average
  std::uint64_t checks_ = 0, own_ = 0, final_ = 0, convicted_ = 0;
};

}  // namespace dugnad::core
