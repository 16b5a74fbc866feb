// The half of a journal that reads: what was committed, as it was written, or an error.
#include <algorithm>
#include <chrono>
#include <string>

#include "coordinatorless/store/batch_format.h"
#include "coordinatorless/store/journal.h"
#include "coordinatorless/store/journal_impl.h"
#include "coordinatorless/store/row_sum.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {
namespace {

/// Whether a row holds what it held when it was written; rows of an older version do not tell.
bool fits(const Statement& rows, int column, std::int64_t sum) { return rows.is_null(column) || rows.number(column) == sum; }

std::optional<Signature> signature_from(ByteView bytes) {
  Signature signature{};
  if (bytes.size() != signature.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

/// A row of accepted.
struct AcceptedColumns {
  ByteView batch, evidence, held;
  std::int64_t units = 0;
};

/// A job's rows of accepted, in order. `visit` answers whether it could read the row.
template <class Visit>
Result<void> for_each_row(const Journal::Impl& journal, const JobId& job, Visit visit) {
  const std::string select = std::string("SELECT id, units, batch, ") +
                             (journal.has_schema(schema_with_evidence) ? "evidence, " : "NULL, ") +
                             (journal.has_schema(schema_with_held) ? "held, " : "NULL, ") +
                             (journal.has_schema(schema_with_sums) ? "sum" : "NULL") +
                             // By their ids: rows that are found by the index are sorted whole, which copies them to a file.
                             " FROM accepted WHERE id IN (SELECT id FROM accepted WHERE job=?1) ORDER BY id";
  Statement rows(journal.get(), select.c_str());
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const AcceptedColumns row{rows.bytes(2), rows.bytes(3), rows.bytes(4), rows.number(1)};
    if (!fits(rows, 5, sum_of_accepted(rows.number(0), job.view(), row.units, row.batch, row.evidence, row.held)) || !visit(row)) {
      return journal.damage("row " + std::to_string(rows.number(0)) + " of those accepted");
    }
  }
  if (!rows.ok()) return journal.failure("cannot read");
  return {};
}

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

}  // namespace

Result<std::vector<StoredJob>> Journal::jobs() {
  const std::string select = std::string("SELECT job, manifest, recipe, created, state, ") +
                             "(SELECT coalesce(sum(units),0) FROM accepted WHERE accepted.job=jobs.job), " +
                             (impl_->has_schema(schema_with_sums) ? "sum" : "NULL") + " FROM jobs ORDER BY created, job";
  Statement rows(impl_->get(), select.c_str());
  std::vector<StoredJob> jobs;
  while (rows.prepared() && rows.step()) {
    const auto job = JobId::from(rows.bytes(0));
    const std::int64_t state = rows.number(4);
    if (!job || state < 0 || state > static_cast<std::int64_t>(JobState::cancelled)) return impl_->damage("a job");
    const ByteView manifest = rows.bytes(1), recipe = rows.bytes(2);
    if (!fits(rows, 6, sum_of_job(job->view(), manifest, recipe))) return impl_->damage("how job " + job->brief() + " was submitted");
    jobs.push_back({*job, copy(manifest), copy(recipe), WallTime(std::chrono::milliseconds(rows.number(3))), static_cast<JobState>(state),
                    static_cast<std::uint64_t>(rows.number(5))});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return jobs;
}

Result<void> Journal::for_each_accepted(const JobId& job, const std::function<void(const std::vector<AcceptedUnit>&)>& visit) {
  return for_each_row(*impl_, job, [&visit, batch = std::vector<AcceptedUnit>()](const AcceptedColumns& row) mutable {
    if (!decode_batch(row.batch, batch) || static_cast<std::int64_t>(batch.size()) != row.units) return false;
    if (!batch.empty()) visit(batch);
    return true;
  });
}

Result<std::vector<Bytes>> Journal::evidence(const JobId& job) {
  std::vector<Bytes> evidence;
  const Result<void> read = for_each_row(*impl_, job, [&evidence](const AcceptedColumns& row) {
    if (!row.evidence.empty()) evidence.push_back(copy(row.evidence));
    return true;
  });
  if (!read) return read.error();
  return evidence;
}

Result<std::vector<HeldRow>> Journal::held(const JobId& job) {
  std::vector<HeldRow> held;
  const Result<void> read = for_each_row(*impl_, job, [&held](const AcceptedColumns& row) {
    if (!row.held.empty()) held.push_back({copy(row.evidence), copy(row.held)});
    return true;
  });
  if (!read) return read.error();
  return held;
}

Result<std::optional<PapersRow>> Journal::papers(const JobId& job) {
  std::optional<PapersRow> found;
  if (!impl_->has_schema(schema_with_evidence)) return found;
  Statement rows(impl_->get(), "SELECT swarm, manifest_signature, delegation, delegation_signature FROM papers WHERE job=?1");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const auto swarm = SwarmId::from(rows.bytes(0));
    const auto manifest_signature = signature_from(rows.bytes(1));
    const ByteView delegation = rows.bytes(2);
    const auto delegation_signature = signature_from(rows.bytes(3));
    if (!swarm || !manifest_signature || !delegation_signature) return impl_->damage("the papers of job " + job.brief());
    found = PapersRow{job, *swarm, *manifest_signature, Bytes(delegation.begin(), delegation.end()), *delegation_signature};
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return found;
}

Result<std::optional<Bytes>> Journal::summary(const JobId& job) {
  std::optional<Bytes> found;
  if (!impl_->has_schema(schema_with_evidence)) return found;
  Statement rows(impl_->get(), impl_->has_schema(schema_with_sums) ? "SELECT summary, sum FROM summaries WHERE job=?1"
                                                                   : "SELECT summary, NULL FROM summaries WHERE job=?1");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    if (!fits(rows, 1, sum_of_summary(job.view(), rows.bytes(0)))) return impl_->damage("what job " + job.brief() + " came to");
    found = copy(rows.bytes(0));
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return found;
}

Result<std::vector<ContactRow>> Journal::contacts() {
  Statement rows(impl_->get(), "SELECT peer, record, seen FROM contacts ORDER BY seen DESC, peer");
  std::vector<ContactRow> contacts;
  while (rows.prepared() && rows.step()) {
    const auto peer = PeerId::from(rows.bytes(0));
    if (!peer) return impl_->damage("a contact");
    const ByteView record = rows.bytes(1);
    contacts.push_back({*peer, Bytes(record.begin(), record.end()), WallTime(std::chrono::milliseconds(rows.number(2)))});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return contacts;
}

Result<std::vector<ReceiptRow>> Journal::receipts() {
  std::vector<ReceiptRow> receipts;
  if (!impl_->has_schema(schema_with_favours)) return receipts;
  Statement rows(impl_->get(), "SELECT * FROM receipts");
  while (rows.prepared() && rows.step()) {
    const auto swarm = SwarmId::from(rows.bytes(0));
    const auto giver = PublicKey::from(rows.bytes(1)), receiver = PublicKey::from(rows.bytes(4));
    const auto submitter = PeerId::from(rows.bytes(2));
    const ByteView body = rows.bytes(7);
    const auto given = signature_from(rows.bytes(8)), taken = signature_from(rows.bytes(9));
    if (!swarm || !giver || !receiver || !submitter || !given) return impl_->damage("a receipt");
    receipts.push_back({*swarm, *giver, *submitter, static_cast<std::uint64_t>(rows.number(3)), *receiver, rows.number(5) != 0,
                        static_cast<std::uint64_t>(rows.number(6)), Bytes(body.begin(), body.end()), *given, taken});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return receipts;
}

Result<std::vector<FavourRow>> Journal::favours(const SwarmId& swarm) {
  std::vector<FavourRow> accounts;
  if (!impl_->has_schema(schema_with_favours)) return accounts;
  Statement rows(impl_->get(), impl_->has_schema(schema_with_sums) ? "SELECT owner, account, sum FROM favours WHERE swarm=?1"
                                                                   : "SELECT owner, account, NULL FROM favours WHERE swarm=?1");
  if (rows.prepared()) rows.bind(1, swarm.view());
  while (rows.prepared() && rows.step()) {
    const auto owner = PublicKey::from(rows.bytes(0));
    const ByteView account = rows.bytes(1);
    if (!owner || !fits(rows, 2, sum_of_favour(swarm.view(), owner->view(), account))) return impl_->damage("an owner's account");
    accounts.push_back({swarm, *owner, Bytes(account.begin(), account.end())});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return accounts;
}

Result<std::vector<ReputationRow>> Journal::reputations(const SwarmId& swarm) {
  std::vector<ReputationRow> donors;
  if (!impl_->has_schema(schema_with_favours)) return donors;
  Statement rows(impl_->get(), impl_->has_schema(schema_with_sums) ? "SELECT donor, record, sum FROM reputations WHERE swarm=?1"
                                                                   : "SELECT donor, record, NULL FROM reputations WHERE swarm=?1");
  if (rows.prepared()) rows.bind(1, swarm.view());
  while (rows.prepared() && rows.step()) {
    const auto donor = PeerId::from(rows.bytes(0));
    const ByteView record = rows.bytes(1);
    if (!donor || !fits(rows, 2, sum_of_reputation(swarm.view(), donor->view(), record))) return impl_->damage("a donor's reputation");
    donors.push_back({swarm, *donor, Bytes(record.begin(), record.end())});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return donors;
}

Result<std::vector<NoteRow>> Journal::notes(NoteKind kind) {
  std::vector<NoteRow> notes;
  if (!impl_->has_schema(schema_with_notes)) return notes;
  const auto kind_number = static_cast<std::int64_t>(kind);
  Statement rows(impl_->get(), "SELECT job, key, body, sum FROM notes WHERE kind=?1 ORDER BY job, key");
  if (rows.prepared()) rows.bind(1, kind_number);
  while (rows.prepared() && rows.step()) {
    const auto job = JobId::from(rows.bytes(0));
    const ByteView body = rows.bytes(2);
    if (!job || !fits(rows, 3, sum_of_note(job->view(), kind_number, rows.number(1), body))) return impl_->damage("a note");
    notes.push_back({kind, *job, static_cast<std::uint64_t>(rows.number(1)), copy(body)});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return notes;
}

}  // namespace dugnad::store
