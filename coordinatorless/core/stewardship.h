// Stewardship: jobs of others that this peer holds while their submitters may be away, and leases out when they are.
//
// Specification
//   1. Whoever submits a job may ask any peer that says it is willing (ContactRecord::steward_bytes). It is held where there is room: within the
//      peer's bytes, an even share of them each, steward_jobs_max in all and steward_jobs_per_owner of one owner or of one submitter.
//      Rationale: an owner's key costs nothing.
//   2. It follows the record of whoever leads the job out (core/job_record.h), keeps what proves itself and is wanted, and nothing else. A job that
//      outgrows its share is given up, and whoever asked is told. Large values are held in what the share leaves (core/held_values.h).
//   3. The leader is whoever the newest announcement names. Who may be it, and who stands before whom, changes with the shift (core/mandate.h). A
//      delegated steward leads when for steward_patience, times those that stand before it, it had no link to the leader, or the shift was one in
//      which the leader stands behind it: it announces the job itself, leases units out, and takes from the other stewards what it lacks. Who
//      hears of a leader that stands before it, or has a newer delegation, follows again. A steward that says it leads while a link to whoever
//      stands before it holds is not listened to.
//   4. A job is forgotten when its submitter has ended it, or was not heard of for steward_keep.
//   5. All but large values is kept on disk as well, and checked like what comes from others when it is read again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/gathering.h"
#include "coordinatorless/core/gossip.h"
#include "coordinatorless/core/held_values.h"
#include "coordinatorless/core/job_record.h"
#include "coordinatorless/core/mandate.h"
#include "coordinatorless/core/peer.h"
#include "coordinatorless/core/record_check.h"

namespace dugnad::core {

class Stewardship {
 public:
  /// `bytes`: what may be held; 0: nothing is. `blobs` outlives it.
  Stewardship(const Self& self, BlobWants& blobs, std::uint64_t bytes) : self_(self), blobs_(blobs), bytes_(bytes) {}

  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Entrust& message, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Follow& message, Output& out);
  [[nodiscard]] std::optional<Charge> on(const PeerId& from, Record&& message, Now now, Output& out);
  /// This peer submits the job itself from now on.
  void hand_back(const JobId& job, Output& out);
  /// News of a job that may be held here.
  void on_news(const KnownJob& known, Now now, Output& out);
  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer, Now now);
  void on_blob(const BlobWants::News& news, Now now, Output& out);

  // --- Of a job that it leads ---

  void on_want(const PeerId& from, const Want& want, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on_results(const PeerId& from, const PublicKey& key, const Results& results, Now now, Output& out);
  void on_return(const PeerId& from, const Return& returned, Now now, Output& out);

  /// What an earlier process of this peer's has held: as if it were told all of it again, by nobody that is linked.
  void restored(HeldRestored&& restored, Now now, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  [[nodiscard]] bool holds(const JobId& job) const { return jobs_.contains(job); }
  [[nodiscard]] std::vector<HeldJob> jobs() const;
  [[nodiscard]] bool leads(const JobId& job) const;
  [[nodiscard]] bool leads_any() const;
  /// Units of a job that it leads are for this peer to compute, too.
  [[nodiscard]] bool computes(const JobId& job) const;
  /// A link with that peer is needed: it leads a job that is held here, or is a donor or fellow steward of one that is led.
  [[nodiscard]] bool needs(const PeerId& peer) const;
  /// It submits a job that is held here, or is a steward of one too.
  [[nodiscard]] bool is_fellow(const PeerId& peer) const;
  /// What its peer is to do in Gossip since last asked: announce a job, or leave that to others.
  struct Turn {
    JobId job;
    bool leads = false;
    Signed manifest;
    Signed delegation;
    Mandate mandate;
  };
  [[nodiscard]] std::vector<Turn> take_turns() { return std::exchange(turns_, {}); }
  /// It could not be announced that this peer leads the job: perhaps later.
  void step_back(const JobId& job, Now now, Output& out);
  /// Peers that are needed no more, perhaps.
  [[nodiscard]] std::vector<PeerId> take_released() { return std::exchange(released_, {}); }

 private:
  struct Held {
    Held(const Self& self, BlobWants& blobs, const JobId& job, Manifest its, std::uint64_t series)
        : manifest(std::move(its)), record(job, series), units(self, job, manifest), values(blobs) {}
    Manifest manifest;
    Signed manifest_raw;
    Signed delegation_raw;   // the newest that names this peer; else that it was asked with
    Delegation delegation;
    JobRecord record;
    Gathering units;
    HeldValues values;
    PeerId leader;
    std::uint64_t leader_epoch = 0;
    bool leader_linked = false;
    BootTime alone_since{};     // without a link to this leader
    BootTime unlinked_since{};  // or any: stewards that say by turns that they lead, and are not there, keep nobody else from it
    BootTime look_at{};  // whether to lead
    bool leads = false;
    unsigned deeds = 0;
    PeerId asked_by;
    BootTime heard{};  // of its submitter; by a clock that nobody sets
    BootTime papers_kept{};
    bool was_restored = false;  // from what an earlier process had
  };
  [[nodiscard]] bool is_in(const Delegation& delegation) const;
  /// When this peer is to lead, as things are.
  [[nodiscard]] BootTime lead_at(const Held& held, Now now) const;
  [[nodiscard]] bool has_room(const PublicKey& owner, const PeerId& submitter) const;
  [[nodiscard]] std::uint64_t share() const;
  [[nodiscard]] bool is_genuine(const Entrust& message, const Manifest& manifest, const Delegation& delegation) const;
  [[nodiscard]] Held* find(const JobId& job);
  void follow(Held& held, const PeerId& whom, Output& out);
  void lead(const JobId& id, Held& held, Output& out);
  void stop_leading(const JobId& id, Held& held, Output& out);
  /// Whether it was news; nullopt where it proves nothing.
  [[nodiscard]] std::optional<bool> take(const JobId& id, Held& held, const RecordEntry& entry, const PeerId& from, Now now);
  /// The submitter was heard now: where that has not been kept for long, or its papers are new.
  void keep_papers(const JobId& id, Held& held, bool are_new, Now now, Output& out);
  void forget(const JobId& id, Output& out);
  void give_up_what_outgrows(Output& out);
  /// Between the units and their large values.
  void see_to_values(const JobId& id, Held& held, Now now, Output& out);

  const Self& self_;
  BlobWants& blobs_;
  const std::uint64_t bytes_;
  std::map<JobId, std::unique_ptr<Held>> jobs_;
  std::map<PeerId, bool> linked_;
  std::vector<Turn> turns_;
  std::vector<PeerId> released_;
};

}  // namespace dugnad::core
