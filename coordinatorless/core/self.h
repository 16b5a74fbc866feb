// Self: what every machine of the core may know of the peer that it is part of.
#pragma once

#include <optional>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/endpoint.h"
#include "coordinatorless/core/identity.h"

namespace dugnad::core {

struct Self {
  PeerId id;
  SwarmId swarm;
  std::optional<Endpoint> endpoint;  // where others can dial us; none behind a NAT
  bool donates = false;              // to others' jobs
  Crypto* crypto = nullptr;
  Generator* generator = nullptr;
  unsigned difficulty = 0;  // of the swarm: the proof of work that an identity costs, in bits; 0: none
  Crypto* owner = nullptr;  // signs for the owner whose peer this is; nullptr: it has none, and neither gives nor gets receipts
  std::uint64_t steward_bytes = 0;  // what it holds of others' jobs while they are away; 0: nothing

  [[nodiscard]] Signature sign(Domain domain, ByteView body) const { return crypto->sign(signed_bytes(domain, swarm, body)); }
  [[nodiscard]] bool verify(Domain domain, const PublicKey& key, ByteView body, const Signature& signature) const {
    return crypto->verify(key, signed_bytes(domain, swarm, body), signature);
  }
  [[nodiscard]] std::optional<PublicKey> owner_key() const { return owner == nullptr ? std::nullopt : std::optional(owner->public_key()); }
  [[nodiscard]] Signature sign_as_owner(Domain domain, ByteView body) const { return owner->sign(signed_bytes(domain, swarm, body)); }
};

}  // namespace dugnad::core
