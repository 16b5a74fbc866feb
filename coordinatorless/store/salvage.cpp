#include "coordinatorless/store/salvage.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/store/found_rows.h"
#include "coordinatorless/store/row_writer.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {
namespace {

constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();

/// What is missing between the rows that were found, and whose it may be.
class Holes {
 public:
  Holes(const FoundRows& found, Salvaged& salvaged) : found_(found), salvaged_(salvaged) {
    std::int64_t next = 1;
    for (const auto& [id, row] : found.accepted) {
      if (id > next) add(next, id);
      next = id + 1;
    }
    // Behind the last row there may be as many as the index has.
    if (!found.claims.empty() && found.claims.rbegin()->first >= next) count_claims(next, nowhere);
  }

  /// The first row from which on nothing that the job held follows from what was before; `nowhere` where all is there.
  [[nodiscard]] std::int64_t first_of(const JobId& job) const {
    const auto own = first_.find(job);
    return std::min(of_unknown_, own == first_.end() ? nowhere : own->second);
  }

 private:
  [[nodiscard]] bool is_known(const JobId& job) const { return found_.jobs.contains(job) || salvaged_.jobs.contains(job); }

  /// Rows with these numbers are missing. How many of them the index speaks of in one way only.
  std::int64_t count_claims(std::int64_t from, std::int64_t to, bool is_hole = false) {
    std::int64_t claimed = 0;
    for (auto claim = found_.claims.lower_bound(from); claim != found_.claims.end() && claim->first < to; ++claim) {
      if (claim->second.size() != 1 || !is_known(claim->second.begin()->job)) continue;
      ++claimed;
      ++salvaged_.rows_lost;
      SalvagedJob& job = salvaged_.jobs[claim->second.begin()->job];
      job.units_lost += claim->second.begin()->units;
      job.maybe_more_lost = job.maybe_more_lost || claim->second.begin()->units > 0;
      if (is_hole) first_.try_emplace(claim->second.begin()->job, claim->first);
    }
    return claimed;
  }

  void add(std::int64_t from, std::int64_t to) {
    const std::int64_t claimed = count_claims(from, to, true);
    if (claimed == to - from) return;
    of_unknown_ = std::min(of_unknown_, from);
    salvaged_.rows_lost += static_cast<std::uint64_t>(to - from - claimed);
    for (auto& [id, job] : salvaged_.jobs) job.maybe_more_lost = true;
  }

  const FoundRows& found_;
  Salvaged& salvaged_;
  std::map<JobId, std::int64_t> first_;
  std::int64_t of_unknown_ = nowhere;
};

class NewJournal {
 public:
  explicit NewJournal(sqlite3* database) : database_(database), writer_(database) {}

  // False where SQLite failed.
  bool put(const Row& row) {
    if (rows_ == rows_together && !finish()) return false;
    if (rows_++ == 0 && !writer_.begin()) return false;
    return writer_.put(row);
  }
  /// All is in the file itself then, and its log is empty.
  bool finish() {
    return (std::exchange(rows_, 0) == 0 || writer_.commit()) &&
           sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) == SQLITE_OK;
  }

 private:
  static constexpr std::uint64_t rows_together = 500;
  sqlite3* database_;
  RowWriter writer_;
  std::uint64_t rows_ = 0;
};

/// Rule 3.
void judge_held(const FoundRows& found, const Holes& holes, Salvaged& salvaged) {
  std::set<JobId> holding;
  for (const auto& [id, row] : found.accepted) {
    if (row.holds) holding.insert(row.job);
  }
  for (const auto& [id, row] : found.accepted) {
    if (id < holes.first_of(row.job) || !holding.contains(row.job)) continue;
    SalvagedJob& job = salvaged.jobs[row.job];
    if (row.units > 0) {
      job.held = HeldSaved::nothing;
    } else if (row.holds && job.held == HeldSaved::all) {
      job.held = HeldSaved::up_to_the_damage;
    }
  }
}

template <class Rows>
bool put_all(NewJournal& journal, const Rows& rows, std::uint64_t& count) {
  for (const auto& [key, row] : rows) {
    if (!journal.put(row)) return false;
  }
  count = rows.size();
  return true;
}

bool put_jobs(NewJournal& journal, const FoundRows& found, Salvaged& salvaged) {
  for (const auto& [id, stored] : found.jobs) {
    SalvagedJob& job = salvaged.jobs[id];
    job.known = true;
    job.recipe = stored.recipe;
    job.reopened = stored.state == JobState::done && (job.units_lost > 0 || job.maybe_more_lost);
    const JobState state = job.reopened ? JobState::running : stored.state;
    if (!journal.put(JobRow{id, stored.manifest, stored.recipe, stored.created}) || !journal.put(JobStateRow{id, state})) return false;
  }
  return true;
}

bool put_accepted(NewJournal& journal, const Pages& pages, const FoundRows& found, const Holes& holes, Salvaged& salvaged) {
  for (const auto& [id, place] : found.accepted) {
    const auto record = pages.read(place.place);
    auto row = record ? accepted_row_of(*record) : std::nullopt;
    if (!row) return false;  // it was there just now
    SalvagedJob& job = salvaged.jobs[row->job];
    if (job.held == HeldSaved::nothing || id >= holes.first_of(row->job)) row->held.clear();
    job.units_saved += row->units.size();
    if (!place.summed) ++salvaged.rows_unknown;
    if (!journal.put(*row)) return false;
  }
  return true;
}

}  // namespace

Result<Salvaged> salvage(const std::string& from, const std::string& to) {
  const auto pages = Pages::open(from);
  if (!pages) return pages.error();
  FoundRows found;
  pages->for_each([&found](const CellPlace& place, const Record& record) { found.add(place, record); });

  const std::uint64_t others = found.papers.size() + found.summaries.size() + found.contacts.size() + found.receipts.size() +
                               found.favours.size() + found.reputations.size() + found.notes.size();
  if (found.jobs.empty() && found.accepted.empty() && others == 0) {
    return Error{"nothing in " + from + " is whole; move it away to start afresh, or restore it from a copy"};
  }
  Salvaged salvaged;
  salvaged.rows_unknown = found.unsummed;
  for (const auto& [id, job] : found.jobs) salvaged.jobs[id];
  for (const auto& [id, row] : found.accepted) salvaged.jobs[row.job];
  const Holes holes(found, salvaged);
  if (pages->may_lack_a_tail()) {
    for (auto& [id, job] : salvaged.jobs) job.maybe_more_lost = true;
  }
  judge_held(found, holes, salvaged);

  Result<Database> database = open_database(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, to);
  if (!database) return database.error();
  if (const Result<void> prepared = prepare_for_writing(database->get(), to); !prepared) return prepared.error();
  NewJournal journal(database->get());
  std::uint64_t ignored = 0;
  const bool written = put_jobs(journal, found, salvaged) && put_accepted(journal, *pages, found, holes, salvaged) &&
                       put_all(journal, found.papers, ignored) && put_all(journal, found.summaries, ignored) &&
                       put_all(journal, found.contacts, salvaged.contacts) && put_all(journal, found.receipts, salvaged.receipts) &&
                       put_all(journal, found.favours, salvaged.favours) && put_all(journal, found.reputations, salvaged.reputations) &&
                       put_all(journal, found.notes, ignored) && journal.finish();
  if (!written) return error_of(database->get(), "cannot write", to);
  return salvaged;
}

}  // namespace dugnad::store
