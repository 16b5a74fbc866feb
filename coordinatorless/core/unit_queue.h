// UnitQueue: the units of a job that want another lease, and which of them a given donor may have.
//
// A unit stands in it at most once. Units that any donor may have (no attempt yet, or only lapsed ones) wait in one line, drawn at random
// from its first random_window, so that no donor can foresee or arrange what it gets. A unit that somebody has had waits in the bucket of
// some donor that must not have it again: a donor draws from the buckets of others, and one that it finds there and has had itself moves
// to its own bucket. A draw looks at `looks_max` units at most, so that its cost does not grow with the job; a donor that comes away with
// nothing for that reason is served again later.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/agreement.h"

namespace dugnad::core {

class UnitQueue {
 public:
  void push_fresh(UnitIndex unit) { fresh_.push_back(unit); }
  /// `donor` has had `unit`.
  void push_again(UnitIndex unit, DonorIndex donor);

  enum class Fit : std::uint8_t { yes, had_it, stale };
  /// The next unit for `donor`; `fit` says whether it may have one, or whether a unit has been settled meanwhile.
  static constexpr int looks_max = 128;
  [[nodiscard]] std::optional<UnitIndex> pop(DonorIndex donor, Generator& generator, const std::function<Fit(UnitIndex)>& fit);

  /// Units that wait although somebody has had them, stale ones included; `looks` of them at most, from every bucket the oldest first.
  void each_again(std::size_t looks, const std::function<void(UnitIndex)>& see) const;
  [[nodiscard]] bool any_fresh() const { return !fresh_.empty(); }

  /// Units waiting, stale ones included.
  [[nodiscard]] std::size_t size() const { return fresh_.size() + again_count_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Whether anything may wait here that is not in `donor`'s own bucket.
  [[nodiscard]] bool has_for(DonorIndex donor) const;

 private:
  std::deque<UnitIndex> fresh_;
  std::vector<std::deque<UnitIndex>> again_;  // by donor
  std::set<DonorIndex> filled_;               // whose buckets hold something
  std::size_t again_count_ = 0;
};

}  // namespace dugnad::core
