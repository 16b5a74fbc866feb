// PolicyJob: one job run by the trust policies of the core, without peers, messages or time.
//
// What it keeps of the world: donors of lognormal speed, who get leases and audits in proportion to it; leases that are out while others come
// back; donors that leave and come; network groups; saboteurs who return under a new name as soon as they are caught. What it leaves
// out is what dugnad-sim is for. A million units take about a second, so that a table of strategies can be had.
//
// It is the reference for a job's use of the policies: a block's units are leased in random order; each result is accepted, drawn for and
// audited at the level of a block without catches; a mismatch is settled by the submitter's recomputation; a culprit's stakes are reopened;
// at the block's end the level is raised until the block is final.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "coordinatorless/core/audit_plan.h"
#include "coordinatorless/core/retraction.h"
#include "coordinatorless/sim/policy_options.h"

namespace dugnad::sim {

class PolicyJob {
 public:
  explicit PolicyJob(const PolicyOptions& options);
  [[nodiscard]] PolicyOutcome run();

 private:
  using DonorIndex = std::uint32_t;
  using UnitNumber = std::uint32_t;  // in its block
  static constexpr DonorIndex nobody = ~DonorIndex{0};
  // Digests: a gang's wrong answers are alike, all others differ.
  static constexpr std::uint32_t right = 0, gangs = 1;

  struct Donor {
    double speed = 1;
    bool saboteur = false;
    bool probation = false;  // core/admission.h
    bool newcomer = false;
    bool gone = false;
    bool checked = false;  // its first result was recomputed
    std::uint32_t group = 0;
    std::uint64_t final_results = 0;
    LiarMemory memory{};
    core::Culprit record{0, 0, false};
    std::vector<UnitNumber> held{};     // units of this block whose accepted result is its own, some of them no longer
    std::vector<UnitNumber> audited{};  // and that it audited
  };

  struct Auditor {
    DonorIndex donor;
    bool confirmed;  // else still at it
  };

  /// A result that was forfeited with a charged catch, and told before the lie that was hit.
  struct Forfeited {
    std::size_t life;  // in catches_
    std::uint32_t digest;
  };

  struct Unit {
    DonorIndex holder = nobody;
    std::uint32_t digest = right;
    std::uint32_t epoch = 0;  // counts results that were discarded
    bool returned = false;
    bool settled = false;     // by the submitter
    bool probation = false;   // its holder was, when it returned this
    std::uint32_t round = 0;  // of raised levels in which it was returned
    core::AuditDraw draw{};
    std::vector<Auditor> auditors{};
    std::vector<Forfeited> forfeited{};  // what others returned before
  };

  struct Task {
    UnitNumber unit;
    std::uint32_t epoch;
    bool audit;
  };
  struct Flight {
    Task task;
    DonorIndex donor;
  };

  // Who is there, with their speeds summed up.
  enum : std::size_t { workers, newcomers, auditors, crowds };
  struct Crowd {
    std::vector<DonorIndex> donors;
    std::vector<double> until;
  };

  void gather_donors();
  void run_block(std::uint64_t units);
  void work_off();
  void launch(const Task& task);
  void land(const Flight& flight);
  void accept(UnitNumber number, DonorIndex donor);
  void compare(const Flight& flight);
  /// Raises the levels to what the catches call for; false where the block is final.
  bool raise_levels();
  void fill_audits(UnitNumber number);
  [[nodiscard]] const core::AuditLevel& level_of(const Unit& unit) const { return unit.probation ? probation_level_ : level_; }
  [[nodiscard]] core::CatchTally& tally_of(bool probation) { return probation ? probation_tally_ : tally_; }
  void close_block();

  /// How a lie came to light: by its draw, or surely, which is not charged.
  enum class Cause : std::uint8_t { drawn, sure };
  void recompute(UnitNumber number, Cause cause);
  /// `hit`: the unit whose lie was drawn; none where the catch is not charged.
  void convict(DonorIndex donor, std::optional<UnitNumber> hit, bool colluded);
  void reopen_stakes(DonorIndex donor, std::optional<UnitNumber> hit);
  void compare_with_forfeited(UnitNumber number);
  void come_back(DonorIndex donor);
  void churn();

  [[nodiscard]] std::uint32_t answer(DonorIndex donor, const Unit& unit, bool audit);
  [[nodiscard]] DonorIndex pick_worker();
  [[nodiscard]] DonorIndex pick_auditor(const Unit& unit);
  [[nodiscard]] DonorIndex pick(const Crowd& crowd);
  void weigh();

  PolicyOptions options_;
  Generator generator_;
  PolicyOutcome outcome_;
  core::ConfidenceReached reached_;
  std::vector<Donor> donors_;
  bool first_checked_ = false;
  bool anyone_caught_ = false;
  std::uint64_t cost_of_newcomers_ = 0;
  std::uint32_t digests_ = gangs;
  double total_speed_ = 0;  // at the start

  Crowd crowds_[crowds];
  bool weighed_ = false;

  // Of the block.
  core::AuditTerms terms_;
  std::uint64_t caught_results_ = 0;  // returned by established donors that were caught
  core::AuditLevel level_;
  core::CatchTally tally_;
  std::vector<Unit> units_;
  core::AuditLevel probation_level_;
  core::CatchTally probation_tally_;
  bool anyone_on_probation_ = false;                   // returned something
  std::vector<std::pair<core::Catch, bool>> catches_;  // and whether on probation
  double found_before_[2] = {0, 0};                    // the detection before the levels were last raised; the second on probation
  std::uint32_t round_ = 0;                            // how often it was raised
  std::deque<Task> fresh_, audits_;
  std::deque<Flight> flights_;
  std::uint64_t landed_ = 0;
  std::uint64_t standing_ = 0;  // lies
};

}  // namespace dugnad::sim
