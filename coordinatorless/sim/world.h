// World: a swarm of simulated hosts and what befalls it, in the words of a test:
//
//   World world({.seed = 7});
//   const Node submitter = world.add_submitter();
//   const auto donors = world.add_workers(10);
//   const Submission& job = world.submit(submitter, {.units = 100, .unit = seconds(2), .copies = 2});
//   world.crash(donors[3]);
//   CHECK(world.run_until_ended(job, minutes(10)));
//
// Everything follows from the seed: the same calls on the same seed end in the same final_draw().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "coordinatorless/sim/host.h"

namespace dugnad::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  LinkQuality links;
  unsigned difficulty = 0;  // the proof of work that an identity costs, in bits
  /// Networks (of a /16) that all addresses are in; 0: any.
  std::uint64_t groups = 0;
};

/// A person, whose key signs jobs and receipts.
using Owner = std::size_t;

struct WorkerOptions {
  bool behind_nat = false;
  Strategy strategy = Strategy::honest;
  bool withholds = false;  // gives nothing of what it has
  /// Times that a saboteur comes back under a new name once its own is lost; for ever for a sybil, and never for others, where it is left out.
  std::optional<unsigned> returns{};
  double hardware_errors = 0;  // share of an honest donor's results
  unsigned slots = 1;
  /// Drawn where it is left out: lognormal, a standard deviation of 0.5 in the logarithm.
  std::optional<double> speed{};
  /// Whose contact the user pasted; a random dialable peer where it is left out, nobody for the first.
  std::optional<Node> joins{};
  /// At whose address it is, on another port; one of its own where it is left out.
  std::optional<Node> beside{};
  /// How long after now it starts.
  Duration starts_after{};
  std::optional<Owner> owner{};
  std::uint64_t steward_bytes = 0;  // of others' jobs that it holds while they are away
  StewardConduct steward = StewardConduct::honest;
};

struct SubmitterOptions {
  bool behind_nat = false;
  unsigned slots = 0;  // with which it computes its own job's units
  bool proves = true;  // works for an identity, where the swarm asks for that
  std::optional<Node> joins{};
  Duration starts_after{};
  /// Its jobs are this one's; somebody's whom no worker belongs to, where it is left out.
  std::optional<Owner> owner{};
  /// The owner's worker on the same machine: what that was thanked with is shown for it.
  std::optional<Node> shares_with{};
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Who is there ---
  [[nodiscard]] Owner add_owner();
  [[nodiscard]] PublicKey key_of(Owner owner) const { return owners_.at(owner)->public_key(); }
  Node add_worker(const WorkerOptions& options = {});
  std::vector<Node> add_workers(std::size_t count, const WorkerOptions& options = {});
  Node add_submitter(const SubmitterOptions& options = {});
  [[nodiscard]] Host& host(Node node) { return *hosts_.at(node); }
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }

  // --- What they do ---
  const Submission& submit(Node submitter, const JobSpec& spec);
  /// Its owner goes on with the job on another machine, of which nobody has heard before.
  void seek(Node submitter, const Submission& job);
  void cancel(Node submitter, const Submission& job);
  void leave(Node node);

  // --- What befalls them ---
  void crash(Node node, Death death = Death::killed);
  void restart(Node node);
  /// It goes for good: in order, or as in a crash.
  void retire(Node node, bool in_order);
  void suspend(Node node, Duration duration);
  void partition(const std::vector<Node>& left, const std::vector<Node>& right);
  void heal();

  // --- Time passes ---
  using Predicate = std::function<bool()>;
  /// Until `done` or a violation, `limit` at most. False where `done` did not come true.
  [[nodiscard]] bool run_until(const Predicate& done, Duration limit);
  [[nodiscard]] bool run_until_ended(const Submission& job, Duration limit);
  void run_for(Duration duration);
  [[nodiscard]] VirtualTime now() const { return queue_.now(); }
  void after(Duration delay, EventQueue::Action action) { queue_.after(delay, std::move(action)); }

  // --- What came of it ---
  [[nodiscard]] const std::vector<std::string>& violations() const { return witness_.violations(); }
  [[nodiscard]] const Network::Counts& traffic() const { return network_.counts(); }
  [[nodiscard]] std::uint64_t results() const { return witness_.results_seen(); }
  [[nodiscard]] Duration cpu_spent() const;
  /// What became of donors that were proven wrong.
  struct Convictions {
    std::uint64_t saboteurs = 0;       // each time
    std::uint64_t honest = 0;          // the same; only where they have hardware errors
    std::uint64_t honest_branded = 0;  // of these, that lost their names
  };
  [[nodiscard]] const Convictions& convictions() const { return convictions_; }
  [[nodiscard]] std::uint64_t events() const { return queue_.executed(); }
  /// Depends on every frame that arrived, in order, and on how far each generator has come. Ends the world's usefulness: it draws.
  [[nodiscard]] std::uint64_t final_draw();
  [[nodiscard]] Generator& generator() { return generator_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Gang& gang() { return gang_; }
  /// Saboteurs know from now on which units have a result (gang.h, 3).
  void let_saboteurs_overhear();

 private:
  Node add(HostOptions options, std::optional<Node> joins, Duration starts_after);
  [[nodiscard]] core::Endpoint fresh_address();
  [[nodiscard]] core::Endpoint address_beside(Node node);
  [[nodiscard]] std::optional<Node> somebody_dialable();
  void check_bounds();
  void convicted(const PeerId& donor, bool branded);

  const WorldOptions options_;
  EventQueue queue_;
  Generator generator_;
  Network network_;
  Directory directory_;
  KeyRegistry keys_;
  Witness witness_;
  Blobs::All blobs_;
  Gang gang_;
  std::map<JobId, JobSpec> jobs_;
  Surroundings surroundings_;
  SimCrypto owner_;  // of whom nobody asks
  std::vector<std::unique_ptr<SimCrypto>> owners_;
  std::vector<std::unique_ptr<Submission>> submissions_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::map<core::Endpoint, Node> addresses_;
  std::set<Node> retired_;
  Convictions convictions_;
};

}  // namespace dugnad::sim
