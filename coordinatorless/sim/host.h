// Host: one machine of the simulated world. It drives the product's own Peer as the real driver does, with a simulated network, journal and
// executor, and its own idea of what time it is. What makes it a liar or a silent donor is in its executor; the Peer is everybody's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/core/gate.h"
#include "coordinatorless/core/peer.h"
#include "coordinatorless/sim/blobs.h"
#include "coordinatorless/sim/conduct.h"
#include "coordinatorless/sim/crypto.h"
#include "coordinatorless/sim/directory.h"
#include "coordinatorless/sim/executor.h"
#include "coordinatorless/sim/gang.h"
#include "coordinatorless/sim/held_disk.h"
#include "coordinatorless/sim/journal.h"
#include "coordinatorless/sim/network.h"
#include "coordinatorless/sim/steward_liar.h"
#include "coordinatorless/sim/submission.h"
#include "coordinatorless/sim/witness.h"

namespace dugnad::sim {

/// What all hosts of one world share; outlives them.
struct Surroundings {
  EventQueue& queue;
  Network& network;
  Directory& directory;
  KeyRegistry& keys;
  Witness& witness;
  Blobs::All& blobs;
  Gang& gang;
  const std::map<JobId, JobSpec>& jobs;
  SwarmId swarm;
  unsigned difficulty = 0;  // of the swarm: what an identity costs, in bits
};

struct HostOptions {
  core::Endpoint address;  // seen from outside, whether or not it can be dialled there
  bool behind_nat = false;
  bool donates = true;
  unsigned slots = 1;
  double speed = 1;
  Strategy strategy = Strategy::honest;
  unsigned returns = 0;        // times that it comes back under a new name once its own is lost
  double hardware_errors = 0;  // share of an honest donor's results
  bool withholds = false;  // the large outputs that it returns, and everything else that it has
  bool proves = true;      // searches for a proof of work where its swarm asks for one
  Duration clock_skew{};  // of its wall clock
  std::uint64_t steward_bytes = 0;                  // of others' jobs that it holds
  StewardConduct steward = StewardConduct::honest;  // what it does with them
  std::vector<core::Contact> joins;
  SimCrypto* owner = nullptr;                                      // whose it is; nullptr: nobody's who would be thanked
  std::function<std::vector<ReceiptRow>()> receipts_beside{};      // of the owner's other programs on the same disk
};

class Host final : public NetworkUser {
 public:
  Host(Surroundings& surroundings, HostOptions options, Generator generator);

  [[nodiscard]] Node node() const { return node_; }
  [[nodiscard]] core::Contact contact() const;
  [[nodiscard]] bool running() const { return peer_ != nullptr; }
  [[nodiscard]] bool asleep() const { return asleep_; }
  [[nodiscard]] const HostOptions& options() const { return options_; }
  [[nodiscard]] bool has_ticket() const { return ticket_.has_value(); }

  /// What it does from now on with the jobs of others that it holds.
  void behave(StewardConduct conduct) { steward_ = conduct; }

  /// A new process, from what is on disk.
  void start();
  void crash(Death death);
  /// It dies instead of carrying out this effect, counted from 1 over all its processes; `died` is called then.
  void die_at(std::uint64_t effect, std::function<void()> died) { dies_at_ = effect, died_ = std::move(died); }
  [[nodiscard]] std::uint64_t effects() const { return effects_; }
  void set_disk_failing(double failing) { journal_.set_failing(failing), blobs_.set_failing(failing); }
  /// An orderly stop; running() turns false once the peer has departed.
  void leave();
  void suspend();
  void resume();
  /// A fresh identity on the same machine.
  void be_reborn();
  /// Also another contact, while it runs.
  void join(const core::Contact& contact);

  /// `submission` and `owner` outlive the host.
  void submit(Submission& submission, SimCrypto& owner);
  /// The same job, which another machine submitted: it is found among its stewards first.
  void seek(Submission& submission, SimCrypto& owner);
  void cancel(const JobId& job);
  /// It learns that its name is worth nothing any more. `was_outvoted`: without proof, which only a sybil takes to heart.
  void on_name_lost(bool was_outvoted);
  /// Called with a donor that was outvoted.
  std::function<void(const PeerId&)> outvoted;
  /// Called with a donor that was proven wrong.
  std::function<void(const PeerId&, bool branded)> convicted;

  /// nullptr while no process runs.
  [[nodiscard]] const core::Peer* peer() const { return peer_.get(); }
  [[nodiscard]] Duration spent() const { return executor_.spent(); }
  /// How far this host's generator has come.
  [[nodiscard]] std::uint64_t draw() { return generator_.next() ^ blobs_.draw(); }
  [[nodiscard]] Blobs& blobs() { return blobs_; }
  /// What is on its disk.
  [[nodiscard]] const Journal& journal() const { return journal_; }
  /// Tells the witness of containers that have grown past their bounds.
  void check_bounds() const;

  // NetworkUser
  void connected(Node peer, bool outbound) override;
  void lost(Node peer) override;
  void dial_failed(const CurveKey& wanted, const std::string& reason) override;
  void received(Node from, Bytes frame) override;
  [[nodiscard]] std::optional<std::string> refuses(Node dialler, const CurveKey& wanted) override;

 private:
  struct OwnJob {
    Submission* submission;
    SimCrypto* owner;
  };

  void check_needs(const core::AttemptToStart& attempt);
  void read_outputs(const core::DeliverResults& effect);
  void take_identity();
  void resubmit(const OwnJob& job);
  void feed(core::Event event);
  void carry_out(core::Effect effect);
  [[nodiscard]] bool dies_here();
  void act(core::SendMessage effect);
  void act(core::Dial effect);
  void act(core::Disconnect effect);
  void act(core::StartAttempts effect);
  void act(core::CancelAttempts effect);
  void act(core::FetchBlob effect);
  void act(core::HelpFetch effect);
  void act(core::OfferBlob effect);
  void act(core::ReleaseBlob effect);
  void act(const core::OutputHeld& effect) { blobs_.mark(effect.held); }
  void act(const core::OutputLetGo& effect) { blobs_.unmark(effect.job, effect.unit); }
  void act(core::BulkReceived effect);
  void act(core::Persist effect);
  void act(core::DeliverResults effect);
  void act(core::DonorOutvoted effect);
  void act(core::DonorConvicted effect);
  void act(core::KnownAnswerWrong effect);
  void act(core::CostExpected) {}
  void act(core::UnitsHeld) {}
  void act(core::StewardsHold effect);
  void act(core::JobFound effect);
  void act(core::NobodyToCompute effect);
  void act(core::DonorsBack effect);
  void act(core::JobEnded effect);
  void act(core::KeepHeld effect) { held_.keep(std::move(effect), surroundings_.queue.now()); }
  void act(core::DropHeld effect) { held_.drop(effect.job); }
  void act(core::MintIdentity effect);
  void act(core::Departed effect);
  void set_alarm();
  void ring(VirtualTime when);
  void watch_for_idleness();
  void be_reborn_soon();
  [[nodiscard]] Now now() const;
  [[nodiscard]] Submission* submission_of(const JobId& job) const;

  Surroundings& surroundings_;
  const HostOptions options_;
  StewardConduct steward_ = options_.steward;
  Generator generator_;
  Node node_;
  Duration boot_offset_;  // its clock since boot says something else than the world's
  std::unique_ptr<SimCrypto> crypto_;
  std::optional<core::IdentityTicket> ticket_;  // on disk, beside the identity
  Conduct conduct_;
  Executor executor_;
  Journal journal_;
  HeldDisk held_;
  Blobs blobs_;
  std::vector<OwnJob> own_jobs_;
  std::vector<OwnJob> sought_;
  Generator lies_;  // of a steward
  unsigned returned_ = 0;
  bool name_lost_ = false;  // and not replaced yet
  std::uint64_t effects_ = 0;
  std::uint64_t dies_at_ = 0;
  bool dying_ = false;
  std::function<void()> died_;

  // Of the process that runs.
  std::unique_ptr<core::Peer> peer_;
  core::Gate gate_;
  std::deque<core::Event> inbox_;
  bool busy_ = false;
  bool departed_ = false;
  bool asleep_ = false;
  std::uint64_t process_ = 0;  // which one, so that what was scheduled for another is stale
  std::map<PeerId, Node> node_of_;
  std::map<Node, PeerId> peer_at_;
  std::map<CurveKey, PeerId> dialling_;
  std::map<PeerId, BootTime> banned_;
  VirtualTime alarm_ = VirtualTime::max();
  VirtualTime rang_at_{-1};
  unsigned rings_at_once_ = 0;
  VirtualTime worked_at_{};
};

}  // namespace dugnad::sim
