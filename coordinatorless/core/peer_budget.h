// PeerBudget: what one peer may cost us. Two token buckets (messages, bytes) and a score of misbehaviour that decays; at score_ban the peer is
// disconnected and refused for ban_time.
//
// - A peer that works with us (its leases at us, or ours at it) has buckets working_factor as large. Rationale: an honest donor sends thousands
//   of messages a second; what else it could send with it, job messages, is checked against leases at the cost of a look-up.
// - What is over the budget is dropped and charged `hasty`: a peer that goes on is cut off, since a link that loses messages is no link.
// - A peer is remembered after it leaves. Rationale: reconnecting would otherwise refill the buckets and clear the score.
// - A peer whose buckets are full and whose score is zero is the same as one never seen, and is forgotten. Where that is not enough, the one
//   with the lowest score goes.
#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

class PeerBudget {
 public:
  /// False: drop the frame, and charge(peer, charges::hasty, now).
  [[nodiscard]] bool admit(const PeerId& peer, std::size_t bytes, BootTime now);
  /// True, once, when the peer is to be disconnected: it is banned until banned_until().
  [[nodiscard]] bool charge(const PeerId& peer, const Charge& charge, BootTime now);
  /// Set while this peer holds our leases, or we its.
  void set_working(const PeerId& peer, bool working);

  [[nodiscard]] bool banned(const PeerId& peer, BootTime now) const { return banned_until(peer) > now; }
  /// The beginning of time where it is not banned.
  [[nodiscard]] BootTime banned_until(const PeerId& peer) const;

  [[nodiscard]] double score(const PeerId& peer, BootTime now) const;
  [[nodiscard]] std::size_t remembered() const { return accounts_.size(); }
  [[nodiscard]] std::size_t bans() const { return bans_.size(); }

 private:
  struct Account {
    TokenBucket messages{limits::messages_per_second, limits::messages_burst};
    TokenBucket bytes{limits::bytes_per_second, limits::bytes_burst};
    double score = 0;          // as of scored_at
    BootTime scored_at{};
  };

  [[nodiscard]] static double score_of(const Account& account, BootTime now);
  [[nodiscard]] Account& account_of(const PeerId& peer, BootTime now);
  void make_room(BootTime now);
  void ban(const PeerId& peer, BootTime now);

  std::map<PeerId, Account> accounts_;
  std::set<PeerId> working_;   // linked peers only, as Peer sets and unsets them
  std::map<PeerId, BootTime> bans_;
};

}  // namespace dugnad::core
