#include "coordinatorless/store/check.h"

#include <sys/stat.h>

#include <algorithm>

#include "coordinatorless/store/files.h"
#include "coordinatorless/store/log_file.h"
#include "coordinatorless/store/row_sum.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {
namespace {

std::uint64_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// SQLite's own check, but for whether indexes agree with their tables: that would cost as much again.
Result<void> check_pages(sqlite3* database, const std::string& path) {
  Statement rows(database, "PRAGMA quick_check(1)");
  if (!rows.prepared() || !rows.step()) return error_of(database, "cannot read", path);
  std::string says = to_text(rows.bytes(0));
  if (says == "ok") return {};
  std::replace(says.begin(), says.end(), '\n', ' ');
  return damaged(path, says);
}

/// Rows are numbered 1, 2, ... The count comes from the index, which is another tree than the one that has the rows.
Result<void> check_numbers(sqlite3* database, const std::string& path) {
  const auto count = number_from(database, "SELECT count(*) FROM accepted INDEXED BY accepted_of_job");
  const auto last = count ? number_from(database, "SELECT coalesce(max(id),0) FROM accepted") : std::nullopt;
  const auto first = last ? number_from(database, "SELECT coalesce(min(id),1) FROM accepted") : std::nullopt;
  if (!first) return error_of(database, "cannot read", path);
  if (*first != 1 || *last != *count) return damaged(path, "of " + std::to_string(std::max(*last, *count)) + " rows some are missing");
  return {};
}

/// Every row's sum, and those of rows that have none at least as far as they can be read at all.
Result<void> check_rows(sqlite3* database, const std::string& path) {
  if (number_from(database, "PRAGMA user_version").value_or(0) < schema_with_sums) return {};
  const auto check_each = [&](const char* select, auto sum) -> Result<void> {
    Statement rows(database, select);
    while (rows.prepared() && rows.step()) {
      if (!rows.is_null(0) && rows.number(0) != sum(rows)) return damaged(path, "a row is not what it was");
    }
    if (!rows.ok()) return error_of(database, "cannot read", path);
    return {};
  };
  if (auto well = check_each("SELECT sum, job, manifest, recipe FROM jobs",
                             [](const Statement& row) { return sum_of_job(row.bytes(1), row.bytes(2), row.bytes(3)); });
      !well) {
    return well;
  }
  if (auto well = check_each("SELECT sum, id, job, units, batch, evidence, held FROM accepted ORDER BY id",
                             [](const Statement& row) {
                               return sum_of_accepted(row.number(1), row.bytes(2), row.number(3), row.bytes(4), row.bytes(5), row.bytes(6));
                             });
      !well) {
    return well;
  }
  if (auto well = check_each("SELECT sum, job, summary FROM summaries",
                             [](const Statement& row) { return sum_of_summary(row.bytes(1), row.bytes(2)); });
      !well) {
    return well;
  }
  if (auto well = check_each("SELECT sum, swarm, owner, account FROM favours",
                             [](const Statement& row) { return sum_of_favour(row.bytes(1), row.bytes(2), row.bytes(3)); });
      !well) {
    return well;
  }
  if (auto well = check_each("SELECT sum, swarm, donor, record FROM reputations",
                             [](const Statement& row) { return sum_of_reputation(row.bytes(1), row.bytes(2), row.bytes(3)); });
      !well) {
    return well;
  }
  if (number_from(database, "PRAGMA user_version").value_or(0) < schema_with_notes) return {};
  return check_each("SELECT sum, job, kind, key, body FROM notes",
                    [](const Statement& row) { return sum_of_note(row.bytes(1), row.number(2), row.number(3), row.bytes(4)); });
}

Result<void> check_one_state(sqlite3* database, const std::string& path, bool all) {
  const Result<Found> found = identify(database, path);
  if (!found) return found.error();
  if (*found == Found::empty) return {};
  if (all || size_of(path) <= checked_bytes_max) {
    if (auto well = check_pages(database, path); !well) return well;
  }
  if (auto well = check_numbers(database, path); !well) return well;
  return all ? check_rows(database, path) : Result<void>();
}

/// All that is asked is asked of one state, whatever another process writes meanwhile: its rows would come between a count and another.
Result<void> check_database(sqlite3* database, const std::string& path, bool all) {
  if (!execute(database, "BEGIN")) return error_of(database, "cannot read", path);
  Result<void> well = check_one_state(database, path, all);
  execute(database, "ROLLBACK");
  return well;
}

Result<void> check_as(const std::string& path, bool all) {
  const Result<Found> found = identify_untouched(path);
  if (!found) return found.error();
  if (*found == Found::empty) return {};
  // A program that was killed while it made the file: whoever writes it next undoes what is half done.
  if (has_bytes(path + "-journal")) return {};
  const std::string log = path + "-wal";
  for (bool again = false; !has_bytes(log); again = true) {
    const Result<Database> database = open_database(uri_of(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path);
    if (!database) return database.error();
    // Without locks a file that another process writes just now may look damaged. That one has made a log, and taken it along if it has ended since.
    const Result<void> well = check_database(database->get(), path, all);
    if (well || again) return well;
  }
  const auto frames = LogFile::open(path);
  if (!frames) return frames.error();
  if (frames->is_damaged()) return damaged(log, "what was committed behind it would be lost");
  const Result<Database> database = open_database(path, SQLITE_OPEN_READONLY, path);
  if (!database) return database.error();
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);  // the last to close a log would move it into the file
  return check_database(database->get(), path, all);
}

}  // namespace

Result<void> check(const std::string& path) { return check_as(path, false); }
Result<void> check_all(const std::string& path) { return check_as(path, true); }

}  // namespace dugnad::store
