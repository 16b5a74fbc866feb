// RateMeter: how many units a second were accepted of late. Knows no clock; single-threaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "coordinatorless/base/time.h"

namespace dugnad::sdk {

class RateMeter {
 public:
  explicit RateMeter(BootTime now) { steps_.push_back({now, 0}); }

  void add(std::uint64_t units, BootTime now) {
    total_ += units;
    if (now - steps_.back().at >= step) steps_.push_back({now, total_});
    while (steps_.size() > 2 && now - steps_[1].at >= window) steps_.pop_front();
  }

  /// Over the window, or over the time since the start where that is shorter.
  [[nodiscard]] double per_second(BootTime now) const {
    // Where nothing has come for long, all that is known lies before the window.
    const Step* from = &steps_.front();
    for (const Step& later : steps_) {
      if (now - later.at >= window) from = &later;
    }
    const Duration passed = std::max<Duration>(now - from->at, step);
    return static_cast<double>(total_ - from->total) / seconds_of(passed);
  }

 private:
  static constexpr Duration step = std::chrono::milliseconds(100);
  static constexpr Duration window = std::chrono::seconds(4);
  struct Step {
    BootTime at;
    std::uint64_t total;
  };
  std::deque<Step> steps_;  // the first lies at the window's beginning or before it
  std::uint64_t total_ = 0;
};

}  // namespace dugnad::sdk
