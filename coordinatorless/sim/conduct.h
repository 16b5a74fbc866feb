// How a donor behaves: honestly, not at all, or one of the ways to lie. A saboteur runs the product as it is; only
// what its executor returns is its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"

namespace dugnad::sim {

enum class Strategy : std::uint8_t {
  honest,
  silent,   // takes leases and never answers
  always,   // every result is wrong
  random,   // a result is wrong with probability one half
  sleeper,  // honest for its first results, then wrong for good
  collude,  // as always, and all colluders return the same wrong answer
  sybil,    // as always, and comes back under a new identity once outvoted or left without work
};
[[nodiscard]] std::optional<Strategy> strategy_named(std::string_view name);
[[nodiscard]] std::string_view name_of(Strategy strategy);

class Conduct {
 public:
  Conduct(Strategy strategy, Generator generator);

  [[nodiscard]] Strategy strategy() const { return strategy_; }
  [[nodiscard]] bool lies() const;  // ever
  /// What this donor's executor returns for `input`, as long as `bytes`.
  [[nodiscard]] Value output_of(const Value& input, std::uint64_t bytes = 0);
  /// A sybil without work for this long takes a new identity.
  static constexpr Duration sybil_patience = std::chrono::seconds(60);

 private:
  static constexpr double random_share = 0.5;
  static constexpr unsigned sleeper_results = 20;

  Strategy strategy_;
  Generator generator_;
  std::uint64_t own_;  // makes this liar's wrong answers differ from another's
  unsigned results_ = 0;
};

}  // namespace dugnad::sim
