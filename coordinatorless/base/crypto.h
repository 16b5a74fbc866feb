// Signing, verifying and sealing. The core is handed a Crypto: real peers use Sodium (libsodium), the simulator a cheap one with
// the same meaning. What is signed is always the raw bytes that travelled, behind a domain; never a re-encoding.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "coordinatorless/base/ids.h"

namespace dugnad {

using Signature = std::array<std::uint8_t, 64>;
using Salt = std::array<std::uint8_t, 16>;

/// The secret halves of one identity. Ed25519 signs, X25519 is CURVE's; neither is derived from the other.
struct SecretKeys {
  std::array<std::uint8_t, 32> sign_seed{};   // Ed25519 seed
  std::array<std::uint8_t, 32> curve{};       // X25519 secret
};

/// One identity's signing, and anybody's verifying. Used by one thread.
class Crypto {
 public:
  virtual ~Crypto() = default;
  [[nodiscard]] virtual PublicKey public_key() const = 0;
  [[nodiscard]] virtual CurveKey curve_key() const = 0;
  [[nodiscard]] virtual Signature sign(ByteView message) = 0;
  [[nodiscard]] virtual bool verify(const PublicKey& key, ByteView message, const Signature& signature) = 0;
  /// Encrypts and authenticates `plain` for the holder of `to`; `nonce` must never repeat for one pair of keys.
  [[nodiscard]] virtual Bytes seal(const CurveKey& to, const std::array<std::uint8_t, 24>& nonce, ByteView plain) = 0;
  /// nullopt where `sealed` was not made by the holder of `from` for us with that nonce.
  [[nodiscard]] virtual std::optional<Bytes> open(const CurveKey& from, const std::array<std::uint8_t, 24>& nonce, ByteView sealed) = 0;
  /// dear_hash(), or what stands for it.
  [[nodiscard]] virtual std::optional<Hash> dear_hash(ByteView password, const Salt& salt) const = 0;
};

/// libsodium: Ed25519 and crypto_box. Call sodium_ready() once before.
[[nodiscard]] std::unique_ptr<Crypto> make_sodium(const SecretKeys& keys);

/// Initialises libsodium; false where the machine has no randomness to give.
[[nodiscard]] bool sodium_ready();

/// Argon2id with one pass over 1 MiB: half a millisecond, and little less on hardware made for it, since memory costs the same everywhere. For
/// proofs of work. nullopt where the memory is not to be had. From any thread.
[[nodiscard]] std::optional<Hash> dear_hash(ByteView password, const Salt& salt);

/// Fresh keys from the machine's randomness. For composition roots; the core draws from its Generator.
[[nodiscard]] SecretKeys fresh_keys();
[[nodiscard]] std::array<std::uint8_t, 32> fresh_seed();

[[nodiscard]] PublicKey public_key_of(const SecretKeys& keys);
[[nodiscard]] CurveKey curve_key_of(const SecretKeys& keys);
[[nodiscard]] PeerId peer_id_of(const PublicKey& key);

}  // namespace dugnad
