// KnownAnswers: units of a job by confidence whose right output was known beforehand, and what donors answered them. They try donors for
// nothing of the submitter's time.
//
// Specification
//   1. To a donor such a unit is one like any other: its number stands among theirs, it is leased when they are, and its result goes nowhere.
//   2. Who gives the known output is through with it, and so is the unit.
//   3. Of whom an output differs, the unit goes to a second donor. If that one gives the known output, whoever differed is convicted
//      (core/retraction.h): the job's program and a donor that was never told say the same. Rationale: the given output may be wrong, and an honest
//      donor is never branded for that.
//   4. If the second one differs too, or nobody else is there, this peer computes the unit, which settles it: whoever differs from that is convicted,
//      and where the given output does, that is said, and nobody is blamed for having contradicted it.
//   5. What has not been settled when the job ends convicts nobody.
//   6. Known answers lower no audit. Who is caught by one is not charged as a catch by draw (core/audit_plan.h, rule 5), as those that a first
//      look or a dispute finds. Rationale: a charge reckons with how likely a lie was to be found by its draw; of these nobody
//      says how many there are, and a liar found earlier has fewer lies that stay.
#pragma once

#include <map>
#include <vector>

#include "coordinatorless/core/trust_ledger.h"

namespace dugnad::core {

class KnownAnswers {
 public:
  void add(UnitIndex unit, ShortDigest answer);
  /// Whether it is one of them, and not done.
  [[nodiscard]] bool holds(UnitIndex unit) const { return units_.contains(unit); }

  struct Finding {
    enum class Next : std::uint8_t {
      nothing,
      second,  // donor's result is wanted
      own,     // this peer's is
      done,    // it is not held any more
    };
    struct Guilty {
      DonorIndex donor = 0;
      bool colluded = false;  // another donor gave the same
    };
    Next next = Next::nothing;
    std::vector<Guilty> guilty;
    bool answer_is_wrong = false;
  };
  /// A donor's result. `others`: donors beside this one are there that could be asked.
  [[nodiscard]] Finding returned(UnitIndex unit, DonorIndex donor, ShortDigest digest, bool others);
  /// This peer's own.
  [[nodiscard]] Finding recomputed(UnitIndex unit, ShortDigest digest);
  /// It cannot be settled: nobody could finish it.
  void forget(UnitIndex unit) { units_.erase(unit); }

 private:
  struct Answer {
    DonorIndex donor;
    ShortDigest digest;
  };
  struct Known {
    ShortDigest answer = 0;
    std::vector<Answer> others;  // that differ from it; at most attempts_per_unit_max
  };
  /// Of those that differed from the known output, the ones that differ from `right`.
  [[nodiscard]] static std::vector<Finding::Guilty> guilty_of(const Known& known, ShortDigest right);

  std::map<UnitIndex, Known> units_;  // known_answers_max
};

}  // namespace dugnad::core
