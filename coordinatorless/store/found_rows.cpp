#include "coordinatorless/store/found_rows.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "coordinatorless/store/batch_format.h"
#include "coordinatorless/store/row_sum.h"

namespace dugnad::store {
namespace {

/// Column by column: b a blob, n a number; in upper case one that may be missing at the end, as older versions have it, or be NULL.
bool has_shape(const Record& record, std::string_view shape) {
  if (record.columns.size() > shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool may_lack = shape[i] == 'B' || shape[i] == 'N';
    if (i >= record.columns.size()) {
      if (!may_lack) return false;
    } else if (!(may_lack && record.is_null(i)) && !(shape[i] == 'b' || shape[i] == 'B' ? record.is_blob(i) : record.is_number(i))) {
      return false;
    }
  }
  return true;
}

enum class Sum { missing, right, wrong };

Sum sum_at(const Record& record, std::size_t column, std::int64_t sum) {
  if (column >= record.columns.size() || record.is_null(column)) return Sum::missing;
  return record.number(column) == sum ? Sum::right : Sum::wrong;
}

ByteView blob_at(const Record& record, std::size_t column) { return column < record.columns.size() ? record.blob(column) : ByteView(); }

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

std::optional<Signature> signature(ByteView bytes) {
  Signature signature{};
  if (bytes.size() != signature.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

// The columns of accepted: its number stands beside the record and is NULL in it.
constexpr std::size_t job_at = 1, units_at = 2, batch_at = 3, evidence_at = 4, held_at = 5, sum_column = 6;

Sum accepted_sum(const Record& record) {
  return sum_at(record, sum_column,
                sum_of_accepted(record.id, record.blob(job_at), record.number(units_at), record.blob(batch_at),
                                blob_at(record, evidence_at), blob_at(record, held_at)));
}

}  // namespace

std::optional<AcceptedRow> accepted_row_of(const Record& record) {
  if (!record.has_id || record.id < 1 || record.columns.empty() || !record.is_null(0)) return std::nullopt;
  if (!has_shape(record, "BbnbBBN")) return std::nullopt;
  const auto job = JobId::from(record.blob(job_at));
  if (!job || accepted_sum(record) == Sum::wrong) return std::nullopt;
  auto units = decode_batch(record.blob(batch_at));
  if (!units || static_cast<std::int64_t>(units->size()) != record.number(units_at)) return std::nullopt;
  return AcceptedRow{*job, *std::move(units), copy(blob_at(record, evidence_at)), copy(blob_at(record, held_at))};
}

void FoundRows::add(const CellPlace& place, const Record& record) {
  if (record.has_id) {
    const auto row = accepted_row_of(record);
    if (!row) return;
    const Accepted found{place, row->job, row->units.size(), accepted_sum(record) == Sum::right, !row->held.empty()};
    const auto [at, is_new] = accepted.try_emplace(record.id, found);
    if (!is_new && found.summed && !at->second.summed) at->second = found;
    return;
  }
  const auto first = record.columns.empty() ? std::nullopt : JobId::from(record.blob(0));
  if (!first) return;
  if (has_shape(record, "bbbnnN")) {
    const std::int64_t state = record.number(4);
    const Sum sum = sum_at(record, 5, sum_of_job(record.blob(0), record.blob(1), record.blob(2)));
    if (sum == Sum::wrong || state < 0 || state > static_cast<std::int64_t>(JobState::cancelled)) return;
    const bool is_new =
        jobs.try_emplace(*first, StoredJob{*first, copy(record.blob(1)), copy(record.blob(2)),
                                           WallTime(std::chrono::milliseconds(record.number(3))), static_cast<JobState>(state), 0})
            .second;
    unsummed += is_new && sum == Sum::missing;
  } else if (has_shape(record, "bnn")) {
    if (record.number(1) >= 0 && record.number(2) > 0)
      claims[record.number(2)].insert({*first, static_cast<std::uint64_t>(record.number(1))});
  } else if (has_shape(record, "bbn") && sum_at(record, 2, sum_of_summary(record.blob(0), record.blob(1))) == Sum::right) {
    summaries.try_emplace(*first, SummaryRow{*first, copy(record.blob(1))});
  } else if (has_shape(record, "bbn")) {
    const PeerId peer{first->bytes};
    contacts.try_emplace(peer, ContactRow{peer, copy(record.blob(1)), WallTime(std::chrono::milliseconds(record.number(2)))});
  } else if (has_shape(record, "bb")) {
    unsummed += summaries.try_emplace(*first, SummaryRow{*first, copy(record.blob(1))}).second;
  } else if (has_shape(record, "bbbbb")) {
    const auto swarm = SwarmId::from(record.blob(1));
    const auto manifest = signature(record.blob(2)), delegation = signature(record.blob(4));
    if (swarm && manifest && delegation)
      papers.try_emplace(*first, PapersRow{*first, *swarm, *manifest, copy(record.blob(3)), *delegation});
  } else if (has_shape(record, "bbbN")) {
    // Both are alike but for their sums; without one it is not known which a row is.
    const auto other = PublicKey::from(record.blob(1));
    const SwarmId swarm{first->bytes};
    if (!other || record.blob(2).empty()) return;
    if (sum_at(record, 3, sum_of_favour(record.blob(0), record.blob(1), record.blob(2))) == Sum::right) {
      favours.try_emplace({swarm, *other}, FavourRow{swarm, *other, copy(record.blob(2))});
    } else if (sum_at(record, 3, sum_of_reputation(record.blob(0), record.blob(1), record.blob(2))) == Sum::right) {
      const PeerId donor{other->bytes};
      reputations.try_emplace({swarm, donor}, ReputationRow{swarm, donor, copy(record.blob(2))});
    }
  } else if (has_shape(record, "bnnbn")) {
    const std::int64_t kind = record.number(1), key = record.number(2);
    if (sum_at(record, 4, sum_of_note(record.blob(0), kind, key, record.blob(3))) != Sum::right) return;
    const NoteRow note{static_cast<NoteKind>(kind), *first, static_cast<std::uint64_t>(key), copy(record.blob(3))};
    notes.try_emplace({note.job, note.kind, note.key}, note);
  } else if (has_shape(record, "bbbnbnnbbb")) {
    const auto giver = PublicKey::from(record.blob(1)), receiver = PublicKey::from(record.blob(4));
    const auto submitter = PeerId::from(record.blob(2));
    const auto given = signature(record.blob(8));
    if (!giver || !receiver || !submitter || !given) return;
    ReceiptRow row{SwarmId{first->bytes},
                   *giver,
                   *submitter,
                   static_cast<std::uint64_t>(record.number(3)),
                   *receiver,
                   record.number(5) != 0,
                   static_cast<std::uint64_t>(record.number(6)),
                   copy(record.blob(7)),
                   *given,
                   signature(record.blob(9))};
    const std::vector<Bytes> key{copy(record.blob(0)), copy(record.blob(1)),
                                 copy(record.blob(2)), {static_cast<std::uint8_t>(row.contradicts)},
                                 copy(record.blob(4)), Bytes(to_bytes(std::to_string(row.series)))};
    receipts.try_emplace(key, std::move(row));
  }
}

}  // namespace dugnad::store
