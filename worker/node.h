// Node: a running participant of a swarm, wired together once for whoever needs one: dugnad-worker, and the SDK behind every submitter.
//
//   auto node = Node::open(options);            every failure is one line for the user
//   (*node)->start({.notice = ...});            the protocol on a thread of its own
//   (*node)->post(core::JobSubmitted{...});
//   (*node)->leave();                           orderly: leased work finishes or is returned, within some 5 s
//   (*node)->wait();
//
// Programs and large data are blobs: keep() makes one that others can fetch, and blob() reads what was fetched.
//
// It opens the data directory, takes a key, finds a port, resolves names, and connects core::Peer to the ZeroMQ driver, the store and the
// executor. It decides nothing about jobs.
//
// Threads: the protocol's own one (or the caller's of run()) owns peer and sockets; the store has one, the bulk channel one, libzmq one for
// I/O, the executor one a slot, and the search for a proof of work one while it lasts.
// Hooks run on the protocol's thread unless said otherwise, and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/core/peer.h"
#include "coordinatorless/store/blob_store.h"
#include "coordinatorless/store/store.h"
#include "tasks/task.h"

namespace dugnad::worker {

class Launcher;

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// One line for the user, without its line break. Called from any thread. What a remote peer can trigger comes at debug level, or limited in rate.
using Log = std::function<void(LogLevel, const std::string&)>;

struct NodeOptions {
  std::string swarm = "public";  // as core/swarm_name.h has it: `NAME` or `NAME:BITS`
  std::string swarm_secret;      // the file with a private swarm's secret; empty: a public one

  // As a person types them; contract.md has the forms.
  std::string listen;             // `tcp://HOST:PORT` | `none` | empty: last time's port, else the default one, else any
  std::string advertise;          // `tcp://HOST:PORT` | empty: what the machine's routes say
  std::vector<std::string> join;  // contacts, dialled again whenever they are lost

  /// Where keys, journal and last time's port are kept. Empty: the user's data directory.
  std::string data;
  /// Names this program's files there, as in `worker.key`, `worker.journal`, `worker.port` and `worker.lock`: a worker and a submitter on one
  /// machine are two peers.
  std::string role = "worker";
  /// So many programs of this role may use the data directory at once: the second has `ROLE-2.key` and `ROLE-2.port`; all share the journal.
  unsigned role_most = 1;
  /// False: nothing is kept and no data directory needed; keys are fresh, effects wait for no disk.
  bool journal = true;

  /// Of others' jobs that are held while their submitters are away, in memory; 0: none is.
  std::uint64_t steward_bytes = 0;
  bool donates = false;  // to others' jobs; the slots of one that does not serve its own jobs alone
  unsigned slots = 0;    // attempts at once; 0: no executor is made, and this program computes nothing
  tasks::TaskTable tasks;
  /// Whose programs it computes. By default built-in ones alone.
  core::CodePolicy code{};
  /// Starts the cages of strangers' programs, and outlives the node; without one, none is run.
  Launcher* launcher = nullptr;

  /// Bytes a second that blobs may take of the line, all peers together; 0: no limit.
  std::uint64_t upload_per_second = 0;
  std::uint64_t download_per_second = 0;

  /// Of the disk, or without a journal of memory, that blobs may take; 0: store::BlobStore's default.
  std::uint64_t cache_bytes = 0;

  Log log;  // may be empty
};

struct NodeHooks {
  /// DeliverResults, DonorOutvoted, NobodyToCompute, DonorsBack, StewardsHold, JobFound, JobEnded, Departed.
  std::function<void(core::Effect)> notice;
  /// PeerConnected, PeerLost and DialFailed, before the peer sees them.
  std::function<void(const core::Event&)> link;
  /// From the executor's watchdog: an attempt ignores its stop token, so that the process should restart itself.
  std::function<void(const std::string& what)> stuck;
};

class Node {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Node>> open(NodeOptions options);
  ~Node();  // stop(), and waits; what was queued for the journal is written
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // --- Running: one of the two, once ---

  /// On a thread of its own.
  void start(NodeHooks hooks);
  /// On the caller's; returns when the node has left or was stopped.
  void run(NodeHooks hooks);

  // --- From any thread ---

  void post(core::Event event);
  void post(std::vector<core::Event> events);
  /// Runs `work` on the protocol's thread, between two events; not at all where that has ended.
  void call(std::function<void(core::Peer&)> work);
  /// Orderly stop; Departed follows. Harmless to repeat.
  void leave();
  /// At once, whatever goes on.
  void stop();
  /// Until the node has left or was stopped. True where it had left in order. Not for hooks.
  bool wait();

  /// Keeps `bytes` under their name, for this process's life at least; other peers may fetch them. Blocks for as long as the disk takes: not for
  /// hooks. An error in one line: no room, no disk.
  [[nodiscard]] Result<BlobId> keep(ByteView bytes);
  /// keep() no more; as often as kept. Also for hooks.
  void let_go(const BlobId& id);
  /// A whole blob, checked. nullptr where it is not here; one that the protocol believes to be here is then fetched again. Not for hooks.
  [[nodiscard]] std::shared_ptr<const Bytes> blob(const BlobId& id);
  /// Where they lie: for whoever reads them when the node may be gone. Large outputs that were delivered are there until OutputTaken is posted.
  [[nodiscard]] std::shared_ptr<store::BlobStore> blob_store() const;
  [[nodiscard]] const store::KeptOutputs& kept_outputs() const;

  /// Bytes of blobs sent to others and fetched from them, since the start.
  struct Moved {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
  };
  [[nodiscard]] Moved moved() const;

  // These ask the protocol's thread and wait for its answer; nullopt or empty once it has ended. Not for hooks.
  [[nodiscard]] std::optional<core::JobProgress> progress(const JobId& job);
  [[nodiscard]] std::vector<core::PeerInfo> peers();
  [[nodiscard]] core::PeerCounters counters();
  [[nodiscard]] std::vector<core::HeldJob> held_jobs();

  // --- Constant after open(); from any thread ---

  [[nodiscard]] const PeerId& id() const;
  [[nodiscard]] const SwarmId& swarm() const;
  /// The line that others pass to --join. Where nobody can dial this node (`listen` is none) its HOST:PORT is `0.0.0.0:0`, which --join refuses.
  [[nodiscard]] std::string contact() const;
  [[nodiscard]] bool dialable() const;
  /// nullptr without a journal.
  [[nodiscard]] store::Store* store() const;
  /// Empty without a journal.
  [[nodiscard]] const std::string& data_dir() const;
  /// Which of the programs of this role it is in the data directory: `ROLE`, `ROLE-2`, ...; its files begin with that. Empty without a journal.
  [[nodiscard]] std::string name() const;
  /// The owner's keys: `owner.key` in the data directory, made on first use; fresh ones, the same at every call, without a journal.
  [[nodiscard]] Result<SecretKeys> owner_keys() const;

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::worker
