// How a donor behaves: honestly, not at all, or by one of the tactics to lie. A saboteur runs the product as it is; only
// what its executor returns is its own, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"
#include "coordinatorless/sim/gang.h"

namespace dugnad::sim {

/// As the command line calls it.
using Strategy = Tactic;

class Conduct {
 public:
  /// `gang` outlives it. `hardware_errors`: the share of an honest donor's results that go wrong.
  Conduct(Gang& gang, Strategy strategy, Generator generator, double hardware_errors = 0);

  [[nodiscard]] Strategy strategy() const { return strategy_; }
  [[nodiscard]] bool lies() const { return strategy_ != Strategy::honest && strategy_ != Strategy::silent; }  // ever
  /// Garbage costs no CPU time.
  [[nodiscard]] bool takes_no_time() const { return strategy_ == Strategy::lazy; }
  /// Its name from now on; `speed` is its machine's.
  void take_name(const PeerId& name, double speed);
  /// What this donor's executor returns for `input`, as long as `bytes`.
  [[nodiscard]] Value output_of(const JobId& job, const Value& input, std::uint64_t bytes = 0);

  /// A sybil without work for this long takes a new identity.
  static constexpr Duration sybil_patience = std::chrono::seconds(60);
  /// How often a sybil comes back where nobody says how often: for ever, but so that every world ends.
  static constexpr unsigned sybil_returns = 1000;

 private:
  Gang& gang_;
  Strategy strategy_;
  Generator generator_;
  double hardware_errors_;
  PeerId name_{};
  std::uint64_t own_;  // makes this liar's wrong answers differ from another's
};

}  // namespace dugnad::sim
