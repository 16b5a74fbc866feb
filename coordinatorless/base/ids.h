// Strong ids. A peer, a job and a hash are all 32 bytes; the compiler keeps them apart.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "coordinatorless/base/bytes.h"

namespace dugnad {

/// 32 bytes that name something; `Tag` says what.
template <class Tag>
struct Id {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Id&) const = default;

  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  /// The first 8 hex digits: for people, never for comparing.
  [[nodiscard]] std::string brief() const { return hex().substr(0, 8); }
  [[nodiscard]] bool is_zero() const { return *this == Id{}; }

  /// nullopt unless `view` is exactly 32 bytes.
  [[nodiscard]] static std::optional<Id> from(ByteView view) {
    if (view.size() != 32) return std::nullopt;
    Id id;
    std::copy(view.begin(), view.end(), id.bytes.begin());
    return id;
  }
  /// nullopt unless `hex` is exactly 64 lower-case hex digits.
  [[nodiscard]] static std::optional<Id> from_hex(std::string_view hex) {
    const auto bytes = dugnad::from_hex(hex);
    return bytes ? from(*bytes) : std::nullopt;
  }
};

using Hash = Id<struct HashTag>;            // BLAKE2b-256 of something
using PeerId = Id<struct PeerTag>;          // BLAKE2b-256 of a peer key
using PublicKey = Id<struct PublicKeyTag>;  // Ed25519
using CurveKey = Id<struct CurveKeyTag>;    // X25519, as CURVE uses it
using JobId = Id<struct JobTag>;            // BLAKE2b-256 of a manifest's bytes
using SwarmId = Id<struct SwarmTag>;        // see swarm_id() in core/identity.h

/// A number that counts or names one kind of thing.
template <class Tag>
struct Number {
  std::uint64_t value = 0;
  auto operator<=>(const Number&) const = default;
};

using UnitIndex = Number<struct UnitTag>;        // position of a unit in its job, from 0
using LeaseId = Number<struct LeaseTag>;         // drawn by the submitter
using AttemptId = Number<struct AttemptTag>;     // drawn by the donor, names one execution in its executor
using PersistSeq = Number<struct PersistTag>;    // order of Persist effects, from 1; 0 waits for nothing

}  // namespace dugnad

/// The ids are hashes already; their first 8 bytes are as good as any hash of them. Never iterate where order matters.
template <class Tag>
struct std::hash<dugnad::Id<Tag>> {
  std::size_t operator()(const dugnad::Id<Tag>& id) const noexcept {
    std::size_t value;
    std::memcpy(&value, id.bytes.data(), sizeof value);
    return value;
  }
};
template <class Tag>
struct std::hash<dugnad::Number<Tag>> {
  std::size_t operator()(const dugnad::Number<Tag>& number) const noexcept { return number.value; }
};
