// Transport: a peer's links over ZeroMQ, as events and effects. A bound ROUTER for those who dial us, one DEALER for each peer that we dial,
// CURVE on all of them, and core/handshake.h before anybody is called a peer.
//
//   transport.dial(effect, now); transport.send(effect); ...
//   transport.wait(until);
//   transport.receive(events, read_clocks());
//
// It knows the seam's types and nothing of core::Peer. What a remote peer can make grow here: connections (capped by descriptors), connections
// not yet introduced (introductions_max, each for introduction_time), bytes of an unfinished message (see flood_watch.h), queues (high water).
//
// Thread: open() starts one context and its I/O thread; everything else belongs to whichever one thread uses the object at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::zmq {

struct TransportOptions {
  SwarmId swarm;
  SecretKeys keys;
  std::vector<core::Endpoint> listen;  // the first that can be bound is; port 0: any; empty: nobody can dial us
};

/// Counts since the start, and how many there are now.
struct TransportCounters {
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t sends_refused = 0;
  std::uint64_t dropped_unintroduced = 0;  // frames from a connection whose handshake failed or never came
  std::uint64_t dropped_malformed = 0;     // messages of more than one frame, or with an identity that changes
  std::uint64_t introductions_refused = 0;
  std::uint64_t connections_refused = 0;   // cut at once: too many
  std::uint64_t connections_cut = 0;       // not introduced in time, or flooding
  std::size_t connections = 0;             // inbound, introduced or not
  std::size_t dials = 0;                   // outbound, introduced or not
  std::size_t peers = 0;
};

class Transport {
 public:
  /// `crypto` (the identity of `keys`) outlives the transport. An error in one line: nothing could be bound, no descriptors left.
  [[nodiscard]] static Result<std::unique_ptr<Transport>> open(TransportOptions options, Crypto& crypto);
  /// Closes every link; what is queued is given up, unless linger() was called.
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// What was bound, its real port included; a wildcard is still one (see advertised()).
  [[nodiscard]] std::optional<core::Endpoint> bound() const;

  /// Whether there is a link to it.
  [[nodiscard]] bool linked(const PeerId& peer) const;
  /// False where there is no link or its queue is full: the frame is untouched, to come back in SendRefused. Never blocks.
  [[nodiscard]] bool send(const PeerId& to, ByteView frame);
  /// PeerConnected or DialFailed follows from receive(); none does where an earlier dial of this peer still runs.
  void dial(const core::Dial& dial, Now now);
  /// PeerLost follows from receive(), if there was a link; DialFailed, if one was being made.
  void disconnect(const core::Disconnect& disconnect, Now now);

  /// Appends what has happened: connections, losses, frames; bounded, fair among peers. True where more waits already.
  bool receive(std::vector<core::Event>& events, Now now);
  /// When receive() is due at the latest even if nothing arrives.
  [[nodiscard]] BootTime next_deadline() const;

  /// Sleeps until something arrives, the watched descriptor is readable, or `until`.
  void wait(BootTime until);
  /// One descriptor of the owner's that ends wait() (level-triggered).
  void watch(int descriptor);

  /// The destructor gives queued frames this long to leave; for an orderly goodbye.
  void linger(Duration time);

  [[nodiscard]] TransportCounters counters() const;

 private:
  class Impl;
  explicit Transport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::zmq
