// WaitingResults: results that this donor's submitters have not had, or perhaps have not.
//
// Specification
//   1. What is computed while its submitter is away waits on disk. It is sent when the submitter is back and the job is served again: to whichever
//      process of it, by whichever process of ours. Rationale: an hour's work is not to be lost because the other one had closed the laptop, nor
//      because this one is started again meanwhile.
//   2. What has cost something is kept for results_in_doubt after it was sent; if the link breaks by then it waits as above. Rationale: a machine
//      that is gone is noticed after a minute, and what was sent to it meanwhile is nowhere. Whoever had it after all takes it for late. The
//      donor's own faults do not wait: they say nothing of the unit, and who says them twice is believed less.
//   3. It is sent in batches as large as may be, signed anew, and delivered_at_once at a time, delivery_pause apart. Rationale: what gathered for
//      days one by one is no flood, and a link carries no more at once than its outbox holds. A steward has
//      each batch as it was: what it has had it knows again, and a frame that is mostly that it would not keep (core/gathering.h).
//   4. A large output that is not held any more is left out (held_outputs.h). Rationale: a promise that cannot be kept.
//   5. What waits is let go of when its job has ended, or after waiting_most. Beyond waiting_bytes_max the oldest goes of the owner whose results
//      take most; of what was sent, beyond doubted_bytes_max, the oldest. Rationale: nobody's absence may fill the disk, or push out what others
//      wait for.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/core/journal.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class WaitingResults {
 public:
  using IsHeld = std::function<bool(const JobId&, UnitIndex, const BlobId&)>;
  WaitingResults(const Self& self, Journal& journal, IsHeld is_held) : self_(self), journal_(journal), is_held_(std::move(is_held)) {}

  /// Whose results they are. Of a steward's, whichever leads the job may have them.
  struct For {
    PeerId submitter;
    PublicKey owner;
    bool steward = false;
  };
  /// What earlier processes could not deliver.
  void restore(const std::vector<NoteRow>& notes, Now now, Output& out);
  /// The submitter is away.
  void keep(const For& whose, Results batch, Now now, Output& out);
  /// Sent, just now.
  void sent(const For& whose, Results batch, Now now);
  /// The link with that submitter has broken.
  void lost(const PeerId& submitter, Now now, Output& out);
  /// One steward leases a job out after the other: what the one has not had, or perhaps has not, is for the other.
  void change_hands(const JobId& job, const PeerId& before, const PeerId& after, Now now, Output& out);
  /// It is back: what waits of that job is sent from now on.
  void deliver(const PeerId& submitter, bool is_steward, const JobId& job, Now now, Output& out);
  /// The job has ended.
  void drop(const JobId& job, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return next_; }
  /// What waits for that submitter.
  [[nodiscard]] std::size_t bytes_for(const PeerId& submitter) const;

 private:
  struct Batch {
    For whose;
    Results results;
    std::size_t bytes = 0;
    BootTime until{};                  // it is kept that long
    std::optional<std::uint64_t> key{};  // of its note, where there is one
    bool waits = true;                 // false: it was sent
  };
  using Batches = std::list<Batch>;  // the oldest first
  struct Link {
    PeerId submitter;
    JobId job;
    bool is_steward = false;
    auto operator<=>(const Link&) const = default;
    [[nodiscard]] bool has(const Batch& batch) const {
      return batch.results.job == job && (batch.whose.submitter == submitter || (is_steward && batch.whose.steward));
    }
  };

  [[nodiscard]] static Batch batch_of(const For& whose, Results results);
  [[nodiscard]] static Bytes encoded(const Batch& batch, WallTime until);
  [[nodiscard]] static std::optional<Batch> decoded(const NoteRow& note, Now now);
  /// Sends what fits at once; false where that was all.
  [[nodiscard]] bool send_some(const Link& link, Now now, Output& out);
  void send(const PeerId& to, Results& batch, Output& out) const;
  /// What was sent and is meant waits again.
  void wait_again(const std::function<bool(const Batch&)>& is_meant, Now now);
  /// Takes the batch at `at` in, and makes room for it; its note is written where it has none.
  void take_in(Batches& from, Batches::iterator at, Now now);
  Batches::iterator let_go(Batches::iterator at);
  Batches::iterator forget_sent(Batches::iterator at);
  void write(Output& out);

  const Self& self_;
  Journal& journal_;
  const IsHeld is_held_;
  Batches waiting_;  // each has a note
  Batches sent_;     // and these have none: never waited
  std::map<PublicKey, std::size_t> of_owner_;  // bytes of `waiting_`
  std::size_t bytes_ = 0;
  std::size_t sent_bytes_ = 0;
  std::map<Link, BootTime> delivering_;  // when more is sent
  std::uint64_t last_key_ = 0;
  BootTime next_ = never;  // nothing is due sooner
  std::vector<Row> rows_;  // of the call that is under way
};

}  // namespace dugnad::core
