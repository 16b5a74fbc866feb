#include "coordinatorless/store/journal.h"

#include "coordinatorless/store/check.h"
#include "coordinatorless/store/files.h"
#include "coordinatorless/store/journal_impl.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open_for_writing(const std::string& path) {
  if (const Result<void> well = check(path); !well) return well.error();
  Result<Database> database = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path);
  if (!database) return database.error();
  // A newer version may stand in the log alone; then closing must not move the log into the file.
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (const Result<void> prepared = prepare_for_writing(database->get(), path); !prepared) return prepared.error();
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return std::unique_ptr<Journal>(new Journal(std::make_unique<Impl>(*std::move(database), path)));
}

Result<std::unique_ptr<Journal>> Journal::open_for_reading(const std::string& path) {
  const Result<Found> found = identify_untouched(path);
  if (!found) return found.error();
  if (*found == Found::empty) return Error{"there is no journal at " + path + "; nothing was submitted from here yet"};
  Result<Database> database = open_database(path, SQLITE_OPEN_READONLY, path);
  if (!database) return database.error();
  if (const Result<Found> again = identify(database->get(), path); !again) {
    // SQLite wants an index beside the log, and makes it. Where nothing can be made and there is no log, all there is stands in the file.
    if (sqlite3_errcode(database->get()) != SQLITE_CANTOPEN) return again.error();
    if (has_bytes(path + "-wal")) {
      return Error{"cannot read the journal " + path +
                   ": its log lacks its index, which cannot be made there; copy the directory to where you can write"};
    }
    database = open_database(uri_of(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path);
    if (!database) return database.error();
    if (const Result<Found> alone = identify(database->get(), path); !alone) return alone.error();
  }
  return std::unique_ptr<Journal>(new Journal(std::make_unique<Impl>(*std::move(database), path)));
}

Result<void> Journal::write(std::span<const QueuedRows> queued) { return impl_->write(queued); }
int Journal::pages_waiting() const { return impl_->pages_waiting(); }
void Journal::checkpoint() { impl_->checkpoint(); }

}  // namespace dugnad::store
