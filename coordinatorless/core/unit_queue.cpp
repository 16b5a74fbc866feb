#include "coordinatorless/core/unit_queue.h"

#include <algorithm>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

void UnitQueue::push_again(UnitIndex unit, DonorIndex donor) {
  if (donor >= again_.size()) again_.resize(donor + 1);
  again_[donor].push_back(unit);
  filled_.insert(donor);
  ++again_count_;
}

bool UnitQueue::has_for(DonorIndex donor) const {
  return !fresh_.empty() || filled_.size() > 1 || (filled_.size() == 1 && *filled_.begin() != donor);
}

void UnitQueue::each_again(std::size_t looks, const std::function<void(UnitIndex)>& see) const {
  if (filled_.empty()) return;
  const std::size_t share = std::max<std::size_t>(looks / filled_.size(), 1);
  for (const DonorIndex donor : filled_) {
    const std::deque<UnitIndex>& bucket = again_[donor];
    std::for_each(bucket.begin(), bucket.begin() + static_cast<std::ptrdiff_t>(std::min(share, bucket.size())), see);
  }
}

std::optional<UnitIndex> UnitQueue::pop(DonorIndex donor, Generator& generator, const std::function<Fit(UnitIndex)>& fit) {
  for (int looks = 0; looks < looks_max && filled_.size() > filled_.count(donor); ++looks) {
    auto at = filled_.lower_bound(static_cast<DonorIndex>(generator.below(again_.size())));
    if (at == filled_.end()) at = filled_.begin();
    if (*at == donor && ++at == filled_.end()) at = filled_.begin();
    std::deque<UnitIndex>& bucket = again_[*at];
    const UnitIndex unit = bucket.front();
    bucket.pop_front();
    --again_count_;
    if (bucket.empty()) filled_.erase(at);
    switch (fit(unit)) {
      case Fit::yes: return unit;
      case Fit::had_it: push_again(unit, donor); break;
      case Fit::stale: break;
    }
  }
  for (int looks = 0; looks < looks_max && !fresh_.empty(); ++looks) {
    const std::size_t reach = std::min(fresh_.size(), limits::random_window);
    std::swap(fresh_.front(), fresh_[generator.below(reach)]);
    const UnitIndex unit = fresh_.front();
    fresh_.pop_front();
    switch (fit(unit)) {
      case Fit::yes: return unit;
      case Fit::had_it: push_again(unit, donor); break;
      case Fit::stale: break;
    }
  }
  return std::nullopt;
}

}  // namespace dugnad::core
