// WaitingResults: signed results that this donor's submitters have not had, or perhaps have not.
//
// Specification
//   1. What is computed while its submitter is away waits on disk, and is sent as soon as the submitter is back: to whichever process of it, by
//      whichever process of ours. Rationale: an hour's work is not to be lost because the other one had closed the laptop, nor because this one is
//      restarted meanwhile.
//   2. What has cost something is kept for results_in_doubt after it was sent; if the link breaks by then it waits as above. Rationale: a machine
//      that is gone is noticed after a minute, and what was sent to it meanwhile is nowhere. Whoever had it after all takes it for late.
//   3. What waits is let go of when its job has ended, or after waiting_most. Beyond waiting_bytes_max or waiting_batches_max the oldest goes of the
//      owner whose results take most. Rationale: nobody's absence may fill the disk, or push out what others wait for.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/core/journal.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class WaitingResults {
 public:
  explicit WaitingResults(Journal& journal) : journal_(journal) {}

  /// Whose results they are.
  struct For {
    PeerId submitter;
    PublicKey owner;
  };
  /// What earlier processes could not deliver.
  void restore(const std::vector<NoteRow>& notes, Now now, Output& out);
  /// The submitter is away.
  void keep(const For& whose, Results batch, Now now, Output& out);
  /// Sent, just now.
  void sent(const For& whose, Results batch, Now now, Output& out);
  /// The link with that submitter has broken.
  void lost(const PeerId& submitter, Now now, Output& out);
  /// It is back: sends what waits of that job.
  void deliver(const PeerId& submitter, const JobId& job, Now now, Output& out);
  /// The job has ended.
  void drop(const JobId& job, Output& out);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return next_; }
  /// Of outputs that wait for that submitter.
  [[nodiscard]] std::size_t bytes_for(const PeerId& submitter) const;

 private:
  struct Batch {
    For whose;
    Results results;
    std::size_t bytes = 0;
    BootTime until{};                  // it is kept that long
    std::optional<std::uint64_t> key;  // of its note, where there is one
    bool waits = true;                 // false: it was sent
  };
  using At = std::list<Batch>::iterator;

  [[nodiscard]] static Bytes encoded(const Batch& batch, WallTime until);
  [[nodiscard]] static std::optional<Batch> decoded(const NoteRow& note, Now now);
  /// end() where it was itself let go of for want of room.
  At add(Batch batch);
  void note_down(Batch& batch, Now now);
  At let_go(At at);
  void write(Output& out);

  Journal& journal_;
  std::list<Batch> batches_;  // the oldest first
  std::map<PublicKey, std::size_t> of_owner_;
  std::size_t bytes_ = 0;
  std::uint64_t last_key_ = 0;
  BootTime next_ = never;  // nothing is over sooner
  std::vector<Row> rows_;  // of the call that is under way
};

}  // namespace dugnad::core
