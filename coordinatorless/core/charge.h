// Charge: what a peer's misbehaviour costs it. A machine that refuses something says why with one of these; Peer hands it to PeerBudget, which
// bans at limits::score_ban. The table is here, in one place, so that the weights can be compared.
#pragma once

namespace dugnad::core {

struct Charge {
  double score = 0;
  const char* why = "";  // for a log line; static
};

namespace charges {
// No honest peer can have made it, and whoever passed it on should have checked: two are enough.
inline constexpr Charge forged{50, "a signature or a name that does not hold"};
// Perhaps another version, perhaps random bytes.
inline constexpr Charge malformed{20, "bytes that are no message"};
// Well-formed, and not what this peer may say. Ten at most by accident of timing.
inline constexpr Charge unasked{5, "something that was not asked for"};
// More often than the protocol has a reason for. A burst may be delay on the way.
inline constexpr Charge hasty{1, "more than its share of messages"};
}  // namespace charges

}  // namespace dugnad::core
