// Charge: what a piece of misbehaviour costs the peer that showed it. Whoever finds it says so; PeerBudget keeps the score, and bans at
// limits::score_ban. The usual ones stand here side by side, so that their weights can be compared.
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

namespace charges {
// No honest peer can have made it, and whoever passed it on should have checked: two are enough.
inline constexpr Charge forged{50, "a signature or a name that does not hold"};
// Once is enough, since it costs us half a millisecond to find out: no more than the connection that it came over.
inline constexpr Charge false_proof{100, "a proof of work that does not hold"};
// Seen without work. Whoever passes it on should have seen it too.
inline constexpr Charge unproven{50, "a job passed on whose submitter has not proved its work"};
// Perhaps another version, perhaps random bytes.
inline constexpr Charge malformed{20, "bytes that are no message"};
// Well-formed, and not what this peer may say. A few can be an accident of timing.
inline constexpr Charge unasked{5, "something that was not asked for"};
// More often than the protocol has a reason for. A burst may be delay on the way.
inline constexpr Charge hasty{1, "more than its share of messages"};
}  // namespace charges

}  // namespace dugnad::core
