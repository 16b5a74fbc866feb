// Identity proofs: what makes a fresh identity cost something, so that who floods the swarm with jobs under ever new names pays for each name.
//
// A ticket {month, nonce} in a peer's contact record proves work where the first `difficulty` bits of
//     Argon2id(1 MiB, one pass; password = month, nonce, peer key; salt = hash of `dugnad/1/identity` and the swarm id)
// are zero. Rules, and what each resists:
// - It is bound to the key, the swarm and the month. Rationale: it cannot be lent, taken to another swarm, or hoarded over the years.
// - 1 MiB for each try. Rationale: a graphics card's thousand cores share one memory, so that it mints at a few times a laptop's rate, where a
//   plain hash would be a thousand times as fast. More would make the check dearer for everybody.
// - Only who wants its jobs passed on needs one. Rationale: donors have nothing to flood with; what they say is judged by audits. Nor do the
//   links, the records and the leases of one's own neighbours ask for it, so that nobody waits to take part.
// - This month's is good, and last month's. Rationale: it is renewed when the month turns, at leisure.
// - Off by a month that two honest clocks may see differently: neither used nor charged.
// - The difficulty is part of the swarm's id. Rationale: whoever asks for less is in another swarm.
//
// A speed bump and not a wall: a try takes half a millisecond, 15 bits a core a quarter of a minute, once a month. Somebody with a thousand cores has
// three thousand names a minute, whose jobs then still share the places that there are for jobs.
#pragma once

#include <array>
#include <cstdint>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

/// Months since the beginning of the year 0, UTC.
[[nodiscard]] std::uint32_t month_of(WallTime time);

enum class Dating : std::uint8_t {
  current,  // this month's or the last one's, for one whose clock may be off by clock_skew
  off,      // not so here, but perhaps for whoever told us, or when it was signed
  absurd,   // no honest peer would have shown it
};
[[nodiscard]] Dating dating_of(std::uint32_t month, WallTime now);

/// What is hashed.
struct ProofInput {
  std::array<std::uint8_t, 4 + 8 + 32> password;
  Salt salt;
};
[[nodiscard]] ProofInput proof_input(const SwarmId& swarm, const PublicKey& key, const IdentityTicket& ticket);

/// Whether the first `bits` bits of that hash are zero.
[[nodiscard]] bool meets(const Hash& hash, unsigned bits);

}  // namespace dugnad::core
