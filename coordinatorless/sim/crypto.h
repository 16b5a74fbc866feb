// Simulated keys: signatures that only their key's holder can make and anybody can check, boxes that only their receiver can open, at a
// hundredth of the real cost. The trick is a registry of all secrets of the world, which verifying looks into and no peer can. Checking one is as
// cheap as remembering that it was checked, so nothing is memoised.
#pragma once

#include <functional>
#include <unordered_map>

#include "coordinatorless/base/crypto.h"

namespace dugnad::sim {

/// Every secret of one world.
class KeyRegistry {
 public:
  struct Secret {
    std::uint64_t first = 0, second = 0;
  };

  void add(const PublicKey& key, Secret secret) { signing_[key] = secret; }
  void add(const CurveKey& key, Secret secret) { sealing_[key] = secret; }
  [[nodiscard]] const Secret* find(const PublicKey& key) const;
  [[nodiscard]] const Secret* find(const CurveKey& key) const;

 private:
  // Asked for every record that comes.
  std::unordered_map<PublicKey, Secret> signing_;  // unordered: never iterated
  std::unordered_map<CurveKey, Secret> sealing_;   // unordered: never iterated
};

class SimCrypto final : public Crypto {
 public:
  /// Sees what is sealed (`outgoing`) and opened, with the other side's key: an invariant's only way to look into a relayed frame.
  using Tap = std::function<void(bool outgoing, const CurveKey& other, ByteView plain)>;

  /// `registry` outlives it. The same keys give the same identity.
  SimCrypto(KeyRegistry& registry, const SecretKeys& keys, Tap tap = {});

  [[nodiscard]] PublicKey public_key() const override { return public_; }
  [[nodiscard]] CurveKey curve_key() const override { return curve_; }
  [[nodiscard]] Signature sign(ByteView message) override;
  [[nodiscard]] bool verify(const PublicKey& key, ByteView message, const Signature& signature) override;
  [[nodiscard]] Bytes seal(const CurveKey& to, const std::array<std::uint8_t, 24>& nonce, ByteView plain) override;
  [[nodiscard]] std::optional<Bytes> open(const CurveKey& from, const std::array<std::uint8_t, 24>& nonce, ByteView sealed) override;
  /// Costs next to nothing; whoever searches for one accounts for the time that it would take.
  [[nodiscard]] std::optional<Hash> dear_hash(ByteView password, const Salt& salt) const override;

 private:
  KeyRegistry& registry_;
  PublicKey public_;
  CurveKey curve_;
  KeyRegistry::Secret signing_, sealing_;
  Tap tap_;
};

}  // namespace dugnad::sim
