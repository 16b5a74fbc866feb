// Handshake: the first two frames on a connection, below the messages. CURVE has proved that each side holds its CURVE key; HELLO and WELCOME
// prove which peer key that CURVE key belongs to, that both are of one swarm, and settle the message version.
//
//   dialler  -> HELLO   {swarm, oldest, newest, key, nonce, signature over swarm, both CURVE keys, nonce}
//   listener -> WELCOME {version, key, nonce, signature over swarm, both CURVE keys, both nonces}   or  REFUSED {reason}
//
// Both CURVE keys are signed, in the order dialler, listener: a HELLO to one peer cannot be shown to another. The dialler's nonce in
// WELCOME makes an old WELCOME useless.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/core/identity.h"

namespace dugnad::core {

using Nonce = std::array<std::uint8_t, 32>;

enum class Refusal : std::uint8_t {
  malformed = 0,
  other_swarm = 1,
  version = 2,
  signature = 3,
  banned = 4,
  full = 5,
  self = 6,
  other_peer = 7
};
/// One clear line for the user who dialled.
[[nodiscard]] std::string describe(Refusal refusal);

struct Introduced {
  PublicKey key;
  PeerId peer;
  Nonce nonce{};
  std::uint32_t version = 1;
};

[[nodiscard]] Bytes make_hello(Crypto& self, const SwarmId& swarm, const CurveKey& listener, const Nonce& nonce);
/// At the listener: `dialler` is the CURVE key that ZAP saw.
[[nodiscard]] std::variant<Introduced, Refusal> read_hello(Crypto& self, const SwarmId& swarm, const CurveKey& dialler, ByteView frame);
[[nodiscard]] Bytes make_welcome(Crypto& self, const SwarmId& swarm, const CurveKey& dialler, const Introduced& hello, const Nonce& nonce);
[[nodiscard]] Bytes make_refused(Refusal refusal);
/// At the dialler: `nonce` is what its HELLO held.
[[nodiscard]] std::variant<Introduced, Refusal> read_welcome(Crypto& self, const SwarmId& swarm, const CurveKey& listener,
                                                             const Nonce& nonce, ByteView frame);

}  // namespace dugnad::core
