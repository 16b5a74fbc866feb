// Store: keeps the core's rows in SQLite (WAL). One thread of its own takes what was queued since it last looked, writes it in one
// transaction, and only then says so. Reading is for the start and for `dugnad jobs`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/base/rows.h"

namespace dugnad::store {

struct StoredJob {
  JobId job;
  Bytes manifest;
  Bytes recipe;
  WallTime created{};
  JobState state = JobState::running;
  std::uint64_t units_accepted = 0;
};

class Store {
 public:
  /// Opens or makes the journal at `path`. An error in one line: unreadable, not a journal, made by a newer version (the file is left as it is).
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& path);
  /// Opens an existing journal for reading alone, also while another process writes it. write() is a bug then.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open_for_reading(const std::string& path);
  ~Store();  // writes what is queued, then closes
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Called from the store's thread after each commit with the last sequence number it holds. Set before the first write().
  void on_committed(std::function<void(PersistSeq)> committed);
  /// Called from the store's thread when commits begin to fail, or fail for another reason (disk full, file gone): a line for the user. The rows
  /// are kept and tried again every second; on_committed tells when that went well. Set before the first write().
  void on_trouble(std::function<void(const std::string&)> trouble);

  /// Queues rows; from any thread.
  void write(PersistSeq seq, std::vector<Row> rows);
  /// Blocks until all that was queued is on disk, or has failed once.
  void flush();

  // What was committed; from any thread. An error in one line: unreadable or damaged, which must not pass for an empty journal.
  /// The oldest first.
  [[nodiscard]] Result<std::vector<StoredJob>> jobs() const;
  /// In the order in which they were written. None for an unknown job.
  [[nodiscard]] Result<std::vector<AcceptedUnit>> accepted(const JobId& job) const;
  /// The same, row by row: there may be a million.
  [[nodiscard]] Result<void> for_each_accepted(const JobId& job, const std::function<void(const std::vector<AcceptedUnit>&)>& visit) const;
  // Nothing for a job of a version that kept none of it.
  [[nodiscard]] Result<std::optional<PapersRow>> papers(const JobId& job) const;
  /// In the order in which it was written.
  [[nodiscard]] Result<std::vector<Bytes>> evidence(const JobId& job) const;
  /// Rows that say something of results that are not final, in the order in which they were written.
  [[nodiscard]] Result<std::vector<HeldRow>> held(const JobId& job) const;
  [[nodiscard]] Result<std::optional<Bytes>> summary(const JobId& job) const;
  /// The last seen first.
  [[nodiscard]] Result<std::vector<ContactRow>> contacts() const;
  // Of all swarms, and of one; nothing where an older version has written the journal.
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts() const;
  [[nodiscard]] Result<std::vector<FavourRow>> favours(const SwarmId& swarm) const;
  [[nodiscard]] Result<std::vector<ReputationRow>> reputations(const SwarmId& swarm) const;
  /// Of all jobs; nothing where an older version has written the journal.
  [[nodiscard]] Result<std::vector<NoteRow>> notes(NoteKind kind) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::store
