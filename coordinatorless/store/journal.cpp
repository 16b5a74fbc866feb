#include "coordinatorless/store/journal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "coordinatorless/store/batch_format.h"
#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr int application_id = 0x6475676e;  // "dugn"
constexpr off_t log_size_ready = 300 * (4096 + 24);  // what a quiet store lets gather before a checkpoint, and a little
constexpr off_t header_size = 100;          // SQLite's file format
constexpr std::chrono::milliseconds busy_max{5000};  // another writer's commit takes milliseconds
constexpr std::size_t batch_bytes_max = 16u << 20;   // outputs in one row; SQLite's own limit is 1 GB

// From nothing to version 1, from there to 2, and so on. A step that has been released never changes.
constexpr std::array schema_steps{
    R"(
CREATE TABLE jobs(
  job BLOB PRIMARY KEY, manifest BLOB NOT NULL, recipe BLOB NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE accepted(
  id INTEGER PRIMARY KEY, job BLOB NOT NULL, units INTEGER NOT NULL, batch BLOB NOT NULL
) STRICT;
CREATE INDEX accepted_of_job ON accepted(job, units);
CREATE TABLE contacts(
  peer BLOB PRIMARY KEY, record BLOB NOT NULL, seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1685415790;
PRAGMA user_version = 1;
)",
    R"(
ALTER TABLE accepted ADD COLUMN evidence BLOB;
CREATE TABLE papers(
  job BLOB PRIMARY KEY, swarm BLOB NOT NULL, manifest_signature BLOB NOT NULL, delegation BLOB NOT NULL, delegation_signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE summaries(
  job BLOB PRIMARY KEY, summary BLOB NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
)",
    R"(
CREATE TABLE receipts(
  swarm BLOB NOT NULL, giver BLOB NOT NULL, submitter BLOB NOT NULL, series INTEGER NOT NULL, receiver BLOB NOT NULL,
  contradicts INTEGER NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, giver_signature BLOB NOT NULL, receiver_signature BLOB NOT NULL,
  PRIMARY KEY(swarm, giver, submitter, series, receiver, contradicts)
) STRICT, WITHOUT ROWID;
CREATE TABLE favours(
  swarm BLOB NOT NULL, owner BLOB NOT NULL, account BLOB NOT NULL, PRIMARY KEY(swarm, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE reputations(
  swarm BLOB NOT NULL, donor BLOB NOT NULL, record BLOB NOT NULL, PRIMARY KEY(swarm, donor)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;
)",
    R"(
ALTER TABLE accepted ADD COLUMN held BLOB;
PRAGMA user_version = 4;
)"};
constexpr auto schema_version = static_cast<std::int64_t>(schema_steps.size());
constexpr std::int64_t schema_with_evidence = 2;
constexpr std::int64_t schema_with_favours = 3;
constexpr std::int64_t schema_with_held = 4;
static_assert(application_id == 1685415790, "the number in schema_steps");

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

Error damaged(const std::string& path) {
  return {"the journal " + path + " is damaged; move it away to start afresh, or restore it from a copy"};
}
Error not_ours(const std::string& path) {
  return {path + " is not a dugnad journal; move it away, or choose another data directory with --data"};
}

/// What SQLite last complained of, as one line that starts with `what`.
Error error_of(sqlite3* database, const std::string& what, const std::string& path) {
  switch (sqlite3_errcode(database)) {
    case SQLITE_NOTADB: return not_ours(path);
    case SQLITE_CORRUPT: return damaged(path);
    case SQLITE_FULL: return {what + " the journal " + path + ": the disk is full"};
    case SQLITE_BUSY: return {what + " the journal " + path + ": another program is using it"};
  }
  const int system = sqlite3_system_errno(database);
  return {what + " the journal " + path + ": " + (system != 0 ? reason_of(system) : std::string(sqlite3_errmsg(database)))};
}

/// A prepared statement, used again and again. Bound bytes are not copied: they must stand until step() has returned false.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) { sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] bool prepared() const { return statement_ != nullptr; }

  Statement& bind(int position, ByteView bytes) {
    // A null pointer would be NULL, which is not the empty blob.
    sqlite3_bind_blob64(statement_, position, bytes.empty() ? "" : static_cast<const void*>(bytes.data()), bytes.size(), SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int position, std::int64_t number) {
    sqlite3_bind_int64(statement_, position, number);
    return *this;
  }

  /// True while there are rows; after false, ok() tells the end from a failure.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    ok_ = code == SQLITE_DONE;
    // reset() repeats the failure's code, so that the database's error stays the one to report.
    sqlite3_reset(statement_);
    return false;
  }
  [[nodiscard]] bool run() {
    while (step()) {
    }
    return ok_;
  }
  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] ByteView bytes(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  bool ok_ = false;
};

std::optional<std::int64_t> number_from(sqlite3* database, const char* sql) {
  Statement statement(database, sql);
  if (!statement.prepared() || !statement.step()) return std::nullopt;
  return statement.number(0);
}

bool execute(sqlite3* database, const char* sql) { return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

enum class Found { empty, older, ours };

/// What kind of file is open.
Result<Found> identify(sqlite3* database, const std::string& path) {
  const auto version = number_from(database, "PRAGMA user_version");
  const auto application = version ? number_from(database, "PRAGMA application_id") : std::nullopt;
  const auto tables = application ? number_from(database, "SELECT count(*) FROM sqlite_schema") : std::nullopt;
  if (!tables) return error_of(database, "cannot read", path);
  if (*application == 0 && *version == 0 && *tables == 0) return Found::empty;
  if (*application != application_id) return not_ours(path);
  if (*version > schema_version) {
    return Error{"the journal " + path + " was made by a newer version of dugnad (schema " + std::to_string(*version) + ", this one knows " +
                 std::to_string(schema_version) + "); update dugnad, or choose another data directory with --data"};
  }
  if (*version < 1) return damaged(path);
  return *version < schema_version ? Found::older : Found::ours;
}

Result<Database> open_database(const std::string& name, int flags, const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (opened == nullptr) return Error{"cannot open the journal " + path + ": out of memory"};
  if (code != SQLITE_OK) return error_of(opened, "cannot open", path);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_max.count()));
  return database;
}

std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<std::uint8_t>(c);
      uri += '%' + to_hex({&byte, 1});
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

/// Looks at the file without locks, log or recovery, none of which a file that is not ours should see. SQLite does the looking, because closing
/// a descriptor of our own would drop the locks that this process may hold on the file.
Result<Found> identify_untouched(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Found::empty;
    return Error{"cannot open the journal " + path + ": " + reason_of(errno)};
  }
  if (!S_ISREG(status.st_mode)) return not_ours(path);
  if (status.st_size == 0) return Found::empty;
  if (status.st_size < header_size) return not_ours(path);  // SQLite takes a single byte for an empty database
  const Result<Database> database = open_database(uri_of(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path);
  if (!database) return database.error();
  Result<Found> found = identify(database->get(), path);
  if (found || sqlite3_errcode(database->get()) != SQLITE_CORRUPT || ::stat((path + "-wal").c_str(), &status) != 0) return found;
  // Without locks, a file that another process moves its log into just now looks too short for its header. Asked again under locks.
  const Result<Database> locked = open_database(path, SQLITE_OPEN_READONLY, path);
  if (!locked) return locked.error();
  return identify(locked->get(), path);
}

/// Makes the tables that are missing, all or none. A new file is in a rollback journal still, so that the file proper says whose it is before a
/// write-ahead log exists. An older program that has the file open goes on: what it knows stays as it is.
Result<void> bring_up_to_date(sqlite3* database, const std::string& path) {
  if (!execute(database, "BEGIN IMMEDIATE")) return error_of(database, "cannot make", path);
  const auto version = number_from(database, "PRAGMA user_version");  // another process may have been here just now
  bool done = version.has_value();
  for (std::int64_t step = version.value_or(0); done && step < schema_version; ++step) {
    done = execute(database, schema_steps[static_cast<std::size_t>(step)]);
  }
  if (!done || !execute(database, "COMMIT")) {
    const Error error = error_of(database, "cannot make", path);
    execute(database, "ROLLBACK");
    return error;
  }
  return {};
}

/// Fills the log with zeros up to `log_size_ready`, so that commits overwrite blocks instead of adding some: a flush then need not wait for the
/// file system's own journal (measured: 90 µs instead of 200, and 100 µs instead of 4 ms while others flush). SQLite takes zeros for the log's
/// end. Under the write lock, as another process may be adding to the log. A failure costs speed alone.
void make_log_ready(sqlite3* database, const std::string& path) {
  if (!execute(database, "BEGIN IMMEDIATE")) return;
  {
    const Descriptor log(::open((path + "-wal").c_str(), O_WRONLY | O_CLOEXEC));
    struct stat status {};
    if (log.valid() && ::fstat(log.get(), &status) == 0 && status.st_size < log_size_ready && ::lseek(log.get(), 0, SEEK_END) == status.st_size) {
      (void)(write_all(log.get(), Bytes(static_cast<std::size_t>(log_size_ready - status.st_size))) && ::fdatasync(log.get()) == 0);
    }
  }
  execute(database, "ROLLBACK");
}

/// The file is ours: from here on it is written.
Result<void> prepare_for_writing(sqlite3* database, const std::string& path) {
  const Result<Found> found = identify(database, path);
  if (!found) return found.error();
  if (*found != Found::ours) {
    if (const Result<void> done = bring_up_to_date(database, path); !done) return done.error();
  }
  // FULL: a commit is on disk when it returns. No checkpoints of SQLite's own: the store's thread chooses when one stalls nobody.
  if (!execute(database, "PRAGMA journal_mode=WAL") || !execute(database, "PRAGMA synchronous=FULL") ||
      !execute(database, "PRAGMA wal_autocheckpoint=0")) {
    return error_of(database, "cannot write", path);
  }
  make_log_ready(database, path);
  return {};
}

}  // namespace

class Journal::Impl {
 public:
  Impl(Database database, std::string path) : path_(std::move(path)), database_(std::move(database)) {
    sqlite3_wal_hook(get(), [](void* self, sqlite3*, const char*, int pages) {
      static_cast<Impl*>(self)->pages_waiting_ = pages;
      return SQLITE_OK;
    }, this);
  }

  [[nodiscard]] sqlite3* get() const { return database_.get(); }
  [[nodiscard]] int pages_waiting() const { return pages_waiting_; }
  [[nodiscard]] Error failure(const std::string& what) const { return error_of(get(), what, path_); }
  [[nodiscard]] Error damage() const { return damaged(path_); }

  Result<void> write(std::span<const QueuedRows> queued) {
    int moved = 0;  // SQLite would go on writing into a file that nobody can find any more
    if (sqlite3_file_control(get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
      return Error{"cannot write the journal " + path_ + ": the file was moved or deleted; put it back, or start again"};
    }
    bool written = writing().begin.run();
    for (const QueuedRows& entry : queued) {
      for (const Row& row : entry.rows) {
        written = written && std::visit([this](const auto& one) { return put(one); }, row);
      }
    }
    if (written && writing().commit.run()) return {};
    const Error error = failure("cannot write");
    if (sqlite3_get_autocommit(get()) == 0) execute(get(), "ROLLBACK");
    return error;
  }

  void checkpoint() {
    if (sqlite3_wal_checkpoint_v2(get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) == SQLITE_OK) pages_waiting_ = 0;
  }

 private:
  struct Writing {
    explicit Writing(sqlite3* database)
        : begin(database, "BEGIN IMMEDIATE"),
          commit(database, "COMMIT"),
          job(database, "INSERT INTO jobs VALUES(?1,?2,?3,?4,0) "
                        "ON CONFLICT(job) DO UPDATE SET manifest=excluded.manifest, recipe=excluded.recipe"),
          state(database, "UPDATE jobs SET state=?2 WHERE job=?1"),
          batch(database, "INSERT INTO accepted(job,units,batch,evidence,held) VALUES(?1,?2,?3,?4,?5)"),
          papers(database, "INSERT OR REPLACE INTO papers VALUES(?1,?2,?3,?4,?5)"),
          summary(database, "INSERT OR REPLACE INTO summaries VALUES(?1,?2)"),
          contact(database, "INSERT INTO contacts VALUES(?1,?2,?3) ON CONFLICT(peer) DO UPDATE SET record=excluded.record, seen=excluded.seen"),
          contact_gone(database, "DELETE FROM contacts WHERE peer=?1"),
          receipt(database, "INSERT OR REPLACE INTO receipts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"),
          receipt_gone(database, "DELETE FROM receipts WHERE swarm=?1 AND giver=?2 AND submitter=?3 AND series=?4 AND receiver=?5"),
          favour(database, "INSERT OR REPLACE INTO favours VALUES(?1,?2,?3)"),
          favour_gone(database, "DELETE FROM favours WHERE swarm=?1 AND owner=?2"),
          reputation(database, "INSERT OR REPLACE INTO reputations VALUES(?1,?2,?3)"),
          reputation_gone(database, "DELETE FROM reputations WHERE swarm=?1 AND donor=?2") {}
    Statement begin, commit, job, state, batch, papers, summary, contact, contact_gone;
    Statement receipt, receipt_gone, favour, favour_gone, reputation, reputation_gone;
  };

  Writing& writing() {
    if (!writing_) writing_ = std::make_unique<Writing>(get());
    return *writing_;
  }

  bool put(const JobRow& row) {
    return writing().job.bind(1, row.job.view()).bind(2, row.manifest).bind(3, row.recipe).bind(4, row.created.time_since_epoch().count()).run();
  }
  bool put(const JobStateRow& row) { return writing().state.bind(1, row.job.view()).bind(2, static_cast<std::int64_t>(row.state)).run(); }
  bool put(const AcceptedRow& row) {
    std::span<const AcceptedUnit> rest(row.units);
    ByteView evidence(row.evidence), held(row.held);
    while (!rest.empty() || !evidence.empty() || !held.empty()) {
      std::size_t count = 0;
      for (std::size_t bytes = 0; count < rest.size() && (count == 0 || bytes + rest[count].output.bytes.size() <= batch_bytes_max); ++count) {
        bytes += rest[count].output.bytes.size();
      }
      const Bytes batch = encode_batch(rest.first(count));
      Statement& insert = writing().batch.bind(1, row.job.view()).bind(2, static_cast<std::int64_t>(count)).bind(3, batch);
      if (!insert.bind(4, evidence).bind(5, held).run()) return false;
      rest = rest.subspan(count);
      evidence = held = {};
    }
    return true;
  }
  bool put(const PapersRow& row) {
    return writing()
        .papers.bind(1, row.job.view())
        .bind(2, row.swarm.view())
        .bind(3, ByteView(row.manifest_signature))
        .bind(4, row.delegation)
        .bind(5, ByteView(row.delegation_signature))
        .run();
  }
  bool put(const SummaryRow& row) { return writing().summary.bind(1, row.job.view()).bind(2, row.summary).run(); }
  bool put(const ContactRow& row) {
    return writing().contact.bind(1, row.peer.view()).bind(2, row.record).bind(3, row.seen.time_since_epoch().count()).run();
  }
  bool put(const ContactGone& row) { return writing().contact_gone.bind(1, row.peer.view()).run(); }
  bool put(const ReceiptRow& row) {
    return writing()
        .receipt.bind(1, row.swarm.view())
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
  bool put(const ReceiptGone& row) {
    return writing()
        .receipt_gone.bind(1, row.swarm.view())
        .bind(2, row.giver.view())
        .bind(3, row.submitter.view())
        .bind(4, static_cast<std::int64_t>(row.series))
        .bind(5, row.receiver.view())
        .run();
  }
  bool put(const FavourRow& row) {
    if (row.account.empty()) return writing().favour_gone.bind(1, row.swarm.view()).bind(2, row.owner.view()).run();
    return writing().favour.bind(1, row.swarm.view()).bind(2, row.owner.view()).bind(3, row.account).run();
  }
  bool put(const ReputationRow& row) {
    if (row.record.empty()) return writing().reputation_gone.bind(1, row.swarm.view()).bind(2, row.donor.view()).run();
    return writing().reputation.bind(1, row.swarm.view()).bind(2, row.donor.view()).bind(3, row.record).run();
  }

  const std::string path_;
  Database database_;
  std::unique_ptr<Writing> writing_;  // after database_: statements go before their database
  int pages_waiting_ = 0;
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open_for_writing(const std::string& path) {
  const Result<Found> found = identify_untouched(path);
  if (!found) return found.error();
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
  if (const Result<Found> again = identify(database->get(), path); !again) return again.error();
  return std::unique_ptr<Journal>(new Journal(std::make_unique<Impl>(*std::move(database), path)));
}

Result<void> Journal::write(std::span<const QueuedRows> queued) { return impl_->write(queued); }
int Journal::pages_waiting() const { return impl_->pages_waiting(); }
void Journal::checkpoint() { impl_->checkpoint(); }

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

namespace {

std::optional<Signature> signature_from(ByteView bytes) {
  Signature signature{};
  if (bytes.size() != signature.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

}  // namespace

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
