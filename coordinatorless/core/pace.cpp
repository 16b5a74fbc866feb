#include "coordinatorless/core/pace.h"

#include <algorithm>
#include <cmath>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

Pace::Pace() : credit_(limits::credit_first) {}

void Pace::returned(std::size_t units, Duration turnaround, Duration held, BootTime now) {
  const Duration busy = std::max<Duration>(now - busy_since_, std::chrono::microseconds(1));
  busy_since_ = now;
  // What comes close behind other results belongs to the same measurement.
  const double kept = busy < turnaround / 32 ? 1 : 0.75;
  units_ = kept * units_ + static_cast<double>(units);
  timed_ = kept * timed_ + seconds_of(busy);
  const Duration trip =
      std::clamp<Duration>(turnaround - held, std::chrono::microseconds(1), std::max<Duration>(turnaround, std::chrono::microseconds(1)));
  round_trip_ = round_trip_ == Duration{} ? trip : std::min(trip, round_trip_ + round_trip_ / 16);
  credit_ = std::min<Duration>(credit_ * 2, limits::credit_most);
  grown_ = std::clamp<std::size_t>(window() * 2, 1, target());
}

void Pace::lapsed() {
  credit_ = std::max<Duration>(credit_ / 2, limits::credit_first);
  grown_ = 0;
}

std::size_t Pace::least() const {
  if (timed_ == 0) return slots_;
  const Duration unit = from_seconds(unit_seconds());
  const bool short_unit = unit < 50 * std::max<Duration>(round_trip_, std::chrono::milliseconds(20));
  return short_unit ? 2 * slots_ : slots_;
}

std::size_t Pace::target() const {
  const double ahead = std::max(seconds_of(limits::horizon), limits::horizon_round_trips * seconds_of(round_trip_));
  const double allowed = std::min(seconds_of(credit_), seconds_of(wanted_) / std::max(slots_, 1U));
  const double units = rate() * std::min(ahead, allowed);
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(units)), std::max<std::size_t>(least(), 1), limits::window_units_max);
}

std::size_t Pace::window() const {
  if (slots_ == 0) return 0;
  return std::clamp(grown_, least(), std::max(least(), target()));
}

Duration Pace::expected(std::size_t units) const {
  if (timed_ == 0) return {};
  return from_seconds(static_cast<double>(units) / rate()) + round_trip_;
}

}  // namespace dugnad::core
