// FairShare: which owner's work a donor does next. Start-time fair queueing (Goyal, Vin and Cheng 1996) over CPU time: each owner has a virtual
// time that advances by what it was served; the one furthest behind is next. An owner that comes back after a pause starts at the
// present, not with what it might have had: absence saves nothing up. Rationale: else an owner could wait, then take the whole machine.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"

namespace dugnad::core {

class FairShare {
 public:
  /// Of those that `has_work`, the owner that was served least; nullopt for none. Ties go to the smaller key.
  template <class HasWork>
  [[nodiscard]] std::optional<PublicKey> next(const HasWork& has_work) const {
    const std::pair<const PublicKey, Duration>* best = nullptr;
    for (const auto& entry : served_) {
      if (has_work(entry.first) && (best == nullptr || entry.second < best->second)) best = &entry;
    }
    return best == nullptr ? std::nullopt : std::optional(best->first);
  }

  void came(const PublicKey& owner) { served_.try_emplace(owner, present_); }
  void left(const PublicKey& owner) { served_.erase(owner); }
  /// The time is charged when work is handed out, by its expected cost, and mended when the true cost is known.
  void charge(const PublicKey& owner, Duration cost) {
    const auto at = served_.find(owner);
    if (at == served_.end()) return;
    present_ = std::max(present_, at->second);
    at->second += cost;
  }
  /// The owner had nothing to do until now.
  void woke(const PublicKey& owner) {
    const auto at = served_.find(owner);
    if (at != served_.end()) at->second = std::max(at->second, present_);
  }

 private:
  std::map<PublicKey, Duration> served_;
  Duration present_{};
};

}  // namespace dugnad::core
