// The half of a donor that makes way for owners that come first: rule 6.
#include <algorithm>

#include "coordinatorless/core/donor.h"

namespace dugnad::core {

/// Of those that have units waiting to start. While a slot is free nobody stands in anybody's way.
std::optional<FavourAccounts::Rank> Donor::highest_waiting() const {
  std::optional<FavourAccounts::Rank> highest;
  if (running_.size() < slots_) return highest;
  for (const auto& [id, job] : jobs_) {
    if (job.may_start()) highest = std::max(highest, std::optional(accounts_.rank(job.owner)));
  }
  return highest;
}

bool Donor::is_held_back(const PublicKey& owner, BootTime now) {
  const FavourAccounts::Rank rank = accounts_.rank(owner);
  for (const auto& [id, job] : jobs_) {
    if (accounts_.rank(job.owner) <= rank) continue;
    if (!job.units.empty() && running_.size() >= slots_) return true;
    const BootTime until = job.left_slot_at + std::min(outranked_pause, from_seconds(job.unit_seconds));
    if (now >= until) continue;
    held_back_until_ = std::min(held_back_until_, until);
    return true;
  }
  return false;
}

void Donor::yield_to_others(Now now, Output& out) {
  const auto highest = highest_waiting();
  for (auto& [id, job] : jobs_) {
    const bool outranked = highest && accounts_.rank(job.owner) < *highest;
    if (job.yields && outranked) {
      job.yields_until = now.boot + limits::outranked_lull;
    } else if (job.yields && now.boot >= job.yields_until) {
      job.yields = false;
      if (job.connected) say_want(id, job, now, out);
    } else if (outranked && !job.waiting.empty() && now.boot >= job.waiting.front().came + limits::outranked_patience) {
      job.yields = true;
      job.yields_until = now.boot + limits::outranked_lull;
      if (job.connected) say_want(id, job, now, out);  // before the units, else they come straight back
      give_back_waiting(id, job, out);
    }
  }
}

BootTime Donor::yield_deadline() const {
  const auto highest = highest_waiting();
  BootTime next = held_back_until_;
  for (const auto& [id, job] : jobs_) {
    if (job.yields) next = std::min(next, job.yields_until);
    else if (highest && !job.waiting.empty() && accounts_.rank(job.owner) < *highest) {
      next = std::min(next, job.waiting.front().came + limits::outranked_patience);
    }
  }
  return next;
}

}  // namespace dugnad::core
