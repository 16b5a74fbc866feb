// NodeFiles: a node's place in the data directory: a name that no other running program has taken, the key that goes with it, the port that it had
// last time, and the proofs of work of that key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/store/data_dir.h"

namespace dugnad::worker {

class NodeFiles {
 public:
  /// The first of ROLE, ROLE-2, ... up to `most` of them whose lock is free. An error in one line.
  [[nodiscard]] static Result<NodeFiles> open(const std::string& data, const std::string& role, unsigned most);

  [[nodiscard]] const store::DataDir& dir() const { return dir_; }
  /// ROLE, ROLE-2, ...: nobody else has it while this object lives.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// A peer key belongs to one running process, so the lock is held as long as this object lives.
  [[nodiscard]] const SecretKeys& keys() const { return keys_; }

  [[nodiscard]] std::optional<std::uint16_t> last_port() const;
  /// A convenience: where it fails, the next start takes another port.
  void remember_port(std::uint16_t port) const;

  /// The key's proof of work for that swarm, as far as a file can be believed.
  [[nodiscard]] std::optional<core::IdentityTicket> ticket(const SwarmId& swarm) const;
  /// Likewise a convenience: where it fails, the next start searches anew. From any thread, one at a time.
  void remember_ticket(const SwarmId& swarm, const core::IdentityTicket& ticket) const;

 private:
  NodeFiles(store::DataDir dir, std::string name, std::shared_ptr<void> lock, const SecretKeys& keys)
      : dir_(std::move(dir)), name_(std::move(name)), lock_(std::move(lock)), keys_(keys) {}

  store::DataDir dir_;
  std::string name_;
  std::shared_ptr<void> lock_;
  SecretKeys keys_;
};

}  // namespace dugnad::worker
