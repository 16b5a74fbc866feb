// Peer: one participant of a swarm, as a value without I/O. It routes events to small machines and their effects out again; it holds no
// policy of its own. See seam.h for the contract.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/code_policy.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

struct PeerConfig {
  SwarmId swarm;
  unsigned difficulty = 0;                                   // of the swarm, as its id covers it
  std::optional<Endpoint> endpoint;                          // where others can dial us; none behind a NAT
  bool donates = false;                                      // to others' jobs; a submitter's own slots serve its own jobs alone
  unsigned slots = 0;                                        // attempts at once, at the start
  std::vector<std::pair<std::string, std::uint32_t>> tasks;  // names and versions that this peer can compute
  CodePolicy code{};                                         // whose programs it computes
  std::uint64_t blob_bytes = std::uint64_t{1} << 30;         // room for blobs that are needed here
  std::uint64_t steward_bytes = 0;                           // of others' jobs that are held while their submitters are away; 0: none is
  Crypto* owner = nullptr;  // signs for this peer's owner, and outlives the peer; nullptr: it neither gives nor gets receipts
};

struct JobProgress {
  std::uint64_t units_known = 0;  // appended so far
  std::uint64_t units_accepted = 0;
  std::uint64_t units_failed = 0;  // of the accepted ones: agreed to have failed
  std::uint64_t attempts = 0;      // results that came in, right or wrong
  std::uint64_t attempts_running = 0;
  std::uint64_t units_reopened = 0;  // agreed upon, but nobody who had its output gave it
  std::uint32_t donors = 0;  // with credit or leases
  std::uint32_t copies_in_reach = 0;  // that the donors there can still agree on, of every unit; at most what the job wants
  double unit_seconds = 0;   // mean CPU time of a unit, as reported
  // Of a job by confidence.
  std::uint64_t units_held = 0;  // have a result that is not final
  std::uint64_t own_units = 0;   // decided by what this peer computed itself
  std::uint64_t convicted = 0;   // times that a donor was proven wrong
  double confidence = 0;         // that the final results have reached
  bool ended = false;
};

/// A job of somebody else's that this peer holds as a steward.
struct HeldJob {
  JobId job;
  std::uint64_t units = 0;       // that it knows of
  std::uint64_t units_done = 0;  // of these, that have all results that are wanted, or are final
  bool leads = false;            // it leases them out
};

struct PeerInfo {
  PeerId peer;
  std::optional<Endpoint> endpoint;
  bool connected = false;
  bool donates = false;
};

/// Counts since the start; for metrics, tests and the simulator.
struct PeerCounters {
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t dropped_malformed = 0;  // undecodable frames
  std::uint64_t dropped_over_budget = 0;
  std::uint64_t dropped_unasked = 0;  // well-formed, yet not what this peer may say now (a result without a lease, ...)
  std::uint64_t jobs_known = 0;
  std::uint64_t units_computed = 0;  // as a donor
};

class Peer {
 public:
  /// `crypto` outlives the peer.
  Peer(PeerConfig config, Crypto& crypto, Generator generator);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void handle(Event event, Now now);
  [[nodiscard]] std::optional<Effect> next_effect();
  /// When to come with TimerDue at the latest; `never` where nothing waits.
  [[nodiscard]] BootTime next_deadline() const;

  [[nodiscard]] const PeerId& id() const;
  [[nodiscard]] std::optional<JobProgress> progress(const JobId& job) const;
  [[nodiscard]] std::vector<PeerInfo> peers() const;
  [[nodiscard]] std::vector<HeldJob> held_jobs() const;
  /// How many peers() would be.
  [[nodiscard]] std::size_t peers_known() const;
  [[nodiscard]] PeerCounters counters() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dugnad::core
