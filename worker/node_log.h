// NodeLog: what a person reads of a node's life: whether the contacts given with --join answer, whether there is a swarm at all, what is computed.
// Everything that a remote peer can bring about is said at a limited rate. It wakes nobody: a summary comes with the work it is about.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/token_bucket.h"
#include "worker/node.h"

namespace dugnad::worker {

/// Used by the protocol's thread alone.
class NodeLog {
 public:
  /// `host_ports`: the contacts given with --join, as the user typed their HOST:PORT.
  NodeLog(Log log, std::map<PeerId, std::string> host_ports);

  /// PeerConnected, PeerLost or DialFailed; others are none of its affair.
  void link(const core::Event& event, BootTime now);
  void started(const core::StartAttempts& started, BootTime now);
  void finished(const std::vector<FinishedAttempt>& finished, BootTime now);
  void departed();

 private:
  struct Joined {
    std::string host_port;
    bool connected = false;
    std::string failure;  // the last one said
  };

  void connected(const PeerId& peer, BootTime now);
  void lost(const PeerId& peer, BootTime now);
  void dial_failed(const core::DialFailed& failed);
  void say(LogLevel level, const std::string& line) const;
  /// At a limited rate; what is too much is left out.
  void say(LogLevel level, const std::string& line, BootTime now);
  [[nodiscard]] std::string computed() const;

  const Log log_;
  std::map<PeerId, Joined> joined_;
  std::set<PeerId> linked_;
  std::set<JobId> jobs_;  // whose start was said; forgotten all at once when they are many
  core::TokenBucket lines_;
  std::uint64_t computed_ = 0;
  Duration cpu_{};
  BootTime summary_at_{};
};

}  // namespace dugnad::worker
