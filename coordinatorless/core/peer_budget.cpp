#include "coordinatorless/core/peer_budget.h"

#include <algorithm>

namespace dugnad::core {

bool PeerBudget::admit(const PeerId& peer, std::size_t bytes, BootTime now) {
  Account& account = account_of(peer, now);
  const double share = working_.contains(peer) ? 1 / limits::working_factor : 1;
  // A message without room for its bytes still counts as a message.
  return account.messages.take(share, now) && account.bytes.take(static_cast<double>(bytes) * share, now);
}

bool PeerBudget::charge(const PeerId& peer, const Charge& charge, BootTime now) {
  if (!charge || banned(peer, now)) return false;
  Account& account = account_of(peer, now);
  account.score = score_of(account, now) + charge.score;
  account.scored_at = now;
  if (account.score < limits::score_ban) return false;
  accounts_.erase(peer);
  ban(peer, now);
  return true;
}

void PeerBudget::set_working(const PeerId& peer, bool working) {
  if (working) working_.insert(peer);
  else working_.erase(peer);
}

BootTime PeerBudget::banned_until(const PeerId& peer) const {
  const auto found = bans_.find(peer);
  return found == bans_.end() ? BootTime{} : found->second;
}

double PeerBudget::score(const PeerId& peer, BootTime now) const {
  const auto found = accounts_.find(peer);
  return found == accounts_.end() ? 0 : score_of(found->second, now);
}

double PeerBudget::score_of(const Account& account, BootTime now) {
  return std::max(0.0, account.score - seconds_of(now - account.scored_at) * limits::score_decay_per_minute / 60);
}

PeerBudget::Account& PeerBudget::account_of(const PeerId& peer, BootTime now) {
  const auto found = accounts_.find(peer);
  if (found != accounts_.end()) return found->second;
  if (accounts_.size() >= limits::accounts_max) make_room(now);
  return accounts_[peer];
}

void PeerBudget::make_room(BootTime now) {
  const auto as_new = [now](const auto& entry) {
    const Account& account = entry.second;
    return account.messages.full_at() <= now && account.bytes.full_at() <= now && score_of(account, now) == 0;
  };
  if (std::erase_if(accounts_, as_new) > 0) return;
  accounts_.erase(std::min_element(accounts_.begin(), accounts_.end(), [now](const auto& one, const auto& other) {
    return score_of(one.second, now) < score_of(other.second, now);
  }));
}

void PeerBudget::ban(const PeerId& peer, BootTime now) {
  std::erase_if(bans_, [now](const auto& entry) { return entry.second <= now; });
  // All bans are as long: the one that ends first is the oldest.
  if (bans_.size() >= limits::bans_max) {
    bans_.erase(std::min_element(bans_.begin(), bans_.end(), [](const auto& one, const auto& other) { return one.second < other.second; }));
  }
  bans_[peer] = now + limits::ban_time;
}

}  // namespace dugnad::core
