// FairShare: which owner's work a donor does next. The highest rank first; within one, start-time fair queueing (Goyal, Vin and Cheng
// 1996) over
// CPU time: each owner has a virtual time that advances by what it was served; the one furthest behind is next. An owner that comes back
// after
// a pause, or from another rank, starts at the present, not with what it might have had: absence saves nothing up. Rationale: else an
// owner could
// wait, then take the whole machine; and what was served by rank would have to be made up for to those below.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/favour_accounts.h"

namespace dugnad::core {

class FairShare {
 public:
  using Rank = FavourAccounts::Rank;

  /// Of those that `has_work`, the owner of the highest rank, of several the one that was served least; nullopt for none. Ties go to the
  /// smaller key.
  template <class HasWork, class RankOf>
  [[nodiscard]] std::optional<PublicKey> next(const HasWork& has_work, const RankOf& rank_of) {
    std::pair<const PublicKey, Entry>* best = nullptr;
    for (auto& each : owners_) {
      if (!has_work(each.first)) continue;
      set_rank(each.second, rank_of(each.first));
      if (best == nullptr || each.second.rank > best->second.rank ||
          (each.second.rank == best->second.rank && each.second.served < best->second.served)) {
        best = &each;
      }
    }
    return best == nullptr ? std::nullopt : std::optional(best->first);
  }

  void came(const PublicKey& owner) { owners_.try_emplace(owner, Entry{Rank::stranger, present_of(Rank::stranger)}); }
  void left(const PublicKey& owner) { owners_.erase(owner); }
  /// The time is charged when work is handed out, by its expected cost, and mended when the true cost is known.
  void charge(const PublicKey& owner, Duration cost) {
    const auto at = owners_.find(owner);
    if (at == owners_.end()) return;
    Duration& present = present_of(at->second.rank);
    present = std::max(present, at->second.served);
    at->second.served += cost;
  }
  /// The owner had nothing to do until now.
  void woke(const PublicKey& owner) {
    const auto at = owners_.find(owner);
    if (at != owners_.end()) at->second.served = std::max(at->second.served, present_of(at->second.rank));
  }

 private:
  struct Entry {
    Rank rank = Rank::stranger;
    Duration served{};  // virtual time, of its rank
  };
  void set_rank(Entry& entry, Rank rank) {
    if (entry.rank != rank) entry = {rank, present_of(rank)};
  }
  [[nodiscard]] Duration& present_of(Rank rank) { return presents_[static_cast<std::size_t>(rank)]; }

  std::map<PublicKey, Entry> owners_;
  std::array<Duration, 3> presents_{};
};

}  // namespace dugnad::core
