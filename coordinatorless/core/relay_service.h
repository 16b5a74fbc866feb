// RelayService: forwards frames between two peers that are both linked to us and cannot reach each other. It reads nothing of what it carries.
//
// Rules, and what each resists:
// - `from` is the link that the frame came over, or it is charged; `to` is linked to us now. Rationale: nobody speaks for another, and
//   we dial nobody on a stranger's word.
// - A pair exists once one has knocked and the other has knocked back; before that nothing but knocks pass. An unanswered one ends after
//   dial_timeout. One peer has at most half of all pairs, and an allowance of knocks. Rationale: knocks cannot hold places, nor wear out the
//   allowance that the called have for knocks of ours.
// - Each direction has a byte quota. The ends keep below it by themselves, so who exceeds it is no honest end: the pair ends. Rationale: what
//   one sends through us arrives complete and in order, or the link breaks; so a frame is never dropped by itself. A pair that ended is
//   remembered until its quota is whole again. Rationale: else knocking anew would refill it.
// - When an end leaves, hangs up (RelayGone) or is idle, the other is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

class RelayService {
 public:
  // --- Direct links; never those that are relayed themselves ---
  void connected(const PeerId& peer) { linked_.try_emplace(peer); }
  void lost(const PeerId& peer, Output& out);

  // --- Messages whose `to` is somebody else, and every RelayGone. A charge is the sender's. ---
  [[nodiscard]] Charge on(const PeerId& from, const Knock& message, Now now, Output& out);
  [[nodiscard]] Charge on(const PeerId& from, const Relay& message, Now now, Output& out);
  /// An end hangs up. One that is none of our pairs' is ignored: it may be meant for RelayedLinks.
  void on(const PeerId& from, const RelayGone& message, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  /// Those remembered included.
  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }

 private:
  using Ends = std::pair<PeerId, PeerId>;  // the lower id first
  enum class State : std::uint8_t { knocked, answered, ended };
  struct Pair {
    TokenBucket from_first{limits::relay_bytes_per_second, limits::relay_burst_bytes};
    TokenBucket from_second{limits::relay_bytes_per_second, limits::relay_burst_bytes};
    State state = State::ended;
    bool first_knocked = false;   // each of them may be answered by the other: when two knock at once, they settle who called
    bool second_knocked = false;
    BootTime ends_at{};           // once ended: when it is forgotten
  };
  using Pairs = std::map<Ends, Pair>;

  [[nodiscard]] static Ends ends_of(const PeerId& one, const PeerId& other);
  [[nodiscard]] bool take(Pairs::iterator at, const PeerId& from, std::size_t bytes, BootTime now);
  [[nodiscard]] bool room_for(const PeerId& one, const PeerId& other) const;
  void end(Pair& pair, const Ends& ends, Output& out);

  struct Linked {
    TokenBucket knocks{limits::knocks_sent_per_second, limits::knocks_sent_burst};
  };
  std::map<PeerId, Linked> linked_;
  Pairs pairs_;
};

}  // namespace dugnad::core
