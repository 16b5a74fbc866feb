// The simulated journal: rows are on disk a moment after they were handed over, one commit for all that came in the meantime. A crash loses
// what was not on disk yet; what was, the next process finds. Of a commit that was under way either all of it is there or nothing, as a torn record
// at the end counts for nothing: nobody was told in either case. A disk that is full or fails takes no commit for a while, and cannot be read.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/rows.h"
#include "coordinatorless/sim/event_queue.h"

namespace dugnad::sim {

class Journal {
 public:
  struct Job {
    std::optional<JobRow> row;
    JobState state = JobState::running;
    std::map<UnitIndex, AcceptedUnit> accepted;
    std::vector<HeldRow> held;
    Bytes delegation;
  };
  using Committed = std::function<void(PersistSeq)>;
  using Trouble = std::function<void(const std::string&)>;

  /// `committed` is called after each commit; `trouble` when a row contradicts what is there already.
  Journal(EventQueue& queue, Generator generator, Committed committed, Trouble trouble);

  /// The share of commits, and of readings at a start, that fail.
  void set_failing(double failing) { failing_ = failing; }
  void write(PersistSeq seq, std::vector<Row> rows);
  /// Whether it can be read now.
  [[nodiscard]] bool readable();
  void crash();

  [[nodiscard]] const Job* find(const JobId& job) const;
  [[nodiscard]] std::vector<ContactRow> contacts() const;
  [[nodiscard]] std::vector<ReceiptRow> receipts() const;
  [[nodiscard]] std::vector<FavourRow> favours() const;
  [[nodiscard]] std::vector<ReputationRow> reputations() const;
  [[nodiscard]] std::vector<NoteRow> notes(NoteKind kind) const;

 private:
  void commit(std::size_t writes);
  /// What is being committed is on disk.
  void keep_committing();
  void keep(Row row);

  EventQueue& queue_;
  Generator generator_;
  Committed committed_;
  Trouble trouble_;
  std::vector<std::pair<PersistSeq, std::vector<Row>>> pending_;
  std::size_t committing_ = 0;  // of the pending ones
  bool commit_fails_ = false;   // that one
  double failing_ = 0;
  std::uint64_t epoch_ = 0;
  std::map<JobId, Job> jobs_;
  std::map<PeerId, ContactRow> contacts_;
  using Line = std::tuple<PublicKey, PeerId, std::uint64_t, PublicKey, bool>;
  std::map<Line, ReceiptRow> receipts_;
  std::map<PublicKey, FavourRow> favours_;
  std::map<PeerId, ReputationRow> reputations_;
  std::map<std::tuple<NoteKind, JobId, std::uint64_t>, NoteRow> notes_;
};

}  // namespace dugnad::sim
