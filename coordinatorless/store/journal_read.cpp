// The half of a journal that reads: what was committed, as it was written, or an error.
#include <algorithm>
#include <chrono>

#include "coordinatorless/store/batch_format.h"
#include "coordinatorless/store/journal.h"
#include "coordinatorless/store/journal_impl.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {
namespace {

std::optional<Signature> signature_from(ByteView bytes) {
  Signature signature{};
  if (bytes.size() != signature.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

}  // namespace

Result<std::vector<StoredJob>> Journal::jobs() {
  Statement rows(impl_->get(),
                 "SELECT job, manifest, recipe, created, state, (SELECT coalesce(sum(units),0) FROM accepted WHERE accepted.job=jobs.job) "
                 "FROM jobs ORDER BY created, job");
  std::vector<StoredJob> jobs;
  while (rows.prepared() && rows.step()) {
    const auto job = JobId::from(rows.bytes(0));
    const std::int64_t state = rows.number(4);
    if (!job || state < 0 || state > static_cast<std::int64_t>(JobState::cancelled)) return impl_->damage();
    const ByteView manifest = rows.bytes(1);
    const ByteView recipe = rows.bytes(2);
    jobs.push_back({*job, Bytes(manifest.begin(), manifest.end()), Bytes(recipe.begin(), recipe.end()),
                    WallTime(std::chrono::milliseconds(rows.number(3))), static_cast<JobState>(state), static_cast<std::uint64_t>(rows.number(5))});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return jobs;
}

Result<std::vector<AcceptedUnit>> Journal::accepted(const JobId& job) {
  Statement rows(impl_->get(), "SELECT batch, units FROM accepted WHERE job=?1 ORDER BY id");
  if (rows.prepared()) rows.bind(1, job.view());
  std::vector<AcceptedUnit> units;
  while (rows.prepared() && rows.step()) {
    auto batch = decode_batch(rows.bytes(0));
    if (!batch || static_cast<std::int64_t>(batch->size()) != rows.number(1)) return impl_->damage();
    units.insert(units.end(), std::make_move_iterator(batch->begin()), std::make_move_iterator(batch->end()));
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return units;
}

bool Journal::has_schema(std::int64_t version) { return number_from(impl_->get(), "PRAGMA user_version").value_or(0) >= version; }

Result<std::optional<PapersRow>> Journal::papers(const JobId& job) {
  std::optional<PapersRow> found;
  if (!has_schema(schema_with_evidence)) return found;
  Statement rows(impl_->get(), "SELECT swarm, manifest_signature, delegation, delegation_signature FROM papers WHERE job=?1");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const auto swarm = SwarmId::from(rows.bytes(0));
    const auto manifest_signature = signature_from(rows.bytes(1));
    const ByteView delegation = rows.bytes(2);
    const auto delegation_signature = signature_from(rows.bytes(3));
    if (!swarm || !manifest_signature || !delegation_signature) return impl_->damage();
    found = PapersRow{job, *swarm, *manifest_signature, Bytes(delegation.begin(), delegation.end()), *delegation_signature};
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return found;
}

Result<std::vector<Bytes>> Journal::evidence(const JobId& job) {
  std::vector<Bytes> evidence;
  if (!has_schema(schema_with_evidence)) return evidence;
  Statement rows(impl_->get(), "SELECT evidence FROM accepted WHERE job=?1 AND length(evidence)>0 ORDER BY id");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const ByteView batches = rows.bytes(0);
    evidence.emplace_back(batches.begin(), batches.end());
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return evidence;
}

Result<std::vector<HeldRow>> Journal::held(const JobId& job) {
  std::vector<HeldRow> held;
  if (!has_schema(schema_with_held)) return held;
  Statement rows(impl_->get(), "SELECT evidence, held FROM accepted WHERE job=?1 AND length(held)>0 ORDER BY id");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const ByteView evidence = rows.bytes(0), log = rows.bytes(1);
    held.push_back({Bytes(evidence.begin(), evidence.end()), Bytes(log.begin(), log.end())});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return held;
}

Result<std::optional<Bytes>> Journal::summary(const JobId& job) {
  std::optional<Bytes> found;
  if (!has_schema(schema_with_evidence)) return found;
  Statement rows(impl_->get(), "SELECT summary FROM summaries WHERE job=?1");
  if (rows.prepared()) rows.bind(1, job.view());
  while (rows.prepared() && rows.step()) {
    const ByteView summary = rows.bytes(0);
    found = Bytes(summary.begin(), summary.end());
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return found;
}

Result<std::vector<ContactRow>> Journal::contacts() {
  Statement rows(impl_->get(), "SELECT peer, record, seen FROM contacts ORDER BY seen DESC, peer");
  std::vector<ContactRow> contacts;
  while (rows.prepared() && rows.step()) {
    const auto peer = PeerId::from(rows.bytes(0));
    if (!peer) return impl_->damage();
    const ByteView record = rows.bytes(1);
    contacts.push_back({*peer, Bytes(record.begin(), record.end()), WallTime(std::chrono::milliseconds(rows.number(2)))});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return contacts;
}

Result<std::vector<ReceiptRow>> Journal::receipts() {
  std::vector<ReceiptRow> receipts;
  if (!has_schema(schema_with_favours)) return receipts;
  Statement rows(impl_->get(), "SELECT * FROM receipts");
  while (rows.prepared() && rows.step()) {
    const auto swarm = SwarmId::from(rows.bytes(0));
    const auto giver = PublicKey::from(rows.bytes(1)), receiver = PublicKey::from(rows.bytes(4));
    const auto submitter = PeerId::from(rows.bytes(2));
    const ByteView body = rows.bytes(7);
    const auto given = signature_from(rows.bytes(8)), taken = signature_from(rows.bytes(9));
    if (!swarm || !giver || !receiver || !submitter || !given) return impl_->damage();
    receipts.push_back({*swarm, *giver, *submitter, static_cast<std::uint64_t>(rows.number(3)), *receiver, rows.number(5) != 0,
                        static_cast<std::uint64_t>(rows.number(6)), Bytes(body.begin(), body.end()), *given, taken});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return receipts;
}

Result<std::vector<FavourRow>> Journal::favours(const SwarmId& swarm) {
  std::vector<FavourRow> accounts;
  if (!has_schema(schema_with_favours)) return accounts;
  Statement rows(impl_->get(), "SELECT owner, account FROM favours WHERE swarm=?1");
  if (rows.prepared()) rows.bind(1, swarm.view());
  while (rows.prepared() && rows.step()) {
    const auto owner = PublicKey::from(rows.bytes(0));
    const ByteView account = rows.bytes(1);
    if (!owner) return impl_->damage();
    accounts.push_back({swarm, *owner, Bytes(account.begin(), account.end())});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return accounts;
}

Result<std::vector<ReputationRow>> Journal::reputations(const SwarmId& swarm) {
  std::vector<ReputationRow> donors;
  if (!has_schema(schema_with_favours)) return donors;
  Statement rows(impl_->get(), "SELECT donor, record FROM reputations WHERE swarm=?1");
  if (rows.prepared()) rows.bind(1, swarm.view());
  while (rows.prepared() && rows.step()) {
    const auto donor = PeerId::from(rows.bytes(0));
    const ByteView record = rows.bytes(1);
    if (!donor) return impl_->damage();
    donors.push_back({swarm, *donor, Bytes(record.begin(), record.end())});
  }
  if (!rows.ok()) return impl_->failure("cannot read");
  return donors;
}

}  // namespace dugnad::store
