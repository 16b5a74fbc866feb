// Identities for tests: real keys from small numbers, and signed contact records of theirs.
#pragma once

#include <memory>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core::test {

inline const SwarmId swarm = swarm_id("test");

/// What a peer needs to be a Self, with everything that Self points to.
struct Identity {
  std::unique_ptr<Crypto> crypto;
  Generator generator;
  Self self;

  explicit Identity(std::uint64_t number, std::optional<Endpoint> endpoint = {}) : generator(Generator::from_seed(number)) {
    (void)sodium_ready();
    SecretKeys keys;
    keys.sign_seed = generator.key();
    keys.curve = generator.key();
    crypto = make_sodium(keys);
    self = {peer_id_of(crypto->public_key()), swarm, endpoint, true, crypto.get(), &generator};
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  [[nodiscard]] ContactRecord record(std::uint64_t sequence, WallTime now) const {
    ContactRecord record;
    record.key = crypto->public_key();
    record.curve = crypto->curve_key();
    record.endpoint = self.endpoint;
    record.donates = true;
    record.sequence = sequence;
    record.expires = now + std::chrono::duration_cast<WallTime::duration>(limits::record_lease);
    return record;
  }
  [[nodiscard]] Goodbye goodbye(std::uint64_t sequence, WallTime now) const {
    return {crypto->public_key(), sequence, now + std::chrono::duration_cast<WallTime::duration>(limits::record_lease)};
  }
  [[nodiscard]] Signed sign(const ContactRecord& record) const { return sign(Domain::contact, encode(record)); }
  [[nodiscard]] Signed sign(const Goodbye& goodbye) const { return sign(Domain::goodbye, encode(goodbye)); }
  [[nodiscard]] Signed sign(Domain domain, Bytes body) const {
    Signed raw{std::move(body), {}};
    raw.signature = self.sign(domain, raw.body);
    return raw;
  }
};

inline Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }
inline Endpoint loopback(unsigned port) { return at("127.0.0.1:" + std::to_string(port)); }
/// The n-th of as many networks (/16) as there are to be told apart.
inline Endpoint far_away(unsigned n) { return at(std::to_string(20 + n / 200) + "." + std::to_string(1 + n % 200) + ".7.7:4210"); }

inline Now start_of_time() { return {BootTime(std::chrono::hours(1)), WallTime(std::chrono::hours(24 * 365 * 50))}; }
inline Now later(Now now, Duration by) { return {now.boot + by, now.wall + std::chrono::duration_cast<WallTime::duration>(by)}; }

/// The effects of one kind, in order.
template <class Effect, class Out>
std::vector<Effect> all(const Out& out) {
  std::vector<Effect> found;
  for (const auto& effect : out.effects) {
    if (const auto* match = std::get_if<Effect>(&effect)) found.push_back(*match);
  }
  return found;
}

}  // namespace dugnad::core::test
