// Proofs of work for tests: searched for with the real hash, at a difficulty of a few tries.
#pragma once

#include <doctest/doctest.h>

#include "coordinatorless/core/identity_proof.h"
#include "tests/core/identities.h"

namespace dugnad::core::test {

inline constexpr unsigned few_bits = 3;  // eight tries, four milliseconds

inline bool holds(const Crypto& crypto, const SwarmId& in, const PublicKey& key, const IdentityTicket& ticket, unsigned bits) {
  const ProofInput input = proof_input(in, key, ticket);
  const auto hash = crypto.dear_hash(input.password, input.salt);
  REQUIRE(hash);
  return meets(*hash, bits);
}

/// The first ticket from `nonce` on that holds, or does not, as the test wants it.
inline IdentityTicket ticket_of(const Identity& whose, std::uint32_t month, bool good = true, std::uint64_t nonce = 0) {
  IdentityTicket ticket{month, nonce};
  while (holds(*whose.crypto, whose.self.swarm, whose.crypto->public_key(), ticket, few_bits) != good) ++ticket.nonce;
  return ticket;
}

/// Counts the dear hashes that it is asked for.
class CountingCrypto final : public Crypto {
 public:
  explicit CountingCrypto(Crypto& real) : real_(real) {}
  PublicKey public_key() const override { return real_.public_key(); }
  CurveKey curve_key() const override { return real_.curve_key(); }
  Signature sign(ByteView message) override { return real_.sign(message); }
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) override { return real_.verify(key, message, signature); }
  Bytes seal(const CurveKey& to, const std::array<std::uint8_t, 24>& nonce, ByteView plain) override {
    return real_.seal(to, nonce, plain);
  }
  std::optional<Bytes> open(const CurveKey& from, const std::array<std::uint8_t, 24>& nonce, ByteView sealed) override {
    return real_.open(from, nonce, sealed);
  }
  std::optional<Hash> dear_hash(ByteView password, const Salt& salt) const override {
    ++dear_hashes;
    return starved ? std::nullopt : real_.dear_hash(password, salt);
  }

  mutable unsigned dear_hashes = 0;
  bool starved = false;  // no memory is to be had

 private:
  Crypto& real_;
};

}  // namespace dugnad::core::test
