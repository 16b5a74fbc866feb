// What a run of the benchmarks says: one line a measurement, with what was measured beside it in the same run and the goal that it is held to.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/stats.h"

namespace dugnad::bench {

struct Goal {
  enum class Kind { at_least, at_most, ratio_at_least };
  Kind kind = Kind::at_least;
  double bound = 0;
};

struct Measurement {
  std::string row;  // `a` to `j`, as in --only
  std::string name;
  std::string unit;
  Samples ours = {};
  std::string beside = {};  // what ran beside it; empty: nothing comparable exists
  Samples theirs = {};      // the i-th ran just before or after the i-th of ours
  bool less_is_better = false;
  std::optional<Goal> goal = {};  // none: it explains another line

  /// How well we do beside it, pair by pair: above 1 is better than what runs beside us.
  [[nodiscard]] std::optional<double> ratio() const;
  [[nodiscard]] std::optional<bool> met() const;
};

class Report {
 public:
  /// Also says it at once, on stderr: a whole run takes long.
  void add(Measurement measurement);

  void print_table(std::ostream& out) const;
  /// Every sample, so that another run can be compared with it.
  [[nodiscard]] std::string json() const;
  [[nodiscard]] bool empty() const { return measurements_.empty(); }

 private:
  std::vector<Measurement> measurements_;
};

}  // namespace dugnad::bench
