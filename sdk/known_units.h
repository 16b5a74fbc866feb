// KnownUnits: units whose output is known beforehand, one in each stretch of a job's own units for as long as there are some, at a place of it that
// follows from a secret. So the protocol's numbers of the job's units are others than their user's; this tells them apart.
//
// The place follows from the owner's secret key and the job's id: donors cannot foresee it, and a job that is taken up again has the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/seam.h"
#include "dugnad/swarm.h"

namespace dugnad::sdk {

class KnownUnits {
 public:
  KnownUnits() = default;
  /// `expected`: units of the job, as far as is known.
  KnownUnits(std::vector<KnownAnswer> answers, const Hash& secret, std::optional<std::uint64_t> expected)
      : answers_(std::move(answers)), secret_(secret), stretch_(stretch_of(answers_.size(), expected)) {}

  /// The protocol's number of a user's unit.
  [[nodiscard]] std::uint64_t number_of(std::uint64_t unit) const {
    const std::uint64_t block = unit / stretch_, at = unit % stretch_;
    if (block >= answers_.size()) return unit + answers_.size();
    return block * (stretch_ + 1) + at + (at >= place_in(block) ? 1 : 0);
  }
  struct Unit {
    bool known = false;
    std::uint64_t unit = 0;  // the user's, or which of the answers
  };
  [[nodiscard]] Unit unit_of(std::uint64_t number) const {
    const std::uint64_t block = number / (stretch_ + 1), at = number % (stretch_ + 1);
    if (block >= answers_.size()) return {false, number - answers_.size()};
    const std::uint64_t place = place_in(block);
    if (at == place) return {true, block};
    return {false, block * stretch_ + at - (at > place ? 1 : 0)};
  }
  /// What stands before a user's unit, or behind it at the end of a stretch.
  [[nodiscard]] std::optional<core::NewUnit> beside(std::uint64_t unit, bool behind) const {
    const std::uint64_t number = number_of(unit);
    if (answers_.empty() || (!behind && number == 0) || (behind && unit % stretch_ + 1 != stretch_)) return std::nullopt;
    const std::uint64_t other = behind ? number + 1 : number - 1;
    const Unit found = unit_of(other);
    if (!found.known || found.unit != unit / stretch_) return std::nullopt;  // the neighbouring stretch's stands beside one of its own
    const KnownAnswer& answer = answers_[found.unit];
    return core::NewUnit{UnitIndex{other}, Value(answer.input), value_of(answer.output)};
  }

 private:
  /// Where it is not known how many units come: seldom enough to cost little.
  static std::uint64_t stretch_of(std::uint64_t answers, std::optional<std::uint64_t> expected) {
    constexpr std::uint64_t seldom = 64;
    if (!expected || answers == 0) return seldom;
    return std::max<std::uint64_t>(*expected / answers, 1);
  }
  [[nodiscard]] std::uint64_t place_in(std::uint64_t block) const {
    std::uint64_t drawn = 0;
    const Hash hash = Hasher().add(secret_.view()).add(block).finish();
    for (std::size_t i = 0; i < sizeof drawn; ++i) drawn |= std::uint64_t{hash.bytes[i]} << (8 * i);
    return drawn % (stretch_ + 1);
  }

  std::vector<KnownAnswer> answers_;
  Hash secret_;
  std::uint64_t stretch_ = 1;
};

}  // namespace dugnad::sdk
