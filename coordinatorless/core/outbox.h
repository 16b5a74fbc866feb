// Outbox: frames that the driver refused at high water, kept in order per peer until it takes them.
//
// While a peer has frames waiting, everything later for it waits behind them. What waits is tried again after outbox_retry, and after twice
// that each time nothing was taken, up to outbox_retry_most. More than outbox_bytes_max waiting: the link counts as broken, since a peer that
// reads nothing must not grow our memory.
//
// What this asks of a driver: once it has refused a frame for a peer it refuses every later one of the same effects too, and hands the refused
// frames in, in order, before it reports anything that happens later.
#pragma once

#include <deque>
#include <map>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class Outbox {
 public:
  /// Emits SendMessage, or keeps the frame behind those that wait.
  void send(const PeerId& to, Bytes frame, Output& out);
  /// SendRefused came in.
  void refused(const PeerId& to, Bytes frame, Now now, Output& out);
  /// The link is gone, and what waited for it.
  void lost(const PeerId& peer);
  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  [[nodiscard]] std::size_t bytes_waiting(const PeerId& peer) const;
  [[nodiscard]] bool is_blocked(const PeerId& peer) const { return queues_.contains(peer); }

 private:
  struct Queue {
    std::deque<Bytes> returned;  // refused in the last round, in order
    std::deque<Bytes> waiting;   // not tried since; behind all that was returned
    std::size_t bytes = 0;       // of both
    std::size_t tried = 0;       // frames emitted in the last round
    Duration delay = limits::outbox_retry;
    BootTime retry_at{};
    bool broken = false;         // Disconnect is out; frames are discarded until PeerLost
  };

  void keep(const PeerId& to, Queue& queue, std::deque<Bytes>& end, Bytes frame, Output& out);

  std::map<PeerId, Queue> queues_;
};

}  // namespace dugnad::core
