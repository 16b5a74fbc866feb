// The simulated journal: rows are on disk a moment after they were handed over, one commit for all that came in the meantime. A crash loses
// what was not on disk yet; what was, the next process finds.
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
  };
  using Committed = std::function<void(PersistSeq)>;
  using Trouble = std::function<void(const std::string&)>;

  /// `committed` is called after each commit; `trouble` when a row contradicts what is there already.
  Journal(EventQueue& queue, Generator generator, Committed committed, Trouble trouble);

  void write(PersistSeq seq, std::vector<Row> rows);
  void crash();

  [[nodiscard]] const Job* find(const JobId& job) const;
  [[nodiscard]] std::vector<ContactRow> contacts() const;
  [[nodiscard]] std::vector<ReceiptRow> receipts() const;
  [[nodiscard]] std::vector<FavourRow> favours() const;
  [[nodiscard]] std::vector<ReputationRow> reputations() const;

 private:
  void commit(std::size_t writes);
  void keep(Row row);

  EventQueue& queue_;
  Generator generator_;
  Committed committed_;
  Trouble trouble_;
  std::vector<std::pair<PersistSeq, std::vector<Row>>> pending_;
  bool committing_ = false;
  std::uint64_t epoch_ = 0;
  std::map<JobId, Job> jobs_;
  std::map<PeerId, ContactRow> contacts_;
  using Line = std::tuple<PublicKey, PeerId, std::uint64_t, PublicKey, bool>;
  std::map<Line, ReceiptRow> receipts_;
  std::map<PublicKey, FavourRow> favours_;
  std::map<PeerId, ReputationRow> reputations_;
};

}  // namespace dugnad::sim
