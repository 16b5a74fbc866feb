// PolicyJob: one job run by the trust policies of the core, without peers, messages or time.
//
// What it keeps of the world: donors of lognormal speed, who get leases and audits in proportion to it; leases that are out while others come
// back; donors that leave and come; network groups; saboteurs who return under a new name as soon as they are caught. What it leaves
// out is what dugnad-sim is for. A million units take about a second, so that a table of strategies can be had.
//
// The verdicts are the product's own (core/trust_ledger.h); leasing is this file's: a block's units in random order, audits first, the
// submitter's recomputations at once.
#pragma once

#include <deque>
#include <vector>

#include "coordinatorless/core/trust_ledger.h"
#include "coordinatorless/sim/policy_options.h"

namespace dugnad::sim {

class PolicyJob {
 public:
  explicit PolicyJob(const PolicyOptions& options);
  [[nodiscard]] PolicyOutcome run();

 private:
  using DonorIndex = core::DonorIndex;
  using UnitNumber = core::UnitNumber;
  static constexpr DonorIndex nobody = core::TrustLedger::nobody;
  // Digests: a gang's wrong answers are alike, all others differ.
  static constexpr core::ShortDigest right = 0, gangs = 1;

  struct Donor {
    double speed = 1;
    bool saboteur = false;
    bool gone = false;
    std::uint32_t group = 0;
    unsigned known_names = 0;  // left
    LiarMemory memory{};
  };
  struct Unit {
    core::ShortDigest digest = right;  // of the result that stands
    std::uint32_t epoch = 0;           // counts results that became void
    std::uint32_t audits_begun = 0;    // queued or out
    std::vector<DonorIndex> asked{};   // to audit it
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
  /// What the ledger wants, until it wants nothing more.
  void fulfil();
  void fill_audits(UnitNumber number);
  void sentence(const core::TrustLedger::Convicted& convicted);
  void come_back(DonorIndex donor);
  void churn();

  [[nodiscard]] Unit& unit_of(UnitNumber number) { return units_[number - first_]; }
  [[nodiscard]] core::ShortDigest answer(DonorIndex donor, UnitNumber unit, bool audit);
  [[nodiscard]] DonorIndex pick_worker();
  [[nodiscard]] DonorIndex pick_auditor(UnitNumber number);
  [[nodiscard]] DonorIndex pick(const Crowd& crowd);
  void weigh();

  PolicyOptions options_;
  Generator generator_;
  core::TrustLedger ledger_;
  PolicyOutcome outcome_;
  std::vector<Donor> donors_;
  core::ShortDigest digests_ = gangs;
  double total_speed_ = 0;  // at the start

  Crowd crowds_[crowds];
  bool weighed_ = false;

  // Of the block.
  core::AuditTerms terms_;
  UnitNumber first_ = 0;
  std::vector<Unit> units_;
  std::deque<Task> fresh_, audits_;
  std::deque<Flight> flights_;
  std::uint64_t landed_ = 0;
  std::uint64_t standing_ = 0;  // lies
};

}  // namespace dugnad::sim
