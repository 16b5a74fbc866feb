// Confirmation: what dugnad-trust measures without a network, measured again by dugnad-sim with the product's own peers and messages.
//
// The jobs, the strategies and what saboteurs know are the same: they overhear what is an audit, and come back under new names. What differs
// is what the network adds: answers that take their time, a submitter with one slot, donors of another spread of speeds who arrive over ten
// seconds, and that saboteurs are a share of the donors here, of the leases there.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/sim/policy_grid.h"
#include "coordinatorless/sim/simulation.h"

namespace dugnad::sim {

struct ConfirmationPoint {
  std::string job;
  PolicyOptions alone;
  SimulationOptions networked;
  std::uint64_t runs_alone = 40;
  std::uint64_t runs_networked = 8;
};
[[nodiscard]] std::vector<ConfirmationPoint> confirmation_points();

struct Confirmation {
  ConfirmationPoint point;
  PolicyRow alone;
  double overhead = 0;      // CPU time of all attempts a unit, over an honest one's
  double own = 0;           // of these, the submitter's
  double wrong = 0;         // in units of what is allowed
  double wrong_margin = 0;  // half of its 95 % interval
  std::uint64_t honest_convicted = 0;
  std::vector<std::string> troubles;

  /// How much dearer the network is.
  [[nodiscard]] double apart() const { return overhead / alone.overhead - 1; }
  /// Nothing broke, and no more than was promised was kept, unless saboteurs are more than was assumed.
  [[nodiscard]] bool holds() const;
};
/// Runs with the seeds from `seed` on.
[[nodiscard]] Confirmation confirm(const ConfirmationPoint& point, std::uint64_t seed);

/// As a table in Markdown.
[[nodiscard]] std::string confirmation_head();
[[nodiscard]] std::string confirmation_line(const Confirmation& confirmation);

}  // namespace dugnad::sim
