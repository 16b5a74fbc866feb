// NodeMinter: searches for this peer's proof of work, beside everything else: one thread in SCHED_IDLE, as long as a search lasts.
//
// The thread is never waited for. Rationale: on a busy machine a thread of that class may not run for minutes, and a program that ends must not
// take as long to. What it needs it shares, and from the destructor on it tells nobody of anything.
#pragma once

#include <functional>
#include <memory>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::worker {

class NodeMinter {
 public:
  /// Called on the search's thread, once for each search that comes to its end: the ticket, and how many tries it took.
  using Found = std::function<void(const core::IdentityTicket&, std::uint64_t tries)>;

  NodeMinter(const SwarmId& swarm, const PublicKey& key, Found found);
  ~NodeMinter();  // `found` is not called any more
  NodeMinter(const NodeMinter&) = delete;
  NodeMinter& operator=(const NodeMinter&) = delete;

  /// Begins; a search that is under way is given up.
  void mint(const core::MintIdentity& wanted);

 private:
  struct Search;
  void give_up();

  const SwarmId swarm_;
  const PublicKey key_;
  const Found found_;
  std::shared_ptr<Search> search_;  // the one under way
};

}  // namespace dugnad::worker
