// JobJudge: who decides which results of a job by confidence are final, and what a donor may have of it. JobTrust does by audits, JobChecks by the
// task's own check; the Job leases, waits for outputs and carries out what they say.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/endpoint.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/stated_confidence.h"
#include "coordinatorless/core/trust_ledger.h"
#include "coordinatorless/core/unit_table.h"

namespace dugnad::core {

class JobJudge {
 public:
  virtual ~JobJudge() = default;

  // --- Donors ---

  /// `past`: in other jobs (core/reputation.h).
  virtual void joined(DonorIndex donor, Past past = Past::unknown) = 0;
  /// This peer itself, whose results are the truth.
  virtual void set_self(DonorIndex self) = 0;
  struct Present {
    DonorIndex donor = 0;
    std::optional<Endpoint> address{};  // none: behind a relay
  };
  /// Who could be leased more, this peer left out.
  virtual void set_present(std::vector<Present> present, bool self_is_able) = 0;
  /// What a donor has already.
  struct Load {
    std::size_t leased = 0;  // units
    unsigned slots = 0;
  };
  /// Of `units` more, so many.
  [[nodiscard]] virtual std::size_t leases_allowed(DonorIndex donor, std::size_t units, const Load& load) const = 0;
  virtual void leased(DonorIndex donor, std::size_t units) = 0;

  // --- Units ---

  /// Looks at what has come. What the job will cost, the first time that it is known. `complete`: no more will come.
  [[nodiscard]] virtual std::optional<CostExpected> plan(BootTime now, bool complete) = 0;
  [[nodiscard]] virtual BootTime next_deadline() const = 0;
  virtual void appended(BootTime now) = 0;
  /// What the table made of a donor's result.
  virtual void voted(UnitIndex unit, DonorIndex donor, const UnitTable::Counted& counted, Generator& generator) = 0;
  /// A unit that no donor there may have is this peer's.
  virtual void look_for_stuck() = 0;

  /// What has come of it all since last asked.
  struct Turn {
    std::vector<std::pair<UnitIndex, std::vector<std::pair<DonorIndex, LeaseId>>>> unneeded;  // who is still at it
    std::vector<std::pair<UnitIndex, UnitTable::Counted>> finished;                           // final, or its large output is to be fetched
    std::vector<std::pair<UnitIndex, TrustLedger::Convicted>> convicted;
    std::vector<UnitIndex> accepted;  // units whose large output is here, and right
    std::vector<BlobId> let_go;       // large outputs that are here, and wrong
  };
  /// At most `finished_max` final units at a time; the rest the next time.
  [[nodiscard]] virtual Turn turn(std::size_t finished_max) = 0;
  [[nodiscard]] virtual bool has_more() const = 0;

  /// A donor was proven wrong beside all this: at a unit whose output was known. What it has at stake here is void as after any conviction.
  virtual void convict(DonorIndex donor, UnitIndex unit, bool colluded) = 0;

  // --- What it came to ---

  /// So far, for the evidence.
  [[nodiscard]] virtual StatedConfidence stated() const = 0;
  /// That the final results have reached.
  [[nodiscard]] virtual double confidence() const = 0;
  /// Units that have a result which is not final.
  [[nodiscard]] virtual std::uint64_t held() const = 0;
  /// Times that a donor was proven wrong.
  [[nodiscard]] virtual std::uint64_t convicted() const = 0;
  /// Units that this peer has decided by computing them.
  [[nodiscard]] virtual std::uint64_t own_units() const = 0;
  /// What only this peer can do waits, and it does not compute.
  [[nodiscard]] virtual bool lacks_self() const = 0;
};

}  // namespace dugnad::core
