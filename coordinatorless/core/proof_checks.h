// ProofChecks: whose jobs may be passed on, and how much work we spend on finding out. identity_proof.h says what is proved.
//
// - What holds is remembered, by key and ticket (proofs_kept_max). Rationale: a submitter's announcements come every two minutes, from several
//   neighbours.
// - Checks have an allowance, of all tellers together and of each. Rationale: each holds up the protocol's thread for half a millisecond;
//   strangers may have one per cent of it. What comes beyond is left for another time: digests bring it again.
// - A check comes after the signatures. Rationale: they cost less, and a proof that does not hold is then the fault of somebody known.
#pragma once

#include <map>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

class ProofChecks {
 public:
  /// `self` outlives it.
  explicit ProofChecks(const Self& self) : self_(self) {}

  /// What can be said at a look.
  enum class Standing : std::uint8_t {
    proven,     // or this swarm asks for no proof
    unproven,   // there is none
    unchecked,  // there is one, and only check() can tell
    off,        // there is one of a month that honest clocks may differ about
    absurd,     // there is one of another month altogether
  };
  [[nodiscard]] Standing standing(const ContactRecord& record, WallTime now) const;

  /// What one neighbour may have us check; for whoever keeps neighbours.
  struct Allowance {
    TokenBucket checks{limits::proof_checks_of_one_per_second, limits::proof_checks_of_one_burst};
  };
  /// Whether one more check may be made now. Taken where true.
  [[nodiscard]] bool afford(Allowance& teller, BootTime now);

  enum class Verdict : std::uint8_t { holds, false_proof, unknown };  // unknown: there is no memory to be had
  /// Takes half a millisecond. For what is `unchecked`, once signatures hold.
  [[nodiscard]] Verdict check(const ContactRecord& record);

  [[nodiscard]] std::size_t kept() const { return proven_.size(); }

 private:
  void make_room(std::uint32_t month);

  const Self& self_;
  TokenBucket checks_{limits::proof_checks_per_second, limits::proof_checks_burst};
  std::map<PublicKey, IdentityTicket> proven_;
};

}  // namespace dugnad::core
