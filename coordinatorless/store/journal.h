// Journal: the SQLite file behind the store, used by one thread at a time. `sqlite` has what is used of SQLite, `schema` the versions of the file,
// `row_writer` what goes in.
//
//   jobs(job, manifest, recipe, created, state, sum)  one row a job
//   accepted(id, job, units, batch, evidence, held, sum)
//                                                  one row a batch of accepted units (batch_format.h), `units` many, evidence, and what is held of
//                                                  others, both opaque here: in one table, since another's pages would add a tenth to what a
//                                                  small unit costs
//   papers(job, swarm, manifest_signature, delegation, delegation_signature)
//   summaries(job, summary, sum)                        one row a job that has one, opaque here
//   contacts(peer, record, seen)                   one row a peer
//   receipts(swarm, giver, submitter, series, receiver, contradicts, sequence, body, giver_signature, receiver_signature)
//                                                  one row a line, and at most one that contradicts it; an empty signature is none
//   favours(swarm, owner, account, sum)                 one row an owner, opaque here
//   reputations(swarm, donor, record, sum)              one row a donor, opaque here
//   notes(job, kind, key, body, sum)                    one row a note (base/rows.h), opaque here
// The ids of accepted have no gaps: none is deleted. `sum` (row_sum.h) is NULL in rows of an older version.
// The header's application_id says that it is ours, user_version which schema it has. An older schema gains what it lacks when the file is
// opened for writing; for reading it is taken as it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/store/queued_rows.h"
#include "coordinatorless/store/store.h"

namespace dugnad::store {

class Journal {
 public:
  /// Opens or makes the journal. A file that is not ours, damaged (check.h) or from a newer version is not touched.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open_for_writing(const std::string& path);
  /// Opens an existing journal; others may be writing it. It is not checked, but each row that is read is.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open_for_reading(const std::string& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// All of it in one transaction, on disk when this returns; on an error none of it.
  [[nodiscard]] Result<void> write(std::span<const QueuedRows> queued);

  /// Pages that wait in the write-ahead log to be moved to the file proper, 4 KiB each.
  [[nodiscard]] int pages_waiting() const;
  /// Moves them, as far as no reader still needs the old ones. Costs several flushes. A failure only leaves the log longer.
  void checkpoint();

  [[nodiscard]] Result<std::vector<StoredJob>> jobs();
  [[nodiscard]] Result<void> for_each_accepted(const JobId& job, const std::function<void(const std::vector<AcceptedUnit>&)>& visit);
  [[nodiscard]] Result<std::optional<PapersRow>> papers(const JobId& job);
  [[nodiscard]] Result<std::vector<Bytes>> evidence(const JobId& job);
  [[nodiscard]] Result<std::vector<HeldRow>> held(const JobId& job);
  [[nodiscard]] Result<std::optional<Bytes>> summary(const JobId& job);
  [[nodiscard]] Result<std::vector<ContactRow>> contacts();
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts();
  [[nodiscard]] Result<std::vector<FavourRow>> favours(const SwarmId& swarm);
  [[nodiscard]] Result<std::vector<ReputationRow>> reputations(const SwarmId& swarm);
  [[nodiscard]] Result<std::vector<NoteRow>> notes(NoteKind kind);

  class Impl;

 private:
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::store
