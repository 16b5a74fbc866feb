// Charge: what a piece of misbehaviour costs the peer that showed it. Whoever finds it says so; PeerBudget keeps the score.
#pragma once

#include <string_view>

namespace dugnad::core {

struct Charge {
  double score = 0;      // 0: nothing to complain about; limits::score_ban: banned at once
  std::string_view why;  // one line for the log; a literal

  explicit operator bool() const { return score > 0; }
  /// Several in one message: scores add up, the first reason stands.
  void add(const Charge& other) {
    if (score == 0) why = other.why;
    score += other.score;
  }
};

}  // namespace dugnad::core
