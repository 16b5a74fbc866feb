// TokenBucket: `rate` a second on average, `burst` at once. Kept as one time, that at which it will be full again, so that nothing ticks.
#pragma once

#include <algorithm>

#include "coordinatorless/base/time.h"

namespace dugnad::core {

class TokenBucket {
 public:
  /// Starts full. More than `burst` at once is never granted.
  TokenBucket(double rate, double burst) : rate_(rate), burst_(from_seconds(burst / rate)) {}

  [[nodiscard]] bool take(double amount, BootTime now) {
    const BootTime full = std::max(full_at_, now) + from_seconds(amount / rate_);
    if (full - now > burst_) return false;
    full_at_ = full;
    return true;
  }
  /// When take(amount) will succeed if nobody takes before; may have passed.
  [[nodiscard]] BootTime ready_at(double amount) const { return full_at_ + from_seconds(amount / rate_) - burst_; }
  [[nodiscard]] BootTime full_at() const { return full_at_; }

 private:
  double rate_;
  Duration burst_;
  BootTime full_at_{};
};

}  // namespace dugnad::core
