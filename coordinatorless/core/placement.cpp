#include "coordinatorless/core/placement.h"

#include <algorithm>

namespace dugnad::core {

namespace {
constexpr int all_rules = 3;
}  // namespace

void Placement::set_present(const std::vector<Present>& present) {
  places_.clear();
  in_network_.clear();
  present_ = present.size();
  for (const Present& each : present) {
    if (each.donor >= place_of_.size()) place_of_.resize(each.donor + 1);
    const Endpoint address = each.address.value_or(Endpoint{});
    const Place place{address.ip, group_of(address), each.newcomer};
    place_of_[each.donor] = place;
    places_.push_back(place);
    ++in_network_[place.network];
  }
  std::sort(places_.begin(), places_.end());
  places_.erase(std::unique(places_.begin(), places_.end()), places_.end());
}

/// By the first so many rules.
bool Placement::fit(const Place& one, const Place& other, int rules) const {
  if (rules >= 1 && one.address == other.address) return false;
  if (rules >= 2 && one.newcomer && other.newcomer) return false;
  if (rules < 3 || one.network != other.network) return true;
  const auto here = in_network_.find(one.network);
  return here != in_network_.end() && 2 * (present_ - here->second) < present_;
}

bool Placement::may_join(std::span<const AttemptRecord> attempts, DonorIndex donor) const {
  const auto place_of = [this](DonorIndex who) { return who < place_of_.size() && place_of_[who] ? &*place_of_[who] : nullptr; };
  const Place* place = place_of(donor);
  if (place == nullptr) return true;
  const auto joins = [&](const Place& newly, int rules) {
    return std::all_of(attempts.begin(), attempts.end(), [&](const AttemptRecord& attempt) {
      const Place* other = attempt.state == AttemptState::lapsed || attempt.donor == donor ? nullptr : place_of(attempt.donor);
      return other == nullptr || fit(newly, *other, rules);
    });
  };
  for (int rules = all_rules; rules > 0; --rules) {
    if (joins(*place, rules)) return true;
    if (std::any_of(places_.begin(), places_.end(), [&](const Place& somebody) { return joins(somebody, rules); })) return false;
  }
  return true;
}

}  // namespace dugnad::core
