#include "coordinatorless/store/row_writer.h"

#include <algorithm>

#include "coordinatorless/store/row_sum.h"

namespace dugnad::store {

RowWriter::RowWriter(sqlite3* database)
    : database_(database),
      begin_(database, "BEGIN IMMEDIATE"),
      commit_(database, "COMMIT"),
      job_(database,
           "INSERT INTO jobs(job,manifest,recipe,created,state,sum) VALUES(?1,?2,?3,?4,0,?5) "
           "ON CONFLICT(job) DO UPDATE SET manifest=excluded.manifest, recipe=excluded.recipe, sum=excluded.sum"),
      state_(database, "UPDATE jobs SET state=?2 WHERE job=?1"),
      batch_(database, "INSERT INTO accepted(id,job,units,batch,evidence,held,sum) VALUES(?1,?2,?3,?4,?5,?6,?7)"),
      last_accepted_(database, "SELECT coalesce(max(id),0) FROM accepted"),
      papers_(database, "INSERT OR REPLACE INTO papers VALUES(?1,?2,?3,?4,?5)"),
      summary_(database, "INSERT OR REPLACE INTO summaries(job,summary,sum) VALUES(?1,?2,?3)"),
      contact_(database,
               "INSERT INTO contacts VALUES(?1,?2,?3) ON CONFLICT(peer) DO UPDATE SET record=excluded.record, seen=excluded.seen"),
      contact_gone_(database, "DELETE FROM contacts WHERE peer=?1"),
      receipt_(database, "INSERT OR REPLACE INTO receipts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"),
      receipt_gone_(database, "DELETE FROM receipts WHERE swarm=?1 AND giver=?2 AND submitter=?3 AND series=?4 AND receiver=?5"),
      favour_(database, "INSERT OR REPLACE INTO favours(swarm,owner,account,sum) VALUES(?1,?2,?3,?4)"),
      favour_gone_(database, "DELETE FROM favours WHERE swarm=?1 AND owner=?2"),
      reputation_(database, "INSERT OR REPLACE INTO reputations(swarm,donor,record,sum) VALUES(?1,?2,?3,?4)"),
      reputation_gone_(database, "DELETE FROM reputations WHERE swarm=?1 AND donor=?2"),
      note_(database, "INSERT OR REPLACE INTO notes(job,kind,key,body,sum) VALUES(?1,?2,?3,?4,?5)"),
      note_gone_(database, "DELETE FROM notes WHERE job=?1 AND kind=?2 AND key=?3") {}

bool RowWriter::begin() {
  last_id_.reset();
  return begin_.run();
}

std::optional<std::int64_t> RowWriter::next_id() {
  if (!last_id_ && last_accepted_.step()) {
    last_id_ = last_accepted_.number(0);
    if (!last_accepted_.run()) last_id_.reset();  // to its end, where it lets go of what it read
  }
  if (last_id_) ++*last_id_;
  return last_id_;
}

bool RowWriter::put(const Row& row) {
  return std::visit([this](const auto& one) { return put_row(one); }, row);
}

bool RowWriter::put_row(const JobRow& row) {
  const std::int64_t sum = sum_of_job(row.job.view(), row.manifest, row.recipe);
  job_.bind(1, row.job.view()).bind(2, row.manifest).bind(3, row.recipe);
  return job_.bind(4, row.created.time_since_epoch().count()).bind(5, sum).run();
}

bool RowWriter::put_row(const JobStateRow& row) {
  return state_.bind(1, row.job.view()).bind(2, static_cast<std::int64_t>(row.state)).run();
}

bool RowWriter::put_row(const AcceptedRow& row) {
  const auto packed = pack(row);
  return std::all_of(packed.begin(), packed.end(), [this](const PackedBatch& batch) { return put(batch); });
}

bool RowWriter::put(const PackedBatch& row) {
  const auto id = next_id();
  if (!id) return false;
  const std::int64_t sum = sum_of_accepted(*id, row.job.view(), row.units, row.batch, row.evidence, row.held);
  batch_.bind(1, *id).bind(2, row.job.view()).bind(3, row.units).bind(4, row.batch);
  return batch_.bind(5, row.evidence).bind(6, row.held).bind(7, sum).run();
}

bool RowWriter::put_row(const PapersRow& row) {
  return papers_.bind(1, row.job.view())
      .bind(2, row.swarm.view())
      .bind(3, ByteView(row.manifest_signature))
      .bind(4, row.delegation)
      .bind(5, ByteView(row.delegation_signature))
      .run();
}

bool RowWriter::put_row(const SummaryRow& row) {
  return summary_.bind(1, row.job.view()).bind(2, row.summary).bind(3, sum_of_summary(row.job.view(), row.summary)).run();
}

bool RowWriter::put_row(const ContactRow& row) {
  return contact_.bind(1, row.peer.view()).bind(2, row.record).bind(3, row.seen.time_since_epoch().count()).run();
}

bool RowWriter::put_row(const ContactGone& row) { return contact_gone_.bind(1, row.peer.view()).run(); }

bool RowWriter::put_row(const ReceiptRow& row) {
  return receipt_.bind(1, row.swarm.view())
      .bind(2, row.giver.view())
      .bind(3, row.submitter.view())
      .bind(4, static_cast<std::int64_t>(row.series))
      .bind(5, row.receiver.view())
      .bind(6, static_cast<std::int64_t>(row.contradicts))
      .bind(7, static_cast<std::int64_t>(row.sequence))
      .bind(8, row.body)
      .bind(9, ByteView(row.giver_signature))
      .bind(10, row.receiver_signature ? ByteView(*row.receiver_signature) : ByteView())
      .run();
}

bool RowWriter::put_row(const ReceiptGone& row) {
  return receipt_gone_.bind(1, row.swarm.view())
      .bind(2, row.giver.view())
      .bind(3, row.submitter.view())
      .bind(4, static_cast<std::int64_t>(row.series))
      .bind(5, row.receiver.view())
      .run();
}

bool RowWriter::put_row(const FavourRow& row) {
  if (row.account.empty()) return favour_gone_.bind(1, row.swarm.view()).bind(2, row.owner.view()).run();
  const std::int64_t sum = sum_of_favour(row.swarm.view(), row.owner.view(), row.account);
  return favour_.bind(1, row.swarm.view()).bind(2, row.owner.view()).bind(3, row.account).bind(4, sum).run();
}

bool RowWriter::put_row(const ReputationRow& row) {
  if (row.record.empty()) return reputation_gone_.bind(1, row.swarm.view()).bind(2, row.donor.view()).run();
  const std::int64_t sum = sum_of_reputation(row.swarm.view(), row.donor.view(), row.record);
  return reputation_.bind(1, row.swarm.view()).bind(2, row.donor.view()).bind(3, row.record).bind(4, sum).run();
}

bool RowWriter::put_row(const NoteRow& row) {
  const auto kind = static_cast<std::int64_t>(row.kind), key = static_cast<std::int64_t>(row.key);
  if (row.body.empty()) return note_gone_.bind(1, row.job.view()).bind(2, kind).bind(3, key).run();
  note_.bind(1, row.job.view()).bind(2, kind).bind(3, key);
  return note_.bind(4, row.body).bind(5, sum_of_note(row.job.view(), kind, key, row.body)).run();
}

}  // namespace dugnad::store
