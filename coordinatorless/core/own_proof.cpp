#include "coordinatorless/core/own_proof.h"

#include "coordinatorless/core/identity_proof.h"

namespace dugnad::core {

bool OwnProof::found(const IdentityTicket& ticket) {
  if (self_.difficulty == 0) return false;
  const ProofInput input = proof_input(self_.swarm, self_.crypto->public_key(), ticket);
  const auto hash = self_.crypto->dear_hash(input.password, input.salt);
  if (!hash || !meets(*hash, self_.difficulty)) return false;
  ticket_ = ticket;
  return true;
}

void OwnProof::need(Now now, Output& out) {
  const std::uint32_t month = month_of(now.wall);
  if (self_.difficulty == 0 || searched_ == month || (ticket_ && ticket_->month == month)) return;
  searched_ = month;
  out.push(MintIdentity{month, self_.difficulty});
}

}  // namespace dugnad::core
