// OwnProof: our own ticket, and when a new one has to be searched for.
//
// Only a peer with jobs of its own needs one, so nobody else searches. Where the month turns while there are jobs, the next one is searched for;
// until it is there, last month's is as good. What the search says is checked once, since a false one would have us banned by every neighbour.
#pragma once

#include <optional>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class OwnProof {
 public:
  /// `self` outlives it.
  explicit OwnProof(const Self& self) : self_(self) {}

  /// Found by a search in this run or an earlier one. False where it proves nothing here.
  [[nodiscard]] bool found(const IdentityTicket& ticket);
  /// There are jobs to be announced: MintIdentity where that takes a new ticket, once a month.
  void need(Now now, Output& out);

 private:
  const Self& self_;
  std::optional<IdentityTicket> ticket_;
  std::optional<std::uint32_t> searched_;  // the month of the last search that was begun
};

}  // namespace dugnad::core
