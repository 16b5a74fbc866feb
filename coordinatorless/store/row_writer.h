// RowWriter: the statements with which rows go into a journal that is open for writing.
#pragma once

#include "coordinatorless/base/rows.h"
#include "coordinatorless/store/queued_rows.h"
#include "coordinatorless/store/sqlite.h"

namespace dugnad::store {

class RowWriter {
 public:
  explicit RowWriter(sqlite3* database);

  [[nodiscard]] bool begin();
  [[nodiscard]] bool commit() { return commit_.run(); }
  /// False where SQLite failed; the database has the error.
  [[nodiscard]] bool put(const Row& row);
  [[nodiscard]] bool put(const PackedBatch& batch);

 private:
  /// Of accepted: one more than the highest, and none is ever deleted, so that a missing row is noticed.
  [[nodiscard]] std::optional<std::int64_t> next_id();
  bool put_row(const JobRow& row);
  bool put_row(const JobStateRow& row);
  bool put_row(const AcceptedRow& row);
  bool put_row(const PapersRow& row);
  bool put_row(const SummaryRow& row);
  bool put_row(const ContactRow& row);
  bool put_row(const ContactGone& row);
  bool put_row(const ReceiptRow& row);
  bool put_row(const ReceiptGone& row);
  bool put_row(const FavourRow& row);
  bool put_row(const ReputationRow& row);
  bool put_row(const NoteRow& row);

  sqlite3* database_;
  std::optional<std::int64_t> last_id_;  // within the transaction: other programs may write between two
  Statement begin_, commit_, job_, state_, batch_, last_accepted_, papers_, summary_, contact_, contact_gone_;
  Statement receipt_, receipt_gone_, favour_, favour_gone_, reputation_, reputation_gone_, note_, note_gone_;
};

}  // namespace dugnad::store
