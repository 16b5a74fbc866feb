// Pace: how much work one donor holds at once. Sizes leases from what the submitter itself has timed; a donor's word counts only to its own cost.
//
// Specification
//   1. The donor's rate (units a second) is measured between its Results messages while it had work: units over time, each summed with
//      decaying weights. Rationale: messages that a link held up arrive in bunches, and the mean of rates would take a bunch for speed.
//   2. Its window, in units, doubles with each timely batch until it covers rate * max(horizon, horizon_round_trips * round trip).
//      Rationale: work ahead hides the round trip and makes batches worth their wake-ups; more would be hoarded, and lost with the donor.
//   3. It never covers more than `credit`, which starts at credit_first for a newcomer, doubles with each timely batch up to credit_most and
//      halves with each lapsed lease. Rationale: a peer that takes leases and stays silent costs one second's work.
//      Nor more than the donor wants.
//   4. Every slot has one unit, and one to go on with where a unit is short against the round trip. Rationale: for units of minutes a unit
//      waiting behind another is hoarding; for units of milliseconds its absence is idleness.
#pragma once

#include <cstddef>

#include "coordinatorless/base/time.h"

namespace dugnad::core {

class Pace {
 public:
  Pace();
  void slots(unsigned count) { slots_ = count; }
  /// The CPU time, summed over slots, that the donor is ready to hold.
  void wanted(Duration work) { wanted_ = work; }

  /// Work went to a donor that had none.
  void became_busy(BootTime now) { busy_since_ = now; }
  /// `units` came back at once, in time. `turnaround`: since the oldest of them was leased, of which the donor had it `held`.
  void returned(std::size_t units, Duration turnaround, Duration held, BootTime now);
  void lapsed();

  /// CPU time of one unit, as far as is known; 0 while nothing was timed.
  [[nodiscard]] double unit_seconds() const { return rate() == 0 ? 0 : slots_ / rate(); }
  /// Units to have leased at once.
  [[nodiscard]] std::size_t window() const;
  /// How long `units` more take this donor, round trip included; zero while nothing was timed.
  [[nodiscard]] Duration expected(std::size_t units) const;

 private:
  [[nodiscard]] double rate() const { return timed_ == 0 ? 0 : units_ / timed_; }  // units a second; 0: nothing timed yet
  [[nodiscard]] std::size_t least() const;
  [[nodiscard]] std::size_t target() const;

  unsigned slots_ = 1;
  double units_ = 0;  // that came back, and in how many seconds: sums that decay
  double timed_ = 0;
  std::size_t grown_ = 0;
  Duration round_trip_{};
  Duration credit_;
  Duration wanted_ = Duration::max();
  BootTime busy_since_{};
};

}  // namespace dugnad::core
