#include "coordinatorless/sim/journal.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/sim/draws.h"

namespace dugnad::sim {
namespace {

constexpr Duration commit_least = std::chrono::milliseconds(1);
constexpr Duration commit_most = std::chrono::milliseconds(15);  // an fsync on a laptop's disk
constexpr Duration again_after = std::chrono::seconds(1);        // a commit that failed, as the store does it

}  // namespace

Journal::Journal(EventQueue& queue, Generator generator, Committed committed, Trouble trouble)
    : queue_(queue), generator_(std::move(generator)), committed_(std::move(committed)), trouble_(std::move(trouble)) {}

void Journal::write(PersistSeq seq, std::vector<Row> rows) {
  if (!pending_.empty() && seq <= pending_.back().first) trouble_("rows were handed to the journal out of order");
  pending_.emplace_back(seq, std::move(rows));
  if (committing_ == 0) commit(pending_.size());
}

bool Journal::readable() { return failing_ == 0 || !generator_.chance(failing_); }

/// Puts the first `writes` pending ones on disk, all or none, and then whatever has come since.
void Journal::commit(std::size_t writes) {
  committing_ = writes;
  const bool fails = commit_fails_ = failing_ > 0 && generator_.chance(failing_);
  const Duration takes = between(generator_, commit_least, commit_most);
  queue_.after(fails ? again_after : takes, [this, fails, epoch = epoch_] {
    if (epoch != epoch_) return;
    if (fails) return commit(pending_.size());
    const PersistSeq last = pending_[committing_ - 1].first;
    keep_committing();
    if (!pending_.empty()) commit(pending_.size());
    committed_(last);
  });
}

void Journal::keep_committing() {
  for (std::size_t i = 0; i < committing_; ++i) {
    for (Row& row : pending_[i].second) keep(std::move(row));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(committing_));
  committing_ = 0;
}

void Journal::keep(Row row) {
  if (auto* submitted = std::get_if<JobRow>(&row)) {
    const JobId id = submitted->job;
    jobs_[id].row = std::move(*submitted);
  } else if (const auto* state = std::get_if<JobStateRow>(&row)) {
    jobs_[state->job].state = state->state;
  } else if (auto* papers = std::get_if<PapersRow>(&row)) {
    jobs_[papers->job].delegation = std::move(papers->delegation);
  } else if (auto* accepted = std::get_if<AcceptedRow>(&row)) {
    Job& job = jobs_[accepted->job];
    if (!accepted->held.empty()) job.held.push_back({std::move(accepted->evidence), std::move(accepted->held)});
    for (AcceptedUnit& unit : accepted->units) {
      const UnitIndex index = unit.unit;
      if (!job.accepted.insert_or_assign(index, std::move(unit)).second)
        trouble_("unit " + std::to_string(index.value) + " is accepted twice in the journal");
    }
  } else if (auto* contact = std::get_if<ContactRow>(&row)) {
    const PeerId id = contact->peer;
    contacts_[id] = std::move(*contact);
  } else if (const auto* gone = std::get_if<ContactGone>(&row)) {
    contacts_.erase(gone->peer);
  } else if (auto* receipt = std::get_if<ReceiptRow>(&row)) {
    const Line line{receipt->giver, receipt->submitter, receipt->series, receipt->receiver, receipt->contradicts};
    if (const auto at = receipts_.find(line); at != receipts_.end() && at->second.sequence > receipt->sequence)
      trouble_("a receipt is kept after one that replaces it");
    receipts_.insert_or_assign(line, std::move(*receipt));
  } else if (const auto* receipt_gone = std::get_if<ReceiptGone>(&row)) {
    receipts_.erase({receipt_gone->giver, receipt_gone->submitter, receipt_gone->series, receipt_gone->receiver, false});
    receipts_.erase({receipt_gone->giver, receipt_gone->submitter, receipt_gone->series, receipt_gone->receiver, true});
  } else if (auto* favour = std::get_if<FavourRow>(&row)) {
    const PublicKey owner = favour->owner;
    if (favour->account.empty()) favours_.erase(owner);
    else favours_[owner] = std::move(*favour);
  } else if (auto* reputation = std::get_if<ReputationRow>(&row)) {
    const PeerId donor = reputation->donor;
    if (reputation->record.empty()) reputations_.erase(donor);
    else reputations_[donor] = std::move(*reputation);
  } else if (auto* note = std::get_if<NoteRow>(&row)) {
    const auto name = std::tuple(note->kind, note->job, note->key);
    if (note->body.empty()) notes_.erase(name);
    else notes_[name] = std::move(*note);
  }
}

void Journal::crash() {
  if (committing_ > 0 && !commit_fails_ && generator_.chance(0.5)) keep_committing();
  pending_.clear();
  committing_ = 0;
  ++epoch_;
}

const Journal::Job* Journal::find(const JobId& job) const {
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? nullptr : &it->second;
}

std::vector<ContactRow> Journal::contacts() const {
  std::vector<ContactRow> contacts;
  for (const auto& [peer, row] : contacts_) contacts.push_back(row);
  return contacts;
}

namespace {

template <class Key, class Row>
std::vector<Row> values_of(const std::map<Key, Row>& rows) {
  std::vector<Row> values;
  for (const auto& [key, row] : rows) values.push_back(row);
  return values;
}

}  // namespace

std::vector<ReceiptRow> Journal::receipts() const { return values_of(receipts_); }
std::vector<FavourRow> Journal::favours() const { return values_of(favours_); }
std::vector<ReputationRow> Journal::reputations() const { return values_of(reputations_); }

std::vector<NoteRow> Journal::notes(NoteKind kind) const {
  std::vector<NoteRow> notes = values_of(notes_);
  std::erase_if(notes, [kind](const NoteRow& note) { return note.kind != kind; });
  return notes;
}

}  // namespace dugnad::sim
