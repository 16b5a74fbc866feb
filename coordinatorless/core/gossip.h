// Gossip: job announcements as rumours, so that every donor hears of every job without anybody keeping a list.
//
// Rules, and what each resists:
// - An announcement is stored and passed on only after everything in it holds: the manifest and the delegation under the owner's key, the
//   delegation naming this job and the submitter, the submitter's contact record and the announcement under the submitter's key, sizes
//   and expiries. Rationale: whoever passes on a forgery is its forger, and can be charged.
// - Cheap before dear: (job, epoch, sequence) is compared, and the quota and the sender's allowance looked at, before a signature is
//   checked; parts that are byte for byte what is stored already are not checked again. Rationale: a signature check costs 60 us; a
//   repetition must not.
// - The later one replaces: the higher epoch of delegation, then the higher sequence. Rationale: a former delegate must not outbid the
//   present one with a huge sequence. Sequences are wall-clock milliseconds, so that a restarted submitter needs no memory of its last
//   one. Of one delegation, what is new of whoever stands before the other (mandate.h) replaces too, whatever the other's sequence. Rationale: a
//   steward whose turn is over could go on announcing, dated ahead, and nobody would hear of the one whose turn it is.
// - A closed one stays until it expires. Rationale: a copy of an earlier one that is still under way must not bring the job back.
// - The source sends to all neighbours, everybody else passes each one on once, to gossip_fanout or half of its neighbours. A job that
//   changes more often than once in gossip_spacing is kept but not pushed; digests carry it. Rationale: an owner's stream of refreshes is
//   not amplified.
// - A job whose submitter can neither be dialled nor relayed to yet is announced once it can be, or after gossip_spacing. Rationale: the
//   announcement would say nothing of use, and the one that does would come too soon after it to be pushed.
// - Each digest_interval, whoever holds anything tells one random neighbour what (and a new neighbour at once); that one pulls what it
//   lacks and sends what it has newer. Rationale: repairs what loss, partitions and late arrival left out, and costs nothing in an idle
//   swarm.
// - Neighbours that a rumour was not sent to, and that did not send it either, get a digest of such rumours after whisper_delay, once in
//   gossip_spacing at most. Rationale: of thousands of peers with eight neighbours each a few are always left out by all eight, and would
//   wait for somebody's random digest for a minute.
// - Quotas: announcements_per_owner (its own oldest closed one makes room, else the new one is refused) and announcements_max (then a
//   closed one goes, else a random one of the owner that holds most, the newcomer counted in). Rationale: keys are free, so a quota by
//   owner does not stop a flood; but few keys cannot push out many, nobody can aim at one job, and an honest one is back with its next
//   refresh.
// - Answers and checks have an allowance per neighbour. Rationale: a Pull of a few kilobytes asks for a megabyte; new jobs cost
//   signatures.
// - Passed on (pushed, told in digests, given to whoever asks) is only what its submitter's proof of work stands behind (identity_proof.h), as
//   far as the swarm asks for one. A job that comes from the submitter itself is kept without, unproven_jobs_max of them, and told to nobody;
//   whoever else brings one is charged. Once the submitter has its proof it announces again. Rationale: under free names a flood of jobs
//   would travel for ever; so it gets as far as the links that the flooder makes itself. And nobody waits for the search to begin working.
//   The submitter itself is asked for it as it links. Rationale: it may be another process of its, whose later delegation was not heard of.
// - Too old, too new, refused by a quota: dropped without a charge, since clocks and views differ among honest peers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/core/announced_job.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/proof_checks.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

/// A job of somebody else, as its latest announcement has it.
struct KnownJob {
  JobId job;
  Manifest manifest;
  Bytes manifest_body;     // the bytes that the job's id is the hash of
  Signature manifest_signature{};
  PeerId submitter;
  ContactRecord contact;   // the submitter's
  Signed record;           // the same, as it travels: for Membership::learn()
  PeerId told_by;          // the neighbour that we have the latest announcement from
  Signed delegation{};     // as it travels, and what it says
  Delegation delegated{};
  Mandate mandate{};       // the submitter's
  bool closed = false;
  WallTime expires{};      // without a later one by then, the job is to be forgotten; no news says so
};

class Gossip {
 public:
  /// `self` outlives the gossip.
  explicit Gossip(const Self& self) : self_(self), proofs_(self) {}

  // --- Our own jobs ---

  /// Our signed contact record: before the first publish(), and whenever it is renewed. Where it says that we are reached otherwise, or
  /// brings a proof, own jobs are announced again at the next tick.
  void set_own_record(Signed record);
  /// Announces a job of ours and goes on doing so until close(). False where others would refuse it: signatures, sizes, a delegation
  /// that does not name us, or no own record yet. Publishing a known job again takes the new delegation.
  [[nodiscard]] bool publish(Signed manifest, Signed delegation, Now now, Output& out);
  void close(const JobId& job, Now now, Output& out);
  /// Of the delegation by which a job is announced; 0: it is not.
  [[nodiscard]] std::uint64_t epoch_of(const JobId& job) const {
    const auto at = held_.find(job);
    return at == held_.end() ? 0 : at->second.what.delegation.epoch;
  }
  /// Somebody else leases it out from now on: it is not announced again, and stays known.
  void withdraw(const JobId& job);

  // --- Neighbours: the links that rumours travel on ---

  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer);

  // --- Messages. A charge is the sender's. From anybody but a neighbour they are ignored. ---

  [[nodiscard]] Charge on(const PeerId& from, const Announce& message, Now now, Output& out);
  [[nodiscard]] Charge on(const PeerId& from, const Digest& message, Now now, Output& out);
  [[nodiscard]] Charge on(const PeerId& from, const Pull& message, Now now, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  // --- What is known ---

  /// Others' jobs that were learnt or have changed since the last call, in the order learnt.
  [[nodiscard]] std::vector<KnownJob> take_news();
  /// All live and closed jobs of others, by id.
  [[nodiscard]] std::vector<KnownJob> known() const;
  [[nodiscard]] std::optional<KnownJob> known(const JobId& job) const;
  /// Those of one submitter that are live, by id.
  [[nodiscard]] std::vector<JobId> live_of(const PublicKey& submitter, WallTime now) const;
  [[nodiscard]] std::size_t held() const { return held_.size(); }  // own ones too

 private:
  struct Held {
    AnnouncedJob what;
    PeerId told_by;
    std::uint8_t hops = 0;              // that the next to get it will read
    std::map<PeerId, std::uint64_t> heard{};  // the highest sequence of each of its delegates
    std::optional<BootTime> pushed_at;  // when a change was last passed on, and whether it was the end
    std::optional<BootTime> handed_on_at{};  // and one to a delegate that stands before the other
    bool pushed_closed = false;
  };
  struct Own {
    Signed manifest;
    Signed delegation;
    std::uint64_t sequence = 0;
    bool closed = false;
    std::optional<BootTime> announced_at;
    BootTime refresh_at{};
  };
  struct Neighbour {
    TokenBucket answers{limits::gossip_answers_per_second, limits::gossip_answers_burst};
    TokenBucket checks{limits::gossip_checks_per_second, limits::gossip_checks_burst};
    TokenBucket digests{limits::gossip_digests_per_second, limits::gossip_digests_burst};
    ProofChecks::Allowance proofs;
    std::set<JobId> untold;  // rumours not sent to it, nor heard from it: to be whispered
  };

  [[nodiscard]] std::optional<AnnouncedJob> make_announcement(const Own& own, WallTime now) const;
  [[nodiscard]] std::optional<AnnouncedJob> outdoing(const Held& before, Own& own, WallTime now) const;
  void announce_own(Own& own, Now now, Output& out);
  void announce_own(Own& own, AnnouncedJob announced, Now now, Output& out);
  [[nodiscard]] static bool replaces(const AnnouncedJob& one, const Held& held, WallTime now);
  [[nodiscard]] static bool ends_for(const AnnouncedJob& one, const AnnouncedJob& other);
  [[nodiscard]] static bool tells_more(const AnnouncedJob& one, const AnnouncedJob& other);
  [[nodiscard]] static bool is_handed_on(const AnnouncedJob& to, const AnnouncedJob& from, WallTime now);
  [[nodiscard]] bool yields(const AnnouncedJob& later_one, WallTime now);
  [[nodiscard]] bool make_room(const PublicKey& owner);
  [[nodiscard]] bool make_room_among_all(const PublicKey& owner);
  void keep(AnnouncedJob announced, const PeerId& from, std::uint8_t hops);
  void forget(const JobId& job);
  void forget_expired(Now now);
  /// What to do about a submitter's proof of work.
  struct ProofStep {
    bool drop = false;   // charged or not
    bool check = false;  // once the signatures hold
    Charge charge{};
  };
  [[nodiscard]] ProofStep look_at_proof(const AnnouncedJob& announced, bool first_hand, Neighbour& teller, Now now);
  [[nodiscard]] ProofStep check_proof(const AnnouncedJob& announced, bool first_hand);
  [[nodiscard]] bool may_pass(const Held& held, WallTime now) const;
  [[nodiscard]] bool room_for_unproven(WallTime now) const;
  /// `handed_on`: to a delegate that stands before the one known.
  void push(Held& held, bool handed_on, Now now, Output& out);
  void answer(const PeerId& to, const Held& held, Now now, Output& out);
  void whisper(Now now, Output& out);
  void send_digest(const PeerId& to, Now now, Output& out);
  void ask_for_unproven(const PeerId& submitter, Now now, Output& out) const;
  void send_digest(const PeerId& to, const std::set<JobId>& jobs, Now now, Output& out);
  void schedule_digest(Now now);
  [[nodiscard]] KnownJob describe(const Held& held) const;

  const Self& self_;
  ProofChecks proofs_;
  std::optional<Signed> own_record_;
  bool reachable_ = false;                          // it names an endpoint or a relay
  std::map<JobId, Own> own_;
  std::map<JobId, Held> held_;                      // own ones too
  std::map<PublicKey, std::set<JobId>> by_owner_;   // of held_, own jobs excepted
  std::map<JobId, BootTime> refused_;               // by a quota: neither pulled nor looked at until then
  std::map<PeerId, Neighbour> neighbours_;
  std::vector<JobId> news_;
  BootTime digest_at_ = never;
  BootTime whisper_at_ = never;  // while anybody is untold
  BootTime whispered_at_{};
};

}  // namespace dugnad::core
