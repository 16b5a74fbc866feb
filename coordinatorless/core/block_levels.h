// BlockLevels: how much of one block is audited now, by what has come to light in it.
//
// Established donors and those on probation each have a level and a tally of their own (core/audit_plan.h, rule 9). A level starts at what a
// block without catches needs and is only ever raised, once everything that it asked for is done: until the block is final.
#pragma once

#include <cstdint>
#include <vector>

#include "coordinatorless/core/audit_plan.h"

namespace dugnad::core {

class BlockLevels {
 public:
  explicit BlockLevels(const AuditTerms& terms);

  /// The block ends up with fewer units than was thought.
  void shrink(std::uint64_t units);

  [[nodiscard]] const AuditLevel& level(bool probation) const { return class_of(probation).level; }
  /// λ of a result that was returned in `round`, as of when its draw decided about it: before the last raise where that came later.
  [[nodiscard]] double found(bool probation, std::uint32_t round) const;
  /// How often the levels were raised.
  [[nodiscard]] std::uint32_t round() const { return round_; }

  void landed(bool probation);
  /// So many results of an established donor went with it.
  void caught_results(std::uint64_t results) { caught_results_ += results; }

  /// A charged catch; its place, for forfeited().
  std::size_t add_catch(bool probation, double found);
  /// One more lie is known to have gone with that catch.
  void forfeited(std::size_t catch_place);
  [[nodiscard]] bool charges(std::size_t catch_place) const { return catches_[catch_place].caught.charge() > 0; }

  /// What the levels asked for is done. Raises them to what the catches call for; false where nothing is lacking: the block is final.
  [[nodiscard]] bool raise();

  // What it came to.
  [[nodiscard]] const AuditTerms& terms() const { return terms_; }
  [[nodiscard]] const CatchTally& tally() const { return classes_[0].tally; }
  [[nodiscard]] std::uint64_t catches() const { return classes_[0].tally.catches + classes_[1].tally.catches; }

 private:
  /// Established donors, or those on probation.
  struct Class {
    AuditLevel level{};
    CatchTally tally{};
    double found_before = 0;  // λ before the last raise
  };
  struct Charged {
    Catch caught;
    bool probation = false;
  };
  [[nodiscard]] const Class& class_of(bool probation) const { return classes_[probation ? 1 : 0]; }
  [[nodiscard]] Class& class_of(bool probation) { return classes_[probation ? 1 : 0]; }

  AuditTerms terms_;
  const double assumed_;
  Class classes_[2];
  bool anyone_on_probation_ = false;  // returned something
  std::uint64_t landed_ = 0;
  std::uint64_t caught_results_ = 0;
  std::uint32_t round_ = 0;
  std::vector<Charged> catches_;
};

}  // namespace dugnad::core
