// Shared: what both directions of the transport, those who dial us and those whom we dial, have in common.
#pragma once

#include <zmq.hpp>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/core/handshake.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/zmq/links.h"
#include "coordinatorless/zmq/transport.h"

namespace dugnad::zmq {

struct Shared {
  SwarmId swarm;
  SecretKeys keys;
  Crypto& crypto;
  ::zmq::context_t context;
  std::size_t descriptors = 0;  // the process's limit
  Links links;
  TransportCounters counters;

  /// A fifth of the descriptors stays for everything else: at exhaustion an idle ROUTER burns a whole core.
  [[nodiscard]] bool room() const {
    constexpr std::size_t per_dial = 4;  // TCP, the DEALER's mailbox, two of the monitor's
    return counters.connections + per_dial * counters.dials + 64 < descriptors / 10 * 8;
  }
};

/// Connections that have not said who they are: as many at once, each for so long. A CURVE handshake may take handshake_ivl of it.
inline constexpr std::size_t introductions_max = 512;
inline constexpr Duration introduction_time = std::chrono::seconds(10);

[[nodiscard]] inline core::Nonce fresh_nonce() { return fresh_seed(); }

}  // namespace dugnad::zmq
